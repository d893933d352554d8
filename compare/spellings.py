"""What programs write differently, though it is drawn at the same place: a paragraph as single lines, a dimension as
lines and a text, a filled area as triangles, a spline as a polyline."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from compare.figure import Figure
from compare.shapes import Shapes
from dataset.entities import TYPE_INDEX
from dataset.strokes import Ink

ROUGHLY = 0.03  # of its size: how well a filled area or a curve is met by what stands for it
SPELLINGS = [  # a type, and what other programs write for it
    [[TYPE_INDEX[name] for name in names.split()] for names in pair]
    for pair in (
        ("MTEXT", "TEXT"),
        ("DIMENSION", "TEXT MTEXT"),
        ("HATCH", "SOLID INSERT"),
        ("INSERT", "SOLID"),  # of a block that holds nothing but what it fills
        ("SPLINE", "LWPOLYLINE"),
    )
]
INSERT = TYPE_INDEX["INSERT"]


@dataclass(frozen=True)
class Side:
    """One drawing while its entities are looked for in the other; ``free``, ``drawn`` and ``inked`` are written to.
    ``strokes`` are the figure's where they lie on the left drawing."""

    figure: Figure
    strokes: np.ndarray
    shape: Shapes
    starts: np.ndarray  # [N, 2], of the first line of text
    free: np.ndarray
    drawn: np.ndarray
    inked: np.ndarray

    def only_fills(self, entity: int) -> bool:
        """Whether an entity shows nothing but filled areas."""
        return bool((self.figure.ink[self.figure.owner == entity] == Ink.FILL).all())

    def is_drawn(self, entities: np.ndarray | list[int]) -> None:
        self.free[entities] = False
        self.drawn[entities] = True
        self.inked[np.isin(self.figure.owner, entities)] = True


def find_spellings(one: Side, other: Side, reach: float) -> None:
    """Mark the free entities of ``one`` that the other drawing spells otherwise, and what they are there, as drawn."""
    for whole, part in SPELLINGS:
        for entity in np.flatnonzero(one.free & np.isin(one.figure.types, whole)).tolist():
            if one.figure.types[entity] == INSERT and not one.only_fills(entity):
                continue
            parts = _parts(one, entity, other, part, reach)
            if len(parts):
                one.is_drawn([entity])
                other.is_drawn(parts)


def _parts(one: Side, entity: int, other: Side, types: list[int], reach: float) -> np.ndarray:
    """The free entities of some types that stand together for an entity of the other drawing; none if they do not.

    What has words is told by them, and its lines must be drawn, too; the rest by its box.
    """
    box, size = one.shape.boxes[entity], max(one.shape.own[entity, :2])
    words = Counter(one.figure.says(entity).split())
    parts = np.flatnonzero(other.free & np.isin(other.figure.types, types))
    if words:  # a paragraph was wrapped by the width of its column, the single lines are not
        near = np.abs(other.shape.middles[parts] - one.shape.middles[entity]).max(axis=1, initial=0.0) <= 1.5 * size
        said = {part: Counter(other.figure.says(part).split()) for part in parts[near].tolist()}
        chosen = [part for part, some in said.items() if some and some <= words]
        if sum((said[part] for part in chosen), Counter()) != words:
            return parts[:0]
        starts, lengths = other.starts[chosen], other.shape.sizes[chosen]
        apart = np.hypot(*np.ptp(starts, axis=0)) / (len(chosen) - 1) if len(chosen) > 1 else lengths.max()
        if not np.hypot(*(starts.mean(axis=0) - one.starts[entity])) <= apart + reach:  # by a line: it has moved
            return parts[:0]
        lines = (one.figure.owner == entity) & (one.figure.ink != Ink.TEXT)
        return np.array(chosen) if one.inked[lines].all() else parts[:0]
    grown = box + ROUGHLY * size * np.array([-1, -1, 1, 1])
    boxes = other.shape.boxes[parts]
    parts = parts[(boxes[:, :2] >= grown[:2]).all(axis=1) & (boxes[:, 2:] <= grown[2:]).all(axis=1)]
    if not len(parts):
        return parts
    boxes = other.shape.boxes[parts]
    around = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
    return parts if np.abs(around - box).max() <= ROUGHLY * size + reach else parts[:0]
