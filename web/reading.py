"""What the page does in a process of its own. Imports no torch: the process would start later and be larger."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from config.errors import UserError
from dataset.dxf_process import load_drawing
from dataset.dxf_process_GF import Overlap
from dataset.storage import SequenceRecord
from dataset.worker import FileReport
from report.difference import Difference, Pair, difference, portrait


@dataclass(frozen=True)
class Upload:
    """A file to read; ``source`` is how it is named."""

    path: Path
    source: str
    overlap: Overlap
    visible_only: bool


@dataclass(frozen=True)
class Portrait:
    """A drawing of the archive to show alone; width and height in pixels at most."""

    source: str
    record: SequenceRecord
    path: Path
    width: float
    height: float


@dataclass(frozen=True)
class WarmUp:
    """Nothing: the process starts and imports what it needs before the first question."""

    source: str = ""


Task = Upload | Pair | Portrait | WarmUp
Outcome = SequenceRecord | Difference | tuple[str, str] | FileReport


def work(task: Task) -> Outcome:
    """An upload's record, a pair's difference, a portrait as :func:`report.difference.portrait` has it; or a report, of
    an upload that cannot be read with the reason."""
    if isinstance(task, Pair):
        return difference(task)
    if isinstance(task, Portrait):
        return portrait(task.record, task.path, task.width, task.height)
    if isinstance(task, WarmUp):
        return FileReport(task.source, "read")
    try:
        return load_drawing(task.path, task.overlap, task.visible_only)
    except UserError as error:
        return FileReport(task.source, "skipped", str(error))
