"""How strokes meet: what remains of a part's shape when it is moved, turned, mirrored, scaled or drawn otherwise."""

from __future__ import annotations

import numpy as np

from dataset.drawing import Drawing

PER_OCTAVE = 8
N_RATIOS = 9 * PER_OCTAVE + 1  # of two lengths; the last holds all beyond nine octaves
N_ANGLES = 25  # 0 to 180 degrees
N_JOINTS = N_RATIOS * N_ANGLES
LONG = 0.01  # of the larger side; strokes of outlined letters are shorter, but on sheets not much larger than they
SAME_PLACE = 2e-4  # of the larger side
SHORTEST = 1e-5
MOST_ENDS = 8  # at one place; where more meet, in a fan or a fill, nobody sees joints


def joint_counts(drawing: Drawing) -> np.ndarray:
    """Log counts of joints: two strokes that end at one place, by the ratio of their lengths and their angle.

    A bag of local shapes, as words are a bag of letters. A frame, a title block or a neighbouring view changes nothing
    in the joints of a part, nor does another order or another spelling (a polyline, or lines). Words that another
    program drew as outlines add thousands, but hardly one with a long stroke.

    Shape: ``[2, N_JOINTS]`` float32: of all joints, and of those of which one stroke at least is ``LONG``.
    """
    strokes = drawing.strokes.astype(np.float64)
    step = strokes[:, 2:] - strokes[:, :2]
    drawn = np.hypot(*step.T) > SHORTEST
    strokes, step = strokes[drawn], step[drawn]
    first, second = _meeting(strokes.reshape(-1, 2))  # ends: those of stroke i are 2i and 2i + 1
    outwards = np.stack([step, -step], axis=1).reshape(-1, 2)  # from each end into its stroke
    length, direction = np.hypot(*outwards.T), np.arctan2(outwards[:, 1], outwards[:, 0])
    ratio = np.abs(np.log2(length[first] / length[second]))
    turn = np.abs((direction[first] - direction[second] + np.pi) % (2 * np.pi) - np.pi)
    row = np.minimum(np.round(ratio * PER_OCTAVE), N_RATIOS - 1).astype(int)
    column = np.round(turn / np.pi * (N_ANGLES - 1)).astype(int)
    joint = row * N_ANGLES + column
    long = np.maximum(length[first], length[second]) > LONG
    return np.log1p([np.bincount(some, minlength=N_JOINTS) for some in (joint, joint[long])]).astype(np.float32)


def _meeting(ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of ends ``[2S, 2]`` of different strokes that lie at one place, as two arrays of indices."""
    if not len(ends):
        return np.zeros(0, int), np.zeros(0, int)
    cells = np.round(ends / SAME_PLACE).astype(np.int64)
    order = np.lexsort(cells.T)
    new = np.r_[True, (np.diff(cells[order], axis=0) != 0).any(axis=1)]
    place = np.cumsum(new) - 1
    order, place = (values[np.bincount(place)[place] <= MOST_ENDS] for values in (order, place))
    pairs = [np.stack([order[:-lag], order[lag:]])[:, place[:-lag] == place[lag:]] for lag in range(1, MOST_ENDS)]
    first, second = np.concatenate(pairs, axis=1)
    apart = first // 2 != second // 2
    return first[apart], second[apart]
