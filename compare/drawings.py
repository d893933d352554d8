"""Drawings from files and folders: found, and read in processes whose hang or hunger costs the drawing only."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from compare.figure import Loaded, load
from config.errors import UserError
from config.limits import Limits
from dataset.dxf_process import load_drawing
from dataset.dxf_process_GF import Overlap
from dataset.in_order import in_order
from dataset.pool import LocalPool, fair_share
from dataset.storage import SequenceRecord
from dataset.worker import FileReport
from utils.progress import progress

ENDINGS = (".dxf", ".dwg", ".h5")
FEW = 4  # drawings that one process reads before others have started

Read = TypeVar("Read", SequenceRecord, Loaded)


@dataclass(frozen=True)
class Reading:
    """One file to read, and how; ``source`` is how it is named."""

    path: Path
    source: str
    overlap: Overlap
    visible_only: bool


def record_of(task: Reading) -> SequenceRecord | str:
    """What a model reads of a drawing, or one sentence on why it cannot be read."""
    try:
        return load_drawing(task.path, task.overlap, task.visible_only)
    except UserError as error:
        return str(error)


def whole_of(task: Reading) -> Loaded | str:
    """What a model and what a person reads of a drawing, or one sentence on why it cannot be read."""
    try:
        return load(task.path, task.overlap, task.visible_only)
    except UserError as error:
        return str(error)


class Reader(Generic[Read]):
    """Reads drawings, once.

    Drawings are read in processes of their own, as preprocessing reads them; these start at once, while whoever asks
    loads a model. A few ``.h5``, which preprocessing has written, are read here.

    Args:
        work: :func:`record_of` or :func:`whole_of`.
    """

    def __init__(self, paths: list[Path], limits: Limits, work: Callable[[Reading], Read | str]) -> None:
        self.paths, self._work = paths, work
        self._pool: LocalPool | None = None
        if len(paths) > FEW or any(path.suffix.lower() != ".h5" for path in paths):
            workers = 1 if len(paths) <= FEW else min(limits.workers or os.cpu_count() or 1, len(paths))
            self._pool = LocalPool(workers, limits.timeout, int(limits.memory * 1e9) or fair_share(workers), work)
            self._pool.warm_up()

    def __enter__(self) -> Reader[Read]:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.close()

    def read(self, overlap: Overlap = "cross", visible_only: bool = False) -> Iterator[Read | str]:
        """The drawings in their order, or one sentence on why one could not be read. The options count for drawings;
        an ``.h5`` is as it was written."""
        tasks = [Reading(path, path.name, overlap, visible_only) for path in self.paths]
        if self._pool is None:
            yield from map(self._work, tasks)
            return
        done = in_order(tasks, self._pool)
        if len(tasks) > FEW:
            done = progress(done, "drawings", total=len(tasks), unit="file")
        for path, each in zip(self.paths, done, strict=True):
            yield f"cannot read {path}: {each.reason}" if isinstance(each, FileReport) else each


def find(path: Path) -> list[Path]:
    """The drawing itself, or all drawings below a folder by name.

    Raises:
        UserError: there is none.
    """
    if not path.is_dir():
        if not path.exists():
            raise UserError(f"{path}: no such file or folder")
        return [path]
    found = sorted(each for each in path.rglob("*") if each.suffix.lower() in ENDINGS and each.is_file())
    if not found:
        raise UserError(f"{path} holds no drawings ({', '.join(f'*{ending}' for ending in ENDINGS)})")
    return found
