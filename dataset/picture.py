"""A small picture of a sheet, fast: for looking at, and for baselines that compare pictures."""

from __future__ import annotations

import numpy as np

from dataset.entities import Extents

SIZE = 256  # pixels a side
MARGIN = 4
OVERSAMPLING = 2
MAX_POINTS = 4_000_000  # drawn at once


def draw(strokes: np.ndarray) -> np.ndarray:
    """A sheet's strokes as a picture: uint8 ``[SIZE, SIZE]``, 0 paper to 255 ink, the sheet in the middle.

    Its larger side fills the picture and the aspect ratio survives. The frame is that of the sequence's coordinates, so
    that a stray entity does not shrink the rest.

    Args:
        strokes: ``[S, 4]``, see :class:`dataset.appearance.Appearance`.
    """
    if not len(strokes):
        return np.zeros((SIZE, SIZE), dtype=np.uint8)
    inside = np.clip(strokes, 0.0, 1.0).reshape(-1, 2)
    size = np.ptp(inside, axis=0)
    frame = Extents(*inside.min(axis=0).tolist(), *size.tolist())
    fine = _trace(_inside(_to_pixels(strokes.astype(np.float64), frame)))
    ink = fine.reshape(SIZE, OVERSAMPLING, SIZE, OVERSAMPLING).mean(axis=(1, 3))
    # a line one fine pixel wide is to come out black
    return np.round(np.minimum(ink * OVERSAMPLING, 1.0) * 255).astype(np.uint8)


def _to_pixels(segments: np.ndarray, frame: Extents) -> np.ndarray:
    """``[n, 4]`` from drawing units to fine pixels, y downwards."""
    scale = (SIZE - 2 * MARGIN) * OVERSAMPLING / frame.side
    middle = np.array([frame.min_x + frame.width / 2, frame.min_y + frame.height / 2])
    pixels = (segments.reshape(-1, 2) - middle) * (scale, -scale) + SIZE * OVERSAMPLING / 2
    return pixels.reshape(-1, 4)


def _inside(segments: np.ndarray) -> np.ndarray:
    """The parts of segments inside the picture (Liang and Barsky, "A new concept and method for line clipping", 1984).

    ``[n, 4] -> [m, 4]``.
    """
    high = SIZE * OVERSAMPLING - 1.0
    start, step = segments[:, :2], segments[:, 2:] - segments[:, :2]
    with np.errstate(divide="ignore", invalid="ignore"):
        sides = np.stack([-start / step, (high - start) / step])  # [2, n, 2]
    within = (start >= 0) & (start <= high)
    still = step == 0  # parallel to a side: all of it within or none
    enter = np.where(still, np.where(within, -np.inf, np.inf), sides.min(axis=0)).max(axis=1).clip(min=0.0)
    leave = np.where(still, np.inf, sides.max(axis=0)).min(axis=1).clip(max=1.0)
    seen = enter <= leave
    start, step, enter, leave = start[seen], step[seen], enter[seen, None], leave[seen, None]
    return np.concatenate([start + enter * step, start + leave * step], axis=1)


def _trace(segments: np.ndarray) -> np.ndarray:
    """Every fine pixel that a segment crosses: bool ``[SIZE * OVERSAMPLING] * 2``."""
    canvas = np.zeros((SIZE * OVERSAMPLING,) * 2, dtype=bool)
    start, step = segments[:, :2], segments[:, 2:] - segments[:, :2]
    counts = np.ceil(np.abs(step).max(axis=1, initial=0.0)).astype(np.int64) + 1
    for chosen in np.array_split(np.arange(len(counts)), max(1, -(-int(counts.sum()) // MAX_POINTS))):
        count = counts[chosen]
        which = np.repeat(chosen, count)
        place = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        points = start[which] + step[which] * (place / np.maximum(counts[which] - 1, 1))[:, None]
        x, y = np.rint(points).astype(np.int64).clip(0, len(canvas) - 1).T
        canvas[y, x] = True
    return canvas
