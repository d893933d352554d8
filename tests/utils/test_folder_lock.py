"""Two processes and one folder: only one works in it, and a killed one locks nobody out."""

import subprocess
import sys
from pathlib import Path

import pytest

from config.errors import UserError
from utils import folder_lock
from utils.folder_lock import FolderLock, alone_in

HOLDER = """
import sys
from pathlib import Path
from utils.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1]), "")
lock.acquire()
print("here", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that works in the folder."""
    root, pipes = Path(__file__).resolve().parents[2], {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], cwd=root, text=True, **pipes)
    assert process.stdout.readline() == "here\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_run_is_told_who_is_there_until_that_is_killed(tmp_path, holder, monkeypatch):
    monkeypatch.setattr(folder_lock, "PATIENCE", 0.1)
    with pytest.raises(UserError, match=f"in use by another run .process {holder.pid} on .*go elsewhere"):
        FolderLock(tmp_path, "go elsewhere").acquire()
    (tmp_path / ".lock.json").unlink()
    with pytest.raises(UserError, match="in use by another run: let that end"):  # it has not said yet who it is
        FolderLock(tmp_path, "go elsewhere").acquire()
    holder.kill()
    holder.wait()
    assert (tmp_path / ".lock").exists()
    with alone_in(tmp_path, "go elsewhere"):
        assert {path.name for path in tmp_path.iterdir()} == {".lock", ".lock.json"}
    assert not list(tmp_path.iterdir())


def test_a_folder_is_free_again_behind_a_run_that_failed(tmp_path):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), alone_in(tmp_path, "go elsewhere"):
            raise ZeroDivisionError


def test_the_other_processes_of_a_run_do_not_lock(tmp_path, holder, monkeypatch):
    for name, value in {"RANK": "1", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(folder_lock, "from_first", lambda make: None)  # what the first process says: the folder is ours
    with alone_in(tmp_path, "go elsewhere"):
        pass
    assert (tmp_path / ".lock").exists()
