"""What changed from one drawing to the other: a list for people and for programs."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from scipy import ndimage

from compare.alignment import TOLERANCE, Alignment
from compare.figure import Figure, is_text
from compare.matching import DIMENSION, Matches, match
from compare.words import same_value

Box = tuple[float, float, float, float]
Kind = Literal["added", "removed", "moved", "resized", "turned", "dimension", "text", "redrawn"]
PLACE = 0.06  # of the drawing: what is added or removed this near to each other is one change
RADIAL = re.compile(r"\d*\s*[xX×-]?\s*[RØ∅Φφ⌀]")  # how the dimension of a radius or diameter begins
MOST_LISTED = 3  # texts of one change that the list quotes


@dataclass(frozen=True)
class Change:
    """One change, of one entity or of several that changed in the same way.

    Attributes:
        kind: ``added`` and ``removed``; ``moved``, ``resized``, ``turned`` (or mirrored) as a whole; ``dimension`` and
            ``text``, which say something else; ``redrawn``: drawn otherwise in part.
        left, right: the entities in each drawing, by their place in drawing order; pair by pair if both have some.
        what: which entities: ``3 CIRCLE, 1 TEXT``.
        detail: how: ``by 9, -6``.
        old, new: what a dimension or text said and says, else empty.
        box_left, box_right: around the entities, in each drawing's own coordinates; None where it has none of them.
    """

    kind: Kind
    left: tuple[int, ...]
    right: tuple[int, ...]
    what: str
    detail: str = ""
    old: str = ""
    new: str = ""
    box_left: Box | None = None
    box_right: Box | None = None

    def words(self) -> str:
        """The change in one line."""
        if self.kind in ("dimension", "text"):
            said = f"{self.old or '(nothing)'} → {self.new or '(nothing)'}"
            return f"{self.kind} {said}" + (f", {self.detail}" if self.detail else "")
        return f"{self.what} {self.kind}" + (f" {self.detail}" if self.detail else "")


@dataclass(frozen=True)
class Comparison:
    """Two drawings side by side.

    Attributes:
        alignment: puts the right drawing on the left one.
        changes: in the order of their kinds, the largest first.
        common_left, common_right: bool ``[N]``, ``[M]``: entities that the other drawing shows too, unchanged.
        ink_left, ink_right: bool ``[S]``: strokes that the other drawing has too.
    """

    left: Figure
    right: Figure
    alignment: Alignment
    changes: tuple[Change, ...]
    common_left: np.ndarray
    common_right: np.ndarray
    ink_left: np.ndarray
    ink_right: np.ndarray

    @property
    def is_same(self) -> bool:
        """Whether both show the same: whatever entities draw it, and wherever it lies on the sheet."""
        return not self.changes

    def counts(self) -> dict[str, int]:
        """Entities in common (of the left drawing), only left and only right; changed ones are on both sides."""
        return {
            "common": int(self.common_left.sum()),
            "only_left": int((~self.common_left).sum()),
            "only_right": int((~self.common_right).sum()),
        }

    def as_dict(self) -> dict[str, Any]:
        """Plain Python, for JSON."""
        alignment = asdict(self.alignment)
        return {
            "same": self.is_same,
            "counts": self.counts(),
            "alignment": {**alignment, "shift": list(alignment["shift"])},
            "changes": [{**asdict(change), "words": change.words()} for change in self.changes],
        }


def compare(left: Figure, right: Figure, tolerance: float = TOLERANCE) -> Comparison:
    """Lay one drawing on the other, find what is what, and list what changed from ``left`` to ``right``.

    Args:
        tolerance: how far apart what is equal may lie, as a share of the left drawing's larger side.
    """
    found = match(left, right, tolerance)
    listed = _Lister(left, right, found, tolerance * left.side).changes()
    common_left, common_right = np.ones(len(left), bool), np.ones(len(right), bool)
    for change in listed:
        common_left[list(change.left)] = False
        common_right[list(change.right)] = False
    redrawn = [change for change in listed if change.kind == "redrawn"]
    partly_left, partly_right = (
        np.isin(figure.owner, [entity for change in redrawn for entity in getattr(change, name)])
        for figure, name in ((left, "left"), (right, "right"))
    )
    return Comparison(
        left,
        right,
        found.alignment,
        tuple(listed),
        common_left,
        common_right,
        common_left[left.owner] | (partly_left & found.stroke_left),
        common_right[right.owner] | (partly_right & found.stroke_right),
    )


class _Lister:
    """Makes changes of matches."""

    def __init__(self, left: Figure, right: Figure, found: Matches, reach: float) -> None:
        self.left, self.right, self.found, self.reach = left, right, found, reach
        self.scale = found.alignment.scale

    def changes(self) -> list[Change]:
        found = self.found
        listed = [*self._said(found.reworded), *self._said_near(found.near)]
        for factor in np.unique(found.factors.round(3)).tolist():
            pairs = found.resized[found.factors.round(3) == factor]
            listed += self._by_type("resized", pairs, f"to {factor:.4g} times the size")
        for group in found.groups:
            listed += self._group(group.to, np.column_stack([group.left, group.right]))
        for i, j in found.partly.tolist():
            listed.append(self._change("redrawn", [i], [j], "in part"))
        listed += self._places("removed", found.left_over, ())
        listed += self._places("added", (), found.right_over)
        order = ("dimension", "resized", "moved", "turned", "redrawn", "text", "removed", "added")
        return sorted(listed, key=lambda each: (order.index(each.kind), -max(len(each.left), len(each.right))))

    def _said(self, pairs: np.ndarray) -> list[Change]:
        """A change for every pair that says something else."""
        listed = []
        for i, j in pairs.tolist():
            old, new = self.left.says(i), self.right.says(j)
            if old != new and not same_value(old, new, self.scale):
                listed.append(self._worded(i, j))
        return listed

    def _worded(self, i: int, j: int, detail: str = "") -> Change:
        kind = "dimension" if self.left.types[i] == DIMENSION else "text"
        old, new = _difference(self.left.texts[i], self.right.texts[j], self.left.says(i), self.right.says(j))
        return self._change(kind, [i], [j], detail, old, new)

    def _said_near(self, pairs: np.ndarray) -> list[Change]:
        """Words that say the same have moved; others say something else."""
        listed = []
        for i, j in pairs.tolist():
            if same_value(self.left.says(i), self.right.says(j), self.scale):
                if self.left.types[i] == DIMENSION and self._is_drawn_anew(i, j):
                    continue
                said = self.left.says(i)
                listed.append(self._change("moved", [i], [j], f"({said})" if said else ""))
            else:
                listed.append(self._worded(i, j))
        return listed

    def _is_drawn_anew(self, i: int, j: int) -> bool:
        """Whether a dimension only looks otherwise because its program has turned or scaled it: its words are longer in
        the other unit, stand upright, or no longer fit between the arrows. Its line is where it was."""
        alignment = self.found.alignment
        if alignment.is_shift:
            return False
        if RADIAL.match(self.left.says(i)):
            return True
        lines = [
            place(figure.strokes[(figure.owner == entity) & is_text(figure)][:1])
            for figure, entity, place in ((self.left, i, np.asarray), (self.right, j, alignment))
        ]
        if not all(map(len, lines)):
            return False
        first, second = (line.reshape(2, 2) for line in lines)
        along = (first[1] - first[0]) / (np.hypot(*(first[1] - first[0])) or 1.0)
        across = (second.mean(axis=0) - first.mean(axis=0)) @ (-along[1], along[0])
        return bool(abs(across) <= 50 * self.reach)  # where there is more room for words it gives way a little

    def _group(self, to: Alignment, pairs: np.ndarray) -> list[Change]:
        """``to`` leads back from right to left; the change is told the other way round, in the left's units."""
        left, right = pairs.T.tolist()
        if to.is_shift:
            dx, dy = (-step for step in to.shift)
            return [self._change("moved", left, right, f"by {_short(dx, self.reach)}, {_short(dy, self.reach)}")]
        how = []
        if to.mirrored:
            how.append("and mirrored")
        if to.turns:
            how.append(f"by {90 * (to.turns if to.mirrored else -to.turns % 4)}°")
        if abs(to.scale - 1.0) > 1e-6:
            how.append(f"to {1 / to.scale:.4g} times the size")
        kind = "turned" if to.turns or to.mirrored else "resized"
        return [self._change(kind, left, right, " ".join(how))]

    def _by_type(self, kind: Kind, pairs: np.ndarray, detail: str) -> list[Change]:
        types = self.left.types[pairs[:, 0]]
        return [self._change(kind, *pairs[types == each].T.tolist(), detail) for each in np.unique(types)]

    def _places(self, kind: Kind, left, right) -> list[Change]:
        """Those near each other as one change."""
        figure, entities = (self.left, np.asarray(left)) if len(left) else (self.right, np.asarray(right))
        if not len(entities):
            return []
        boxes = figure.boxes[entities]
        labels = _clusters((boxes[:, :2] + boxes[:, 2:]) / 2, PLACE * figure.side)
        listed = []
        for label in np.unique(labels):
            members = entities[labels == label].tolist()
            said = [text for text in map(figure.says, members) if text]
            quoted = " / ".join(said[:MOST_LISTED]) + (" ..." if len(said) > MOST_LISTED else "")
            sides = (members, []) if kind == "removed" else ([], members)
            listed.append(self._change(kind, *sides, f"({quoted})" if quoted else ""))
        return listed

    def _change(
        self, kind: Kind, left: list[int], right: list[int], detail: str = "", old: str = "", new: str = ""
    ) -> Change:
        figure, entities = (self.left, left) if left else (self.right, right)
        counted = Counter(map(figure.type_name, entities))
        what = ", ".join(f"{count} {name}" for name, count in counted.most_common())
        boxes = _around(self.left, left), _around(self.right, right)
        return Change(kind, tuple(left), tuple(right), what, detail, old, new, *boxes)


def _difference(old: tuple[str, ...], new: tuple[str, ...], said_old: str, said_new: str) -> tuple[str, str]:
    """Of a block with many texts only those that differ."""
    if len(old) <= 1 and len(new) <= 1:
        return said_old, said_new
    gone, come = Counter(old) - Counter(new), Counter(new) - Counter(old)
    return " / ".join(gone.elements()), " / ".join(come.elements())


def _clusters(points: np.ndarray, distance: float) -> np.ndarray:
    """A label for each point ``[n, 2] -> [n]``: those in neighbouring cells of a grid are together."""
    cells = np.floor(np.nan_to_num(points - np.nanmin(points, axis=0)) / distance)
    cells = np.clip(cells, 0, 255).astype(int)  # strays share the last cell
    grid = np.zeros(cells.max(axis=0) + 1, bool)
    grid[tuple(cells.T)] = True
    labelled, _ = ndimage.label(grid, structure=np.ones((3, 3)))
    return labelled[tuple(cells.T)]


def _around(figure: Figure, entities: list[int]) -> Box | None:
    boxes = figure.boxes[entities]
    boxes = boxes[~np.isnan(boxes[:, 0])] if len(entities) else boxes
    if not len(boxes):
        return None
    return (*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist())


def _short(number: float, reach: float) -> str:
    """To the precision that equal things are told apart by, without a tail of zeros."""
    rounded = round(number, int(max(0, 2 - np.floor(np.log10(max(reach, 1e-12)) + 2))))
    return f"{rounded + 0.0:.6g}"
