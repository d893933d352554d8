"""The lines that a sheet shows, as straight pieces: what a picture of it is drawn from.

Curves become polylines of a few pieces, close enough for a thumbnail. Hatches are their boundary, texts a bar a line.
A block is taken apart once and placed by every INSERT.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from ezdxf.document import Drawing
from ezdxf.entities import DXFGraphic
from ezdxf.math import Vec3

from dataset.curves import bulged_segments
from dataset.geometry import MAX_BLOCK_DEPTH, array_places, array_size, dimension_picture, edge_outline, outline_of
from dataset.outline import Affine, Outline, along_arcs
from dataset.placement import insert_map, multileader_lines, plane, polyline, solid_points, text_frame
from dataset.proxies import proxy_parts
from dataset.reading import DAMAGE, Sheet
from dataset.sight import Sight
from dataset.text_size import LINE_STEP

ARC_STEPS, BULGE_STEPS = 32, 8
MAX_SEGMENTS = 1_000_000  # of a sheet, a block, a hatch; beyond that frames stand for blocks and hatches

NOTHING = np.empty((0, 4))


def linework(sheet: Sheet) -> list[np.ndarray]:
    """What each entity of a sheet shows: float64 ``[n, 4]`` a piece, x0, y0, x1, y1 in drawing units.

    What is damaged or unknown shows nothing.
    """
    return Linework(sheet.document, sheet.sight).gathered(sheet.entities)


class Linework:
    """Takes a document's entities apart; keeps every block it has met."""

    def __init__(self, document: Drawing, sight: Sight) -> None:
        self._blocks = document.blocks
        self._sight = sight
        self._content: dict[str, np.ndarray] = {}
        self._open: list[str] = []  # the blocks being taken apart, to catch one that contains itself
        self._room = MAX_SEGMENTS  # what the block or sheet being taken apart may still get
        self._own: dict[str, Callable[[DXFGraphic], np.ndarray]] = {
            "INSERT": self._insert,
            **dict.fromkeys(("DIMENSION", "ARC_DIMENSION", "LARGE_RADIAL_DIMENSION"), self._dimension),
        }

    def segments(self, entity: DXFGraphic) -> np.ndarray:
        """``[n, 4]``; nothing of an entity that is damaged or unknown."""
        name = entity.dxftype()
        take_apart = self._own.get(name) or _PARTS.get(name, self._proxy)
        try:
            segments = take_apart(entity)
        except DAMAGE:
            return NOTHING
        return segments[np.isfinite(segments).all(axis=1)]

    def gathered(self, entities: Iterable[DXFGraphic]) -> list[np.ndarray]:
        """The segments of each entity of a sheet or block, together hardly more than ``MAX_SEGMENTS``."""
        outside, self._room = self._room, MAX_SEGMENTS
        found = []
        for entity in entities:
            found.append(self.segments(entity))
            self._room -= len(found[-1])
        self._room = outside
        return found

    def _shown(self, entities: Iterable[DXFGraphic]) -> np.ndarray:
        return np.concatenate([NOTHING, *self.gathered(filter(self._sight.shows_in_block, entities))])

    def _proxy(self, entity: DXFGraphic) -> np.ndarray:
        return self._shown(proxy_parts(entity))

    def _block(self, name: str) -> np.ndarray:
        key = name.casefold()
        if key not in self._content:
            if key in self._open or len(self._open) >= MAX_BLOCK_DEPTH:
                return NOTHING
            self._open.append(key)
            self._content[key] = self._shown(self._blocks.get(name) or ())
            self._open.pop()
        return self._content[key]

    def _insert(self, insert: DXFGraphic) -> np.ndarray:
        content = self._block(insert.dxf.name)
        columns, rows = array_size(insert)
        if columns * rows * len(content) > self._room:
            columns, rows, content = min(columns, 2), min(rows, 2), frame(content)
        if not len(content):
            columns, rows = 1, 1
        content = placed(content, insert_map(insert))
        steps = np.tile(array_places(insert, range(columns), range(rows)), 2)  # [copies, 4]
        attributes = [_text(attribute) for attribute in insert.attribs if not attribute.is_invisible]
        return np.concatenate([(content[None] + steps[:, None]).reshape(-1, 4), *attributes])

    def _dimension(self, dimension: DXFGraphic) -> np.ndarray:
        content, affine = dimension_picture(dimension)
        return placed(self._shown(content), affine)


def placed(segments: np.ndarray, affine: Affine) -> np.ndarray:
    """Segments ``[n, 4]`` where a map of the plane puts them."""
    return (segments.reshape(-1, 2) @ affine.matrix + (affine.dx, affine.dy)).reshape(-1, 4)


def frame(segments: np.ndarray) -> np.ndarray:
    """The four sides of the box around segments."""
    if not len(segments):
        return NOTHING
    (x0, y0), (x1, y1) = segments.reshape(-1, 2).min(axis=0), segments.reshape(-1, 2).max(axis=0)
    return connected([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)])


def connected(points: Iterable) -> np.ndarray:
    """The pieces between neighbouring points, of one stroke ``[n, 2]`` or many of the same length ``[m, n, 2]``."""
    points = np.asarray(points, dtype=np.float64)
    if points.size == 0:
        return NOTHING
    return np.concatenate([points[..., :-1, :], points[..., 1:, :]], axis=-1).reshape(-1, 4)


def _stroke(outline: Outline) -> np.ndarray:
    """An outline that is one line: arcs, or else points in their order."""
    if outline.arcs:
        return connected(along_arcs(np.array(outline.arcs), ARC_STEPS))
    points = outline.points if len(outline.points) > 1 else outline.points * 2  # a dot
    return connected(points)


def _plain(entity: DXFGraphic) -> np.ndarray:
    return _stroke(outline_of(entity))


def _polyline(entity: DXFGraphic) -> np.ndarray:
    if entity.dxftype() == "POLYLINE" and (entity.is_polygon_mesh or entity.is_poly_face_mesh):
        return NOTHING
    vertices, bulges, closed = polyline(entity)
    return _bulged(vertices, bulges, closed)


def _bulged(vertices: np.ndarray, bulges: np.ndarray, closed: bool) -> np.ndarray:
    return connected(bulged_segments(vertices, bulges, closed, BULGE_STEPS if bulges.any() else 1))


def _solid(entity: DXFGraphic) -> np.ndarray:
    corners = solid_points(entity)
    if len(corners) == 4 and entity.dxftype() != "3DFACE":
        corners[2:] = corners[:1:-1]
    return connected([*corners, *corners[:1]])


def _hatch(entity: DXFGraphic) -> np.ndarray:
    pieces = [NOTHING]
    for path in entity.paths:
        if hasattr(path, "vertices"):
            corners = np.array(path.vertices, dtype=np.float64).reshape(-1, 3)
            pieces.append(_bulged(corners[:, :2], corners[:, 2], closed=True))
        else:
            pieces += [_stroke(edge_outline(edge)) for edge in path.edges]
    segments = np.concatenate(pieces)
    segments = segments if len(segments) <= MAX_SEGMENTS else frame(segments)
    affine = plane(entity, Vec3(entity.dxf.get("elevation", (0, 0, 0))).z)
    return segments if affine is None else placed(segments, affine)


def _text(entity: DXFGraphic) -> np.ndarray:
    """A bar for every line of text, half way up its capitals."""
    frame, affine = text_frame(entity)
    spacing = entity.dxf.get("line_spacing_factor", 1.0) if entity.dxftype() == "MTEXT" else 1.0
    step = LINE_STEP * spacing * frame.cap_height
    lines = 1 + max(0, round((frame.height - 1.5 * frame.cap_height) / step)) if step > 0 else 1
    heights = frame.top - frame.cap_height / 2 - step * np.arange(min(lines, MAX_SEGMENTS))
    bars = [np.full(len(heights), frame.left), heights, np.full(len(heights), frame.left + frame.width), heights]
    return placed(np.stack(bars, axis=1), affine)


def _multileader(entity: DXFGraphic) -> np.ndarray:
    lines = [line for leader in entity.context.leaders for line in multileader_lines(leader)]
    text = outline_of(entity).points[sum(map(len, lines)) :]  # the corners of its frame, if it has a text
    return np.concatenate([NOTHING, *(connected(line) for line in lines), connected([*text, *text[:1]])])


_PARTS: dict[str, Callable[[DXFGraphic], np.ndarray]] = {
    **dict.fromkeys(("LINE", "CIRCLE", "ARC", "ELLIPSE", "SPLINE", "LEADER", "POINT"), _plain),
    **dict.fromkeys(("LWPOLYLINE", "POLYLINE"), _polyline),
    **dict.fromkeys(("SOLID", "TRACE", "3DFACE"), _solid),
    **dict.fromkeys(("HATCH", "MPOLYGON"), _hatch),
    **dict.fromkeys(("TEXT", "ATTRIB", "MTEXT"), _text),
    **dict.fromkeys(("MULTILEADER", "MLEADER"), _multileader),
}
