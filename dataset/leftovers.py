"""What lies in the output folder without belonging there: tensors of no drawing of this run, which training would read
all the same, and unfinished files of runs that were killed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from dataset.storage import TEMPORARY_SUFFIX

STALE = 3600.0  # seconds after which nobody writes to an unfinished file any more: a run does so for a fraction of one


def find_leftovers(folders: Iterable[Path], is_leftover: Callable[[str], bool]) -> list[Path]:
    """The ``.h5`` files below ``folders`` that are leftovers by their path in there, sorted.

    They come from drawings that were deleted or renamed, that could not be read this time, or of another input.
    """
    found = ((path, path.relative_to(folder).as_posix()) for folder in folders for path in folder.rglob("*.h5"))
    return sorted(path for path, name in found if is_leftover(name))


def remove_unfinished(folders: Iterable[Path]) -> int:
    """Delete what killed runs were writing, and nothing that another run, such as another share's, is writing now.

    Returns:
        how many files.
    """
    removed = 0
    for folder in folders:
        if not folder.is_dir():
            continue
        with tempfile.TemporaryFile(dir=folder) as file:
            now = os.fstat(file.fileno()).st_mtime  # the file system's clock, which may be another machine's
        for path in folder.rglob(f".*{TEMPORARY_SUFFIX}"):
            try:
                if now - path.stat().st_mtime > STALE:
                    path.unlink()
                    removed += 1
            except FileNotFoundError:  # another run has just finished or removed it
                continue
    return removed


def remove(leftovers: Iterable[Path], folders: Iterable[Path]) -> None:
    """Delete files, and the sub-folders of ``folders`` that this leaves empty."""
    for path in leftovers:
        path.unlink()
    for folder in folders:
        for path in sorted(folder.rglob("*"), reverse=True):  # a folder after what lies in it
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
