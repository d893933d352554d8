"""The command line, as a user runs it: from somewhere else, on names as they are, with broken files among good ones."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from config.errors import UserError
from dataset.dxf_process import ProcessConfig, load_drawing, process_drawings, process_file
from dataset.dxf_process_GF import gf_adjacency, gf_features
from dataset.report import format_report
from dataset.storage import read_graph, read_sequence
from dataset.worker import NothingToShowError
from tests.dataset.building import new_drawing, saved

SCRIPT = Path(__file__).parents[2] / "dataset" / "dxf_process.py"


def lines_drawing(count):
    document, space = new_drawing()
    for i in range(count):
        space.add_line((i, 0), (i, 5))
        space.add_circle((i, 0), 1)
    return document


def solids_drawing():
    document, space = new_drawing()
    space.add_solid([(0, 0), (1, 0), (0, 1)])
    return document


def run(folder, *arguments):
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": "", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", env=environment)


def test_a_folder_from_anywhere_with_a_broken_file_among_good_ones(tmp_path):
    drawings = tmp_path / "Drawings (2024) [客户]（321）"
    first = saved(lines_drawing(2), drawings, "QFN21LA(Cu) -508 Rev1_5.dxf")
    saved(lines_drawing(3), drawings, "sub folder/QFN21LA(Cu) -508 Rev1_5.DXF")
    saved(solids_drawing(), drawings, "solids only.dxf")
    saved(new_drawing()[0], drawings, "empty.dxf")
    (drawings / "broken[1].dxf").write_bytes(b"\x00\x01 no drawing")
    (drawings / "notes.txt").write_text("not a drawing")
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()

    done = run(elsewhere, "--input", drawings, "--output", "out put", "--workers", 2)
    assert done.returncode == 3, done.stderr
    output = elsewhere / "out put"

    report = json.loads((output / "report.json").read_text(encoding="utf-8"))
    assert report["totals"]["read"] == 3 and report["totals"]["skipped"] == 2
    assert report["totals"]["represented"] == {"LINE": 5, "CIRCLE": 5, "SOLID": 1}
    by_source = {file["source"]: file for file in report["files"]}
    assert list(by_source) == sorted(by_source) and len(by_source) == 5
    assert by_source["broken[1].dxf"]["status"] == "skipped" and "DXF" in by_source["broken[1].dxf"]["reason"]
    assert "no entity" in by_source["empty.dxf"]["reason"]
    assert "broken[1].dxf" in done.stdout and "LINE" in done.stdout

    written = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    names = ["QFN21LA(Cu) -508 Rev1_5.h5", "sub folder/QFN21LA(Cu) -508 Rev1_5.h5"]
    sequences = {f"DeepDXF/{name}" for name in (*names, "solids only.h5")}
    assert written == {"report.json", *sequences, *(f"GF/{name}" for name in names)}

    record = read_sequence(output / "DeepDXF" / names[1])
    assert record.source == "sub folder/QFN21LA(Cu) -508 Rev1_5.DXF" and record.entity_count == 6
    graph = read_graph(output / "GF" / names[0])
    np.testing.assert_array_equal(graph.features, gf_features(graph.counts))
    np.testing.assert_array_equal(graph.adjacency, gf_adjacency(graph.edge_counts))

    alone = load_drawing(first)
    stored = load_drawing(output / "DeepDXF" / names[0])
    np.testing.assert_array_equal(alone.dxf_vec, stored.dxf_vec)
    np.testing.assert_array_equal(alone.gf_counts, graph.counts)
    assert load_drawing(drawings / "solids only.dxf").gf_counts is None


def test_exit_status(tmp_path):
    drawing = saved(lines_drawing(1), tmp_path / "good", "a.dxf")
    assert run(tmp_path, "--input", drawing, "--output", "one", "--workers", 1).returncode == 0
    assert (tmp_path / "one" / "GF" / "a.h5").is_file()

    (tmp_path / "none").mkdir()
    failed = run(tmp_path, "--input", "none", "--output", "two")
    assert failed.returncode == 1 and "no drawings" in failed.stderr

    failed = run(tmp_path, "--input", "nowhere", "--output", "two")
    assert failed.returncode == 1 and "nowhere does not exist" in failed.stderr

    (tmp_path / "file").write_text("in the way")
    failed = run(tmp_path, "--input", "good", "--output", "file/out", "--workers", 1)
    assert failed.returncode == 1 and "cannot write" in failed.stderr

    assert run(tmp_path, "--input", "good", "--overlap", "sometimes").returncode == 2
    assert "--overlap" in run(tmp_path, "--help").stdout


@pytest.mark.skipif(os.name == "nt", reason="the platform has no broken pipes of this kind")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_nobody_reading_the_table_is_no_traceback(tmp_path, unbuffered):
    saved(lines_drawing(1), tmp_path / "in", "a.dxf")
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, str(SCRIPT), "--input", "in", "--output", "out", "--workers", "1"]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(command, cwd=tmp_path, stdout=write, stderr=subprocess.PIPE, text=True, env=environment)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")
    assert (tmp_path / "out" / "report.json").is_file()


def test_one_is_no_plural(tmp_path):
    document, space = new_drawing()
    block = document.blocks.new("SHEET")
    block.add_line((0, 0), (1, 1))
    block.add_line((0, 0), (2, 1))
    space.add_blockref("SHEET", (0, 0))
    saved(document, tmp_path / "in", "a.dxf")
    table = format_report(process_drawings(ProcessConfig(tmp_path / "in", tmp_path / "out", workers=1)))
    assert table.startswith("1 drawing: ") and "1 sheet " in table


def test_strict_fails_at_the_first_skipped_drawing(tmp_path):
    (tmp_path / "broken.dxf").write_text("rubbish")
    with pytest.raises(UserError, match=r"broken\.dxf"):
        process_drawings(ProcessConfig(tmp_path, tmp_path / "out", workers=1, strict=True))


def test_tensors_of_other_drawings_are_named_and_only_removed_when_asked(tmp_path):
    saved(lines_drawing(1), tmp_path / "in", "a.dxf")
    gone = saved(lines_drawing(2), tmp_path / "in" / "old (1)", "gone.dxf")
    config = {"input": tmp_path / "in", "output": tmp_path / "out", "workers": 1}
    process_drawings(ProcessConfig(**config))
    (tmp_path / "out" / "GF" / "old (1)" / "mine.txt").write_text("not a tensor")
    gone.unlink()
    left = ["DeepDXF/old (1)/gone.h5", "GF/old (1)/gone.h5"]

    report = process_drawings(ProcessConfig(**config))
    assert report.leftovers == left
    assert "--prune" in format_report(report)
    assert all((tmp_path / "out" / name).is_file() for name in left)

    report = process_drawings(ProcessConfig(**config, prune=True))
    assert report.leftovers == left
    remaining = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*"))
    assert remaining == ["DeepDXF", "DeepDXF/a.h5", "GF", "GF/a.h5", "GF/old (1)", "GF/old (1)/mine.txt", "report.json"]


def test_what_cannot_be_read_any_more_is_a_leftover(tmp_path):
    path = saved(lines_drawing(1), tmp_path / "in", "a.dxf")
    config = ProcessConfig(tmp_path / "in", tmp_path / "out", workers=1)
    process_drawings(config)
    path.write_text("rubbish")
    assert process_drawings(config).leftovers == ["DeepDXF/a.h5", "GF/a.h5"]


def test_a_drawing_with_nothing_to_represent_is_named(tmp_path):
    document, space = new_drawing()
    space.add_point((0, 0))
    with pytest.raises(NothingToShowError, match="1 POINT"):
        process_file(saved(document, tmp_path), "drawing.dxf")


def test_config_refuses_nonsense():
    for wrong in ({"workers": -1}, {"timeout": 0}, {"memory": -1}, {"shard": "3/2"}):
        with pytest.raises(ValueError):
            ProcessConfig(Path(), **wrong)
