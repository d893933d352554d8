"""Polylines with bulges and splines as curves: their arcs, their length, points along them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from ezdxf.math import BSpline

from dataset.outline import Arc, Point

SAMPLES_PER_SPAN = 64  # of a spline, between two knots
MAX_SAMPLES = 4096  # of a whole spline: bounds the work on one with a hundred thousand knots


def bulge_arc(p: Point, q: Point, bulge: float) -> Arc | None:
    """The circular arc from ``p`` to ``q`` whose swept angle is ``4 * atan(bulge)``; None if it has no length."""
    dx, dy = q[0] - p[0], q[1] - p[1]
    chord = math.hypot(dx, dy)
    if bulge == 0.0 or chord == 0.0:
        return None
    apothem = (1.0 - bulge * bulge) / (4.0 * bulge)  # signed, in chords, to the left of p -> q
    cx, cy = (p[0] + q[0]) / 2.0 - dy * apothem, (p[1] + q[1]) / 2.0 + dx * apothem
    radius = chord * (1.0 + bulge * bulge) / (4.0 * abs(bulge))
    first = p if bulge > 0.0 else q  # counter-clockwise from here
    start = math.atan2(first[1] - cy, first[0] - cx)
    return (cx, cy, radius, 0.0, 0.0, radius, start, start + 4.0 * math.atan(abs(bulge)))


def polyline_arcs(vertices: list[Point], bulges: list[float], closed: bool) -> Iterable[Arc]:
    """The arcs of a polyline's bulged segments."""
    last = len(vertices) if closed else len(vertices) - 1
    for i in range(last):
        if bulges[i]:
            arc = bulge_arc(vertices[i], vertices[(i + 1) % len(vertices)], bulges[i])
            if arc is not None:
                yield arc


def along_polyline(vertices: np.ndarray, bulges: np.ndarray, closed: bool, count: int) -> np.ndarray:
    """Points at equal arc length along the true curve.

    Args:
        vertices: ``[n, 2]``, n >= 1.
        bulges: ``[n]``, of the segment that starts at the vertex.
        closed: the last segment leads back to the first vertex; that vertex is then not repeated at the end.

    Returns:
        ``[count, 2]``.
    """
    if closed:
        start, end, bulge = vertices, np.roll(vertices, -1, axis=0), bulges
    else:
        start, end, bulge = vertices[:-1], vertices[1:], bulges[:-1]
    if len(start) == 0:
        return np.repeat(vertices[:1], count, axis=0)
    chord = np.hypot(*(end - start).T)
    half_angle = 2.0 * np.arctan(bulge)  # half of the swept angle
    with np.errstate(divide="ignore", invalid="ignore"):
        stretch = np.where(np.abs(half_angle) > 1e-9, half_angle / np.sin(half_angle), 1.0)
    travelled = np.concatenate([[0.0], np.cumsum(chord * stretch)])
    stops = np.linspace(0.0, travelled[-1], count, endpoint=not closed)
    segment = np.clip(np.searchsorted(travelled, stops, side="right") - 1, 0, len(start) - 1)
    length = travelled[segment + 1] - travelled[segment]
    share = np.divide(stops - travelled[segment], length, out=np.zeros_like(stops), where=length > 0.0)
    return _on_segments(start[segment], end[segment], half_angle[segment], np.clip(share, 0.0, 1.0))


def bulged_segments(vertices: np.ndarray, bulges: np.ndarray, closed: bool, steps: int) -> np.ndarray:
    """Every segment of a polyline as a stroke along its curve, ``[segments, steps + 1, 2]``; arguments as above."""
    if closed:
        start, end = vertices, np.roll(vertices, -1, axis=0)
    else:
        start, end, bulges = vertices[:-1], vertices[1:], bulges[:-1]
    count = len(start)
    share = np.tile(np.linspace(0.0, 1.0, steps + 1), count)
    start, end, half_angle = (np.repeat(x, steps + 1, axis=0) for x in (start, end, 2.0 * np.arctan(bulges)))
    return _on_segments(start, end, half_angle, share).reshape(count, steps + 1, 2)


def _on_segments(p: np.ndarray, q: np.ndarray, half_angle: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The point at a share of the length of each segment; all arrays have one row a point."""
    chord = q - p
    left = np.stack([-chord[:, 1], chord[:, 0]], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        # the chord from p to the point: its length relative to the whole chord, its angle against it
        ratio = np.where(np.abs(half_angle) > 1e-9, np.sin(half_angle * share) / np.sin(half_angle), share)
    turn = half_angle * (share - 1.0)
    return p + chord * (ratio * np.cos(turn))[:, None] + left * (ratio * np.sin(turn))[:, None]


def along_spline(spline: BSpline) -> np.ndarray:
    """Points along a spline ``[n, 2]``, several between any two knots, the ends included."""
    knots = np.asarray(spline.knots(), dtype=np.float64)
    first, last = knots[spline.order - 1], knots[spline.count]  # a closed spline's knots go on beyond its curve
    knots = np.unique(knots[(knots >= first) & (knots <= last)])
    if len(knots) < 2:
        return control_points(spline)
    per_span = max(1, min(SAMPLES_PER_SPAN, MAX_SAMPLES // (len(knots) - 1)))
    spots = np.linspace(0.0, len(knots) - 1.0, (len(knots) - 1) * per_span + 1)
    if len(spots) > MAX_SAMPLES:
        spots = np.linspace(0.0, len(knots) - 1.0, MAX_SAMPLES)
    parameters = np.interp(spots, np.arange(len(knots)), knots)
    return np.array([(point.x, point.y) for point in spline.points(parameters.tolist())], dtype=np.float64)


def control_points(spline: BSpline) -> np.ndarray:
    """``[n, 2]``."""
    return np.array([(point.x, point.y) for point in spline.control_points], dtype=np.float64)
