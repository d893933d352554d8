"""The number that a DIMENSION shows."""

from __future__ import annotations

import math

from ezdxf.entities import DXFGraphic
from ezdxf.math import Vec2, intersection_line_line_2d

from dataset.placement import dimension_kind, dimension_points

BY_LINES, BY_POINTS, ORDINATE = 2, 5, 6
ORDINATE_X = 64  # flag of dimtype


def measurement(dimension: DXFGraphic) -> float | None:
    """The number a dimension shows, in drawing units or degrees; None where neither the file nor geometry tells.

    CAD programs store it with the linear scale factor applied, and that of an angle in radians.
    """
    kind = dimension_kind(dimension)
    is_angle = kind in (BY_LINES, BY_POINTS) and dimension.dxftype() != "ARC_DIMENSION"  # which shows the arc's length
    stored = dimension.dxf.get("actual_measurement")
    if stored is not None and math.isfinite(stored):
        return abs(math.degrees(stored) if is_angle else stored)
    if dimension.dxftype() != "DIMENSION":  # ezdxf measures these as something else
        return None
    try:
        value = _angle(dimension, kind) if is_angle else _length(dimension, kind)
    except (AttributeError, ArithmeticError, LookupError, TypeError, ValueError):  # points or its style are missing
        return None
    return value if math.isfinite(value) else None


def _length(dimension: DXFGraphic, kind: int) -> float:
    value = dimension.get_measurement()
    if kind == ORDINATE:
        value = value.x if dimension.dxf.dimtype & ORDINATE_X else value.y
    return abs(value * dimension.override().get("dimlfac", 1.0)) or abs(value)


def _angle(dimension: DXFGraphic, kind: int) -> float:
    """The angle in degrees, of those that the lines or points make, in which the dimension's arc lies.

    Raises:
        LookupError: a definition point is missing.
        ArithmeticError: the lines are parallel.
    """
    points = {i: Vec2(point) for i, point in dimension_points(dimension).items()}
    if kind == BY_POINTS:
        center = points[3]
        first, second, through = (points[i] - center for i in (1, 2, 0))
        span, reach = _turn(first, second), _turn(first, through)
        return span if reach <= span else 360.0 - span
    first, second = points[2] - points[1], points[0] - points[3]
    center = intersection_line_line_2d((points[1], points[2]), (points[3], points[0]))
    if center is None:
        raise ArithmeticError("the lines are parallel")
    through = points[4] - center
    # along = a * first + b * second: the signs of a and b tell the sector of the four that two lines make
    a, b = through.det(second), first.det(through)
    same_way = (a >= 0.0) == (b >= 0.0)
    return math.degrees(math.atan2(abs(first.det(second)), first.dot(second) * (1.0 if same_way else -1.0)))


def _turn(first: Vec2, second: Vec2) -> float:
    """Counter-clockwise from one direction to the other, 0 to 360 degrees."""
    return math.degrees(math.atan2(first.det(second), first.dot(second))) % 360.0
