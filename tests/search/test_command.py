"""SearchDXF.py as a user types it."""

import csv
import json
import shutil
import sys

import pytest

from tests.dataset.test_pool import large_file
from tests.search.conftest import model
from tests.test_commands import run


@pytest.fixture(scope="module")
def workplace(data, archive, tmp_path_factory):
    folder = tmp_path_factory.mktemp("search (2024)（旧） copy")
    model(folder / "model.pth", sorted(archive.rglob("*.dxf")))
    shutil.copytree(data / "DeepDXF", folder / "archive")
    (folder / "archive" / "broken.h5").write_bytes(b"\x89HDF and then nothing")
    done = run("SearchDXF.py", "index", "archive", "--model_path", "model.pth", cwd=folder, expect=3)
    assert "10 added, 0 changed, 0 removed, 0 unchanged, 1 skipped" in done.stdout
    assert "skipped broken.h5: " in done.stderr
    return folder


def test_a_query_answers_what_it_can_and_names_the_rest(workplace, archive):
    (workplace / "empty.dxf").write_bytes(b"")
    done = run(
        "SearchDXF.py", "query", "empty.dxf", archive / "silent.dxf", "gone.dxf", "--model_path", "model.pth",
        "--top", 3, "--path", "*.H5", "--count", "CIRCLE>=2", "--json", "-", "--csv", "out.csv",
        cwd=workplace, expect=3,
    )  # fmt: skip
    empty, answer = json.loads(done.stdout)["queries"]
    assert empty["hits"] == []
    assert "empty.dxf" in empty["error"]
    assert "gone.dxf" in done.stderr
    assert answer["hits"][0]["id"] == "silent.h5"
    assert answer["hits"][0]["score"] == 1.0
    assert len(answer["hits"]) == 3
    with (workplace / "out.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [hit["id"] for hit in answer["hits"]]


def test_a_huge_query_is_named_and_the_others_are_answered(workplace, archive):
    if sys.platform != "linux":
        pytest.skip("the platform cannot limit the memory of a process")
    large_file(workplace / "huge.dxf", 500_000)
    options = ["--model_path", "model.pth", "--memory", 0.1, "--json", "-"]
    done = run("SearchDXF.py", "query", "huge.dxf", archive / "silent.dxf", *options, cwd=workplace, expect=3)
    huge, answer = json.loads(done.stdout)["queries"]
    assert huge["error"] == "cannot read huge.dxf: needs more than 0.1 GB of memory (--memory)"
    assert huge["error"] in done.stderr and "Traceback" not in done.stderr
    assert answer["hits"]


def test_faiss_is_for_an_index_in_a_folder_and_kept_until_exact(workplace):
    pytest.importorskip("faiss", reason="needs requirements-faiss.txt")
    model = ["--model_path", "model.pth"]
    run("SearchDXF.py", "index", "archive", *model, "--faiss", cwd=workplace, expect=3)
    done = run("SearchDXF.py", "query", "archive/silent.h5", *model, "--exact", cwd=workplace)
    assert "silent.h5" in done.stdout and done.stderr == ""
    run("SearchDXF.py", "index", "archive", *model, "--exact", cwd=workplace, expect=3)
    for options in (["--faiss", "--exact"], ["--faiss", "--index", "milvus://a.db/b"]):
        done = run("SearchDXF.py", "index", "archive", *options, cwd=workplace, expect=2)
        assert "--faiss" in done.stderr


def test_copies_are_listed_without_a_model(workplace):
    done = run("SearchDXF.py", "dedupe", "--threshold", 1, cwd=workplace)
    assert "2 drawings, the same bytes" in done.stdout
    assert "customers/B/copy.h5" in done.stdout


def test_wrong_options_are_refused(workplace):
    done = run("SearchDXF.py", "dedupe", "--count", "WHEELS>2", cwd=workplace, expect=1)
    assert "'WHEELS' is no entity type" in done.stderr
    assert "index" in run("SearchDXF.py", "--help", cwd=workplace).stdout
