"""Tensors in the output folder that belong to no drawing of this run: training would read them all the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path


def find_leftovers(folders: Iterable[Path], written: Collection[str]) -> list[Path]:
    """The ``.h5`` files below ``folders`` whose path in there is not among ``written``, sorted.

    They come from drawings that were deleted or renamed, that could not be read this time, or of another input.
    """
    return sorted(
        path
        for folder in folders
        for path in folder.rglob("*.h5")
        if path.relative_to(folder).as_posix() not in written
    )


def remove(leftovers: Iterable[Path], folders: Iterable[Path]) -> None:
    """Delete files, and the sub-folders of ``folders`` that this leaves empty."""
    for path in leftovers:
        path.unlink()
    for folder in folders:
        for path in sorted(folder.rglob("*"), reverse=True):  # a folder after what lies in it
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
