"""Vectors on the disk: segments of rows, memory-mapped, so that a search reads what it looks at and no more."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from config.errors import UserError
from utils.files import atomic_path

BLOCK = 4096  # rows looked at together


class Vectors:
    """Rows ``[D]`` float32 by slot, in one or many segments.

    Args:
        segments: first slot, number of rows and file of each, by slot.

    Raises:
        UserError: a segment is missing or damaged.
    """

    def __init__(self, folder: Path, segments: list[tuple[int, int, str]], width: int) -> None:
        self.firsts = np.array([first for first, _, _ in segments], dtype=np.int64)
        self.width = width
        self._rows = [_opened(folder / file, count, width) for _, count, file in segments]

    @property
    def end(self) -> int:
        """The slot after the last."""
        return int(self.firsts[-1]) + len(self._rows[-1]) if self._rows else 0

    def take(self, slots: np.ndarray) -> np.ndarray:
        """``[len(slots), D]``."""
        out = np.empty((len(slots), self.width), np.float32)
        which = np.searchsorted(self.firsts, slots, side="right") - 1
        for segment in np.unique(which):
            here = which == segment
            out[here] = self._rows[segment][slots[here] - self.firsts[segment]]
        return out

    def blocks(self, start: int = 0) -> Iterator[tuple[int, np.ndarray]]:
        """All rows from a slot on, a block at a time, each with its first slot."""
        for first, rows in zip(self.firsts.tolist(), self._rows, strict=True):
            for at in range(max(start - first, 0), len(rows), BLOCK):
                yield first + at, rows[at : at + BLOCK]


def write_segment(folder: Path, rows: np.ndarray) -> str:
    """Write rows whole; the name of their file."""
    name = f"vectors-{uuid.uuid4().hex}.npy"
    with atomic_path(folder / name) as temporary, temporary.open("wb") as file:
        np.save(file, np.ascontiguousarray(rows, np.float32), allow_pickle=False)
    return name


def _opened(path: Path, count: int, width: int) -> np.ndarray:
    try:
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path} is missing or damaged ({error}): make the index again") from error
    if rows.shape != (count, width) or rows.dtype != np.float32:
        raise UserError(f"{path} is damaged: it holds {rows.dtype} {rows.shape}; make the index again")
    return rows
