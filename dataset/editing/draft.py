"""A document that is being edited, and the book of what was done to it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from ezdxf import transform
from ezdxf.document import Drawing
from ezdxf.entities import DXFGraphic
from ezdxf.layouts import Modelspace
from ezdxf.math import Matrix44, Vec3

from dataset.generator.placement import Box, box_of, union
from dataset.generator.sheet import Edit
from dataset.geometry import Geometry
from dataset.reading import DAMAGE, open_wrappers

MAX_PLACES = 16  # of one edit; more are given as the one box around them
IDENTITY = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


class NothingToEditError(ValueError):
    """The drawing shows nothing that could be edited."""


@dataclass
class Draft:
    """A drawing on the board.

    Attributes:
        document: edited in place.
        edits: what was done. Their `before` is in the original's coordinates, their `places` in those of now.
        placed: from a point (x, y) of the original to that of now: (a, b, c, d, e, f) gives (a x + c y + e,
            b x + d y + f), as in SVG and PDF.
    """

    document: Drawing
    edits: list[Edit] = field(default_factory=list)
    placed: tuple[float, ...] = IDENTITY

    @property
    def space(self) -> Modelspace:
        return self.document.modelspace()

    def entities(self, *types: str) -> list[DXFGraphic]:
        """The sheet's entities of these types (all if none is named)."""
        return [entity for entity in self.space if not types or entity.dxftype() in types]

    def boxes(self, entities: Iterable[DXFGraphic] | None = None) -> list[tuple[DXFGraphic, Box]]:
        """Entities with their bounding boxes, less those that have none."""
        geometry = Geometry(self.document)
        found = []
        for entity in self.space if entities is None else entities:
            try:
                box = geometry.box(entity)
            except DAMAGE:
                continue
            if box is not None and all(map(math.isfinite, box)):
                found.append((entity, tuple(map(float, box))))
        return found

    def remove(self, entities: Iterable[DXFGraphic]) -> None:
        for entity in list(entities):
            self.space.delete_entity(entity)

    def add_copies(self, entities: Iterable[DXFGraphic], to: Matrix44) -> None:
        copies = []
        for entity in entities:
            try:
                copy = entity.copy()
            except DAMAGE:  # a type that cannot be copied
                continue
            self.space.add_entity(copy)
            copies.append(copy)
        transform.inplace(copies, to)

    def move_all(self, to: Matrix44) -> None:
        """Transform the whole sheet, and what the book says of places."""
        transform.inplace(list(self.space), to)
        origin, along, up = (to.transform(Vec3(*point)) for point in ((0, 0), (1, 0), (0, 1)))
        step = (along.x - origin.x, along.y - origin.y, up.x - origin.x, up.y - origin.y, origin.x, origin.y)
        self.placed = after(step, self.placed)
        self.edits = [
            Edit(edit.name, edit.detail, [moved_box(step, box) for box in edit.places], edit.before)
            for edit in self.edits
        ]


# An edit changes the draft and says what it did, or returns None and leaves the draft alone where there is nothing
# to do. The places are those of the sheet as the edit leaves it, `before` as it found it.
@dataclass(frozen=True)
class Change:
    detail: str
    places: list[Box] = field(default_factory=list)
    before: list[Box] = field(default_factory=list)


EditFunction = Callable[[Draft, Random], Change | None]


def open_draft(document: Drawing) -> Draft:
    """Put a document on the board: one that may hold every type of entity (R12 may not), and whose entities lie open.

    A sheet that is wrapped in INSERTs is unwrapped by the rule that reads it so, see
    :func:`dataset.reading.open_wrappers`.

    Raises:
        NothingToEditError: its model space is empty.
    """
    draft = Draft(document)
    if not len(draft.space):
        raise NothingToEditError("its model space is empty")
    document.dxfversion = "R2018"
    content, opened = open_wrappers(list(draft.space), Counter())
    if opened:
        virtual = [entity for entity in content if entity.is_virtual]
        kept = {id(entity) for entity in content}
        draft.remove(entity for entity in draft.space if id(entity) not in kept)
        for entity in virtual:
            draft.space.add_entity(entity)
    return draft


def apply(draft: Draft, name: str, edit: EditFunction, rng: Random) -> bool:
    """Make an edit and write it into the book; False where there was nothing to do."""
    change = edit(draft, rng)
    if change is None:
        return False
    draft.edits.append(Edit(name, change.detail, few(change.places), few(change.before)))
    return True


def few(boxes: list[Box]) -> list[Box]:
    return boxes if len(boxes) <= MAX_PLACES else [union(boxes)]


def after(second: tuple[float, ...], first: tuple[float, ...]) -> tuple[float, ...]:
    """Both affine maps in one: `first`, then `second`."""
    a, b, c, d, e, f = first
    x0, y0 = (second[0] * e + second[2] * f + second[4], second[1] * e + second[3] * f + second[5])
    columns = [(second[0] * x + second[2] * y, second[1] * x + second[3] * y) for x, y in ((a, b), (c, d))]
    return (*columns[0], *columns[1], x0, y0)


def moved_point(to: tuple[float, ...], point: tuple[float, float]) -> tuple[float, float]:
    x, y = point
    return (to[0] * x + to[2] * y + to[4], to[1] * x + to[3] * y + to[5])


def moved_box(to: tuple[float, ...], box: Box) -> Box:
    x0, y0, x1, y1 = box
    return box_of([moved_point(to, corner) for corner in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))])


def about(center: tuple[float, float], scale: float) -> Matrix44:
    """Scale about a point."""
    x, y = center
    return Matrix44.translate(-x, -y, 0) @ Matrix44.scale(scale, scale, scale) @ Matrix44.translate(x, y, 0)


def inside(window: Box, box: Box) -> bool:
    return window[0] <= box[0] and window[1] <= box[1] and box[2] <= window[2] and box[3] <= window[3]


def window(sheet: Box, share: float, rng: Random) -> Box:
    """A region of the sheet, `share` of its width and of its height, anywhere."""
    width, height = (sheet[2] - sheet[0]), (sheet[3] - sheet[1])
    x = sheet[0] + rng.uniform(0.0, 1.0 - share) * width
    y = sheet[1] + rng.uniform(0.0, 1.0 - share) * height
    return (x, y, x + share * width, y + share * height)


def sheet_box(boxes: list[tuple[DXFGraphic, Box]]) -> Box:
    return union(box for _, box in boxes)
