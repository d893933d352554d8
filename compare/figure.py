"""A drawing as a comparison sees it: what is drawn and what is written, and which entity each belongs to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from config.errors import UserError
from dataset.content import Content
from dataset.dxf_process_GF import Overlap
from dataset.entities import DEEPDXF_TYPES, MEASUREMENT_COLUMN, SLOT_INDEX, Kind, from_bin
from dataset.storage import SequenceRecord, read_sequence
from dataset.strokes import Ink, boxes_of
from dataset.worker import one_file, process_file

HEIGHT_COLUMN = 1 + SLOT_INDEX["height"]


@dataclass(frozen=True)
class Figure:
    """A drawing's entities by what they show.

    Attributes:
        name: of the file.
        types: ``[N]`` indices into ``DEEPDXF_TYPES``.
        strokes: ``[S, 4]`` float64, start and end points in drawing units.
        ink: ``[S]`` uint8, see :class:`dataset.strokes.Ink`.
        owner: ``[S]`` int64, ascending: the entity of each stroke.
        texts: of each entity what it says.
        measurements: ``[N]`` float64, the number that a DIMENSION measures, NaN for all else.
        heights: ``[N]`` float64, the letters' height of a TEXT or MTEXT in drawing units, NaN for all else.
        boxes: ``[N, 4]`` float64, the extents of each entity, NaN of one that shows nothing.
    """

    name: str
    types: np.ndarray
    strokes: np.ndarray
    ink: np.ndarray
    owner: np.ndarray
    texts: tuple[tuple[str, ...], ...]
    measurements: np.ndarray
    heights: np.ndarray
    boxes: np.ndarray

    def __len__(self) -> int:
        return len(self.types)

    @property
    def side(self) -> float:
        """The larger side of what most of the drawing takes, in drawing units; 1 for one without size.

        Between the 0.5th and the 99.5th percentile of the strokes' ends: one stray entity must not set the scale of
        what counts as equal.
        """
        if not len(self.strokes):
            return 1.0
        ends = self.strokes.reshape(-1, 2)
        low, high = np.percentile(ends, (0.5, 99.5), axis=0)
        return float((high - low).max()) or float(np.ptp(ends, axis=0).max()) or 1.0

    def type_name(self, entity: int) -> str:
        return DEEPDXF_TYPES[self.types[entity]]

    def says(self, entity: int) -> str:
        """What an entity says: its texts, or the number of a DIMENSION that has none."""
        if self.texts[entity]:
            return " ".join(self.texts[entity])
        number = self.measurements[entity]
        return "" if math.isnan(number) else f"{number:.4g}"


@dataclass(frozen=True)
class Loaded:
    """One file, read once: what a model reads of it, and what a person sees.

    ``exact_boxes`` says whether the figure's boxes are the entities' true extents; those of an ``.h5`` are of their
    strokes.
    """

    record: SequenceRecord
    figure: Figure
    exact_boxes: bool


def load(path: Path, overlap: Overlap = "cross", visible_only: bool = False) -> Loaded:
    """A drawing from its ``.dxf`` or from the ``.h5`` that preprocessing wrote of it.

    The options count for a ``.dxf``; an ``.h5`` is as it was written.

    Raises:
        UserError: the file is missing, damaged, foreign, of another schema, or shows nothing.
    """
    path = Path(path)
    with one_file(path):
        if path.suffix.lower() == ".h5":
            record = read_sequence(path)
            return Loaded(record, figure_of_record(record, path.name), exact_boxes=False)
        drawing = process_file(path, path.name, overlap, visible_only)
        return Loaded(drawing.sequence, figure_of_content(drawing.content, path.name), exact_boxes=True)


def figure_of_content(content: Content, name: str) -> Figure:
    """A drawing as it was read, every stroke at full precision."""
    strokes = np.concatenate([np.zeros((0, 5)), *content.strokes])
    return Figure(
        name,
        content.types,
        strokes[:, :4],
        strokes[:, 4].astype(np.uint8),
        np.repeat(np.arange(len(content)), [len(part) for part in content.strokes]),
        tuple(map(tuple, content.texts)),
        np.array([values.get("measurement", math.nan) for values in content.parameters], dtype=np.float64),
        np.array([values.get("height", math.nan) for values in content.parameters], dtype=np.float64),
        content.boxes,
    )


def figure_of_record(record: SequenceRecord, name: str) -> Figure:
    """A drawing as its sequence file keeps it; the strokes to single precision, heights of texts to one bin."""
    seen, extents, rows = record.appearance, record.extents, record.dxf_vec
    corner = np.array([extents.min_x, extents.min_y])
    strokes = (seen.strokes.astype(np.float64) * extents.side).reshape(-1, 2) + corner
    texts: list[list[str]] = [[] for _ in rows]
    for text, row in zip(seen.texts, seen.text_owner.tolist(), strict=True):
        texts[row].append(text)
    measured = rows[:, MEASUREMENT_COLUMN]
    heights = [from_bin(Kind.LENGTH, int(bin_), extents) if bin_ >= 0 else math.nan for bin_ in rows[:, HEIGHT_COLUMN]]
    strokes, owner = strokes.reshape(-1, 4), seen.stroke_owner.astype(np.int64)
    return Figure(
        name,
        rows[:, 0].astype(np.int64),
        strokes,
        seen.ink,
        owner,
        tuple(map(tuple, texts)),
        np.where(measured < 0, math.nan, measured / 1000.0),
        np.array(heights, dtype=np.float64),
        boxes_of(strokes, owner, len(rows)),
    )


def require_all_strokes(loaded: Loaded) -> None:
    """Raises UserError where a sequence file keeps too few strokes to see what changed."""
    share = loaded.record.appearance.share
    if share > 1 and not loaded.exact_boxes:
        kept = len(loaded.record.appearance.strokes)
        raise UserError(
            f"{loaded.figure.name} keeps {kept:,} of the drawing's {round(kept * share):,} strokes, too few to see "
            "what changed: give the .dxf itself"
        )


def is_text(figure: Figure) -> np.ndarray:
    """Which strokes are lines of text: bool ``[S]``."""
    return figure.ink == Ink.TEXT
