"""What a person sees of a drawing: its ink as strokes, what is written on it, and which entity each belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dataset.entities import Extents
from dataset.strokes import Ink

MAX_KEPT = 8_192  # strokes of a drawing on disk; half of all sheets have fewer than 3,300
MAX_TEXTS = 4_096


@dataclass(frozen=True)
class Appearance:
    """Strokes and strings of a drawing.

    ``strokes`` ``[S, 4]`` float32 are start and end points in the frame of the sequence's coordinates (0..1 along the
    larger side of the extents), ``ink`` ``[S]`` uint8 their :class:`~dataset.strokes.Ink`, ``stroke_owner`` ``[S]``
    int32 the row of their entity. Each stands for ``share`` (1 or more) strokes of the drawing. ``texts`` are K
    strings, ``text_owner`` ``[K]`` int32 their rows.
    """

    strokes: np.ndarray
    ink: np.ndarray
    stroke_owner: np.ndarray
    share: float
    texts: tuple[str, ...]
    text_owner: np.ndarray


NOTHING_SEEN = Appearance(
    np.zeros((0, 4), np.float32), np.zeros(0, np.uint8), np.zeros(0, np.int32), 1.0, (), np.zeros(0, np.int32)
)


def appearance(strokes: list[np.ndarray], texts: list[list[str]], extents: Extents) -> Appearance:
    """The appearance of a drawing from the strokes ``[n, 5]`` in drawing units and the strings of each of its entities.

    Of more than ``MAX_KEPT`` strokes some are kept: sorted by length, at equal steps. That keeps the distribution of
    lengths, and does not depend on the order of the entities, which changes when a drawing is exploded. As in the rows,
    what strays (see :func:`dataset.extents.drawing_extents`) is clipped to the edge of the extents.
    """
    owner = np.repeat(np.arange(len(strokes)), [len(part) for part in strokes])
    every = np.concatenate([np.zeros((0, 5)), *strokes])
    kept = _even_choice(every)
    share = len(every) / max(1, len(kept))
    every, owner = every[kept], owner[kept]
    corner, size = np.array([extents.min_x, extents.min_y]), np.array([extents.width, extents.height])
    with np.errstate(over="ignore"):  # a stray may lie at 1e+308
        placed = (every[:, :4].reshape(-1, 2) - corner).clip(0.0, size).reshape(-1, 4) / extents.side
    strings = [(text, row) for row, found in enumerate(texts) for text in found][:MAX_TEXTS]
    return Appearance(
        placed.astype(np.float32),
        every[:, 4].astype(np.uint8),
        owner.astype(np.int32),
        share,
        tuple(text for text, _ in strings),
        np.array([row for _, row in strings], dtype=np.int32),
    )


def _even_choice(strokes: np.ndarray) -> np.ndarray:
    """Which strokes to keep, in their own order."""
    if len(strokes) <= MAX_KEPT:
        return np.arange(len(strokes))
    length = np.hypot(strokes[:, 2] - strokes[:, 0], strokes[:, 3] - strokes[:, 1])
    by_length = np.lexsort((strokes[:, 1], strokes[:, 0], length))
    return np.sort(by_length[np.linspace(0, len(strokes) - 1, MAX_KEPT).astype(int)])


def quarter_turns(strokes: np.ndarray, ink: np.ndarray) -> int:
    """By how many quarter turns (0..3, counter-clockwise) the sheet lies on its side, as its texts tell.

    On an upright sheet texts run to the right and, beside vertical dimensions, upwards; nobody writes them upside down.
    So the turn is the one that brings most of the text length into these two directions, the first counting double. A
    sheet without text lies as it lies.

    Args:
        strokes, ink: see :class:`Appearance`.
    """
    texts = strokes[ink == Ink.TEXT].astype(np.float64)
    if not len(texts):
        return 0
    dx, dy = texts[:, 2] - texts[:, 0], texts[:, 3] - texts[:, 1]
    length = np.hypot(dx, dy)
    quarter = np.round(np.arctan2(dy, dx) / (np.pi / 2)).astype(int) % 4
    capped = np.minimum(length, 3 * np.median(length))  # one long note must not outvote the rest
    weight = np.bincount(quarter, weights=capped, minlength=4)
    return int(np.argmax(weight + 0.5 * np.roll(weight, -1)))
