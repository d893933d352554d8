"""The true extents of every entity, in world coordinates.

Each kind of entity has one function that adds its points and arcs to an :class:`Outline`; a block is gathered once and
placed by every INSERT. Nothing is flattened but splines, and these within bounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import ezdxf
import numpy as np
from ezdxf.entities import DXFGraphic
from ezdxf.entities.boundary_paths import EdgeType
from ezdxf.math import OCS, Vec3, arc_angle_span_deg

from dataset.curves import along_spline, control_points, polyline_arcs
from dataset.outline import FULL_TURN, Affine, Arc, Box, Outline, PlacedOnce, Point, circle
from dataset.reading import DAMAGE
from dataset.text_size import TextFrame, frame_lines, frame_mtext, frame_text

MAX_BLOCK_DEPTH = 64

SPLINE_FRAME = 16  # flag of a POLYLINE's vertex that is a control point, not a point of the curve


def plane(entity: DXFGraphic, elevation: float = 0.0) -> Affine | None:
    """The map from an entity's own coordinate system (OCS) to the sheet, or None if they are the same."""
    extrusion = entity.dxf.get("extrusion")
    if extrusion is None or (extrusion.x == 0.0 and extrusion.y == 0.0 and extrusion.z > 0.0):
        return None
    ocs = OCS(extrusion)
    return Affine(ocs.ux.x, ocs.ux.y, ocs.uy.x, ocs.uy.y, ocs.uz.x * elevation, ocs.uz.y * elevation)


def place(point: Point, affine: Affine | None) -> Point:
    if affine is None:
        return point
    x, y = point
    return x * affine.xx + y * affine.yx + affine.dx, x * affine.xy + y * affine.yy + affine.dy


def sweep(start: float, end: float) -> tuple[float, float]:
    """First and last parameter (radians) of a counter-clockwise arc given in degrees; equal angles make a circle."""
    first = math.radians(start)
    span = math.radians(arc_angle_span_deg(start, end))
    return first, first + (span or FULL_TURN)


def polyline(entity: DXFGraphic) -> tuple[np.ndarray, np.ndarray, bool]:
    """Vertices ``[n, 2]`` on the sheet, bulges ``[n]`` and closedness of an LWPOLYLINE or a POLYLINE without mesh."""
    vertices, bulges, closed, affine = _own_polyline(entity)
    if affine is not None:
        vertices = vertices @ affine.matrix + (affine.dx, affine.dy)
        bulges = bulges if affine.determinant > 0.0 else -bulges  # seen from behind
    return vertices, bulges, closed


def _own_polyline(entity: DXFGraphic) -> tuple[np.ndarray, np.ndarray, bool, Affine | None]:
    """Vertices, bulges and closedness in the entity's own plane, and where that is."""
    if entity.dxftype() == "LWPOLYLINE":
        packed = np.array(entity.lwpoints.values, dtype=np.float64).reshape(-1, 5)  # x, y, widths, bulge
        return packed[:, :2], packed[:, 4], bool(entity.closed), plane(entity, entity.dxf.get("elevation", 0.0))
    seen = [vertex.dxf for vertex in entity.vertices if not vertex.dxf.get("flags", 0) & SPLINE_FRAME]
    vertices = np.array([(dxf.location.x, dxf.location.y) for dxf in seen], dtype=np.float64).reshape(-1, 2)
    if entity.is_3d_polyline:  # in world coordinates, and straight
        return vertices, np.zeros(len(vertices)), bool(entity.is_closed), None
    bulges = np.array([dxf.get("bulge", 0.0) for dxf in seen], dtype=np.float64)
    elevation = Vec3(entity.dxf.get("elevation", (0, 0, 0))).z
    return vertices, bulges, bool(entity.is_closed), plane(entity, elevation)


def solid_points(entity: DXFGraphic) -> list[Point]:
    """The three or four corners of a SOLID or TRACE on the sheet, in DXF order (the last two cross over)."""
    affine = plane(entity, Vec3(entity.dxf.get("vtx0", (0, 0, 0))).z)
    names = ("vtx0", "vtx1", "vtx2", "vtx3")
    corners = [tuple(entity.dxf.get(name)) for name in names if entity.dxf.hasattr(name)]
    if len(corners) == 4 and corners[3] == corners[2]:
        corners.pop()
    return [place(corner[:2], affine) for corner in corners]


def leader_points(entity: DXFGraphic) -> list[Point]:
    """The vertices of a LEADER, or of a MULTILEADER's first line up to its text, from the arrow head on."""
    if entity.dxftype() == "LEADER":
        return [(Vec3(vertex).x, Vec3(vertex).y) for vertex in entity.vertices]
    leaders = entity.context.leaders
    return _multileader_lines(leaders[0])[0] if leaders else []


def _multileader_lines(leader) -> list[list[Point]]:
    landing = leader.last_leader_point
    tail = [landing]
    if leader.has_dogleg_vector and leader.dogleg_length:
        tail.append(landing + leader.dogleg_vector * leader.dogleg_length)
    lines = [line.vertices for line in leader.lines] or [[]]
    return [[(point.x, point.y) for point in (*vertices, *tail)] for vertices in lines]


def insert_map(insert: DXFGraphic) -> Affine:
    """Where an INSERT puts the plane of its block: base point, scales, rotation, extrusion and insertion point."""
    m = insert.matrix44()
    return Affine(m[0, 0], m[0, 1], m[1, 0], m[1, 1], m[3, 0], m[3, 1])


def text_frame(entity: DXFGraphic) -> tuple[TextFrame, Affine]:
    """The frame of a TEXT, ATTRIB or MTEXT, and the map that puts it on the sheet."""
    dxf = entity.dxf
    own = plane(entity) or Affine(1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    if entity.dxftype() == "MTEXT":  # its insertion point and direction are world coordinates
        direction = Vec3(entity.get_text_direction()).normalize()
        up = Vec3(dxf.get("extrusion", (0, 0, 1))).cross(direction)
        return frame_mtext(entity), Affine(direction.x, direction.y, up.x, up.y, dxf.insert.x, dxf.insert.y)
    frame = frame_text(entity)
    angle = math.radians(dxf.get_default("rotation"))
    halign, valign = dxf.get_default("halign"), dxf.get_default("valign")
    anchor = dxf.insert
    if dxf.hasattr("align_point"):
        if halign in (3, 5):  # ALIGNED, FIT: from the insertion point towards the other
            angle = math.atan2(dxf.align_point.y - anchor.y, dxf.align_point.x - anchor.x)
        elif halign or valign:
            anchor = dxf.align_point
    c, s = math.cos(angle), math.sin(angle)
    ux, uy = c * own.xx + s * own.yx, c * own.xy + s * own.yy
    vx, vy = -s * own.xx + c * own.yx, -s * own.xy + c * own.yy
    return frame, Affine(ux, uy, vx, vy, *place((anchor.x, anchor.y), own))


class Geometry:
    """Boxes of a document's entities; keeps the outline of every block it has met."""

    def __init__(self, document: ezdxf.document.Drawing) -> None:
        self._blocks = document.blocks
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
            adder = self._adders.get(entity.dxftype())
            if adder is None:
                continue
            part = Outline()
            try:
                adder(part, entity)
                part.box()
            except DAMAGE:  # one damaged entity must not take the block with it
                continue
            outline.points += part.points
            outline.arcs += part.arcs

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
    try:
        dimension.render()
    except DAMAGE:
        return ()
    return dimension.get_geometry_block()


# Which definition points a dimension type uses, by the slot that holds them; the text's middle is slot 5.
_DEFPOINTS = ("defpoint", "defpoint2", "defpoint3", "defpoint4", "defpoint5")
_USED = {0: (0, 1, 2), 1: (0, 1, 2), 2: (0, 1, 2, 3, 4), 3: (0, 3), 4: (0, 3), 5: (0, 1, 2, 3), 6: (0, 1, 2)}


def dimension_points(dimension: DXFGraphic) -> dict[int, Point]:
    """The definition points that the dimension's type uses and has, and the middle of its text as number 5."""
    dxf = dimension.dxf
    affine = plane(dimension)
    points = {}
    for i in _USED.get(dxf.dimtype & 7, (0,)):
        if dxf.hasattr(_DEFPOINTS[i]):
            point = dxf.get(_DEFPOINTS[i])
            points[i] = place((point.x, point.y), affine if i == 4 else None)  # only code 16 is in the OCS
    if dxf.hasattr("text_midpoint"):
        points[5] = place((dxf.text_midpoint.x, dxf.text_midpoint.y), affine)
    return points


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
    vertices, bulges, closed, affine = _own_polyline(entity)
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
        for line in _multileader_lines(leader):
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
