"""A file that crashes, hangs or eats memory costs itself, and a million files cost no memory."""

import multiprocessing
import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.pool import AHEAD, LocalPool, fair_share, run_in_pool
from dataset.report import RunReport
from dataset.worker import FileReport, Task
from tests.dataset.building import new_drawing, saved

GIGABYTE = 1_000_000_000
ROOT = Path(__file__).resolve().parents[2]


def behave(task):
    """A worker that does what the drawing's name says."""
    match task.source.partition(" ")[0]:
        case "hang":
            time.sleep(60)
        case "crash":
            os._exit(7)
        case "killed":
            os.kill(os.getpid(), 9)
        case "hungry":
            bytearray(4 * GIGABYTE)
        case "broken":
            raise ValueError("what a mess")
        case "full":
            raise OSError(28, "No space left on device")
    return FileReport(task.source, "read")


def task(source):
    return Task(Path(source), source, Path("s.h5"), Path("g.h5"), "cross")


def reports(sources, workers=2):
    return list(run_in_pool(map(task, sources), workers, timeout=3, memory=GIGABYTE, work=behave))


def test_one_file_in_trouble_costs_only_itself_and_says_so():
    troubles = {
        "hang": "--timeout",
        "crash": "exit code 7",
        "killed": "out of memory",
        "hungry": "more than 1 GB of memory (--memory)",
        "broken": "what a mess",
    }
    if sys.platform != "linux":
        del troubles["hungry"]
    sources = [name for i, trouble in enumerate(troubles) for name in (f"good {i}", trouble, f"fine {i}")]
    found = reports(sources)
    assert [file.source for file in found] == sources
    for file in found:
        trouble = troubles.get(file.source)
        assert file.status == ("skipped" if trouble else "read")
        assert not trouble or trouble in file.reason


def sleep_and_tell(task):
    task.path.write_text(f"{os.getpid()}.")
    time.sleep(600)


def kill_and_see_nothing_left(script, folder):
    """Run a script whose worker hangs in :func:`sleep_and_tell`, writing to ``told``, kill it, and wait for the worker
    to be gone."""
    told = folder / "told"
    run = subprocess.Popen([sys.executable, "-c", script], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)})
    wait_for(lambda: told.exists() and told.read_text().endswith("."))
    run.kill()
    run.wait()
    worker = int(told.read_text()[:-1])
    wait_for(lambda: not Path(f"/proc/{worker}").exists())


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked for in /proc")
def test_nothing_of_a_killed_run_stays_behind(tmp_path):
    script = """
from dataset.pool import run_in_pool
from tests.dataset.test_pool import sleep_and_tell, task
if __name__ == "__main__":
    list(run_in_pool([task("told")], 1, 600, 4_000_000_000, sleep_and_tell))
"""
    kill_and_see_nothing_left(script, tmp_path)


@pytest.mark.parametrize("pause", [0.0, 1.0], ids=["not noticed yet", "noticed"])
def test_a_process_that_dies_between_two_files_costs_none(pause):
    """As one does that is killed for the memory it still holds: Pebble then gives the whole pool up."""
    others = set(multiprocessing.active_children())  # what other tests keep
    pool = LocalPool(1, timeout=30, memory=GIGABYTE, work=behave)
    try:
        pool.start(0, task("good 0"))
        found = list(pool.finished())
        (process,) = set(multiprocessing.active_children()) - others
        process.kill()
        time.sleep(pause)
        for number in (1, 2):
            pool.start(number, task(f"good {number}"))
        while len(found) < 3:
            found += pool.finished()
    finally:
        pool.close()
    assert sorted(found, key=lambda done: done[0]) == [
        (number, FileReport(f"good {number}", "read")) for number in range(3)
    ]


def test_a_full_disk_fails_the_run():
    with pytest.raises(OSError, match="No space left"):
        reports(["good", "full", "fine"])


def test_tasks_are_drawn_as_they_are_needed():
    drawn = []

    def tasks():
        for i in range(200):
            drawn.append(i)
            yield task(f"good {i}")

    for count, _ in enumerate(run_in_pool(tasks(), 1, timeout=60, memory=GIGABYTE, work=behave), start=1):
        assert len(drawn) <= count + 20 * AHEAD  # a report may wait for us while the next ones are being done
    assert count == 200


def test_sums_take_no_memory_however_many_files_there_are():
    report = RunReport("cross")
    file = {"represented": {"LINE": 7}, "left_out": {"POINT": 1}}
    tracemalloc.start()
    for i in range(5000):
        report.add(FileReport(f"{i}.dxf", ("read", "skipped", "recovered")[i % 3], **file))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 100_000
    assert report.files == 5000 and report.totals["represented"]["LINE"] == 35_000


def test_a_fair_share_fits_into_the_machine():
    assert 0 < 2 * fair_share(2) <= fair_share(1)


def large_file(path, lines):
    content = "0\nLINE\n8\n0\n10\n0\n20\n0\n11\n1\n21\n1\n" * lines
    path.write_text(f"0\nSECTION\n2\nENTITIES\n{content}0\nENDSEC\n0\nEOF\n")


@pytest.mark.parametrize(("limit", "option"), [({"timeout": 2.0}, "--timeout"), ({"memory": 0.1}, "--memory")])
def test_a_drawing_that_takes_too_long_or_too_much_is_skipped_and_named(tmp_path, limit, option):
    if option == "--memory" and sys.platform != "linux":
        pytest.skip("the platform cannot limit the memory of a process")
    document, space = new_drawing()
    space.add_line((0, 0), (1, 0))
    saved(document, tmp_path / "in", "small.dxf")
    large_file(tmp_path / "in" / "large.dxf", 500_000)
    report = process_drawings(ProcessConfig(tmp_path / "in", tmp_path / "out", workers=1, **limit))
    assert report.statuses == {"read": 1, "skipped": 1}
    (skipped,) = report.named["skipped"]
    assert skipped.source == "large.dxf" and option in skipped.reason
