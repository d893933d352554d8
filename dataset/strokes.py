"""What is drawn, as straight strokes, whatever entities it is made of.

A polyline and the lines it explodes into, a block and its content, a circle and its two halves leave the same ink. So
strokes tell what a person sees, where rows of entities tell how it was drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import IntEnum
from itertools import pairwise

import numpy as np

from dataset.curves import bulge_arc
from dataset.plane import Affine, Arc, Box, Point

ARC_STEP = math.pi / 12  # a full circle is 24 strokes
MAX_CURVE = 48  # strokes of one spline
MAX_STROKES = 20_000  # of a block, and of one entity: some sheets hold millions


class Ink(IntEnum):
    """What a stroke is part of."""

    LINE = 0
    TEXT = 1  # one stroke through the middle of a text, from its first to its last letter
    FILL = 2  # the edge of a hatch or solid


LINE, TEXT = float(Ink.LINE), float(Ink.TEXT)  # as they stand in an array
NOTHING = np.zeros((0, 5))


class Strokes:
    """Collects strokes; the methods are those of :class:`~dataset.outline.Outline`."""

    def __init__(self) -> None:
        self._lines: list[tuple[float, float, float, float, int]] = []
        self._parts: list[np.ndarray] = []  # [n, 5] each

    def __bool__(self) -> bool:
        return bool(self._lines or self._parts)

    def clear(self) -> None:
        self._lines.clear()
        self._parts.clear()

    def array(self) -> np.ndarray:
        """``[S, 5]`` float64: start and end point, and the kind of ink; at most ``MAX_STROKES``, taken evenly."""
        lines = [np.array(self._lines, dtype=np.float64)] if self._lines else []
        parts = lines + self._parts
        every = parts[0] if len(parts) == 1 else np.concatenate([NOTHING, *parts])
        return evenly(every, MAX_STROKES)

    def box(self) -> Box | None:
        """The extents of the strokes, or None without any.

        Raises:
            ValueError: a coordinate is not finite.
        """
        if not self:
            return None
        ends = self.array()[:, :4].reshape(-1, 2)
        if not np.isfinite(ends).all():
            raise ValueError("coordinates are not finite")
        return (*ends.min(axis=0).tolist(), *ends.max(axis=0).tolist())

    def dots(self, points: Iterable[Point]) -> None:
        """Points leave no ink."""

    def chain(self, points: Iterable[Point]) -> None:
        """Straight lines from point to point; of a long chain, a curve, every so many points are kept."""
        points = list(points)
        if len(points) > MAX_CURVE + 1:
            points = [points[i] for i in np.linspace(0, len(points) - 1, MAX_CURVE + 1).astype(int)]
        self._lines += ((*p, *q, LINE) for p, q in pairwise(points))

    def text(self, corners: Sequence[Point]) -> None:
        """A text by the four corners of its frame, from the lower left one on."""
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
        self._lines.append(((ax + dx) / 2, (ay + dy) / 2, (bx + cx) / 2, (by + cy) / 2, TEXT))

    def polyline(self, vertices: np.ndarray, bulges: np.ndarray, closed: bool) -> None:
        """A polyline ``[n, 2]`` with the bulges ``[n]`` of its segments."""
        points = list(map(tuple, vertices.tolist()))
        if closed:
            points += points[:1]
        if not bulges.any():
            self._lines += ((*p, *q, LINE) for p, q in pairwise(points))
            return
        for (p, q), bulge in zip(pairwise(points), bulges.tolist(), strict=False):
            if not bulge:
                self._lines.append((*p, *q, LINE))
            elif (arc := bulge_arc(p, q, bulge)) is not None:
                self.add_arc(arc)

    def add_arc(self, arc: Arc) -> None:
        cx, cy, ux, uy, vx, vy, t0, t1 = arc
        if not all(map(math.isfinite, arc)):
            raise ValueError("coordinates are not finite")
        count = math.ceil(min(t1 - t0, 2 * math.pi) / ARC_STEP)
        t = t0 + (t1 - t0) / max(1, count) * np.arange(count + 1)
        c, s = np.cos(t), np.sin(t)
        with np.errstate(over="ignore"):  # who asks for the box is told
            x, y = cx + ux * c + vx * s, cy + uy * c + vy * s
        part = np.empty((count, 5))
        part[:, 0], part[:, 1], part[:, 2], part[:, 3], part[:, 4] = x[:-1], y[:-1], x[1:], y[1:], LINE
        self._parts.append(part)

    def fill(self) -> None:
        """What was added so far is the edge of a filled area."""
        strokes = self.array().copy()
        strokes[:, 4] = Ink.FILL
        self.clear()
        self._parts.append(strokes)

    def merge(self, part: Strokes) -> None:
        """Add what another collector holds.

        Raises:
            ValueError: a coordinate of it is not finite.
        """
        part.box()
        self._lines += part._lines
        self._parts += part._parts

    def place(self, part: Strokes, affine: Affine) -> None:
        """Add what another collector holds where ``affine`` puts it."""
        self.add(part.array(), affine)

    def add(self, block: np.ndarray, affine: Affine) -> None:
        """Add a block's strokes ``[n, 5]`` where ``affine`` puts them."""
        if len(block):
            ends = block[:, :4].reshape(-1, 2) @ affine.matrix + (affine.dx, affine.dy)
            self._parts.append(np.column_stack([ends.reshape(-1, 4), block[:, 4]]))

    def add_copies(self, block: np.ndarray, affine: Affine, columns: np.ndarray, rows: np.ndarray) -> None:
        """A block's strokes for each column and row; of a huge array as many as ``MAX_STROKES`` has room for."""
        room = max(2, math.isqrt(MAX_STROKES // max(1, len(block))))
        for column in evenly(columns, room):
            for row in evenly(rows, room):
                self.add(block, affine.shifted(*(column + row)))

    def reduced(self) -> np.ndarray:
        """The strokes of a block that is placed many times."""
        return self.array()


def evenly(rows: np.ndarray, most: int) -> np.ndarray:
    """``rows`` or, where they are more, ``most`` of them at equal steps, the first and the last among them."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(int)]


def boxes_of(strokes: np.ndarray, owner: np.ndarray, count: int) -> np.ndarray:
    """The extents of each entity's strokes ``[count, 4]``, NaN for one without any. ``owner`` must ascend."""
    boxes = np.full((count, 4), np.nan)
    if len(strokes):
        ends = strokes.reshape(-1, 2, 2)
        first = np.flatnonzero(np.diff(owner, prepend=-1))
        boxes[owner[first], :2] = np.minimum.reduceat(ends.min(axis=1), first)
        boxes[owner[first], 2:] = np.maximum.reduceat(ends.max(axis=1), first)
    return boxes
