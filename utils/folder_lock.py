"""One run at a time in a folder, whoever starts the second.

The lock is the operating system's: it is gone with the process that held it, however that ended, so a killed run locks
nobody out. Beside it lies who holds it, for the sentence that the second run ends with.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from config.errors import UserError
from utils.distributed.exchange import from_first
from utils.distributed.world import world
from utils.files import write_json

PATIENCE = 5.0  # seconds: the processes of a run whose launcher was killed take a moment to end


class FolderLock:
    """Says that a run works in a folder, and who it is.

    Args:
        way_out: what else the second run could do, such as an option that names another folder.
    """

    def __init__(self, folder: Path, way_out: str) -> None:
        self.folder = folder
        self._way_out = way_out
        self._lock = FileLock(folder / ".lock")
        self._holder = folder / ".lock.json"

    def acquire(self) -> None:
        """Take the folder, or raise :class:`UserError`: another run works in it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=PATIENCE)
        except Timeout:
            raise UserError(
                f"{self.folder} is in use by another run{self._who()}: let that end, or stop it, or {self._way_out}"
            ) from None
        started = time.strftime("%Y-%m-%d %H:%M:%S")
        write_json(self._holder, {"pid": os.getpid(), "host": socket.gethostname(), "started": started})

    def release(self) -> None:
        """Leave the folder to others."""
        self._holder.unlink(missing_ok=True)
        if (
            os.name == "posix"
        ):  # while it is held: who has opened it meanwhile sees that it is gone, and makes a new one
            Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()  # on Windows removes it

    def _who(self) -> str:
        try:
            holder = json.loads(self._holder.read_text(encoding="utf-8"))
        except FileNotFoundError:  # it has only just begun
            return ""
        return f" (process {holder['pid']} on {holder['host']}, since {holder['started']})"


@contextmanager
def alone_in(folder: Path, way_out: str) -> Iterator[None]:
    """A block in which no other run works in a folder. Of several processes of a run the first holds the lock.

    Raises:
        UserError: another run works there, on every process.
    """
    lock = FolderLock(folder, way_out)
    from_first(lock.acquire)
    try:
        yield
    finally:
        if world().is_first:
            lock.release()
