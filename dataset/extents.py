"""The frame of a drawing: the union of its entities' boxes, less a few stray ones far away."""

from __future__ import annotations

import numpy as np

from dataset.entities import Extents

STRAY_SHARE = 0.02  # at most so many of the entities (but always one, in a drawing of MIN_COUNT) can be strays
STRAY_JUMP = 20.0  # how much farther a stray reaches than every entity that is not one
MIN_COUNT = 5


def drawing_extents(boxes: np.ndarray) -> Extents:
    """The frame that coordinates and lengths are relative to.

    One forgotten point a kilometre away, or a coordinate of 1e+20, would squeeze everything else into a single bin.
    So entities are ranked by how far they reach from the middle of the drawing (the median of the boxes' centers, in
    the larger of both axes). If there is a jump by more than ``STRAY_JUMP`` among the last ``STRAY_SHARE`` of them,
    those behind it are strays: they keep their row, clipped to the edge bins, but do not count here. Without them the
    rest would share less than 13 of the 256 bins. A sheet's border is never taken for a stray: title block, views and
    notes fill the space up to it without such a jump.

    Args:
        boxes: ``[N, 4]`` min_x, min_y, max_x, max_y; rows of NaN (nothing to see) are passed over.

    Returns:
        The frame, at (0, 0) and without size if no entity has a box.
    """
    boxes = boxes[~np.isnan(boxes[:, 0])]
    if not len(boxes):
        return Extents(0.0, 0.0, 0.0, 0.0)
    kept = boxes[_reach(boxes) <= _limit(_reach(boxes))]
    min_x, min_y = kept[:, :2].min(axis=0)
    max_x, max_y = kept[:, 2:].max(axis=0)
    return Extents(float(min_x), float(min_y), float(max_x - min_x), float(max_y - min_y))


def _reach(boxes: np.ndarray) -> np.ndarray:
    """How far each box reaches from the median center: ``[N, 4] -> [N]``."""
    middle = np.median(boxes[:, :2] / 2.0 + boxes[:, 2:] / 2.0, axis=0)
    return np.maximum(middle - boxes[:, :2], boxes[:, 2:] - middle).max(axis=1)


def _limit(reach: np.ndarray) -> float:
    """The reach beyond which a box is a stray; infinite if there is none."""
    if len(reach) < MIN_COUNT:
        return np.inf
    first = len(reach) - max(1, int(STRAY_SHARE * len(reach))) - 1
    tail = np.sort(reach)[first:]
    jumps = np.flatnonzero((tail[1:] > STRAY_JUMP * tail[:-1]) & (tail[:-1] > 0.0))
    return tail[jumps[0]] if len(jumps) else np.inf
