"""The drawing board: a `Pen` hands out views, a `View` takes lines, holes, texts and dimensions.

Geometry is given in millimetres of the part, distances of annotations in millimetres of paper (`offset`, text
heights): `view.u` is one paper millimetre in part units. A view's origin is the middle of what it shows.
"""

import math
from dataclasses import dataclass, field, replace
from itertools import pairwise

from dataset.generator.items import (
    Arc,
    Circle,
    Dim,
    Hatch,
    Insert,
    Item,
    Leader,
    Line,
    MText,
    Poly,
    Solid,
    Spline,
    Text,
    Vertex,
    bulge_arc,
    corners,
    segments,
)
from dataset.generator.placement import Box, Placement, Point, polar, union
from dataset.generator.style import CAPTIONS_ZH, Style

BULGE_90 = math.tan(math.radians(90) / 4)


@dataclass
class Pen:
    """What all views of one sheet share: the style, the scale and the block definitions."""

    style: Style
    scale: float  # paper mm per part mm
    blocks: dict[str, list[Item]] = field(default_factory=dict)
    reaches: dict[str, Box] = field(default_factory=dict)  # bounding box of each block

    def view(self, name: str, title: str = "", zoom: float = 1.0) -> "View":
        return View(self, name, title, zoom)

    def paper_view(self, name: str) -> "View":
        """A view without a scale (notes, tables): its geometry is in paper millimetres as well."""
        return View(self, name, "", 1.0 / self.scale)

    def block(self, name: str, draw, zoom: float = 1.0) -> str:
        """Define a block once; `draw(view)` draws its content around its base point.

        `zoom` is that of the view the block is made for: it sets the size of texts in the block.
        """
        if name not in self.blocks:
            content = View(self, "", "", zoom)
            draw(content)
            self.blocks[name] = content.items
            self.reaches[name] = content.box()
        return name


class View:
    def __init__(self, pen: Pen, name: str, title: str, zoom: float):
        self.pen, self.style, self.name, self.title, self.zoom = pen, pen.style, name, title, zoom
        self.u = 1.0 / (pen.scale * zoom)
        self.items: list[Item] = []

    # -- plain items ---------------------------------------------------------------------------------------------

    def add(self, item: Item) -> None:
        self.items.append(replace(item, view=self.name))

    def line(self, start: Point, end: Point, role: str = "outline", feature: str = "") -> None:
        self.add(Line(start=start, end=end, role=role, feature=feature))

    def circle(self, center: Point, radius: float, role: str = "outline", feature: str = "") -> None:
        self.add(Circle(center=center, radius=radius, role=role, feature=feature))

    def arc(self, center: Point, radius: float, start: float, end: float, role: str = "outline") -> None:
        self.add(Arc(center=center, radius=radius, start=start % 360, end=end % 360, role=role))

    def poly(self, points, closed: bool = True, role: str = "outline", feature: str = "") -> None:
        """A polyline that stays one in every style. Points are (x, y) or (x, y, bulge)."""
        self.add(Poly(vertices=vertices_of(points), closed=closed, role=role, feature=feature))

    def contour(self, points, closed: bool = True, role: str = "outline", feature: str = "") -> None:
        """An outline, spelled as this office does: one polyline, or lines and arcs."""
        vertices = vertices_of(points)
        if self.style.outline_as == "polylines":
            self.poly(vertices, closed, role, feature)
        else:
            for item in lines_and_arcs(Poly(vertices=vertices, closed=closed, role=role, feature=feature)):
                self.add(item)

    def rect(self, center: Point, width: float, height: float, role: str = "outline", feature: str = "") -> None:
        self.contour(rectangle(center, width, height), role=role, feature=feature)

    def spline(self, through, closed: bool = False, role: str = "outline") -> None:
        self.add(Spline(through=tuple(through), closed=closed, role=role))

    def solid(self, points, role: str = "outline", feature: str = "") -> None:
        self.add(Solid(corners=tuple(points), role=role, feature=feature))

    def hatch(self, *paths, pattern: str | None = None, angle: float = 0.0, edges: bool | None = None) -> None:
        """Fill the area between the paths; the pattern is the office's unless given."""
        self.add(
            Hatch(
                paths=tuple(vertices_of(path) for path in paths),
                pattern=self.style.hatch if pattern is None else pattern,
                pattern_scale=1.0 * self.u,
                pattern_angle=angle,
                edges=self.style.hatch_edges if edges is None else edges,
            )
        )

    def insert(
        self, block: str, at: Point, sx: float = 1.0, sy: float | None = None, angle: float = 0.0, feature: str = ""
    ) -> None:
        reach = self.pen.reaches[block]
        sy = sx if sy is None else sy
        self.add(Insert(block=block, at=at, reach=reach, sx=sx, sy=sy, angle=angle, feature=feature))

    # -- words ---------------------------------------------------------------------------------------------------

    def text(
        self, at: Point, text: str, height: float | None = None, align: str = "LEFT", angle: float = 0.0, **more
    ) -> None:
        height = (height or self.style.text_height) * self.u
        self.add(Text(at=at, text=text, height=height, align=align, angle=angle, **more))

    def paragraph(self, at: Point, lines, height: float | None = None, feature: str = "note") -> None:
        """Lines below `at`, as one MTEXT or as single TEXTs."""
        size = (height or self.style.text_height) * self.u
        if self.style.notes_as == "mtext":
            self.add(MText(at=at, lines=tuple(lines), height=size, feature=feature))
            return
        for i, line in enumerate(lines):
            self.text((at[0], at[1] - size * (1 + 1.667 * i)), line, height, feature=feature)

    def callout(self, tip: Point, elbow: tuple[float, float], text: str) -> None:
        """An arrow to `tip` from an elbow given in paper mm relative to it, and words beside the shelf."""
        corner = (tip[0] + elbow[0] * self.u, tip[1] + elbow[1] * self.u)
        side = 1.0 if elbow[0] >= 0 else -1.0
        shelf = (corner[0] + side * 4 * self.u, corner[1])
        arrow = 2.5 * self.u
        if self.style.leader_as == "leader":
            self.add(Leader(through=(tip, corner, shelf), arrow=arrow))
        else:
            for item in drawn_leader((tip, corner, shelf), arrow):
                self.add(item)
        at = (shelf[0] + side * self.u, shelf[1])
        if side > 0 and self.style.notes_as == "mtext":
            size = self.style.text_height * self.u
            self.add(MText(at=(at[0], at[1] + size / 2), lines=(text,), height=size, feature="callout"))
            return
        self.text(at, text, align="MIDDLE_LEFT" if side > 0 else "MIDDLE_RIGHT", feature="callout")

    # -- conventions of technical drawing ------------------------------------------------------------------------

    def axis(self, start: Point, end: Point) -> None:
        """A center line that reaches 3 mm (on paper) beyond both ends."""
        length = math.dist(start, end) or 1.0
        dx, dy = ((end[i] - start[i]) / length * 3 * self.u for i in (0, 1))
        self.line((start[0] - dx, start[1] - dy), (end[0] + dx, end[1] + dy), role="center")

    def axes(self, width: float, height: float, center: Point = (0.0, 0.0)) -> None:
        x, y = center
        self.axis((x - width / 2, y), (x + width / 2, y))
        self.axis((x, y - height / 2), (x, y + height / 2))

    def hole(self, center: Point, radius: float, mark: str | None = None) -> None:
        """A hole with the center mark this office uses."""
        self.circle(center, radius, feature="hole")
        mark = self.style.hole_mark if mark is None else mark
        if mark == "cross":
            reach = radius * 1.3
            self.line((center[0] - reach, center[1]), (center[0] + reach, center[1]), role="center")
            self.line((center[0], center[1] - reach), (center[0], center[1] + reach), role="center")
        elif mark == "block":
            self.insert(self.pen.block("CENTERMARK", draw_center_mark), center, radius * 1.3, feature="mark")

    def section_mark(self, start: Point, end: Point, letter: str) -> None:
        """Thick ends with SOLID arrows that say where a section is cut."""
        dx, dy = end[0] - start[0], end[1] - start[1]
        length = math.hypot(dx, dy)
        along = (dx / length, dy / length)
        look = (along[1], -along[0])
        for point, sign in ((start, 1.0), (end, -1.0)):
            inner = (point[0] + along[0] * 4 * sign * self.u, point[1] + along[1] * 4 * sign * self.u)
            self.line(point, inner, role="thin")
            tip = (point[0] + look[0] * 4 * self.u, point[1] + look[1] * 4 * self.u)
            self.solid(arrow_head(tip, look, 4 * self.u), role="thin")
            at = (point[0] - look[0] * 2.5 * self.u, point[1] - look[1] * 2.5 * self.u)
            self.text(at, letter, align="MIDDLE_CENTER")

    # -- dimensions: offsets in paper mm -------------------------------------------------------------------------

    def _dim(self, kind: str, points, text: str, angle: float = 0.0) -> None:
        height = self.style.text_height * self.u
        self.add(Dim(kind=kind, points=tuple(points), height=height, text=text, angle=angle))

    def hdim(self, p1: Point, p2: Point, offset: float, text: str = "<>") -> None:
        """Horizontal distance; the dimension line lies `offset` above (below, if negative) both points."""
        edge = max(p1[1], p2[1]) if offset > 0 else min(p1[1], p2[1])
        self._dim("linear", (p1, p2, ((p1[0] + p2[0]) / 2, edge + offset * self.u)), text)

    def vdim(self, p1: Point, p2: Point, offset: float, text: str = "<>") -> None:
        """Vertical distance; the dimension line lies `offset` to the right (left, if negative) of both points."""
        edge = max(p1[0], p2[0]) if offset > 0 else min(p1[0], p2[0])
        self._dim("linear", (p1, p2, (edge + offset * self.u, (p1[1] + p2[1]) / 2)), text, angle=90.0)

    def adim(self, p1: Point, p2: Point, offset: float, text: str = "<>") -> None:
        """Distance along p1-p2; a positive offset lies to the left of the way from p1 to p2."""
        length = math.dist(p1, p2)
        normal = (-(p2[1] - p1[1]) / length, (p2[0] - p1[0]) / length)
        middle = ((p1[0] + p2[0]) / 2, (p1[1] + p2[1]) / 2)
        place = (middle[0] + normal[0] * offset * self.u, middle[1] + normal[1] * offset * self.u)
        self._dim("aligned", (p1, p2, place), text)

    def rdim(self, center: Point, radius: float, degrees: float, offset: float = 8.0, text: str = "<>") -> None:
        on_arc, place = polar(center, radius, degrees), polar(center, radius + offset * self.u, degrees)
        self._dim("radius", (center, on_arc, place), text)

    def ddim(self, center: Point, radius: float, degrees: float, offset: float = 8.0, text: str = "<>") -> None:
        on_arc, place = polar(center, radius, degrees), polar(center, radius + offset * self.u, degrees)
        self._dim("diameter", (center, on_arc, place), text)

    def angdim(self, center: Point, radius: float, start: float, end: float, offset: float, text: str = "<>") -> None:
        """Angle from start to end; the arc lies `offset` outside of `radius`."""
        middle = start + ((end - start) % 360.0) / 2
        first, second = polar(center, radius, start), polar(center, radius, end)
        self._dim("angular", (center, first, second, polar(center, radius + offset * self.u, middle)), text)

    def xdim(self, origin: Point, feature: Point, y: float, text: str = "<>") -> None:
        """Ordinate of a feature from the origin, its number at height `y` (part units)."""
        self._dim("ordinate_x", (origin, feature, (feature[0], y)), text)

    def ydim(self, origin: Point, feature: Point, x: float, text: str = "<>") -> None:
        self._dim("ordinate_y", (origin, feature, (x, feature[1])), text)

    # -- the finished view ---------------------------------------------------------------------------------------

    def box(self) -> Box:
        return union(item.box() for item in self.items)

    def caption(self) -> None:
        """Name (and scale, where it differs) below the view."""
        bottom = self.box()[1]
        title = CAPTIONS_ZH.get(self.title, self.title) if self.style.language == "zh" else self.title
        lines = [title] + ([f"{ratio(self.pen.scale * self.zoom)}"] if self.zoom != 1.0 else [])
        for i, line in enumerate(lines):
            at = (0.0, bottom - (6 + 5 * i) * self.u)
            self.text(at, line, self.style.text_height * 1.3, align="CENTER", feature="caption")

    def placed(self, at: Point) -> list[Item]:
        """The items on paper, with the view's origin at `at`."""
        to = Placement(scale=1.0 / self.u, shift=at)
        return [item.moved(to) for item in self.items]


def vertices_of(points) -> tuple[Vertex, ...]:
    return tuple((p[0], p[1], p[2] if len(p) > 2 else 0.0) for p in points)


def rectangle(center: Point, width: float, height: float) -> list[Point]:
    x, y = center
    return corners(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def rounded(center: Point, width: float, height: float, radius: float) -> list[Vertex]:
    """A rectangle with round corners, counter-clockwise from the lower left."""
    x0, y0 = center[0] - width / 2, center[1] - height / 2
    x1, y1 = center[0] + width / 2, center[1] + height / 2
    r, b = radius, BULGE_90
    return [
        (x0 + r, y0, 0.0), (x1 - r, y0, b), (x1, y0 + r, 0.0), (x1, y1 - r, b),
        (x1 - r, y1, 0.0), (x0 + r, y1, b), (x0, y1 - r, 0.0), (x0, y0 + r, b),
    ]  # fmt: skip


def chamfered(center: Point, width: float, height: float, cut: float, all_corners: bool = True) -> list[Point]:
    """A rectangle with its corners (or only the upper left one) cut at 45 degrees."""
    x0, y0 = center[0] - width / 2, center[1] - height / 2
    x1, y1 = center[0] + width / 2, center[1] + height / 2
    upper_left = [(x0 + cut, y1), (x0, y1 - cut)]
    if not all_corners:
        return [(x0, y0), (x1, y0), (x1, y1), *upper_left]
    return [(x0, y0 + cut), (x0 + cut, y0), (x1 - cut, y0), (x1, y0 + cut), (x1, y1 - cut), (x1 - cut, y1), *upper_left]


def slot(center: Point, length: float, width: float, upright: bool = False) -> list[Vertex]:
    """A slot of overall `length` with round ends."""
    a, r = (length - width) / 2, width / 2
    points = [(-a, -r, 0.0), (a, -r, 1.0), (a, r, 0.0), (-a, r, 1.0)]
    to = Placement(angle=90.0 if upright else 0.0, shift=center)
    return [(*to.point((x, y)), b) for x, y, b in points]


def ring(center: Point, radius: float) -> list[Vertex]:
    """A circle as a polyline of two half circles: the way it is given to a hatch."""
    return [(center[0] - radius, center[1], 1.0), (center[0] + radius, center[1], 1.0)]


def lines_and_arcs(poly: Poly) -> list[Item]:
    """What is left of a polyline when it is exploded."""
    common = {"role": poly.role, "view": poly.view, "feature": poly.feature}
    parts: list[Item] = []
    for start, end, bulge in segments(poly.vertices, poly.closed):
        if not bulge:
            parts.append(Line(start=start, end=end, **common))
            continue
        center, radius, first, sweep = bulge_arc(start, end, bulge)
        a, b = (first, first + sweep) if sweep > 0 else (first + sweep, first)
        parts.append(Arc(center=center, radius=radius, start=a % 360.0, end=b % 360.0, **common))
    return parts


def arrow_head(tip: Point, direction: Point, size: float) -> tuple[Point, Point, Point]:
    """A slim triangle that ends at `tip`."""
    back = (tip[0] - direction[0] * size, tip[1] - direction[1] * size)
    side = (-direction[1] * size / 6, direction[0] * size / 6)
    return (tip, (back[0] + side[0], back[1] + side[1]), (back[0] - side[0], back[1] - side[1]))


def drawn_leader(through, arrow: float, **common) -> list[Item]:
    """A leader drawn by hand: lines and a SOLID arrow. Also how R12 spells a LEADER."""
    common = {"role": "dim", **common}
    (x0, y0), (x1, y1) = through[0], through[1]
    length = math.hypot(x1 - x0, y1 - y0)
    head = arrow_head((x0, y0), ((x0 - x1) / length, (y0 - y1) / length), arrow)
    lines = [Line(start=a, end=b, **common) for a, b in pairwise(through)]
    return [*lines, Solid(corners=head, **common)]


def draw_center_mark(view: View) -> None:
    """One unit of reach; a hole inserts it scaled."""
    view.line((-1.0, 0.0), (1.0, 0.0), role="center")
    view.line((0.0, -1.0), (0.0, 1.0), role="center")


def ratio(scale: float) -> str:
    """20.0 is written 20:1, 0.5 is written 1:2."""
    return f"{scale:.3g}:1" if scale >= 1 else f"1:{1 / scale:.3g}"
