"""Similarity transformations: how a view lands on the sheet, a block in its INSERT, a sheet in inches."""

import math
from dataclasses import dataclass

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # xmin, ymin, xmax, ymax


@dataclass(frozen=True)
class Placement:
    """Mirror (x to -x), then scale, then rotate, then shift. Never a skew, so arcs stay arcs."""

    scale: float = 1.0
    angle: float = 0.0  # degrees
    mirror: bool = False
    shift: Point = (0.0, 0.0)

    def point(self, p: Point) -> Point:
        x, y = p[0] * self.scale, p[1] * self.scale
        if self.mirror:
            x = -x
        c, s = exact_cos_sin(self.angle)
        return (c * x - s * y + self.shift[0], s * x + c * y + self.shift[1])

    def after(self, first: "Placement") -> "Placement":
        """Both in one: `first`, then this. Neither may mirror."""
        if self.mirror or first.mirror:
            raise ValueError("mirrored placements are not combined")
        angle = (self.angle + first.angle) % 360.0
        return Placement(scale=self.scale * first.scale, angle=angle, shift=self.point(first.shift))

    def points(self, points) -> tuple[Point, ...]:
        return tuple(self.point(p) for p in points)

    def direction(self, degrees: float) -> float:
        """Where a direction points after the transformation."""
        turned = (180.0 - degrees if self.mirror else degrees) + self.angle
        return turned % 360.0

    def box(self, box: Box) -> Box:
        return box_of(self.points([(box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3])]))


def exact_cos_sin(degrees: float) -> tuple[float, float]:
    """Cosine and sine that are exactly 0 or 1 at the right angles, so that a turned sheet keeps clean numbers."""
    quarter, rest = divmod(degrees % 360.0, 90.0)
    if rest == 0.0:
        return [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)][int(quarter) % 4]  # a tiny negative angle gives 4
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


def polar(center: Point, radius: float, degrees: float) -> Point:
    c, s = exact_cos_sin(degrees)
    return (center[0] + radius * c, center[1] + radius * s)


def box_of(points) -> Box:
    xs, ys = zip(*((p[0], p[1]) for p in points), strict=True)
    return (min(xs), min(ys), max(xs), max(ys))


def union(boxes) -> Box:
    boxes = list(boxes)
    return (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))


def grown(box: Box, by: float) -> Box:
    return (box[0] - by, box[1] - by, box[2] + by, box[3] + by)


def center_of(box: Box) -> Point:
    return ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
