"""What an entity shows in one walk: its extents and its ink."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from dataset.outline import Outline, PlacedOnce
from dataset.plane import Affine, Arc, Box, Point
from dataset.strokes import Strokes

Block = tuple[PlacedOnce, np.ndarray]


class Trace:
    """An :class:`~dataset.outline.Outline` and :class:`~dataset.strokes.Strokes` of the same lines.

    Its methods are theirs. What the file says of an entity is looked up once for both.
    """

    def __init__(self) -> None:
        self.outline, self.strokes = Outline(), Strokes()

    def __bool__(self) -> bool:
        return bool(self.outline or self.strokes)

    def clear(self) -> None:
        self.outline.clear()
        self.strokes.clear()

    def box(self) -> Box | None:
        return self.outline.box()

    def dots(self, points: Iterable[Point]) -> None:
        self.outline.dots(points)

    def chain(self, points: Iterable[Point]) -> None:
        points = list(points)
        self.outline.chain(points)
        self.strokes.chain(points)

    def text(self, corners: Sequence[Point]) -> None:
        self.outline.text(corners)
        self.strokes.text(corners)

    def polyline(self, vertices: np.ndarray, bulges: np.ndarray, closed: bool) -> None:
        self.outline.polyline(vertices, bulges, closed)
        self.strokes.polyline(vertices, bulges, closed)

    def add_arc(self, arc: Arc) -> None:
        self.outline.add_arc(arc)
        self.strokes.add_arc(arc)

    def fill(self) -> None:
        self.outline.fill()
        self.strokes.fill()

    def merge(self, part: Trace) -> None:
        """Raises ValueError, and adds nothing, when a coordinate is not finite."""
        self.outline.merge(part.outline)
        self.strokes.merge(part.strokes)

    def place(self, part: Trace, affine: Affine) -> None:
        self.outline.place(part.outline, affine)
        self.strokes.place(part.strokes, affine)

    def add(self, block: Block, affine: Affine) -> None:
        self.outline.add(block[0], affine)
        self.strokes.add(block[1], affine)

    def add_copies(self, block: Block, affine: Affine, columns: np.ndarray, rows: np.ndarray) -> None:
        self.outline.add_copies(block[0], affine, columns, rows)
        self.strokes.add_copies(block[1], affine, columns, rows)

    def reduced(self) -> Block:
        return self.outline.reduced(), self.strokes.reduced()
