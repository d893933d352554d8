"""Jobs that share an archive do every drawing once between them and leave each other's work alone."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.shard import Shard
from tests.dataset.building import new_drawing, saved

FIRST_SHARE = [f"sheets/{i}.dxf" for i in (2, 3, 5, 8, 10)]  # of the first twelve, in four shares


@given(st.text(), st.integers(1, 9))
def test_every_drawing_is_in_exactly_one_share(source, count):
    assert sum(source in Shard(number, count) for number in range(1, count + 1)) == 1


def test_shares_are_even_and_always_the_same():
    sources = [f"sheets/{i}.dxf" for i in range(4000)]
    sizes = [sum(source in Shard(number, 4) for source in sources) for number in range(1, 5)]
    assert sum(sizes) == 4000 and all(abs(size - 1000) < 150 for size in sizes)
    assert [source for source in sources[:12] if source in Shard(1, 4)] == FIRST_SHARE


@pytest.mark.parametrize("wrong", ["", "2", "0/3", "4/3", "1/0", "a/b", "1/2/3", "-1/2", "1 /2"])
def test_what_is_no_share_is_refused(wrong):
    with pytest.raises(ValueError, match="i/n"):
        Shard.parse(wrong)


def test_two_jobs_do_everything_between_them_and_prune_what_is_nobody_s(tmp_path):
    document, space = new_drawing()
    space.add_line((0, 0), (1, 0))
    for i in range(8):
        saved(document, tmp_path / "in", f"{i}.dxf")
    folders = {"input": tmp_path / "in", "output": tmp_path / "out", "workers": 1}
    gone = saved(document, tmp_path / "in", "gone.dxf")
    process_drawings(ProcessConfig(**folders))
    gone.unlink()
    (tmp_path / "in" / "3.dxf").write_text("rubbish")
    (tmp_path / "out" / "report.json").unlink()

    jobs = [process_drawings(ProcessConfig(**folders, shard=f"{i}/2", prune=True)) for i in (1, 2)]
    assert sum(job.statuses["unchanged"] for job in jobs) == 7 and sum(job.statuses["skipped"] for job in jobs) == 1
    removed = [name for job in jobs for name in job.leftovers]
    assert sorted(removed) == ["DeepDXF/3.h5", "DeepDXF/gone.h5", "GF/3.h5", "GF/gone.h5"]
    assert sorted(path.stem for path in (tmp_path / "out" / "GF").iterdir()) == list("0124567")

    reports = [json.loads((tmp_path / "out" / f"report.{i}-of-2.json").read_text()) for i in (1, 2)]
    assert sorted(file["source"] for report in reports for file in report["files"]) == [f"{i}.dxf" for i in range(8)]
    assert not (tmp_path / "out" / "report.json").exists()


def test_an_empty_share_is_no_failure(tmp_path):
    document, space = new_drawing()
    space.add_line((0, 0), (1, 0))
    saved(document, tmp_path / "in", "a.dxf")
    jobs = [ProcessConfig(tmp_path / "in", tmp_path / "out", workers=1, shard=f"{i}/3") for i in (1, 2, 3)]
    reports = [process_drawings(job) for job in jobs]
    assert sorted(report.files for report in reports) == [0, 0, 1]
    for path in (tmp_path / "out").glob("report.*.json"):
        assert len(json.loads(path.read_text())["files"]) in (0, 1)
