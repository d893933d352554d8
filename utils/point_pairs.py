"""How points of the ink lie to each other: what remains of a shape however it is moved, turned, mirrored or scaled."""

from __future__ import annotations

import functools

import numpy as np

from dataset.drawing import Drawing

N_POINTS = 256  # at most
STEPS = 2.0 ** np.arange(1, -12.5, -0.5)  # of the larger side: how far apart points are on a stroke
NEAREST, FARTHEST = -6, 2  # octaves of the mean distance of two points
PER_OCTAVE = 2
N_DISTANCES = (FARTHEST - NEAREST) * PER_OCTAVE
N_ANGLES = 4  # of 22.5 degrees, between a stroke and the line to the other point
N_PAIRS = N_DISTANCES * N_ANGLES * N_ANGLES * 2
_SQUARED_SINES = (np.sin(np.arange(1, N_ANGLES) / N_ANGLES * np.pi / 2) ** 2).astype(np.float32)
STRAIGHT = 1e-5  # a squared sine or cosine that is none
_TINY = np.float32(1e-24)


def pair_histogram(drawing: Drawing) -> np.ndarray:
    """Square roots of the shares of point pairs, by their distance, the smaller and the larger of the two angles that
    their strokes make with the line between them, and whether both lean to the same side of it.

    The distances are Osada et al.'s shape distribution D2 (2002), the angles the point pair features of Drost et al.
    (2010), both in the plane. They count ink, whatever entities it is made of. The square root makes a cosine of two
    of them Bhattacharyya's coefficient.

    Shape: ``[N_PAIRS]`` float32; zeros where there is no ink.
    """
    point, along, weight = _points(drawing.strokes)
    if len(point) < 2:
        return np.zeros(N_PAIRS, np.float32)
    first, second = _all_pairs(len(point))
    share = weight[first] * weight[second]
    share /= share.sum()
    x, y = (values[second] - values[first] for values in point.T)
    squared = np.maximum(x * x + y * y, _TINY)
    mean = np.sqrt(squared) @ share
    distance = (PER_OCTAVE * (np.log2(squared) / 2 - np.log2(mean) - NEAREST)).clip(0, N_DISTANCES - 1).astype(np.int32)
    (one, lean), (two, other_lean) = (_angle(along, end, x, y, squared) for end in (first, second))
    same_side = lean * other_lean >= 0
    index = ((distance * N_ANGLES + np.minimum(one, two)) * N_ANGLES + np.maximum(one, two)) * 2 + same_side
    return np.sqrt(np.bincount(index, share, minlength=N_PAIRS)).astype(np.float32)


def _points(strokes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points on the ink, the directions of their strokes, float32 ``[P, 2]``, and how much ink each stands for ``[P]``.

    Every stroke is cut into equal pieces, and strokes much shorter than a piece are left out; the pieces are as short
    as the number of points allows. Their length is one of ``STEPS``, so that an edit moves the points of what it
    edits and no others: points at equal steps along all of the ink would all move.
    """
    strokes = strokes.astype(np.float64)
    step = strokes[:, 2:] - strokes[:, :2]
    length = np.hypot(step[:, 0], step[:, 1])
    pieces = _pieces(length)
    stroke = np.repeat(np.arange(len(strokes)), pieces)
    place = np.arange(len(stroke)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    at = (place + 0.5) / pieces[stroke]
    points = strokes[stroke, :2] + at[:, None] * step[stroke]
    along = step[stroke] / length[stroke, None]
    return points.astype(np.float32), along.astype(np.float32), (length[stroke] / pieces[stroke]).astype(np.float32)


def _pieces(length: np.ndarray) -> np.ndarray:
    """Into how many pieces each stroke is cut: int64 ``[S]``."""
    found = (length >= np.sort(length)[-N_POINTS:].min(initial=np.inf)) & (length > 0)  # should even one each be many
    for step in STEPS:
        pieces = np.where(length >= step / 4, np.ceil(length / step - 1e-6), 0.0).clip(0)
        if pieces.sum() > N_POINTS:
            break
        if pieces.sum() > 0:
            found = pieces
    return found.astype(np.int64)


def _angle(
    along: np.ndarray, end: np.ndarray, x: np.ndarray, y: np.ndarray, squared: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of each pair the angle, in steps of 0 to 90 degrees, between the stroke at one end and the line to the other, and
    to which side it leans: by its sign, 0 where it is parallel or upright and leans to neither."""
    dx, dy = along[:, 0][end], along[:, 1][end]
    across = dx * y - dy * x
    share = across * across / squared
    steps = np.zeros(len(share), np.int32)
    for sine in _SQUARED_SINES:
        steps += share >= sine
    return steps, np.where(np.abs(share - 0.5) > 0.5 - STRAIGHT, np.float32(0), across * (dx * x + dy * y))


@functools.cache
def _all_pairs(count: int) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.triu_indices(count, 1)
    return first.astype(np.int32), second.astype(np.int32)
