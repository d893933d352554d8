"""Many drawings from files and folders: found, and read side by side."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from config.errors import UserError
from dataset.dxf_process import load_drawing
from dataset.dxf_process_GF import Overlap
from dataset.pool import fair_share, run_in_pool
from dataset.storage import SequenceRecord
from dataset.worker import FileReport
from utils.progress import progress

ENDINGS = (".dxf", ".dwg", ".h5")
FEW = 4  # drawings that are read here: starting processes would take longer


@dataclass(frozen=True)
class Reading:
    """One file to read, and how; ``source`` is how it is named."""

    path: Path
    source: str
    overlap: Overlap
    visible_only: bool


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


def read_all(
    paths: list[Path], overlap: Overlap, visible_only: bool, workers: int, timeout: float
) -> Iterator[SequenceRecord | str]:
    """The drawings in their order, or why one could not be read. Many are read in processes of their own, so that one
    that hangs or eats memory costs itself only."""
    tasks = [Reading(path, path.name, overlap, visible_only) for path in paths]
    if len(tasks) <= FEW:
        yield from map(_read, tasks)
        return
    workers = min(workers or os.cpu_count() or 1, len(tasks))
    done = run_in_pool(tasks, workers, timeout, fair_share(workers), _read)
    for each in progress(done, "drawings", total=len(tasks), unit="file"):
        yield each.reason if isinstance(each, FileReport) else each


def _read(task: Reading) -> SequenceRecord | str:
    try:
        return load_drawing(task.path, task.overlap, task.visible_only)
    except UserError as error:
        return str(error)
