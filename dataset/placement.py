"""Where an entity's own points lie on the sheet.

DXF gives circles, polylines, solids and texts in a plane of their own (the object coordinate system, OCS); a part seen
from behind has its x axis reversed. Everything here is in world coordinates, projected on the sheet.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from ezdxf.entities import DXFGraphic
from ezdxf.math import OCS, Vec3, arc_angle_span_deg

from dataset.plane import FULL_TURN, Affine, Point
from dataset.text_size import TextFrame, frame_mtext, frame_text

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
    vertices, bulges, closed, affine = own_polyline(entity)
    if affine is not None:
        vertices = vertices @ affine.matrix + (affine.dx, affine.dy)
        bulges = bulges if affine.determinant > 0.0 else -bulges  # seen from behind
    return vertices, bulges, closed


def own_polyline(entity: DXFGraphic) -> tuple[np.ndarray, np.ndarray, bool, Affine | None]:
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
    return multileader_lines(leaders[0])[0] if leaders else []


def multileader_lines(leader) -> list[list[Point]]:
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
        affine = Affine(direction.x, direction.y, up.x, up.y, dxf.insert.x, dxf.insert.y)
        return _readable(frame_mtext(entity), affine)
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
    return _readable(frame, Affine(ux, uy, vx, vy, *place((anchor.x, anchor.y), own)))


def _readable(frame: TextFrame, affine: Affine) -> tuple[TextFrame, Affine]:
    """Of a text seen from behind: a readable one that covers the same place."""
    if affine.determinant >= 0.0:
        return frame, affine
    return frame.mirrored(in_x=True, in_y=False), replace(affine, xx=-affine.xx, xy=-affine.xy)


# Which definition points a dimension type uses, by the slot that holds them; the text's middle is slot 5.
_DEFPOINTS = ("defpoint", "defpoint2", "defpoint3", "defpoint4", "defpoint5")
_LARGE_RADIUS = ("defpoint", "override_center", "jog_point", "chord_point")  # as for a radius: 0 center, 3 on the arc
_USED = {0: (0, 1, 2), 1: (0, 1, 2), 2: (0, 1, 2, 3, 4), 3: (0, 3), 4: (0, 3), 5: (0, 1, 2, 3), 6: (0, 1, 2)}


def dimension_kind(dimension: DXFGraphic) -> int:
    """0 linear, 1 aligned, 2 angular by lines, 3 diameter, 4 radius, 5 angular by points, 6 ordinate."""
    return {"ARC_DIMENSION": 5, "LARGE_RADIAL_DIMENSION": 4}.get(dimension.dxftype(), dimension.dxf.dimtype & 7)


def dimension_points(dimension: DXFGraphic) -> dict[int, Point]:
    """The definition points that the dimension's type uses and has, and the middle of its text as number 5."""
    dxf = dimension.dxf
    affine = plane(dimension)
    points = {}
    names = _LARGE_RADIUS if dimension.dxftype() == "LARGE_RADIAL_DIMENSION" else _DEFPOINTS
    for i in _USED.get(dimension_kind(dimension), (0,)):
        if dxf.hasattr(names[i]):
            point = dxf.get(names[i])
            points[i] = place((point.x, point.y), affine if i == 4 else None)  # only code 16 is in the OCS
    if dxf.hasattr("text_midpoint"):
        points[5] = place((dxf.text_midpoint.x, dxf.text_midpoint.y), affine)
    return points
