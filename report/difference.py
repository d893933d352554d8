"""What a person sees of one answer beside its query: both laid on each other, and what differs in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from compare.changes import compare
from compare.figure import Figure, figure_of_record, load, require_all_strokes
from compare.picture import overlay_page, summary
from compare.svg import svg
from config.errors import UserError
from dataset.dxf_process_GF import Overlap
from dataset.pool import fair_share, run_in_pool
from dataset.storage import SequenceRecord, read_sequence
from dataset.worker import FileReport

OVERLAY_WIDTH = 900.0  # pixels
MOST_CHANGES = 60  # that are listed


@dataclass(frozen=True)
class Pair:
    """A query and one of its answers; ``source`` is how the answer is named.

    Attributes:
        query: as it was read; ``query_path`` is its file, for strokes that ``query`` does not keep.
        sequence_path: the answer's preprocessed ``.h5``; ``path`` its file, likewise.
    """

    source: str
    query: SequenceRecord
    query_path: Path
    sequence_path: Path
    path: Path


@dataclass(frozen=True)
class Difference:
    """From the query to the answer.

    Attributes:
        overlay: an SVG document of both; empty where there is none.
        summary: one sentence; why there is no overlay, where there is none.
        changes: in words, numbered from 1 as in the overlay.
        left_out: how many more there are.
    """

    overlay: str = ""
    summary: str = ""
    changes: tuple[str, ...] = ()
    left_out: int = 0


def difference(pair: Pair) -> Difference:
    """Compare the two; a drawing that cannot be compared is a sentence in the result, not an error."""
    try:
        left = _figure(pair.query, pair.query_path)
        right = _figure(read_sequence(pair.sequence_path), pair.path)
    except UserError as error:
        return Difference(summary=shown_names(str(error), pair.query_path, pair.path))
    found = compare(left, right)
    words = [change.words() for change in found.changes]
    overlay = svg(overlay_page(found, OVERLAY_WIDTH))
    return Difference(overlay, summary(found), tuple(words[:MOST_CHANGES]), len(words[MOST_CHANGES:]))


def differences(pairs: Iterable[Pair], workers: int, timeout: float) -> Iterator[Difference]:
    """In the order of the pairs, in processes of their own: a pair that hangs or eats memory costs itself only."""
    for each in run_in_pool(pairs, workers, timeout, fair_share(workers), difference):
        yield told(each)


def told(outcome: Difference | FileReport) -> Difference:
    """What a process of the pool gave back, or one sentence on why it did not."""
    if isinstance(outcome, FileReport):
        return Difference(summary=f"The differences are not shown: comparing {outcome.reason}")
    return outcome


def shown_names(text: str, *paths: Path) -> str:
    """A sentence with the names of these files instead of where they lie: a page may go to other people."""
    for path in paths:
        text = text.replace(str(path), path.name)
    return text


def _figure(record: SequenceRecord, path: Path) -> Figure:
    """As the record keeps it, which takes no reading; where that is not all, as the drawing itself has it.

    Raises:
        UserError: neither has all strokes.
    """
    if record.appearance.share <= 1:
        return figure_of_record(record, path.name)
    overlap: Overlap = record.overlap
    found = load(path, overlap, record.visible_only)
    require_all_strokes(found)
    return found.figure
