"""Plain entities, nine tenths of a drawing, filled straight from the lines of their records.

All records of a type that have the same sequence of group codes are laid out alike, and a drawing has few such
sequences. So it is worked out once for each which line fills which attribute.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ezdxf.entities import DXFGraphic, factory
from ezdxf.entities.lwpolyline import LWPolylinePoints
from ezdxf.lldxf.types import POINT_CODES, TYPE_TABLE
from ezdxf.math import Vec3

# The attributes that say where a plain entity lies.
PLACE = {
    "LINE": ("start", "end", "extrusion"),
    "POINT": ("location", "extrusion"),
    "CIRCLE": ("center", "radius", "extrusion"),
    "ARC": ("center", "radius", "start_angle", "end_angle", "extrusion"),
    "SOLID": ("vtx0", "vtx1", "vtx2", "vtx3", "extrusion"),
    "TRACE": ("vtx0", "vtx1", "vtx2", "vtx3", "extrusion"),
    "TEXT": (
        *("text", "insert", "align_point", "height", "width", "rotation", "oblique", "style"),
        *("text_generation_flag", "halign", "valign", "extrusion"),
    ),
    "INSERT": (
        *("name", "insert", "xscale", "yscale", "zscale", "rotation", "extrusion"),
        *("column_count", "row_count", "column_spacing", "row_spacing"),
    ),
    "LWPOLYLINE": ("flags", "elevation", "const_width", "extrusion"),
}
IDENTITY = ("handle", "owner", "paperspace", "layer", "invisible", "color")

SUBCLASS = 100
# What need not be kept: subclass marks, linetype and its scale, lineweight, thickness, true color, transparency,
# shadow, material and styles, number and identifiers of vertices.
PASSED_OVER = frozenset((SUBCLASS, 6, 48, 370, 39, 420, 430, 440, 284, 347, 348, 380, 390, 90, 91))
XDATA = 1000  # group codes from here on are an application's own data, at the end of a record

VERTEX, VERTEX_EXTRAS = 10, {40: 2, 41: 3, 42: 4}  # of an LWPOLYLINE: group code -> column of its points
POLYLINE_SUBCLASS = 2  # vertices stand in the second, between them the attributes in PLACE


@dataclass(frozen=True)
class Plan:
    """Which lines of a record, counted from its first, fill which attributes.

    ``singles`` are attribute, line and type; ``points`` attribute, first line and the line after the last.
    ``vertices`` are, for an LWPOLYLINE, the lines of x, y, both widths and bulge of every vertex.
    """

    entity: type[DXFGraphic]
    singles: list[tuple[str, int, type]]
    points: list[tuple[str, int, int]]
    vertices: list[list[int | None]]

    def load(self, values: list[str], start: int) -> DXFGraphic:
        """The entity whose record begins at a line. Raises ValueError if a number is none."""
        entity = self.entity()
        attributes = entity.dxf.__dict__  # like ezdxf's loader, past the checks for those who write drawings
        for name, i, convert in self.singles:
            attributes[name] = convert(values[start + i])
        for name, i, end in self.points:
            attributes[name] = Vec3(*map(float, values[start + i : start + end]))
        if self.vertices:
            entity.lwpoints = LWPolylinePoints(
                [[0.0 if i is None else float(values[start + i]) for i in lines] for lines in self.vertices]
            )
        return entity


def make_plan(kind: str, codes: tuple[int, ...]) -> Plan | None:
    """How to load the records of a type with these group codes; None where there is more to them than lines to copy.

    Args:
        kind: a key of ``PLACE``.
        codes: of a whole record, the leading 0 included.
    """
    data = next((i for i, code in enumerate(codes) if code >= XDATA), len(codes))
    if any(code < XDATA for code in codes[data:]):
        return None
    entity = factory.cls(kind)
    attributes = {entity.DXFATTRIBS.get(name).code: name for name in (*IDENTITY, *PLACE[kind])}
    is_polyline = kind == "LWPOLYLINE"
    plan = Plan(entity, [], [], [])
    subclass = 0
    for i, end in _tags(codes):
        code = codes[i]
        in_polyline = is_polyline and subclass == POLYLINE_SUBCLASS
        if in_polyline and code == VERTEX and end > i:
            plan.vertices.append([i, i + 1, None, None, None])
        elif in_polyline and code in VERTEX_EXTRAS:
            if not plan.vertices or plan.vertices[-1][VERTEX_EXTRAS[code]] is not None:
                return None
            plan.vertices[-1][VERTEX_EXTRAS[code]] = i
        elif code in PASSED_OVER:
            subclass += code == SUBCLASS
        else:
            name = attributes.pop(code, None)  # a second time it is unknown
            if name is None or end == i or (is_polyline and name in PLACE[kind] and not in_polyline):
                return None
            if code in POINT_CODES:
                plan.points.append((name, i, end))
            else:
                plan.singles.append((name, i, TYPE_TABLE.get(code, str)))
    has_handle = "handle" not in attributes.values()
    return plan if has_handle and (not is_polyline or subclass == POLYLINE_SUBCLASS) else None


def _tags(codes: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """First line and line after the last of each tag but the leading 0 and XDATA; no lines for a point without y."""
    i = 1
    while i < len(codes) and codes[i] < XDATA:
        code, size = codes[i], 1
        if code in POINT_CODES:
            follow = codes[i + 1 : i + 3]
            size = 0 if follow[:1] != (code + 10,) else 3 if follow[1:] == (code + 20,) else 2
        yield i, i + size
        i += size or 1
