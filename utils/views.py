"""Views in drawing space: a drawing as it might have been drawn, saved or revised otherwise.

Each function is one kind of change to the whole drawing, so that rows, ink and words tell of the same one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dataset.drawing import NOBODY, Drawing
from dataset.entities import ABSENT, DEEPDXF_TYPES, MAX_BIN, SLOTS, TYPE_INDEX, Kind

_COLUMNS = {kind: np.array([1 + i for i, slot in enumerate(SLOTS) if slot.kind is kind]) for kind in Kind}


def make_view(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """One random view; the drawing stays as it is. At least one entity remains."""
    if rng.random() < 0.5:  # not always: kinds of sheets gain by it, and finer differences lose
        drawing = redimension(drawing, rng)
    drawing = drop_entities(drawing, rng, 0.05, 0.5)
    if rng.random() < 0.3:
        drawing = drop_class(drawing, rng)
    if rng.random() < 0.3:
        drawing = crop_window(drawing, rng)
    if rng.random() < 0.3:
        drawing = explode(drawing, rng)
    drawing = change_words(drawing, rng)
    return change_unit(shift_and_scale(shear(drawing, rng), rng), rng)


def redimension(drawing: Drawing, rng: np.random.Generator, spread: float = 1.0, knots: int = 4) -> Drawing:
    """Give all dimensions other values: stretch and squeeze the sheet along each axis by random pieces.

    What was level, plumb or aligned stays so, and nothing changes its order, as in parts of one family. An elastic
    distortion (Simard et al. 2003, section 2) that is monotone and the same for all points of a row or column.

    Args:
        spread: standard deviation of the logarithm of a piece's stretching; a third of it, of the aspect ratio's.
        knots: where along each axis the stretching changes.
    """
    size = np.exp(rng.normal(0, spread / 3, 2))
    strokes, rows = drawing.strokes.astype(np.float64), drawing.rows.copy()
    for axis, kind in enumerate((Kind.X, Kind.Y)):
        ends = strokes[:, [axis, axis + 2]]
        low, high = (ends.min(), ends.max()) if ends.size else (0.0, 1.0)
        places = low + (high - low) * np.concatenate([[0], np.sort(rng.random(knots)), [1]])
        pieces = np.diff(places) * np.exp(rng.normal(0, spread, knots + 1))
        # no larger than before, so that no row is clipped
        share = (high - low) / max(pieces.sum(), 1e-9) * size[axis] / size.max()
        moved = low + np.concatenate([[0], np.cumsum(pieces * share)])
        strokes[:, [axis, axis + 2]] = np.interp(ends, places, moved)
        values = rows[:, _COLUMNS[kind]]
        bins = np.round(np.interp(values / MAX_BIN, places, moved) * MAX_BIN).astype(rows.dtype)
        rows[:, _COLUMNS[kind]] = np.where(values == ABSENT, ABSENT, np.clip(bins, 0, MAX_BIN))
    return replace(drawing, rows=rows, strokes=strokes.astype(np.float32))


def drop_entities(drawing: Drawing, rng: np.random.Generator, low: float, high: float) -> Drawing:
    """Lose a random share, between ``low`` and ``high``, of the entities (node dropping: GraphCL, You et al. 2020)."""
    return _keep(drawing, rng.random(len(drawing.rows)) >= rng.uniform(low, high))


def drop_class(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """Lose all entities of one type, as a layer of dimensions or hatches that is switched off."""
    return _keep(drawing, drawing.rows[:, 0] != rng.integers(len(DEEPDXF_TYPES)))


def crop_window(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """Keep the entities whose middle lies in a random window of 60 to 95 % of each side (random crop: SimCLR)."""
    if not len(drawing.strokes):
        return drawing
    count = np.bincount(drawing.stroke_owner, minlength=len(drawing.rows))
    middle = [
        np.bincount(drawing.stroke_owner, (drawing.strokes[:, i] + drawing.strokes[:, i + 2]) / 2, len(drawing.rows))
        / np.maximum(count, 1)
        for i in (0, 1)
    ]
    inside = np.ones(len(drawing.rows), dtype=bool)
    for axis in (0, 1):
        ends = drawing.strokes[:, [axis, axis + 2]]
        low, size = ends.min(), np.ptp(ends)
        share = rng.uniform(0.6, 0.95)
        start = low + rng.uniform(0, 1 - share) * size
        inside &= (middle[axis] >= start) & (middle[axis] <= start + share * size)
    return _keep(drawing, inside | (count == 0))


def explode(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """The ink stays, but the rows of blocks, or of polylines, are no longer there: another program drew it.

    What they would explode into is not drawn up; the rows of the view say that they cannot be relied on.
    """
    gone = drawing.rows[:, 0] == TYPE_INDEX["INSERT" if rng.random() < 0.6 else "LWPOLYLINE"]
    if gone.all():
        return drawing
    index = np.where(gone, NOBODY, np.cumsum(~gone) - 1).astype(np.int32)
    return replace(
        drawing,
        rows=drawing.rows[~gone],
        stroke_owner=index[drawing.stroke_owner],
        gram_owner=index[drawing.gram_owner],
    )


def change_words(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """Lose up to 60 % of the different n-grams, now and then all: other numbers, another language."""
    lost = 1.0 if rng.random() < 0.15 else rng.uniform(0, 0.6)
    known, which = np.unique(drawing.grams, return_inverse=True)
    kept = (rng.random(len(known)) >= lost)[which]
    return replace(drawing, grams=drawing.grams[kept], gram_owner=drawing.gram_owner[kept])


def shear(drawing: Drawing, rng: np.random.Generator, spread: float = 0.04) -> Drawing:
    """Stretch and shear the ink a little, now and then mirror it."""
    matrix = np.eye(2) + rng.normal(0, spread, (2, 2))
    if rng.random() < 0.2:
        matrix[:, 0] *= -1
    moved = (drawing.strokes.reshape(-1, 2) @ matrix).reshape(-1, 4)
    return replace(drawing, strokes=moved.astype(np.float32))


def shift_and_scale(drawing: Drawing, rng: np.random.Generator, smallest: float = 0.85) -> Drawing:
    """Shrink the rows a little and move them inside the room this leaves, so that nothing is clipped. Ink has a frame
    of its own, which would undo it."""
    scale = rng.uniform(smallest, 1.0)
    rows = drawing.rows
    moved = rows.copy()
    for kind in (Kind.X, Kind.Y, Kind.LENGTH):
        shift = 0.0 if kind is Kind.LENGTH else rng.uniform(0.0, (1.0 - scale) * MAX_BIN)
        values = rows[:, _COLUMNS[kind]]
        bins = np.round(values * scale + shift).astype(rows.dtype)
        moved[:, _COLUMNS[kind]] = np.where(values == ABSENT, ABSENT, bins)
    return replace(drawing, rows=moved)


def change_unit(drawing: Drawing, rng: np.random.Generator, spread: float = 2.0) -> Drawing:
    """Draw the sheet in another unit or to another scale.

    Views that kept the size would be told apart from other drawings by that number alone.

    Args:
        spread: standard deviation of the logarithm of the size.
    """
    return replace(drawing, side=drawing.side * float(np.exp(rng.normal(0, spread))))


def _keep(drawing: Drawing, entities: np.ndarray) -> Drawing:
    """Only these entities, unless none would be left."""
    return drawing.keep(entities) if entities.any() else drawing
