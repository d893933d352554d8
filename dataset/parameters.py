"""The parameters of every entity as physical values on the sheet, by the slot names of the table of entities."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from ezdxf.entities import DXFGraphic
from ezdxf.math import BSpline, Vec3

from dataset.curves import along_polyline, along_spline, control_points
from dataset.entities import N_KNOTS, N_POINTS
from dataset.measurement import measurement
from dataset.placement import (
    dimension_kind,
    dimension_points,
    insert_map,
    leader_points,
    place,
    plane,
    polyline,
    solid_points,
    text_frame,
)
from dataset.plane import Box, Point

Values = dict[str, float]

POINT_NAMES = tuple((f"x{i}", f"y{i}") for i in range(N_POINTS))
BULGE_NAMES = tuple(f"bulge{i}" for i in range(N_POINTS))
KNOT_NAMES = tuple(f"knot{i}" for i in range(N_KNOTS))


def parameters(entity: DXFGraphic, name: str, box: Box | None) -> Values:
    """What the sequence keeps of an entity: slot name -> value in drawing units, degrees or a plain number.

    Args:
        name: the type the entity is read as.
        box: its extents, which stand for a HATCH's boundary.
    """
    if name == "HATCH":
        return _hatch(entity, box)
    return _READERS[name](entity)


def _points(points) -> Values:
    values = {}
    for (x_name, y_name), (x, y) in zip(POINT_NAMES, points, strict=False):
        values[x_name] = x
        values[y_name] = y
    return values


def _line(line: DXFGraphic) -> Values:
    start, end = line.dxf.start, line.dxf.end
    return {"x0": start.x, "y0": start.y, "x1": end.x, "y1": end.y}


def _center(entity: DXFGraphic) -> Point:
    center = entity.dxf.center
    if plane(entity) is None:
        return center.x, center.y
    center = entity.ocs().to_wcs(center)
    return center.x, center.y


def _circle(circle: DXFGraphic) -> Values:
    x, y = _center(circle)
    return {"x0": x, "y0": y, "radius": circle.dxf.radius}


def _arc(arc: DXFGraphic) -> Values:
    start, end = arc.dxf.start_angle, arc.dxf.end_angle
    affine = plane(arc)
    if affine is not None:  # seen from behind an arc runs the other way round
        start, end = _turned(start, affine), _turned(end, affine)
        if affine.determinant < 0.0:
            start, end = end, start
    return {**_circle(arc), "start_angle": start, "end_angle": end}


def _turned(angle: float, affine) -> float:
    """The direction (degrees) in which an angle of the entity's own plane points on the sheet."""
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return math.degrees(math.atan2(c * affine.xy + s * affine.yy, c * affine.xx + s * affine.yx))


def _polyline(entity: DXFGraphic) -> Values:
    vertices, bulges, closed = polyline(entity)
    count = len(vertices)
    if count > N_POINTS:
        vertices, bulges = along_polyline(vertices, bulges, closed, N_POINTS), np.zeros(N_POINTS)
    values = {"is_closed": float(closed), "count": count, **_points(vertices.tolist())}
    values.update(zip(BULGE_NAMES, bulges.tolist(), strict=False))
    return values


def _text(text: DXFGraphic) -> Values:
    """The insertion point (of a TEXT: where its baseline starts), the cap height, the measured width."""
    frame, affine = text_frame(text)
    rotation = math.degrees(math.atan2(affine.xy, affine.xx))
    if text.dxftype() == "MTEXT":
        x, y = text.dxf.insert.x, text.dxf.insert.y
        height = text.dxf.get_default("char_height")
    else:
        baseline = frame.top - frame.cap_height
        x, y = place((frame.left, baseline), affine)
        height = frame.cap_height
    return {"x0": x, "y0": y, "height": height, "width": frame.width, "rotation": rotation}


def _hatch(hatch: DXFGraphic, box: Box | None) -> Values:
    values = {
        "is_solid": float(bool(hatch.dxf.solid_fill)),
        "is_associative": float(bool(hatch.dxf.associative)),
        "count": len(hatch.paths),
    }
    return {**values, **_points((box[:2], box[2:]))} if box else values


def _dimension(dimension: DXFGraphic) -> Values:
    kind = dimension_kind(dimension)
    values: Values = {"dimension_type": kind}
    for i, (x, y) in dimension_points(dimension).items():
        values[f"x{i}"], values[f"y{i}"] = x, y
    if kind == 0:
        affine = plane(dimension)
        angle = dimension.dxf.get("angle", 0.0)
        values["rotation"] = angle if affine is None else _turned(angle, affine)
    measured = measurement(dimension)
    if measured is not None:
        values["measurement"] = measured
    return values


def _leader(leader: DXFGraphic) -> Values:
    points = np.array(leader_points(leader), dtype=np.float64).reshape(-1, 2)
    count = len(points)
    if count > N_POINTS:
        points = along_polyline(points, np.zeros(count), False, N_POINTS)
    return {"count": count, **_points(points.tolist())}


def _insert(insert: DXFGraphic) -> Values:
    """A block seen from behind is a block mirrored in x: ``scale_x`` changes its sign and the rotation its sense."""
    dxf = insert.dxf
    point = insert.ocs().to_wcs(Vec3(dxf.insert))
    scale_x, scale_y, rotation = dxf.xscale, dxf.yscale, dxf.rotation
    if plane(insert) is not None and insert_map(insert).determinant * scale_x * scale_y < 0.0:
        scale_x, rotation = -scale_x, -rotation
    return {
        "x0": point.x,
        "y0": point.y,
        "scale_x": scale_x,
        "scale_y": scale_y,
        "rotation": rotation,
        "columns": max(dxf.column_count, 1),
        "rows": max(dxf.row_count, 1),
    }


def _solid(solid: DXFGraphic) -> Values:
    corners = solid_points(solid)
    return {"is_triangle": float(len(corners) == 3), **_points(corners)}


def _spline(entity: DXFGraphic) -> Values:
    """Control points and knots; of a spline with too many, points at equal steps along the curve."""
    if entity.dxftype() == "ELLIPSE":
        tool = BSpline.from_ellipse(entity.construction_tool())
        closed = math.isclose(entity.construction_tool().param_span, math.tau)
    else:
        closed = bool(entity.closed)
        try:
            tool = entity.construction_tool()
        except ValueError:  # too few knots and the like: its own points are all there is
            points = np.array([tuple(p)[:2] for p in entity.control_points or entity.fit_points]).reshape(-1, 2)
            return _curve(points, [], entity.dxf.degree, closed)
    points, knots = control_points(tool), list(tool.knots())
    return _curve(points, knots, tool.degree, closed, tool)


def _curve(points: np.ndarray, knots: list[float], degree: int, closed: bool, tool: BSpline | None = None) -> Values:
    count = len(points)
    if count > N_POINTS:
        curve = points if tool is None else along_spline(tool)
        points = along_polyline(curve, np.zeros(len(curve)), False, N_POINTS)
    values = {"degree": degree, "is_closed": float(closed), "count": count, **_points(points.tolist())}
    values.update(zip(KNOT_NAMES, _unit_knots(knots), strict=False))
    return values


def _unit_knots(knots: list[float]) -> list[float]:
    """Knots mapped to 0..1, at most as many as there are slots."""
    if not knots:
        return []
    first, last = knots[0], knots[-1]
    unit = (np.array(knots) - first) / ((last - first) or 1.0)
    if len(unit) > N_KNOTS:
        unit = np.interp(np.linspace(0.0, len(unit) - 1.0, N_KNOTS), np.arange(len(unit)), unit)
    return unit.tolist()


_READERS: dict[str, Callable[[DXFGraphic], Values]] = {
    "LINE": _line,
    "CIRCLE": _circle,
    "ARC": _arc,
    "LWPOLYLINE": _polyline,
    "TEXT": _text,
    "MTEXT": _text,
    "DIMENSION": _dimension,
    "LEADER": _leader,
    "INSERT": _insert,
    "SOLID": _solid,
    "SPLINE": _spline,
}
