"""What a drawing is made of, before it is spelled as DXF.

The families draw these items, the revisions edit them, the writer turns them into entities of one DXF version.
Keeping them apart from ezdxf's entities is what lets one part be saved as R12 and as R2018, in mm and in inch.

An item carries, besides its geometry,
- `role`: the kind of stroke (outline, hidden, center, thin, hatch, dim, text, frame); a layer scheme names its layer;
- `view`: the view of the sheet it belongs to, so that an edit can move a view as a person would;
- `feature`: what it is on the part, where an edit needs to know ("hole", "note", "revision", ...).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from dataset.generator.placement import Box, Placement, Point, box_of, polar

Vertex = tuple[float, float, float]  # x, y, bulge of the segment that starts here


@dataclass(frozen=True, kw_only=True)
class Item:
    role: str = "outline"
    view: str = ""
    feature: str = ""

    def moved(self, to: Placement) -> "Item":
        raise NotImplementedError

    def outline_points(self) -> list[Point]:
        """Points whose bounding box is (nearly) that of the item."""
        raise NotImplementedError

    def box(self) -> Box:
        return box_of(self.outline_points())


@dataclass(frozen=True, kw_only=True)
class Line(Item):
    start: Point
    end: Point

    def moved(self, to: Placement) -> Item:
        return replace(self, start=to.point(self.start), end=to.point(self.end))

    def outline_points(self) -> list[Point]:
        return [self.start, self.end]


@dataclass(frozen=True, kw_only=True)
class Circle(Item):
    center: Point
    radius: float

    def moved(self, to: Placement) -> Item:
        return replace(self, center=to.point(self.center), radius=self.radius * to.scale)

    def outline_points(self) -> list[Point]:
        (x, y), r = self.center, self.radius
        return [(x - r, y - r), (x + r, y + r)]


@dataclass(frozen=True, kw_only=True)
class Arc(Item):
    center: Point
    radius: float
    start: float  # degrees, drawn counter-clockwise from start to end
    end: float

    def moved(self, to: Placement) -> Item:
        ends = (self.end, self.start) if to.mirror else (self.start, self.end)
        return replace(
            self,
            center=to.point(self.center),
            radius=self.radius * to.scale,
            start=to.direction(ends[0]),
            end=to.direction(ends[1]),
        )

    def outline_points(self) -> list[Point]:
        sweep = (self.end - self.start) % 360.0
        return [polar(self.center, self.radius, self.start + sweep * i / 16) for i in range(17)]


@dataclass(frozen=True, kw_only=True)
class Poly(Item):
    vertices: tuple[Vertex, ...]
    closed: bool = True

    def moved(self, to: Placement) -> Item:
        return replace(self, vertices=moved_vertices(self.vertices, to))

    def outline_points(self) -> list[Point]:
        return flattened(self.vertices, self.closed)


@dataclass(frozen=True, kw_only=True)
class Spline(Item):
    """A smooth curve through its points."""

    through: tuple[Point, ...]
    closed: bool = False

    def moved(self, to: Placement) -> Item:
        return replace(self, through=to.points(self.through))

    def outline_points(self) -> list[Point]:
        return list(self.through)


@dataclass(frozen=True, kw_only=True)
class Solid(Item):
    """A filled triangle or quadrilateral, corners given in order around it."""

    corners: tuple[Point, ...]

    def moved(self, to: Placement) -> Item:
        return replace(self, corners=to.points(self.corners))

    def outline_points(self) -> list[Point]:
        return list(self.corners)


@dataclass(frozen=True, kw_only=True)
class Hatch(Item):
    """Closed paths; an empty pattern name is a solid fill. `edges`: paths of lines and arcs instead of polylines."""

    paths: tuple[tuple[Vertex, ...], ...]
    pattern: str = ""
    pattern_scale: float = 1.0
    pattern_angle: float = 0.0
    edges: bool = False
    role: str = "hatch"

    def moved(self, to: Placement) -> Item:
        return replace(
            self,
            paths=tuple(moved_vertices(path, to) for path in self.paths),
            pattern_scale=self.pattern_scale * to.scale,
            pattern_angle=to.direction(self.pattern_angle),
        )

    def outline_points(self) -> list[Point]:
        return [p for path in self.paths for p in flattened(path, True)]


@dataclass(frozen=True, kw_only=True)
class Text(Item):
    at: Point
    text: str
    height: float
    angle: float = 0.0
    align: str = "LEFT"  # LEFT, CENTER, RIGHT (on the base line), MIDDLE_LEFT, MIDDLE_CENTER, MIDDLE_RIGHT
    role: str = "text"

    def moved(self, to: Placement) -> Item:
        return replace(self, at=to.point(self.at), height=self.height * to.scale, angle=to.direction(self.angle))

    def outline_points(self) -> list[Point]:
        width = text_width(self.text, self.height)
        left = {"L": 0.0, "C": -width / 2, "R": -width}[self.align.removeprefix("MIDDLE_")[0]]
        low = -self.height / 2 if self.align.startswith("MIDDLE") else 0.0
        frame = Placement(angle=self.angle, shift=self.at)
        return [frame.point(p) for p in corners(left, low, left + width, low + self.height)]


@dataclass(frozen=True, kw_only=True)
class MText(Item):
    """Lines of text below and to the right of `at`."""

    at: Point
    lines: tuple[str, ...]
    height: float
    angle: float = 0.0
    role: str = "text"

    @property
    def width(self) -> float:
        """Wide enough that no line is ever wrapped."""
        return 1.25 * max(text_width(line, self.height) for line in self.lines)

    def moved(self, to: Placement) -> Item:
        return replace(self, at=to.point(self.at), height=self.height * to.scale, angle=to.direction(self.angle))

    def outline_points(self) -> list[Point]:
        width = max(text_width(line, self.height) for line in self.lines)
        frame = Placement(angle=self.angle, shift=self.at)
        return [frame.point(p) for p in corners(0, -1.667 * self.height * len(self.lines), width, 0)]


@dataclass(frozen=True, kw_only=True)
class Leader(Item):
    """A polyline with an arrow at its first point."""

    through: tuple[Point, ...]
    arrow: float
    role: str = "dim"

    def moved(self, to: Placement) -> Item:
        return replace(self, through=to.points(self.through), arrow=self.arrow * to.scale)

    def outline_points(self) -> list[Point]:
        return list(self.through)


@dataclass(frozen=True, kw_only=True)
class Insert(Item):
    """A block of the sheet at a point. `reach` is the half size of the block's content, for bounding boxes."""

    block: str
    at: Point
    reach: tuple[float, float, float, float]
    sx: float = 1.0
    sy: float = 1.0
    angle: float = 0.0

    def moved(self, to: Placement) -> Item:
        # mirror . rotate(a) . scale == rotate(-a) . mirror . scale, and the mirror goes into the x scale
        angle = (-self.angle if to.mirror else self.angle) + to.angle
        sx = -self.sx if to.mirror else self.sx
        return replace(self, at=to.point(self.at), sx=sx * to.scale, sy=self.sy * to.scale, angle=angle % 360.0)

    def outline_points(self) -> list[Point]:
        x0, y0, x1, y1 = self.reach
        frame = Placement(angle=self.angle, shift=self.at)
        return [frame.point((x * self.sx, y * self.sy)) for x, y in corners(x0, y0, x1, y1)]


@dataclass(frozen=True, kw_only=True)
class Dim(Item):
    """A dimension.

    kind       points                                    uses
    linear     first, second, a point of the dim line    angle
    aligned    first, second, a point of the dim line
    radius     center, a point on the arc, text place
    diameter   center, a point on the arc, text place
    angular    center, first, second, a point of the arc
    ordinate_x origin, feature, text place               angle (of the part's x axis)
    ordinate_y origin, feature, text place               angle
    """

    kind: str
    points: tuple[Point, ...]
    height: float
    angle: float = 0.0
    text: str = "<>"
    factor: float = 1.0  # measured number per drawing unit (DIMLFAC)
    role: str = "dim"

    def moved(self, to: Placement) -> Item:
        return replace(
            self,
            points=to.points(self.points),
            angle=to.direction(self.angle),
            height=self.height * to.scale,
            factor=self.factor / to.scale,
        )

    def outline_points(self) -> list[Point]:
        x, y = self.points[-1]
        room = self.height * (2.0 if self.kind in ("linear", "aligned", "angular") else 4.0)
        return [*self.points, (x - room, y - room), (x + room, y + room)]


def corners(x0: float, y0: float, x1: float, y1: float) -> list[Point]:
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def moved_vertices(vertices, to: Placement) -> tuple[Vertex, ...]:
    sign = -1.0 if to.mirror else 1.0
    return tuple((*to.point((x, y)), b * sign if b else 0.0) for x, y, b in vertices)


def segments(vertices, closed: bool) -> Iterator[tuple[Point, Point, float]]:
    """Start, end and bulge of each segment of a polyline."""
    last = len(vertices) if closed else len(vertices) - 1
    for i in range(last):
        (x0, y0, bulge), (x1, y1, _) = vertices[i], vertices[(i + 1) % len(vertices)]
        yield (x0, y0), (x1, y1), bulge


def flattened(vertices, closed: bool, steps: int = 8) -> list[Point]:
    """The polyline's points, with points along each bulged segment."""
    points: list[Point] = []
    for start, end, bulge in segments(vertices, closed):
        points.append(start)
        if bulge:
            center, radius, a0, sweep = bulge_arc(start, end, bulge)
            points += [polar(center, radius, a0 + sweep * i / steps) for i in range(1, steps)]
    if not closed:
        points.append((vertices[-1][0], vertices[-1][1]))
    return points


def bulge_arc(start: Point, end: Point, bulge: float) -> tuple[Point, float, float, float]:
    """Center, radius, start angle and signed sweep (degrees) of a bulged segment."""
    sweep = 4.0 * math.atan(bulge)
    dx, dy = end[0] - start[0], end[1] - start[1]
    off = (1.0 - bulge * bulge) / (4.0 * bulge)
    center = ((start[0] + end[0]) / 2 - dy * off, (start[1] + end[1]) / 2 + dx * off)
    radius = math.dist(center, start)
    a0 = math.degrees(math.atan2(start[1] - center[1], start[0] - center[0]))
    return center, radius, a0, math.degrees(sweep)


def text_width(text: str, height: float) -> float:
    """A cautious guess: the font is not known here. A CJK character is as wide as it is tall."""
    for code in ("%%c", "%%p", "%%d"):
        text = text.replace(code, "o")
    return height * sum(1.25 if ord(c) > 0x2E80 else 0.86 for c in text)
