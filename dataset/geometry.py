"""The true extents of every entity, in world coordinates.

Each kind of entity has one function that adds its points and arcs to an :class:`Outline`; a block is gathered once and
placed by every INSERT. Nothing is flattened but splines, and these within bounds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import ezdxf
import numpy as np
from ezdxf.entities import DXFGraphic
from ezdxf.entities.boundary_paths import EdgeType
from ezdxf.math import OCS, Vec3

from dataset.curves import along_spline, control_points, polyline_arcs
from dataset.outline import FULL_TURN, Affine, Arc, Box, Outline, PlacedOnce, Point, circle
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
from dataset.proxies import proxy_parts
from dataset.reading import DAMAGE
from dataset.sight import Sight
from dataset.text_size import frame_lines

MAX_BLOCK_DEPTH = 64


class Geometry:
    """Boxes of a document's entities; keeps the outline of every block it has met.

    Attributes:
        damaged: the entities of blocks and of the pictures of dimensions that add nothing to a box because they are
            damaged, by type and reason; those of a block once, however often it is inserted.
    """

    def __init__(self, document: ezdxf.document.Drawing, sight: Sight | None = None) -> None:
        self._blocks = document.blocks
        self._sight = sight or Sight(document, visible_only=False)
        self.damaged: Counter[str] = Counter()
        self._placed: dict[str, PlacedOnce] = {}
        self._open: list[str] = []  # the blocks being gathered, to catch one that contains itself
        self._adders: dict[str, Callable[[Outline, DXFGraphic], None]] = {
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
        outline = Outline()
        self._adders[entity.dxftype()](outline, entity)
        return outline.box()

    def _block(self, name: str) -> PlacedOnce:
        """A block's content in its own coordinates, gathered on first use."""
        key = name.casefold()
        if key not in self._placed:
            outline = Outline()
            if key not in self._open and len(self._open) < MAX_BLOCK_DEPTH:
                self._open.append(key)
                self._gather(outline, self._blocks.get(name) or ())
                self._open.pop()
            else:  # a block inside itself adds nothing new, and this empty outline must not be kept
                return outline.reduced()
            self._placed[key] = outline.reduced()
        return self._placed[key]

    def _gather(self, outline: Outline, entities) -> None:
        for entity in entities:
            if not self._sight.shows_in_block(entity):
                continue
            adder = self._adders.get(entity.dxftype(), self._add_proxy)
            part = Outline()
            try:
                adder(part, entity)
                part.box()
            except DAMAGE as error:  # one damaged entity must not take the block with it
                self.damaged[f"{entity.dxftype()} in a block: {error}"] += 1
                continue
            outline.points += part.points
            outline.arcs += part.arcs

    def _add_proxy(self, outline: Outline, entity: DXFGraphic) -> None:
        """An entity of a program we do not know, by its proxy graphic; nothing without."""
        self._gather(outline, proxy_parts(entity))

    def _add_insert(self, outline: Outline, insert: DXFGraphic) -> None:
        dxf = insert.dxf
        block = self._block(dxf.name)
        affine = insert_map(insert)
        for dx, dy in _array_corners(insert):
            outline.add(block, affine.shifted(dx, dy))
        for attribute in insert.attribs:
            if not attribute.is_invisible:
                _add_text(outline, attribute)

    def _add_dimension(self, outline: Outline, dimension: DXFGraphic) -> None:
        """By the picture the CAD program left in a block, else by one drawn here, else by its definition points."""
        content = dimension.virtual_block_content if dimension.is_virtual else dimension.get_geometry_block()
        if not content and not dimension.is_virtual:
            content = _rendered(dimension)
        affine = plane(dimension) or Affine(1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
        if dimension.dxf.hasattr("insert"):  # a moved copy that shares the picture of its original
            affine = affine.shifted(*place((dimension.dxf.insert.x, dimension.dxf.insert.y), affine))
        part = Outline()
        self._gather(part, content or ())
        outline.add(_as_is(part), affine)
        if not outline.points and not outline.arcs:
            outline.points += dimension_points(dimension).values()


def _as_is(outline: Outline) -> PlacedOnce:
    return PlacedOnce(np.array(outline.points).reshape(-1, 2), np.array(outline.arcs).reshape(-1, 8))


def _rendered(dimension: DXFGraphic):
    name = dimension.dxf.get("geometry")
    try:
        dimension.render()
    except DAMAGE:
        dimension.dxf.geometry = name  # not the half of a picture: the next one to look must see the same
        return ()
    return dimension.get_geometry_block()


def _array_corners(insert: DXFGraphic) -> list[Point]:
    """Where the outermost copies of an array stand relative to the first: their hull is the hull of all."""
    dxf = insert.dxf
    if insert.mcount <= 1:
        return [(0.0, 0.0)]
    width = (max(dxf.column_count, 1) - 1) * dxf.column_spacing
    height = (max(dxf.row_count, 1) - 1) * dxf.row_spacing
    angle = math.radians(dxf.rotation)
    c, s = math.cos(angle), math.sin(angle)
    affine = plane(insert)
    return [place((x * c - y * s, x * s + y * c), affine) for x in (0.0, width) for y in (0.0, height)]


def _add_line(outline: Outline, entity: DXFGraphic) -> None:
    start, end = entity.dxf.start, entity.dxf.end
    outline.points += ((start.x, start.y), (end.x, end.y))


def _add_point(outline: Outline, entity: DXFGraphic) -> None:
    outline.points.append((entity.dxf.location.x, entity.dxf.location.y))


def _add_round(outline: Outline, entity: DXFGraphic, first: float, last: float) -> None:
    center, radius = entity.dxf.center, entity.dxf.radius
    affine = plane(entity)
    if affine is None:
        outline.add_arc((center.x, center.y, radius, 0.0, 0.0, radius, first, last))
        return
    ocs = OCS(entity.dxf.extrusion)
    middle = ocs.to_wcs(center)  # a tilted circle's elevation moves it on the sheet
    u, v = ocs.ux * radius, ocs.uy * radius
    outline.add_arc((middle.x, middle.y, u.x, u.y, v.x, v.y, first, last))


def _add_circle(outline: Outline, entity: DXFGraphic) -> None:
    _add_round(outline, entity, 0.0, FULL_TURN)


def _add_arc(outline: Outline, entity: DXFGraphic) -> None:
    _add_round(outline, entity, *sweep(entity.dxf.start_angle, entity.dxf.end_angle))


def _add_ellipse(outline: Outline, entity: DXFGraphic) -> None:
    dxf, minor = entity.dxf, entity.minor_axis
    first, last = dxf.start_param, dxf.end_param
    span = (last - first) % FULL_TURN or FULL_TURN
    major = dxf.major_axis
    outline.add_arc((dxf.center.x, dxf.center.y, major.x, major.y, minor.x, minor.y, first, first + span))


def _add_polyline(outline: Outline, entity: DXFGraphic) -> None:
    if entity.dxftype() == "POLYLINE" and (entity.is_polygon_mesh or entity.is_poly_face_mesh):
        outline.points += ((vertex.dxf.location.x, vertex.dxf.location.y) for vertex in entity.vertices)
        return
    vertices, bulges, closed, affine = own_polyline(entity)
    part = outline if affine is None else Outline()
    points = list(map(tuple, vertices.tolist()))
    part.points += points
    if bulges.any():
        for arc in polyline_arcs(points, bulges.tolist(), closed):
            part.add_arc(arc)
    if affine is not None:
        outline.add(_as_is(part), affine)


def _add_spline(outline: Outline, entity: DXFGraphic) -> None:
    outline.points += _curve(entity)


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


def _add_text(outline: Outline, entity: DXFGraphic) -> None:
    frame, affine = text_frame(entity)
    outline.points += (place(corner, affine) for corner in frame.corners())


def _add_solid(outline: Outline, entity: DXFGraphic) -> None:
    outline.points += solid_points(entity)


def _add_leader(outline: Outline, entity: DXFGraphic) -> None:
    outline.points += leader_points(entity)


def _add_multileader(outline: Outline, entity: DXFGraphic) -> None:
    context = entity.context
    for leader in context.leaders:
        for line in multileader_lines(leader):
            outline.points += line
    text = context.mtext
    if text is None:
        return
    # 1, 2, 3: left, center, right; the insertion point lies on the first line's top
    frame = frame_lines(text.default_content, context.char_height, text.width, text.line_spacing_factor, text.alignment)
    direction = Vec3(text.text_direction).normalize()
    affine = Affine(direction.x, direction.y, -direction.y, direction.x, text.insert.x, text.insert.y)
    outline.points += (place(corner, affine) for corner in frame.corners())


def _add_hatch(outline: Outline, entity: DXFGraphic) -> None:
    """The boundary paths; islands lie inside and change nothing."""
    affine = plane(entity, Vec3(entity.dxf.get("elevation", (0, 0, 0))).z)
    part = outline if affine is None else Outline()
    for path in entity.paths:
        if hasattr(path, "vertices"):
            points = [(x, y) for x, y, _ in path.vertices]
            part.points += points
            for arc in polyline_arcs(points, [bulge for _, _, bulge in path.vertices], closed=True):
                part.add_arc(arc)
        else:
            for edge in path.edges:
                _add_edge(part, edge)
    if affine is not None:
        outline.add(_as_is(part), affine)


def _add_edge(outline: Outline, edge) -> None:
    if edge.type == EdgeType.LINE:
        outline.points += (tuple(edge.start)[:2], tuple(edge.end)[:2])
    elif edge.type == EdgeType.ARC:
        first, last = sweep(edge.start_angle, edge.end_angle)
        arc: Arc = (*circle(edge.center[0], edge.center[1], edge.radius)[:6], first, last)
        outline.add_arc(arc)
    elif edge.type == EdgeType.ELLIPSE:
        tool = edge.construction_tool()
        span = tool.param_span or FULL_TURN
        u, v, first = tool.major_axis, tool.minor_axis, tool.start_param
        outline.add_arc((tool.center.x, tool.center.y, u.x, u.y, v.x, v.y, first, first + span))
    elif edge.type == EdgeType.SPLINE:
        outline.points += _curve(edge)
