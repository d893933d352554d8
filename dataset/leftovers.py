"""Tensors in the output folder that belong to no drawing of this run: training would read them all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path


def find_leftovers(folders: Iterable[Path], is_leftover: Callable[[str], bool]) -> list[Path]:
    """The ``.h5`` files below ``folders`` that are leftovers by their path in there, sorted.

    They come from drawings that were deleted or renamed, that could not be read this time, or of another input.
    """
    found = ((path, path.relative_to(folder).as_posix()) for folder in folders for path in folder.rglob("*.h5"))
    return sorted(path for path, name in found if is_leftover(name))


def remove(leftovers: Iterable[Path], folders: Iterable[Path]) -> None:
    """Delete files, and the sub-folders of ``folders`` that this leaves empty."""
    for path in leftovers:
        path.unlink()
    for folder in folders:
        for path in sorted(folder.rglob("*"), reverse=True):  # a folder after what lies in it
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
