"""A drawing is read once for both encoders."""

import sys
from pathlib import Path

import pytest

from dataset.worker import Task, run_task
from tests.dataset.building import new_drawing

COUNTERS = Path("/proc/self/io")


def bytes_read() -> int:
    """By this process so far, whether from a disk or from memory that caches one."""
    return int(COUNTERS.read_text().split()[1])


@pytest.mark.skipif(not COUNTERS.exists(), reason=f"{sys.platform} does not count what a process reads")
@pytest.mark.parametrize("fmt", ["asc", "bin"])
def test_once_to_tell_whether_it_is_new_and_once_to_read_it(tmp_path, fmt):
    document, space = new_drawing()
    for i in range(5_000):
        space.add_line((i, 0), (i, 9))
    path = tmp_path / "drawing.dxf"
    document.saveas(path, fmt=fmt)
    task = Task(path, path.name, tmp_path / "s.h5", tmp_path / "g.h5", "cross")
    assert run_task(task).status == "read"  # whatever is imported on first use has been read after this

    before = bytes_read()
    assert run_task(task).status == "unchanged"
    unchanged = bytes_read() - before
    assert 1.0 < unchanged / path.stat().st_size < 1.2

    task = Task(path, path.name, tmp_path / "s.h5", tmp_path / "g.h5", "cross", force=True)
    before = bytes_read()
    assert run_task(task).status == "read"
    assert 2.0 < (bytes_read() - before) / path.stat().st_size < 2.3
