"""What a person sees of one answer beside its query: both laid on each other, and what differs in words."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from compare.alignment import LEAST
from compare.changes import Comparison, compare
from compare.figure import Figure, figure_of_record, load, require_all_strokes
from compare.picture import overlay_page
from compare.svg import svg
from compare.thumbnail import HEIGHT, WIDTH, thumbnail_page
from config.errors import UserError
from config.limits import Limits
from dataset.dxf_process_GF import Overlap
from dataset.pool import fair_share, run_in_pool
from dataset.storage import SequenceRecord, read_sequence
from dataset.worker import FileReport

OVERLAY_WIDTH = 900.0  # pixels
MOST_CHANGES = 60  # that are listed
LEAST_COMMON = 0.05  # of the query's entities; a list of changes between strangers says nothing


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
        query, answer: each as a thumbnail, an SVG document; empty where it cannot be read.
        overlay: an SVG document of both; empty where there is none.
        summary: one sentence; why there is no overlay, where there is none.
        changes: in words, numbered from 1 as in the overlay.
        left_out: how many more there are.
    """

    query: str = ""
    answer: str = ""
    overlay: str = ""
    summary: str = ""
    changes: tuple[str, ...] = ()
    left_out: int = 0


def difference(pair: Pair) -> Difference:
    """Compare the two; a drawing that cannot be compared is a sentence in the result, not an error."""
    query = answer = ""
    try:
        left, all_of_left = _figure(pair.query, pair.query_path)
        query = thumbnail(left)
        right, all_of_right = _figure(read_sequence(pair.sequence_path), pair.path)
        answer = thumbnail(right)
    except UserError as error:
        return Difference(query, answer, summary=shown_names(str(error), pair.query_path, pair.path))
    if reason := all_of_left or all_of_right:
        return Difference(query, answer, summary=shown_names(reason, pair.query_path, pair.path))
    found = compare(left, right)
    overlay = svg(overlay_page(found, OVERLAY_WIDTH))
    if found.alignment.score < LEAST or found.common_left.mean() < LEAST_COMMON:
        return Difference(
            query, answer, overlay, "Hardly an entity in common with the query: another drawing, no revision of it."
        )
    words = [change.words() for change in found.changes]
    return Difference(query, answer, overlay, _sentence(found), tuple(words[:MOST_CHANGES]), len(words[MOST_CHANGES:]))


def _sentence(found: Comparison) -> str:
    """Same or not, how many changes, how the answer lies."""
    lies = found.alignment.words()
    how = f"; lies on it {lies}" if lies else ""
    if found.is_same:
        return f"Shows the same as the query{how}."
    return f"{len(found.changes)} change{'s' if len(found.changes) > 1 else ''} from the query{how}."


def differences(pairs: Iterable[Pair], limits: Limits) -> Iterator[Difference]:
    """In the order of the pairs, in processes of their own: a pair that hangs or eats memory costs itself only."""
    workers = limits.workers or os.cpu_count() or 1
    memory = int(limits.memory * 1e9) or fair_share(workers)
    for each in run_in_pool(pairs, workers, limits.timeout, memory, difference):
        yield told(each)


def told(outcome: Difference | FileReport) -> Difference:
    """What a process of the pool gave back, or one sentence on why it did not."""
    if isinstance(outcome, FileReport):
        return Difference(summary=f"The differences are not shown: comparing {outcome.reason}")
    return outcome


def portrait(record: SequenceRecord, path: Path, width: float, height: float) -> tuple[str, str]:
    """A drawing as an SVG document of at most this size in pixels, and one sentence if not all of it is there."""
    figure, reason = _figure(record, path)
    return thumbnail(figure, width, height), shown_names(reason, path)


def shown_names(text: str, *paths: Path) -> str:
    """A sentence with the names of these files instead of where they lie: a page may go to other people."""
    for path in paths:
        text = text.replace(str(path), path.name)
    return text


def thumbnail(figure: Figure, width: float = WIDTH, height: float = HEIGHT) -> str:
    """An SVG document of at most this size in pixels."""
    return svg(thumbnail_page(figure, width, height))


def _figure(record: SequenceRecord, path: Path) -> tuple[Figure, str]:
    """As the record keeps it, which takes no reading; where that is not all, as the drawing itself has it; where that
    is gone, as the record keeps it after all, and one sentence on what is missing (else empty)."""
    if record.appearance.share <= 1:
        return figure_of_record(record, path.name), ""
    try:
        return _all_of(path, path.stat().st_mtime_ns, record.overlap, record.visible_only), ""
    except (UserError, OSError) as error:
        reason = str(error) if isinstance(error, UserError) else f"{path.name} is no longer there"
        return figure_of_record(record, path.name), f"Not all strokes are known: {reason}"


@lru_cache(maxsize=2)  # the query of several pairs is read once
def _all_of(path: Path, changed: int, overlap: Overlap, visible_only: bool) -> Figure:
    """Raises UserError where the file cannot be read, or keeps only some of its strokes."""
    found = load(path, overlap, visible_only)
    require_all_strokes(found)
    return found.figure
