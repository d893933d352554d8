"""Entities made by code, each with what its row must say: plain arithmetic on what was asked for, not the readers'.

A maker (:func:`line`, :func:`arc` ...) takes numbers and gives a :class:`Specimen`; the corpus uses fixed ones, the
properties draw them at random. Widths of texts are known because they are written in capitals, one cap height each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from ezdxf.document import Drawing
from ezdxf.layouts import BaseLayout
from ezdxf.math import Vec2, Vec3
from ezdxf.render.mleader import ConnectionSide

from dataset.entities import DEEPDXF_TYPES, MEASUREMENT_COLUMN, SLOT_INDEX, SLOTS, Extents, Kind, from_bin

Values = dict[str, float]
XY = tuple[float, float]

MARK = "MARK"  # the block that INSERTs show


@dataclass(frozen=True)
class Specimen:
    """One entity: how the file spells it, the type it is read as, what draws it and returns its row's values."""

    spelled: str
    read_as: str
    draw: Callable[[BaseLayout], Values] = field(repr=False)
    oldest: str = "R2000"


def points(*coordinates) -> Values:
    return {f"{axis}{i}": point[k] for i, point in enumerate(coordinates) for k, axis in enumerate("xy")}


def line(start: XY, end: XY) -> Specimen:
    def draw(space):
        space.add_line(start, end)
        return points(start, end)

    return Specimen("LINE", "LINE", draw, oldest="R12")


def circle(center: XY, radius: float) -> Specimen:
    def draw(space):
        space.add_circle(center, radius)
        return {**points(center), "radius": radius}

    return Specimen("CIRCLE", "CIRCLE", draw, oldest="R12")


def arc(center: XY, radius: float, start: float, end: float) -> Specimen:
    def draw(space):
        space.add_arc(center, radius, start, end)
        return {**points(center), "radius": radius, "start_angle": start, "end_angle": end}

    return Specimen("ARC", "ARC", draw, oldest="R12")


def _bulged(vertices, close: bool) -> Values:
    bulges = {f"bulge{i}": vertex[2] for i, vertex in enumerate(vertices)}
    return {"is_closed": close, "count": len(vertices), **points(*vertices), **bulges}


def lwpolyline(vertices: list[tuple[float, float, float]], close: bool) -> Specimen:
    """Of x, y and bulge; at most 12 vertices, as below."""

    def draw(space):
        space.add_lwpolyline(vertices, format="xyb", close=close)
        return _bulged(vertices, close)

    return Specimen("LWPOLYLINE", "LWPOLYLINE", draw)


def polyline(vertices: list[tuple[float, float, float]], close: bool) -> Specimen:
    def draw(space):
        space.add_polyline2d(vertices, format="xyb", close=close)
        return _bulged(vertices, close)

    return Specimen("POLYLINE", "LWPOLYLINE", draw, oldest="R12")


def polyline_3d(vertices: list[XY], close: bool) -> Specimen:
    """Climbing: what counts is its projection on the sheet."""

    def draw(space):
        space.add_polyline3d([(x, y, 7.0 * i) for i, (x, y) in enumerate(vertices)], close=close)
        return _bulged([(x, y, 0.0) for x, y in vertices], close)

    return Specimen("POLYLINE", "LWPOLYLINE", draw, oldest="R12")


def text(insert: XY, height: float, rotation: float, words: str) -> Specimen:
    def draw(space):
        space.add_text(words, height=height, rotation=rotation).set_placement(insert)
        return {**points(insert), "height": height, "width": len(words) * height, "rotation": rotation}

    return Specimen("TEXT", "TEXT", draw, oldest="R12")


def mtext(insert: XY, height: float, rotation: float, lines: list[str]) -> Specimen:
    def draw(space):
        attribs = {"insert": insert, "char_height": height, "rotation": rotation}
        space.add_mtext("\\P".join(lines), dxfattribs=attribs)
        return {**points(insert), "height": height, "width": max(map(len, lines)) * height, "rotation": rotation}

    return Specimen("MTEXT", "MTEXT", draw)


def hatch(vertices: list[XY], solid: bool) -> Specimen:
    def draw(space):
        entity = space.add_hatch()
        if not solid:
            entity.set_pattern_fill("ANSI31")
        entity.paths.add_polyline_path(vertices)
        low, high = np.min(vertices, axis=0), np.max(vertices, axis=0)
        return {"is_solid": solid, "is_associative": 0, "count": 1, **points(low, high)}

    return Specimen("HATCH", "HATCH", draw)


def hatch_of_edges(center: XY, radius: float, island: float) -> Specimen:
    """A half disc of an arc and a line as the first path, and a small full circle, reaching out of it, as the second:
    the extents are those of both."""

    def draw(space):
        (x, y), entity = center, space.add_hatch()
        half = entity.paths.add_edge_path()
        half.add_arc(center, radius, 0, 180)
        half.add_line((x - radius, y), (x + radius, y))
        entity.paths.add_edge_path().add_arc(center, island, 0, 360)
        wide = max(radius, island)
        corners = points((x - wide, y - island), (x + wide, y + wide))
        return {"is_solid": 1, "is_associative": 0, "count": 2, **corners}

    return Specimen("HATCH", "HATCH", draw)


# Which of a dimension's definition points its type uses, by the slot that shows them (the DXF reference's codes 10, 13,
# 14, 15, 16; a jogged radius keeps the point on the arc where a plain radius has its own).
DEFINITION_POINTS = {
    "defpoint": (0, range(7)),
    "defpoint2": (1, (0, 1, 2, 5, 6)),
    "defpoint3": (2, (0, 1, 2, 5, 6)),
    "defpoint4": (3, (2, 3, 4, 5)),
    "defpoint5": (4, (2,)),
    "text_midpoint": (5, range(7)),
}


def _dimension(entity, kind: int, measured: float) -> Values:
    """The rest of what the row says is what the entity has as its points."""
    values: Values = {"dimension_type": kind, "measurement": measured}
    if kind == 0:
        values["rotation"] = entity.dxf.get("angle", 0.0)
    for name, (i, kinds) in DEFINITION_POINTS.items():
        if kind in kinds and entity.dxf.hasattr(name):
            values[f"x{i}"], values[f"y{i}"] = Vec2(entity.dxf.get(name))
    return values


def linear_dimension(p1: XY, p2: XY, distance: float) -> Specimen:
    def draw(space):
        entity = space.add_linear_dim(base=(0, p1[1] + distance), p1=p1, p2=p2).render().dimension
        return _dimension(entity, 0, abs(p2[0] - p1[0]))

    return Specimen("DIMENSION", "DIMENSION", draw, oldest="R12")


def aligned_dimension(p1: XY, p2: XY, distance: float) -> Specimen:
    def draw(space):
        entity = space.add_aligned_dim(p1=p1, p2=p2, distance=distance).render().dimension
        entity.dxf.dimtype = entity.dxf.dimtype & ~7 | 1  # ezdxf writes it as a rotated one
        return _dimension(entity, 1, math.dist(p1, p2))

    return Specimen("DIMENSION", "DIMENSION", draw, oldest="R12")


def angular_dimension(center: XY, size: float) -> Specimen:
    """Of the right angle between two lines."""

    def draw(space):
        x, y = center
        lines = (center, (x, y + size)), (center, (x + size, y))  # ezdxf draws the other angle where they are swapped
        entity = space.add_angular_dim_2l((x + size, y + size), *lines).render().dimension
        return _dimension(entity, 2, 90.0)

    return Specimen("DIMENSION", "DIMENSION", draw, oldest="R12")


def diameter_dimension(center: XY, radius: float, angle: float) -> Specimen:
    def draw(space):
        entity = space.add_diameter_dim(center=center, radius=radius, angle=angle).render().dimension
        return _dimension(entity, 3, 2 * radius)

    return Specimen("DIMENSION", "DIMENSION", draw, oldest="R12")


def radius_dimension(center: XY, radius: float, angle: float) -> Specimen:
    def draw(space):
        entity = space.add_radius_dim(center=center, radius=radius, angle=angle).render().dimension
        return _dimension(entity, 4, radius)

    return Specimen("DIMENSION", "DIMENSION", draw, oldest="R12")


def three_point_dimension(center: XY, size: float) -> Specimen:
    """Of half a right angle."""

    def draw(space):
        x, y = center
        base, p1, p2 = (x + size, y + size / 2), (x + size, y), (x + size, y + size)
        entity = space.add_angular_dim_3p(base=base, center=center, p1=p1, p2=p2).render().dimension
        return _dimension(entity, 5, 45.0)

    return Specimen("DIMENSION", "DIMENSION", draw, oldest="R12")


def ordinate_dimension(origin: XY, x: float, y: float) -> Specimen:
    def draw(space):
        feature = (origin[0] + x, origin[1] + y)
        entity = space.add_ordinate_x_dim(feature, offset=(0, 5), origin=origin).render().dimension
        return _dimension(entity, 6, abs(x))

    return Specimen("DIMENSION", "DIMENSION", draw, oldest="R12")


def arc_dimension(center: XY, radius: float) -> Specimen:
    """Of the length of a quarter of a circle, stored with it as CAD programs do."""

    def draw(space):
        entity = space.add_arc_dim_cra(center, radius, 0, 90, distance=2).render().dimension
        entity.dxf.actual_measurement = radius * math.pi / 2
        return _dimension(entity, 5, radius * math.pi / 2)

    return Specimen("ARC_DIMENSION", "DIMENSION", draw)


def jogged_radius_dimension(center: XY, radius: float) -> Specimen:
    """Without a picture: ezdxf draws none of these."""

    def draw(space):
        x, y = center
        attribs = {
            "defpoint": center,
            "chord_point": (x + radius, y),
            "override_center": (x + radius / 4, y),
            "jog_point": (x + radius / 2, y),
            "text_midpoint": (x + radius / 2, y + 1),
            "actual_measurement": radius,
            "dimtype": 9,
        }
        space.new_entity("LARGE_RADIAL_DIMENSION", {key: _in_space(value) for key, value in attribs.items()})
        found = {"x5": x + radius / 2, "y5": y + 1, "x3": x + radius, "y3": y}
        return {"dimension_type": 4, "measurement": radius, **points(center), **found}

    return Specimen("LARGE_RADIAL_DIMENSION", "DIMENSION", draw, oldest="R2004")


def _in_space(value):
    return Vec3(value) if isinstance(value, tuple) else value


def leader(vertices: list[XY]) -> Specimen:
    def draw(space):
        space.add_leader(vertices)
        return {"count": len(vertices), **points(*vertices)}

    return Specimen("LEADER", "LEADER", draw)


def multileader(arrow: XY, insert: XY, height: float, spelled: str = "MULTILEADER") -> Specimen:
    def draw(space):
        builder = space.add_multileader_mtext("Standard")
        builder.set_content("NOTE", char_height=height)
        builder.add_leader_line(ConnectionSide.left, [Vec2(arrow)])
        builder.build(insert=Vec2(insert))
        entity = space[-1]
        entity.DXFTYPE = spelled
        landing = entity.context.leaders[0]
        end = landing.last_leader_point + landing.dogleg_vector * landing.dogleg_length
        return {"count": 3, **points(arrow, Vec2(landing.last_leader_point), Vec2(end))}

    return Specimen(spelled, "LEADER", draw)


def insert(position: XY, scale: XY, rotation: float, columns: int = 1, rows: int = 1) -> Specimen:
    def draw(space):
        if MARK not in space.doc.blocks:
            block = space.doc.blocks.new(MARK, base_point=(1, 2))
            block.add_circle((0, 0), 5)
            block.add_line((0, 0), (12, 3))
        attribs = {"xscale": scale[0], "yscale": scale[1], "zscale": abs(scale[0]), "rotation": rotation}
        array = {"column_count": columns, "column_spacing": 9, "row_count": rows, "row_spacing": 8}
        space.add_blockref(MARK, position, dxfattribs={**attribs, **array})
        found = {"scale_x": scale[0], "scale_y": scale[1], "rotation": rotation, "columns": columns, "rows": rows}
        return {**points(position), **found}

    return Specimen("INSERT", "INSERT", draw, oldest="R12")


def solid(corners: list[XY], spelled: str = "SOLID") -> Specimen:
    """Of three or four corners, the last two in DXF's crossed order."""

    def draw(space):
        (space.add_solid if spelled == "SOLID" else space.add_trace)(corners)
        seen = corners[:3] if corners[-1] == corners[2] else corners
        return {"is_triangle": len(seen) == 3, **points(*seen)}

    return Specimen(spelled, "SOLID", draw, oldest="R12")


def spline(control: list[XY]) -> Specimen:
    """A clamped uniform cubic one."""

    def draw(space):
        space.add_open_spline(control)
        inner = len(control) - 3
        knots = [0.0] * 4 + [i / inner for i in range(1, inner)] + [1.0] * 4
        named = {f"knot{i}": knot for i, knot in enumerate(knots)}
        return {"degree": 3, "is_closed": 0, "count": len(control), **points(*control), **named}

    return Specimen("SPLINE", "SPLINE", draw)


def ellipse(center: XY, half_axis: XY, ratio: float) -> Specimen:
    """A quarter of one: a conic has three control points, the middle one where the tangents of the ends meet."""

    def draw(space):
        space.add_ellipse(center, half_axis, ratio, 0, math.pi / 2)
        (x, y), (ux, uy) = center, half_axis
        vx, vy = -uy * ratio, ux * ratio
        control = ((x + ux, y + uy), (x + ux + vx, y + uy + vy), (x + vx, y + vy))
        knots = {f"knot{i}": float(i > 2) for i in range(6)}
        return {"degree": 2, "is_closed": 0, "count": 3, **points(*control), **knots}

    return Specimen("ELLIPSE", "SPLINE", draw)


def drawn(document: Drawing, specimens: list[Specimen]) -> list[Values]:
    """Draw specimens on the sheet one after another; what their rows must say."""
    space = document.modelspace()
    return [specimen.draw(space) for specimen in specimens]


# How many of its physical units a bin is wide, where that does not hang on the sheet.
BULGE_BIN = 2.0 * math.pi / 127
ANGLE_BIN = 360.0 / 256
SCALE_BIN = 1.0 / 8  # octaves


def check_row(row: np.ndarray, extents: Extents, read_as: str, expected: Values) -> None:
    """A row names its type, fills the slots expected and no others, and decodes to their values within half a bin."""
    assert DEEPDXF_TYPES[row[0]] == read_as
    filled = {slot.name for slot, number in zip(SLOTS, row[1:], strict=True) if number != -1}
    assert filled == expected.keys()
    for name, value in expected.items():
        kind = SLOTS[SLOT_INDEX[name]].kind
        found = from_bin(kind, int(row[1 + SLOT_INDEX[name]]), extents)
        assert _bins_between(kind, found, value, extents) <= 0.5 + 1e-6, (name, found, value)
    if "measurement" in expected:
        assert row[MEASUREMENT_COLUMN] == round(expected["measurement"] * 1000)


def _bins_between(kind: Kind, found: float, value: float, extents: Extents) -> float:
    match kind:
        case Kind.X | Kind.Y | Kind.LENGTH:
            return abs(found - value) / (extents.side / 255)
        case Kind.ANGLE:
            return abs((found - value + 180.0) % 360.0 - 180.0) / ANGLE_BIN
        case Kind.BULGE:
            return abs(4.0 * math.atan(found) - 4.0 * math.atan(value)) / BULGE_BIN
        case Kind.SCALE:
            return math.inf if found * value < 0.0 else abs(math.log2(found / value)) / SCALE_BIN
        case Kind.FRACTION:
            return abs(found - value) * 255
        case Kind.COUNT:
            return math.inf if found != value else 0.0
        case Kind.MEASUREMENT:
            return abs(found - value) * 1000
