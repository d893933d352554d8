"""The sheet's plane: points, boxes, elliptical arcs, and the affine maps that every block goes through."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # min_x, min_y, max_x, max_y
# center, the two conjugate half axes u and v, first and last parameter: center + u cos(t) + v sin(t), t0 <= t <= t1
Arc = tuple[float, float, float, float, float, float, float, float]

FULL_TURN = 2.0 * math.pi


@dataclass(frozen=True)
class Affine:
    """A map of the plane: ``(x, y) -> x * (xx, xy) + y * (yx, yy) + (dx, dy)``."""

    xx: float
    xy: float
    yx: float
    yy: float
    dx: float
    dy: float

    @property
    def matrix(self) -> np.ndarray:
        """[2, 2], for row vectors."""
        return np.array(((self.xx, self.xy), (self.yx, self.yy)))

    @property
    def determinant(self) -> float:
        """Negative if the map mirrors."""
        return self.xx * self.yy - self.xy * self.yx

    def shifted(self, dx: float, dy: float) -> Affine:
        return Affine(self.xx, self.xy, self.yx, self.yy, self.dx + dx, self.dy + dy)


def circle(cx: float, cy: float, radius: float) -> Arc:
    return (cx, cy, radius, 0.0, 0.0, radius, 0.0, FULL_TURN)
