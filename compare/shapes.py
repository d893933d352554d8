"""Every entity as a few numbers that are near where entities look alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compare.figure import Figure
from dataset.strokes import boxes_of


@dataclass(frozen=True)
class Shapes:
    """Where entities are and what they look like; rows of NaN where one shows nothing.

    Attributes:
        boxes: ``[N, 4]`` of the strokes.
        middles: ``[N, 2]`` of the boxes.
        own: ``[N, 6]`` what stays when an entity is shifted: width, height, the centroid of its ink relative to the
            middle of the box, the mean length of its strokes, and which way it leans (the mixed second moment of its
            ink, as a length); all in drawing units.
    """

    boxes: np.ndarray
    middles: np.ndarray
    own: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """The larger side of each box ``[N]``."""
        return self.own[:, :2].max(axis=1)

    @property
    def placed(self) -> np.ndarray:
        """``[N, 8]``: two entities drawn alike at the same place have the same."""
        return np.column_stack([self.middles, self.own])


def shapes(figure: Figure, strokes: np.ndarray | None = None, chosen: np.ndarray | None = None) -> Shapes:
    """The shapes of a figure's entities.

    Args:
        strokes: ``[S, 4]`` in place of the figure's own: aligned ones.
        chosen: bool ``[S]``, the strokes that count.
    """
    strokes = figure.strokes if strokes is None else strokes
    owner = figure.owner
    if chosen is not None:
        strokes, owner = strokes[chosen], owner[chosen]
    count = len(figure)
    boxes = boxes_of(strokes, owner, count)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    ends = strokes.reshape(-1, 2, 2)
    length = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
    strokes_of = np.bincount(owner, minlength=count)
    weight = length + 1e-12 * max(1.0, float(length.max(initial=0.0)))  # a point counts where it is alone
    total = np.bincount(owner, weights=weight, minlength=count)
    from_middle = ends.mean(axis=1) - middles[owner]
    with np.errstate(invalid="ignore", divide="ignore"):
        centroid = np.column_stack([_sums(weight * from_middle[:, i], owner, count) / total for i in (0, 1)])
        mixed = _sums(weight * _mean_product(ends - middles[owner][:, None]), owner, count) / total
        diagonal = np.hypot(*(boxes[:, 2:] - boxes[:, :2]).T)
        lean = np.where(diagonal > 0, 4 * mixed / diagonal, 0.0)
        mean_length = np.bincount(owner, weights=length, minlength=count) / strokes_of
    lean[strokes_of == 0] = np.nan
    return Shapes(boxes, middles, np.column_stack([boxes[:, 2:] - boxes[:, :2], centroid, mean_length, lean]))


def _sums(values: np.ndarray, owner: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(owner, weights=values, minlength=count)


def _mean_product(ends: np.ndarray) -> np.ndarray:
    """The mean of x * y along each straight stroke ``[S, 2, 2] -> [S]``."""
    (x0, y0), (x1, y1) = ends[:, 0].T, ends[:, 1].T
    return (2 * x0 * y0 + 2 * x1 * y1 + x0 * y1 + x1 * y0) / 6
