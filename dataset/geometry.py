"""The lines of every entity, in world coordinates, for whoever collects them.

Each kind of entity has one function that adds its lines and arcs to a collector: an :class:`~dataset.outline.Outline`,
which keeps what its extents need, :class:`~dataset.strokes.Strokes`, which keeps what is drawn, or a
:class:`~dataset.trace.Trace`, which keeps both. A block is gathered once and placed by every INSERT. Nothing is
flattened here but splines, and these within bounds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import ezdxf
import numpy as np
from ezdxf.entities import DXFGraphic
from ezdxf.entities.boundary_paths import EdgeType
from ezdxf.math import OCS, Vec3

from dataset.curves import along_spline, control_points
from dataset.outline import Outline
from dataset.placement import (
    dimension_points,
    insert_map,
    leader_points,
    multileader_lines,
    own_polyline,
    place,
    plane,
    solid_points,
    sweep,
    text_frame,
)
from dataset.plane import FULL_TURN, Affine, Box, Point, circle
from dataset.proxies import proxy_parts
from dataset.reading import DAMAGE
from dataset.sight import Sight
from dataset.strokes import Strokes
from dataset.text_size import frame_lines
from dataset.trace import Trace

MAX_BLOCK_DEPTH = 64
AS_IS = Affine(1.0, 0.0, 0.0, 1.0, 0.0, 0.0)

Collector = TypeVar("Collector", Outline, Strokes, Trace)


class Geometry(Generic[Collector]):
    """Outlines, strokes or both of a document's entities; keeps those of every block it has met.

    Args:
        collect: makes an empty collector.

    Attributes:
        damaged: the entities of blocks and of the pictures of dimensions that add nothing to a box because they are
            damaged, by type and reason; those of a block once, however often it is inserted.
    """

    def __init__(
        self,
        document: ezdxf.document.Drawing,
        sight: Sight | None = None,
        collect: Callable[[], Collector] = Outline,
    ) -> None:
        self._collect = collect
        self._blocks = document.blocks
        self._sight = sight or Sight(document, visible_only=False)
        self.damaged: Counter[str] = Counter()
        self._placed: dict[str, Any] = {}  # what the collector's reduced() gives
        self._open: list[str] = []  # the blocks being gathered, to catch one that contains itself
        self._adders: dict[str, Callable[[Collector, DXFGraphic], None]] = {
            "LINE": _add_line,
            "CIRCLE": _add_circle,
            "ARC": _add_arc,
            "ELLIPSE": _add_ellipse,
            "LWPOLYLINE": _add_polyline,
            "POLYLINE": _add_polyline,
            "SPLINE": _add_spline,
            "TEXT": _add_text,
            "ATTRIB": _add_text,
            "MTEXT": _add_text,
            "SOLID": _add_solid,
            "TRACE": _add_solid,
            "3DFACE": _add_solid,
            "POINT": _add_point,
            "HATCH": _add_hatch,
            "MPOLYGON": _add_hatch,
            "LEADER": _add_leader,
            "MULTILEADER": _add_multileader,
            "MLEADER": _add_multileader,
            "INSERT": self._add_insert,
            "DIMENSION": self._add_dimension,
            "ARC_DIMENSION": self._add_dimension,
            "LARGE_RADIAL_DIMENSION": self._add_dimension,
        }

    def box(self, entity: DXFGraphic) -> Box | None:
        """The axis-aligned true extents of an entity, or None if it shows nothing (an INSERT of an empty block).

        Raises:
            ValueError: a coordinate is not finite.
            DAMAGE: the entity is damaged.
        """
        return self.trace(entity).box()

    def trace(self, entity: DXFGraphic) -> Collector:
        """A collector with everything that an entity shows.

        Raises:
            DAMAGE: the entity is damaged.
        """
        collector = self._collect()
        self._adders[entity.dxftype()](collector, entity)
        return collector

    def _block(self, name: str) -> Any:
        """A block's content in its own coordinates, gathered on first use."""
        key = name.casefold()
        if key not in self._placed:
            outline = self._collect()
            if key not in self._open and len(self._open) < MAX_BLOCK_DEPTH:
                self._open.append(key)
                self._gather(outline, self._blocks.get(name) or ())
                self._open.pop()
            else:  # a block inside itself adds nothing new, and this empty outline must not be kept
                return outline.reduced()
            self._placed[key] = outline.reduced()
        return self._placed[key]

    def _gather(self, outline: Collector, entities) -> None:
        for entity in entities:
            if not self._sight.shows_in_block(entity):
                continue
            adder = self._adders.get(entity.dxftype(), self._add_proxy)
            part = self._collect()
            try:
                adder(part, entity)
                outline.merge(part)
            except DAMAGE as error:  # one damaged entity must not take the block with it
                self.damaged[f"{entity.dxftype()} in a block: {error}"] += 1

    def _add_proxy(self, outline: Collector, entity: DXFGraphic) -> None:
        """An entity of a program we do not know, by its proxy graphic; nothing without."""
        self._gather(outline, proxy_parts(entity))

    def _add_insert(self, outline: Collector, insert: DXFGraphic) -> None:
        dxf = insert.dxf
        block = self._block(dxf.name)
        if insert.mcount > 1:
            outline.add_copies(block, insert_map(insert), *_array(insert))
        else:
            outline.add(block, insert_map(insert))
        for attribute in insert.attribs:
            if not attribute.is_invisible:
                _add_text(outline, attribute)

    def _add_dimension(self, outline: Collector, dimension: DXFGraphic) -> None:
        """By the picture the CAD program left in a block, else by one drawn here, else by its definition points."""
        content = dimension.virtual_block_content if dimension.is_virtual else dimension.get_geometry_block()
        if not content and not dimension.is_virtual:
            content = _rendered(dimension)
        affine = plane(dimension) or AS_IS
        if dimension.is_virtual and not dimension.dxf.hasattr("insert"):
            affine = AS_IS  # out of a wrapper: ezdxf has put the picture on the sheet already
        if dimension.dxf.hasattr("insert"):  # a moved copy that shares the picture of its original
            affine = affine.shifted(*place((dimension.dxf.insert.x, dimension.dxf.insert.y), affine))
        part = self._collect()
        self._gather(part, content or ())
        outline.place(part, affine)
        points = dimension_points(dimension)
        if _is_stale(outline.box(), points):
            outline.clear()
        if not outline:
            outline.chain(points.values())


def _is_stale(picture: Box | None, points: dict[int, Point]) -> bool:
    """Whether a dimension's picture stands apart from what it measures: a program moved one and not the other.

    What is drawn starts at the definition points, so the two boxes touch but for a gap and what was rounded.
    """
    if picture is None or not points:
        return False
    xs, ys = zip(*points.values(), strict=True)
    apart = max(picture[0] - max(xs), min(xs) - picture[2], picture[1] - max(ys), min(ys) - picture[3])
    size = max(picture[2] - picture[0], picture[3] - picture[1], max(xs) - min(xs), max(ys) - min(ys))
    return apart > size


def _rendered(dimension: DXFGraphic):
    before = dimension.dxf.get("geometry")
    try:
        dimension.render()
    except DAMAGE:
        # not the half of a picture: the next one to look must see the same
        dimension.dxf.discard("geometry")
        if before is not None:
            dimension.dxf.geometry = before
        return ()
    return dimension.get_geometry_block()


def _array(insert: DXFGraphic) -> tuple[np.ndarray, np.ndarray]:
    """Where the columns and the rows of an array stand relative to its first copy: ``[columns, 2]``, ``[rows, 2]``."""
    dxf = insert.dxf
    angle = math.radians(dxf.rotation)
    c, s = math.cos(angle), math.sin(angle)
    affine = plane(insert)
    to_right, up = (
        place((c * dxf.column_spacing, s * dxf.column_spacing), affine),
        place((-s * dxf.row_spacing, c * dxf.row_spacing), affine),
    )
    columns = max(dxf.column_count, 1) if dxf.column_spacing else 1  # copies on top of each other are one
    rows = max(dxf.row_count, 1) if dxf.row_spacing else 1
    return np.outer(np.arange(columns), to_right), np.outer(np.arange(rows), up)


def _add_line(outline: Collector, entity: DXFGraphic) -> None:
    start, end = entity.dxf.start, entity.dxf.end
    outline.chain(((start.x, start.y), (end.x, end.y)))


def _add_point(outline: Collector, entity: DXFGraphic) -> None:
    outline.dots(((entity.dxf.location.x, entity.dxf.location.y),))


def _add_round(outline: Collector, entity: DXFGraphic, first: float, last: float) -> None:
    center, radius = entity.dxf.center, entity.dxf.radius
    affine = plane(entity)
    if affine is None:
        outline.add_arc((center.x, center.y, radius, 0.0, 0.0, radius, first, last))
        return
    ocs = OCS(entity.dxf.extrusion)
    middle = ocs.to_wcs(center)  # a tilted circle's elevation moves it on the sheet
    u, v = ocs.ux * radius, ocs.uy * radius
    outline.add_arc((middle.x, middle.y, u.x, u.y, v.x, v.y, first, last))


def _add_circle(outline: Collector, entity: DXFGraphic) -> None:
    _add_round(outline, entity, 0.0, FULL_TURN)


def _add_arc(outline: Collector, entity: DXFGraphic) -> None:
    _add_round(outline, entity, *sweep(entity.dxf.start_angle, entity.dxf.end_angle))


def _add_ellipse(outline: Collector, entity: DXFGraphic) -> None:
    dxf, minor = entity.dxf, entity.minor_axis
    first, last = dxf.start_param, dxf.end_param
    span = (last - first) % FULL_TURN or FULL_TURN
    major = dxf.major_axis
    outline.add_arc((dxf.center.x, dxf.center.y, major.x, major.y, minor.x, minor.y, first, first + span))


def _add_polyline(outline: Collector, entity: DXFGraphic) -> None:
    if entity.dxftype() == "POLYLINE" and (entity.is_polygon_mesh or entity.is_poly_face_mesh):
        outline.dots((vertex.dxf.location.x, vertex.dxf.location.y) for vertex in entity.vertices)
        return
    vertices, bulges, closed, affine = own_polyline(entity)
    part = outline if affine is None else type(outline)()
    part.polyline(vertices, bulges, closed)
    if affine is not None:
        outline.place(part, affine)


def _add_spline(outline: Collector, entity: DXFGraphic) -> None:
    outline.chain(_curve(entity))


def _curve(spline) -> list[Point]:
    """Points along a SPLINE or a hatch's spline edge; of an invalid one its own points, which are near enough."""
    try:
        tool = spline.construction_tool()
        points = along_spline(tool)
        if not np.isfinite(points).all():
            points = control_points(tool)
        return list(map(tuple, points.tolist()))
    except DAMAGE:
        points = list(spline.control_points) or list(spline.fit_points)
        return [(point[0], point[1]) for point in points]


def _add_text(outline: Collector, entity: DXFGraphic) -> None:
    frame, affine = text_frame(entity)
    outline.text([place(corner, affine) for corner in frame.corners()])


def _add_solid(outline: Collector, entity: DXFGraphic) -> None:
    corners = solid_points(entity)
    outline.chain([*corners[:2], *corners[:1:-1], *corners[:1]])  # the last two cross over
    outline.fill()


def _add_leader(outline: Collector, entity: DXFGraphic) -> None:
    outline.chain(leader_points(entity))


def _add_multileader(outline: Collector, entity: DXFGraphic) -> None:
    context = entity.context
    for leader in context.leaders:
        for line in multileader_lines(leader):
            outline.chain(line)
    text = context.mtext
    if text is None:
        return
    # 1, 2, 3: left, center, right; the insertion point lies on the first line's top
    frame = frame_lines(text.default_content, context.char_height, text.width, text.line_spacing_factor, text.alignment)
    direction = Vec3(text.text_direction).normalize()
    up = Vec3(text.extrusion).cross(direction)
    affine = Affine(direction.x, direction.y, up.x, up.y, text.insert.x, text.insert.y)
    outline.text([place(corner, affine) for corner in frame.corners()])


def _add_hatch(outline: Collector, entity: DXFGraphic) -> None:
    """The boundary paths; islands lie inside and change nothing."""
    affine = plane(entity, Vec3(entity.dxf.get("elevation", (0, 0, 0))).z)
    part = outline if affine is None else type(outline)()
    for path in entity.paths:
        if hasattr(path, "vertices"):
            packed = np.array(path.vertices, dtype=np.float64).reshape(-1, 3)  # x, y, bulge
            part.polyline(packed[:, :2], packed[:, 2], closed=True)
        else:
            for edge in path.edges:
                _add_edge(part, edge)
    if affine is not None:
        outline.place(part, affine)
    outline.fill()


def _add_edge(outline: Collector, edge) -> None:
    if edge.type == EdgeType.LINE:
        outline.chain((tuple(edge.start)[:2], tuple(edge.end)[:2]))
    elif edge.type == EdgeType.ARC:
        first, last = sweep(edge.start_angle, edge.end_angle)
        arc = (*circle(edge.center[0], edge.center[1], edge.radius)[:6], first, last)
        outline.add_arc(arc)
    elif edge.type == EdgeType.ELLIPSE:
        tool = edge.construction_tool()
        span = tool.param_span or FULL_TURN
        u, v, first = tool.major_axis, tool.minor_axis, tool.start_param
        outline.add_arc((tool.center.x, tool.center.y, u.x, u.y, v.x, v.y, first, first + span))
    elif edge.type == EdgeType.SPLINE:
        outline.chain(_curve(edge))
