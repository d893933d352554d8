"""One drawing, from file to tensors: what every worker process does.

It lives outside the command line so that a spawned process can import it by name.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from config.errors import UserError
from dataset.appearance import appearance
from dataset.content import Content, measure
from dataset.dwg import NeedsConverterError
from dataset.dxf_process_DeepDXF import sequence_rows
from dataset.dxf_process_GF import Overlap, gf_adjacency, gf_features, gf_graph
from dataset.extents import drawing_extents
from dataset.reading import Sheet, one_line, read_sheet
from dataset.resume import DAMAGED, FORCED, Stamp, earlier_report, notes
from dataset.storage import GraphRecord, SequenceRecord, write_graph, write_sequence

# ezdxf warns about every oddity on the error stream; what matters of it is in the report
logging.getLogger("ezdxf").setLevel(logging.CRITICAL)

MAX_KINDS, MAX_REASON = 50, 120  # of what is left out of one file

Status = Literal["read", "recovered", "unchanged", "skipped"]


class NothingToShowError(ValueError):
    """The drawing holds no entity that the table of entities knows."""


@dataclass(frozen=True)
class FileReport:
    """What became of one file. The counters are by DXF type; ``approximated`` is a part of ``represented``.

    Of an unchanged file all but ``seconds`` is what the run said that read it.
    """

    source: str
    status: Status
    reason: str = ""  # why it was skipped or, now or when it was read, recovered
    cause: str = ""  # why it was worked on: it is new, it changed, its outputs are of another schema ...
    seconds: float = 0.0
    megabytes: float = 0.0
    represented: dict[str, int] = field(default_factory=dict)
    approximated: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    opened_blocks: tuple[str, ...] = ()
    paper_space: int = 0
    has_graph: bool = True


@dataclass(frozen=True)
class ProcessedDrawing:
    """One drawing in both encoders' form; ``graph`` is None without any entity of a GF class.

    ``content`` is what both were made of.
    """

    sequence: SequenceRecord
    graph: GraphRecord | None
    report: FileReport
    content: Content


@dataclass(frozen=True)
class Task:
    """One file and where its tensors go."""

    path: Path
    source: str
    sequence_path: Path
    graph_path: Path
    overlap: Overlap
    visible_only: bool = False
    force: bool = False  # work on it although an earlier run has done it


def process_file(path: Path, source: str, overlap: Overlap = "cross", visible_only: bool = False) -> ProcessedDrawing:
    """Read a drawing once and make both encoders' tensors of it; nothing is written.

    Raises:
        NeedsConverterError: it is a DWG file and the ODA File Converter is not installed.
        NothingToShowError: the drawing holds nothing that the table of entities knows.
        Exception: whatever makes the file unreadable.
    """
    started = time.perf_counter()
    sheet = read_sheet(path, visible_only)
    content = measure(sheet)
    if not len(content):
        raise NothingToShowError(_nothing_to_show(path, sheet, content))
    extents = drawing_extents(content.boxes)
    graph = gf_graph(content, overlap)
    counts, edge_counts = graph or (None, None)
    sequence = SequenceRecord(
        sequence_rows(content, extents),
        source,
        extents,
        sheet.opened_blocks,
        overlap,
        counts,
        edge_counts,
        visible_only,
        appearance(content.strokes, content.texts, extents),
    )
    report = FileReport(
        source,
        status="recovered" if sheet.recovered else "read",
        reason=sheet.recovered,
        seconds=time.perf_counter() - started,
        megabytes=path.stat().st_size / 1e6,
        represented=dict(content.represented),
        approximated=dict(content.approximated),
        left_out=_bounded(content.left_out),
        opened_blocks=sheet.opened_blocks,
        paper_space=sheet.paper_space,
        has_graph=graph is not None,
    )
    if graph is None:
        return ProcessedDrawing(sequence, None, report, content)
    features, adjacency = gf_features(counts), gf_adjacency(edge_counts)
    record = GraphRecord(features, adjacency, counts, edge_counts, source, overlap, visible_only)
    return ProcessedDrawing(sequence, record, report, content)


def run_task(task: Task) -> FileReport:
    """Process one file and write what it gives, unless an earlier run has done so.

    A file that cannot be processed is reported, not raised.

    Raises:
        MemoryError: the drawing needs more memory than it may take.
        OSError: the output cannot be written. That is the run's failure, not the drawing's.
    """
    started = time.perf_counter()
    try:
        stamp = Stamp.of(task.path, task.source, task.overlap, task.visible_only)
        earlier, cause = (None, FORCED) if task.force else _earlier(task, stamp)
        if earlier:
            return replace(earlier, status="unchanged", cause="", seconds=time.perf_counter() - started)
        drawing = process_file(task.path, task.source, task.overlap, task.visible_only)
    except MemoryError:
        raise
    except Exception as error:  # the boundary that keeps one bad file from costing the others
        return FileReport(task.source, "skipped", explain(error), megabytes=_megabytes(task.path))
    report = replace(drawing.report, cause=cause)
    _write(task, drawing, notes(stamp, asdict(report)))
    return report


def _earlier(task: Task, stamp: Stamp) -> tuple[FileReport | None, str]:
    found, cause = earlier_report(task.sequence_path, task.graph_path, stamp)
    try:
        return FileReport(**found) if found else None, cause
    except TypeError:  # the report of another version of this program
        return None, DAMAGED


def _write(task: Task, drawing: ProcessedDrawing, attributes: dict[str, Any]) -> None:
    """The sequence comes last: with it the drawing is done, see :mod:`dataset.resume`."""
    if drawing.graph is None:
        task.graph_path.unlink(missing_ok=True)  # of an earlier run on another state of the drawing
    else:
        graph_attributes = {name: value for name, value in attributes.items() if name != "report"}
        write_graph(task.graph_path, drawing.graph, graph_attributes)
    write_sequence(task.sequence_path, drawing.sequence, attributes)


@contextmanager
def one_file(path: Path) -> Iterator[None]:
    """The boundary of one file: whatever goes wrong with it is told by its name and the reason.

    Raises:
        UserError: the file is missing, a folder, or cannot be read.
        MemoryError: it needs more than there is, which the process that reads it tells, see :mod:`dataset.pool`.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder, not a drawing: give a .dxf or .h5 file")
    if not path.exists():
        raise UserError(f"{path}: no such file")
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:
        raise UserError(f"cannot read {path}: {explain(error)}") from error


def explain(error: BaseException) -> str:
    """One line that says what went wrong."""
    if isinstance(error, NothingToShowError | NeedsConverterError):
        return " ".join(str(error).split())
    return one_line(error)


def _bounded(left_out: Counter[str]) -> dict[str, int]:
    """The most frequent kinds by name: a hostile file can have a different reason, of any length, for every entity."""
    kinds: Counter[str] = Counter()
    for rank, (name, count) in enumerate(left_out.most_common()):
        kinds[name[:MAX_REASON] if rank < MAX_KINDS else "further kinds"] += count
    return dict(kinds)


def _nothing_to_show(path: Path, sheet: Sheet, content: Content) -> str:
    """Why a drawing gave nothing: a damaged file must not pass for a blank sheet."""
    if path.stat().st_size == 0:
        return "the file is empty (0 bytes)"
    what = f"no entity to represent ({_listing(content.left_out) or 'the sheet is empty'})"
    return f"damaged, and nothing could be recovered: {sheet.recovered}" if sheet.recovered else what


def _listing(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common(5))


def _megabytes(path: Path) -> float:
    try:
        return path.stat().st_size / 1e6
    except OSError:
        return 0.0
