"""The hull of an entity, exactly: points and elliptical arcs, closed under every affine map.

A box cannot be rotated without growing. Points and elliptical arcs can: an affine map turns a circle into an ellipse
and an ellipse into an ellipse, so the content of a block is gathered once and then placed by every INSERT exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import shapely

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # min_x, min_y, max_x, max_y
# center, the two conjugate half axes u and v, first and last parameter: center + u cos(t) + v sin(t), t0 <= t <= t1
Arc = tuple[float, float, float, float, float, float, float, float]

FULL_TURN = 2.0 * math.pi

MAX_ARCS = 64  # a block with more keeps sampled points instead, at an error of 1 - cos(pi / SAMPLES) of the radius
SAMPLES = 128


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


@dataclass
class Outline:
    """Points and elliptical arcs that together have the extents of what they stand for."""

    points: list[Point] = field(default_factory=list)
    arcs: list[Arc] = field(default_factory=list)

    def add_arc(self, arc: Arc) -> None:
        """Add an arc and, unless it is a full turn, its two ends."""
        cx, cy, ux, uy, vx, vy, t0, t1 = arc
        self.arcs.append(arc)
        if t1 - t0 < FULL_TURN:
            self.points += (
                (cx + ux * math.cos(t) + vx * math.sin(t), cy + uy * math.cos(t) + vy * math.sin(t)) for t in (t0, t1)
            )

    def add(self, block: PlacedOnce, affine: Affine) -> None:
        """Add the content of a block where ``affine`` puts it."""
        matrix = affine.matrix
        if len(block.points):
            self.points += map(tuple, (block.points @ matrix + (affine.dx, affine.dy)).tolist())
        if len(block.arcs):
            arcs = block.arcs.copy()
            arcs[:, :6] = (arcs[:, :6].reshape(-1, 3, 2) @ matrix).reshape(-1, 6)
            arcs[:, 0:2] += (affine.dx, affine.dy)
            self.arcs += map(tuple, arcs.tolist())

    def join(self, part: Outline) -> None:
        """Add what another outline holds."""
        self.points += part.points
        self.arcs += part.arcs

    def box(self) -> Box | None:
        """The axis-aligned extents, or None if there is nothing.

        Raises:
            ValueError: a coordinate is not finite.
        """
        xs = [x for x, _ in self.points]
        ys = [y for _, y in self.points]
        for cx, cy, ux, uy, vx, vy, t0, t1 in self.arcs:
            xs += _extremes(cx, ux, vx, t0, t1)
            ys += _extremes(cy, uy, vy, t0, t1)
        if not xs:
            return None
        if not (math.isfinite(sum(xs)) and math.isfinite(sum(ys))):  # min and max would overlook a NaN
            raise ValueError("coordinates are not finite")
        return min(xs), min(ys), max(xs), max(ys)

    def reduced(self) -> PlacedOnce:
        """The same hull in as few points as possible, for a block that is placed many times."""
        points = np.array(self.points, dtype=np.float64).reshape(-1, 2)
        arcs = np.array(self.arcs, dtype=np.float64).reshape(-1, 8)
        if len(arcs) > MAX_ARCS:
            points = np.concatenate([points, along_arcs(arcs, SAMPLES).reshape(-1, 2)])
            arcs = arcs[:0]
        if len(points) > 4 and np.isfinite(points).all():
            points = shapely.get_coordinates(shapely.convex_hull(shapely.linestrings(points)))
        return PlacedOnce(points, arcs)


@dataclass(frozen=True)
class PlacedOnce:
    """A reduced outline in its block's own coordinates: points ``[n, 2]``, arcs ``[m, 8]``."""

    points: np.ndarray
    arcs: np.ndarray


def circle(cx: float, cy: float, radius: float) -> Arc:
    return (cx, cy, radius, 0.0, 0.0, radius, 0.0, FULL_TURN)


def _extremes(center: float, u: float, v: float, t0: float, t1: float) -> list[float]:
    """The extreme coordinates of ``center + u cos(t) + v sin(t)`` that the sweep t0..t1 reaches."""
    reach = math.hypot(u, v)
    highest = math.atan2(v, u)
    span = t1 - t0
    found = []
    if (highest - t0) % FULL_TURN <= span:
        found.append(center + reach)
    if (highest + math.pi - t0) % FULL_TURN <= span:
        found.append(center - reach)
    return found


def along_arcs(arcs: np.ndarray, steps: int) -> np.ndarray:
    """Points along every arc, both ends included: ``[m, 8] -> [m, steps + 1, 2]``."""
    t = arcs[:, 6:7] + (arcs[:, 7:8] - arcs[:, 6:7]) * np.linspace(0.0, 1.0, steps + 1)
    x = arcs[:, 0:1] + arcs[:, 2:3] * np.cos(t) + arcs[:, 4:5] * np.sin(t)
    y = arcs[:, 1:2] + arcs[:, 3:4] * np.cos(t) + arcs[:, 5:6] * np.sin(t)
    return np.stack([x, y], axis=2)
