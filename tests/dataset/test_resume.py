"""A second run does what is new or changed and nothing else, whatever happened to the first."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import pytest

from dataset import resume
from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.report import format_report
from dataset.worker import FileReport, Task, run_task
from tests.dataset.building import new_drawing, saved

SCRIPT = Path(__file__).parents[2] / "dataset" / "dxf_process.py"


def drawing(folder, name, lines=2, text=False):
    document, space = new_drawing()
    for i in range(lines):
        space.add_line((i, 0), (i, 5))
    if text:
        space.add_text("A")
    return saved(document, folder, name)


def task_of(path, output, **options):
    options = {"overlap": "cross", **options}
    return Task(path, path.name, output / "DeepDXF" / "a.h5", output / "GF" / "a.h5", **options)


@pytest.fixture
def done(tmp_path):
    """A drawing that has been processed: its path and its task."""
    path = drawing(tmp_path / "in", "a.dxf")
    task = task_of(path, tmp_path / "out")
    assert run_task(task).status == "read"
    return path, task


def test_what_is_done_is_not_done_again_and_keeps_its_counts(done):
    _, task = done
    before = task.sequence_path.stat().st_mtime_ns, task.graph_path.stat().st_mtime_ns
    report = run_task(task)
    assert (report.status, report.cause) == ("unchanged", "")
    assert report.represented == {"LINE": 2} and report.megabytes > 0
    assert (task.sequence_path.stat().st_mtime_ns, task.graph_path.stat().st_mtime_ns) == before


def test_content_counts_not_the_date(done):
    path, task = done
    os.utime(path, (0, 0))
    assert run_task(task).status == "unchanged"
    drawing(path.parent, path.name, lines=3)
    os.utime(path, (0, 0))
    report = run_task(task)
    assert (report.status, report.cause, report.represented) == ("read", resume.CHANGED, {"LINE": 3})
    assert run_task(task).status == "unchanged"


def test_force_and_other_options_do_it_again(done):
    path, task = done
    output = task.graph_path.parents[1]
    assert run_task(task_of(path, output, force=True)).cause == resume.FORCED
    assert run_task(task_of(path, output, overlap="intersects")).cause == resume.OTHER_OPTIONS
    assert run_task(task_of(path, output, overlap="intersects")).status == "unchanged"


@pytest.mark.parametrize(("version", "said"), [("SCHEMA_VERSION", "schema version"), ("READING_VERSION", "reading")])
def test_another_schema_or_reading_does_it_again_and_says_so(done, monkeypatch, version, said):
    _, task = done
    old = getattr(resume, version)
    monkeypatch.setattr(resume, version, old + 1)
    report = run_task(task)
    assert report.status == "read" and said in report.cause and f"{old}, now {old + 1}" in report.cause


@pytest.mark.parametrize("which", ["sequence_path", "graph_path"])
@pytest.mark.parametrize("damage", ["missing", "truncated", "unstamped"])
def test_an_output_that_is_not_whole_is_made_again(done, which, damage):
    _, task = done
    output = getattr(task, which)
    if damage == "missing":
        output.unlink()
    elif damage == "truncated":
        output.write_bytes(output.read_bytes()[:500])
    else:
        with h5py.File(output, "r+") as file:
            del file.attrs["content_hash"]
    assert run_task(task).status == "read"
    assert run_task(task).status == "unchanged"


def test_the_report_of_another_program_version_is_not_believed(done):
    _, task = done
    with h5py.File(task.sequence_path, "r+") as file:
        file.attrs["report"] = json.dumps({**json.loads(file.attrs["report"]), "unknown": 1})
    assert run_task(task).cause == resume.DAMAGED


def test_an_output_of_another_drawing_is_not_taken_for_this_one(done, tmp_path):
    path, task = done
    twin = path.rename(path.with_name("b.dxf"))
    report = run_task(Task(twin, "b.dxf", task.sequence_path, task.graph_path, "cross"))
    assert (report.status, report.cause) == ("read", resume.OTHER_DRAWING)


def test_a_recovered_drawing_stays_known_as_one(tmp_path):
    path = drawing(tmp_path / "in", "a.dxf")
    path.write_text(path.read_text().replace("AcDbLine\n 10\n0.0\n", "AcDbLine\n 10\n0,0x\n"))
    task = task_of(path, tmp_path / "out")
    first = run_task(task)
    assert first.status == "recovered" and run_task(task).reason == first.reason


def test_a_report_of_many_kinds_fits_beside_the_tensors(tmp_path):
    tags = "".join(f"0\nX{'Y' * 500}{i}\n8\n0\n" for i in range(500))
    path = tmp_path / "a.dxf"
    path.write_text(f"0\nSECTION\n2\nENTITIES\n0\nLINE\n8\n0\n10\n0\n20\n0\n11\n1\n21\n1\n{tags}0\nENDSEC\n0\nEOF\n")
    report = run_task(task_of(path, tmp_path / "out"))
    assert report.status == "read" and sum(report.left_out.values()) == 500
    assert run_task(task_of(path, tmp_path / "out")).status == "unchanged"


def statuses(report):
    return {file["source"]: file["status"] for file in json.loads(report.read_text(encoding="utf-8"))["files"]}


def test_a_second_run_reports_all_but_does_only_what_is_new(tmp_path):
    drawing(tmp_path / "in", "a.dxf")
    drawing(tmp_path / "in", "b.dxf", text=True)
    config = ProcessConfig(tmp_path / "in", tmp_path / "out", workers=1)
    process_drawings(config)
    drawing(tmp_path / "in", "c.dxf", lines=5)
    drawing(tmp_path / "in", "b.dxf", lines=1)
    report = process_drawings(config)
    assert statuses(tmp_path / "out" / "report.json") == {"a.dxf": "unchanged", "b.dxf": "read", "c.dxf": "read"}
    assert report.totals["represented"] == {"LINE": 8} and report.causes == {resume.NEW: 1, resume.CHANGED: 1}
    assert "1 unchanged" in format_report(report) and resume.CHANGED in format_report(report)


def test_what_another_input_replaces_is_counted(tmp_path):
    drawing(tmp_path / "one", "a.dxf")
    drawing(tmp_path / "one", "b.dxf")
    drawing(tmp_path / "two", "a.dxf", lines=7)
    drawing(tmp_path / "two", "b.DXF", lines=7)
    first = process_drawings(ProcessConfig(tmp_path / "one", tmp_path / "out", workers=1))
    assert first.renewed == 0 and "renewed" not in format_report(first)
    report = process_drawings(ProcessConfig(tmp_path / "two", tmp_path / "out", workers=1))
    assert report.causes == {resume.CHANGED: 1, resume.OTHER_DRAWING: 1} and report.renewed == 2
    assert "replacing what an earlier run wrote: 2 drawings" in format_report(report)
    assert json.loads((tmp_path / "out" / "report.json").read_text())["totals"]["renewed"] == 2


def test_unfinished_files_of_a_killed_run_are_removed_and_no_others(tmp_path):
    drawing(tmp_path / "in" / "sub", "a.dxf")
    config = ProcessConfig(tmp_path / "in", tmp_path / "out", workers=1)
    process_drawings(config)
    now, old = (tmp_path / "out" / "GF" / "sub" / f".{age}.partial" for age in ("now", "old"))
    mine = tmp_path / "out" / "GF" / "mine.partial"
    for path in (now, old, mine):
        path.write_bytes(b"half a file")
    for path in (old, mine):
        os.utime(path, (0, 0))
    report = process_drawings(config)
    assert (now.exists(), old.exists(), mine.exists()) == (True, False, True) and report.unfinished == 1
    assert "1 file" in format_report(report)
    assert process_drawings(config).unfinished == 0


def test_a_killed_run_loses_at_most_the_files_in_flight(tmp_path):
    count, workers = 60, 2
    for i in range(count):
        drawing(tmp_path / "in", f"{i:02}.dxf", lines=400)
    command = [sys.executable, str(SCRIPT), "--input", "in", "--output", "out", "--workers", str(workers)]
    finished = tmp_path / "out" / "DeepDXF"
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        while len(list(finished.glob("*.h5"))) < 8:
            assert run.poll() is None
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
    time.sleep(1.0)  # its workers finish the file they have and end
    before = {path.name: path.stat().st_mtime_ns for path in finished.glob("*.h5")}
    assert 8 <= len(before) < count
    assert not (tmp_path / "out" / "report.json").exists()

    report = process_drawings(ProcessConfig(tmp_path / "in", tmp_path / "out", workers=workers))
    assert report.statuses == {"unchanged": len(before), "read": count - len(before)}
    assert len(list(finished.glob("*.h5"))) == count == len(list((tmp_path / "out" / "GF").glob("*.h5")))
    assert {name: (finished / name).stat().st_mtime_ns for name in before} == before
    assert report.totals["represented"] == {"LINE": 400 * count}


def test_every_field_of_a_report_survives_the_way_through_the_file(done):
    _, task = done
    with h5py.File(task.sequence_path) as file:
        stored = FileReport(**json.loads(file.attrs["report"]))
    assert stored.has_graph and stored.status == "read" and stored.cause == resume.NEW
