"""Which entity of one drawing is which of the other: by what they show and where, never by handle.

The pairs are found from the certain to the likely. Each step looks only at what the steps before have left:

1. equal: drawn alike at the same place, saying the same;
2. drawn by others: every stroke lies on strokes left on the other side (a block and what it was exploded into);
3. other words at the same place;
4. resized about its middle;
5. a group that is elsewhere as a whole: shifted, turned, mirrored or scaled;
6. resized about another point of its own; dimensions and words near each other.

What is left is only in one drawing. All searches are in trees or by sorted keys, so that time grows with N log N.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from scipy.spatial import cKDTree

from compare.alignment import LEAST, TOLERANCE, Alignment, align, as_points, scale_peaks, vote
from compare.coverage import Ground, said_by_others, strokes_met
from compare.figure import Figure, is_text
from compare.fills import find_patterns, find_tiles
from compare.pairs import hashed, nearest_pairs, one_each, same_rows
from compare.shapes import Shapes, shapes
from compare.spellings import Side, find_spellings
from dataset.entities import TYPE_INDEX

COVERED = 0.999  # of an entity's ink drawn by others, to call it drawn
PARTLY = 0.5  # of an entity's ink, to call it the same entity, changed in part
MOST_GROUPS = 24
WORDS = [TYPE_INDEX[name] for name in ("TEXT", "MTEXT")]
DIMENSION = TYPE_INDEX["DIMENSION"]


@dataclass(frozen=True)
class Group:
    """Entities that are elsewhere as a whole. ``to`` puts those of the right, once aligned, where they were on the
    left. ``left`` and ``right`` are indices, pair by pair."""

    to: Alignment
    left: np.ndarray
    right: np.ndarray


@dataclass
class Matches:
    """Pairs of entities (``[P, 2]`` int64, left and right) by what became of them, and what is drawn by others.

    Attributes:
        alignment: puts the right drawing on the left one.
        reworded: at the same place, saying something else.
        resized: about their middles, with the factor from left to right.
        groups: elsewhere as a whole.
        near: dimensions and words that have changed in more than one way.
        partly: of one type, sharing most of their strokes.
        drawn_left, drawn_right: bool ``[N]``, ``[M]``: entities that the other drawing draws by other entities.
        stroke_left, stroke_right: bool ``[S]``: strokes that the other drawing has too.
    """

    alignment: Alignment
    reworded: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    resized: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    factors: np.ndarray = field(default_factory=lambda: np.zeros(0))
    groups: list[Group] = field(default_factory=list)
    near: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    partly: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    drawn_left: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    drawn_right: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    left_over: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    right_over: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    stroke_left: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    stroke_right: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))


def match(left: Figure, right: Figure, tolerance: float = TOLERANCE, alignment: Alignment | None = None) -> Matches:
    """Find the pairs.

    Args:
        tolerance: how far apart what is equal may lie, as a share of the left drawing's larger side.
        alignment: of ``right`` to ``left``, if it is known.
    """
    return _Matcher(left, right, tolerance, alignment or align(left, right)).run()


class _Matcher:
    """The two drawings in one frame, and which of their entities are still without a partner."""

    def __init__(self, left: Figure, right: Figure, tolerance: float, alignment: Alignment) -> None:
        self.left, self.right = left, right
        self.side = left.side
        self.reach = tolerance * self.side
        self.alignment = alignment
        self.strokes = alignment(right.strokes)
        self.a, self.b = shapes(left), shapes(right, self.strokes)
        self.free_a, self.free_b = (~np.isnan(shape.middles[:, 0]) for shape in (self.a, self.b))
        self.said_a, self.said_b = self._sayings()
        self.found = Matches(alignment)

    def run(self) -> Matches:
        found = self.found
        types = self.left.types, self.right.types
        self._equal(types[0] * 2**32 + self.said_a, types[1] * 2**32 + self.said_b)
        self._equal(self.said_a, self.said_b)  # of another type: a circle drawn as a polyline
        self._covered()
        if self.alignment.score >= LEAST:
            self._changed()
        found.left_over, found.right_over = np.flatnonzero(self.free_a), np.flatnonzero(self.free_b)
        return found

    def _changed(self) -> None:
        """What is no longer as it was; between drawings of two different parts everything would be."""
        found = self.found
        self._respelled()
        found.reworded = self._reworded()
        resized = [self._resized(0.0)]
        self._groups()
        resized.append(self._resized(0.1))
        found.resized, found.factors = (np.concatenate(parts) for parts in zip(*resized, strict=True))
        found.near = np.concatenate([self._near([DIMENSION], 0.1), self._near(WORDS, 0.02)])
        found.partly = self._partly()

    def _sayings(self) -> tuple[np.ndarray, np.ndarray]:
        """One number for all entities that say the same: two lengths that differ only in their unit do."""
        known: dict[str, int] = {"": 0}
        said = [
            np.array([known.setdefault(figure.says(i), len(known)) for i in range(len(figure))], dtype=np.int64)
            for figure in (self.left, self.right)
        ]
        return said[0], said[1]

    def _take(self, pairs: np.ndarray) -> np.ndarray:
        self.free_a[pairs[:, 0]] = False
        self.free_b[pairs[:, 1]] = False
        return pairs

    def _equal(self, key_a: np.ndarray, key_b: np.ndarray) -> None:
        """What has equal keys and is drawn alike at the same place needs no partner any more."""
        self._take(self._alike(key_a, key_b, self.a.placed, self.b.placed))

    def _alike(self, key_a: np.ndarray, key_b: np.ndarray, at_a: np.ndarray, at_b: np.ndarray) -> np.ndarray:
        """Pairs of free entities of equal key whose points ``[., D]`` lie within reach, one partner for each.

        First those in one cell of a grid, copies in their order: that deals with a thousand copies on one spot. Then,
        for what a grid's line parts, the nearest few.
        """
        free_a, free_b = np.flatnonzero(self.free_a), np.flatnonzero(self.free_b)
        if not len(free_a) or not len(free_b):
            return np.zeros((0, 2), np.int64)
        cells = [
            np.column_stack([key[free], np.floor(at[free] / self.reach + 0.37)])
            for key, at, free in ((key_a, at_a, free_a), (key_b, at_b, free_b))
        ]
        first = same_rows(*cells)
        pairs = [np.column_stack([free_a[first[:, 0]], free_b[first[:, 1]]])]
        free_a, free_b = np.delete(free_a, first[:, 0]), np.delete(free_b, first[:, 1])
        if len(free_a) and len(free_b):
            far = 10 * self.reach  # things of different key are never near
            points = [
                np.column_stack([at[free], far * key[free].astype(np.float64) % (1e9 * far)])
                for key, at, free in ((key_a, at_a, free_a), (key_b, at_b, free_b))
            ]
            i, j, _ = nearest_pairs(*points, self.reach, np.inf)
            same = key_a[free_a[i]] == key_b[free_b[j]]
            chosen = one_each(i[same], j[same])
            pairs.append(np.column_stack([free_a[i[same][chosen]], free_b[j[same][chosen]]]))
        return np.concatenate(pairs)

    def _covered(self) -> None:
        """Entities whose strokes the other drawing draws by other entities."""
        found, left, right = self.found, self.left, self.right
        found.stroke_left, found.stroke_right = strokes_met(
            Ground(left.strokes, left.owner, self.free_a), Ground(self.strokes, right.owner, self.free_b), self.reach
        )
        found.drawn_left = self.free_a & (self._share(left, left.strokes, found.stroke_left) >= COVERED)
        found.drawn_right = self.free_b & (self._share(right, self.strokes, found.stroke_right) >= COVERED)
        # other words can take the same place
        found.drawn_left &= said_by_others(left, found.drawn_left, right, self.free_b)
        found.drawn_right &= said_by_others(right, found.drawn_right, left, self.free_a)
        self.free_a &= ~found.drawn_left
        self.free_b &= ~found.drawn_right
        for met, figure, free in (
            (found.stroke_left, left, self.free_a),
            (found.stroke_right, right, self.free_b),
        ):
            met |= ~free[figure.owner]  # so far all that has a partner is equal

    def _share(self, figure: Figure, strokes: np.ndarray, met: np.ndarray) -> np.ndarray:
        """The share of each entity's ink that is met ``[N]``."""
        length = np.hypot(strokes[:, 2] - strokes[:, 0], strokes[:, 3] - strokes[:, 1]) + 1e-9 * self.side
        total = np.bincount(figure.owner, weights=length, minlength=len(figure))
        return np.bincount(figure.owner, weights=length * met, minlength=len(figure)) / np.maximum(total, 1e-300)

    def _respelled(self) -> None:
        """What programs write differently, though it is drawn at the same place."""
        found, starts = self.found, [spots[:, 0] for spots in self._spots()]
        left = Side(self.left, self.left.strokes, self.a, starts[0], self.free_a, found.drawn_left, found.stroke_left)
        right = Side(self.right, self.strokes, self.b, starts[1], self.free_b, found.drawn_right, found.stroke_right)
        find_spellings(left, right, self.reach)
        find_spellings(right, left, self.reach)
        for one, other in ((left, right), (right, left)):
            find_tiles(one, other, self.reach)
            find_patterns(one, other, self.reach)

    def _reworded(self) -> np.ndarray:
        """Words that start, end or have their middle where others did; dimensions and blocks of the same lines."""
        pairs = []
        text_a, text_b = is_text(self.left), is_text(self.right)
        lines_a = shapes(self.left, chosen=~text_a).placed
        lines_b = shapes(self.right, self.strokes, chosen=~text_b).placed
        wordy = [kind for kind in set(TYPE_INDEX.values()) if kind not in WORDS]
        found = self._alike(
            np.where(np.isin(self.left.types, wordy) & (self.said_a > 0), self.left.types, -1),
            np.where(np.isin(self.right.types, wordy) & (self.said_b > 0), self.right.types, -2),
            np.nan_to_num(lines_a, nan=1e30),
            np.nan_to_num(lines_b, nan=-1e30),
        )
        pairs.append(self._take(found))
        spots = self._spots()
        kinds = [np.isin(figure.types, WORDS) for figure in (self.left, self.right)]
        for anchor in range(3):
            a, b = (
                np.flatnonzero(kind & free & ~np.isnan(spot[:, anchor, 0]))
                for kind, free, spot in zip(kinds, (self.free_a, self.free_b), spots, strict=True)
            )
            if len(a) and len(b):
                i, j, _ = nearest_pairs(spots[0][a, anchor], spots[1][b, anchor], 2 * self.reach, 2)
                chosen = one_each(i, j)
                pairs.append(self._take(np.column_stack([a[i[chosen]], b[j[chosen]]])))
        return np.concatenate(pairs)

    def _spots(self) -> tuple[np.ndarray, np.ndarray]:
        """Start, middle and end of each entity's first line of text ``[N, 3, 2]``, NaN where there is none."""
        found = []
        for figure, strokes in ((self.left, self.left.strokes), (self.right, self.strokes)):
            spots = np.full((len(figure), 3, 2), np.nan)
            index = np.flatnonzero(is_text(figure))[::-1]  # the first one is written last
            ends = strokes[index].reshape(-1, 2, 2)
            spots[figure.owner[index]] = np.stack([ends[:, 0], ends.mean(axis=1), ends[:, 1]], axis=1)
            found.append(spots)
        return found[0], found[1]

    def _resized(self, apart: float) -> tuple[np.ndarray, np.ndarray]:
        """The same shape, larger or smaller; no words: these are measured by their letters.

        Args:
            apart: how far from each other the middles may be, as a share of the drawing; never more than half the size.
        """
        a, b = (
            np.flatnonzero(free & ~np.isin(figure.types, [*WORDS, DIMENSION]) & (shape.sizes > self.reach))
            for free, figure, shape in ((self.free_a, self.left, self.a), (self.free_b, self.right, self.b))
        )
        if not len(a) or not len(b):
            return np.zeros((0, 2), np.int64), np.zeros(0)
        i, j, distance = nearest_pairs(self.a.middles[a], self.b.middles[b], 2 * self.reach + apart * self.side, 2)
        factor = self.b.sizes[b[j]] / self.a.sizes[a[i]]
        off = np.abs(self.a.own[a[i]] * factor[:, None] - self.b.own[b[j]]).max(axis=1)
        alike = (self.left.types[a[i]] == self.right.types[b[j]]) & (off <= 4 * self.reach + 0.01 * self.b.sizes[b[j]])
        alike &= (np.abs(np.log(factor)) > 0.002) & (np.abs(np.log(factor)) < 1.5)
        alike &= distance <= 2 * self.reach + 0.5 * np.maximum(self.a.sizes[a[i]], self.b.sizes[b[j]])
        i, j, factor, distance = i[alike], j[alike], factor[alike], distance[alike]
        order = np.argsort(np.abs(np.log(factor)) + distance / self.side, kind="stable")
        chosen = order[one_each(i[order], j[order])]
        return self._take(np.column_stack([a[i[chosen]], b[j[chosen]]])), factor[chosen]

    def _groups(self) -> None:
        """Shifts first; then, of what these leave, other placements that bring at least three entities together."""
        simple = [Alignment()]
        for candidates, least in ((simple, 2), (None, 3), (simple, 1)):
            while len(self.found.groups) < MOST_GROUPS or least == 1:
                group = self._largest_group(candidates or self._placements(), least)
                if group is None:
                    break
                self.found.groups.append(group)
                if least == 1 and len(self.found.groups) >= 4 * MOST_GROUPS:
                    break

    def _placements(self) -> list[Alignment]:
        strokes = self.left.strokes[self.free_a[self.left.owner]], self.strokes[self.free_b[self.right.owner]]
        peaks = [scale for scale in scale_peaks(*strokes) if 0.1 < scale < 10 and abs(scale - 1) > 0.002]
        return [
            Alignment(scale, turns, mirrored)
            for scale, mirrored, turns in product((1.0, *peaks), (False, True), range(4))
            if (scale, turns, mirrored) != (1.0, 0, False)
        ]

    def _largest_group(self, candidates: list[Alignment], least: int) -> Group | None:
        """The placement that brings the most free entities together, if it is ``least`` of them."""
        free_a, free_b = np.flatnonzero(self.free_a), np.flatnonzero(self.free_b)
        if not len(free_a) or not len(free_b):
            return None
        keys = self.left.types * 2**32 + self.said_a, self.right.types * 2**32 + self.said_b
        best: tuple[float, Alignment, Shapes] | None = None
        for candidate in candidates:
            moved = self.b if candidate == Alignment() else shapes(self.right, candidate(self.strokes))
            rough = [
                hashed(np.column_stack([key[free], np.floor(_log_size(shape.own[free], self.side))]))
                for key, shape, free in ((keys[0], self.a, free_a), (keys[1], moved, free_b))
            ]
            cell = 4 * self.reach if candidate.is_shift else 0.005 * self.side
            votes, shift = vote(rough[0], self.a.middles[free_a], rough[1], moved.middles[free_b], cell)
            if votes > 0 and (best is None or votes > best[0]):
                best = votes, Alignment(candidate.scale, candidate.turns, candidate.mirrored, shift), moved
        if best is None:
            return None
        _, to, moved = best
        if to.scale != 1.0:
            to, moved = self._fitted(to, keys)
        at = moved.placed.copy()
        at[:, :2] += 0.0 if to.scale != 1.0 else np.array(to.shift)
        pairs = self._alike(*keys, self.a.placed, at)
        if least == 1 and not to.is_shift:
            return None
        if len(pairs) < least or (least == 1 and np.hypot(*to.shift) > 0.5 * self.side):
            return None
        return Group(to, *self._take(pairs).T)

    def _fitted(self, to: Alignment, keys: tuple[np.ndarray, np.ndarray]) -> tuple[Alignment, Shapes]:
        """A scale found in a histogram is off by up to its step: fit it to the middles it brings together."""
        free_a, free_b = np.flatnonzero(self.free_a), np.flatnonzero(self.free_b)
        for reach in (0.005, 0.001):
            points = to(self.b.middles[free_b])
            distance, nearest = cKDTree(self.a.middles[free_a]).query(points, distance_upper_bound=reach * self.side)
            met = np.isfinite(distance)
            met[met] &= keys[0][free_a[nearest[met]]] == keys[1][free_b[met]]
            if met.sum() < 2:
                break
            raw = self.b.middles[free_b][met] @ (to.matrix / to.scale)
            wanted = self.a.middles[free_a[nearest[met]]]
            centred, target = raw - raw.mean(axis=0), wanted - wanted.mean(axis=0)
            spread = float((centred**2).sum())
            scale = float((centred * target).sum() / spread) if spread > 0 else to.scale
            to = Alignment(scale, to.turns, to.mirrored, tuple(np.median(wanted - scale * raw, axis=0).tolist()))
        return to, shapes(self.right, to(self.strokes))

    def _near(self, kinds: list[int], reach: float) -> np.ndarray:
        """Of some types, those whose middles are nearest, within a share of the drawing."""
        a, b = (
            np.flatnonzero(free & np.isin(figure.types, kinds))
            for free, figure in ((self.free_a, self.left), (self.free_b, self.right))
        )
        if not len(a) or not len(b):
            return np.zeros((0, 2), np.int64)
        i, j, distance = nearest_pairs(self.a.boxes[a], self.b.boxes[b], reach * self.side, np.inf)
        sizes = np.maximum(self.a.sizes[a[i]], self.b.sizes[b[j]])
        # what says the same is the same one from farther away
        same = self.said_a[a[i]] == self.said_b[b[j]]
        close = distance <= np.where(same, 1.0, 0.5) * sizes + 4 * self.reach
        i, j, distance, same = i[close], j[close], distance[close], same[close]
        order = np.argsort(distance * np.where(same, 0.25, 1.0), kind="stable")
        chosen = order[one_each(i[order], j[order])]
        return self._take(np.column_stack([a[i[chosen]], b[j[chosen]]]))

    def _partly(self) -> np.ndarray:
        """Entities of one type that share most of their strokes; all of them, where one has only lost some."""
        found, left, right = self.found, self.left, self.right
        open_a, open_b = self.free_a | found.drawn_left, self.free_b | found.drawn_right
        a = np.flatnonzero(found.stroke_left & open_a[left.owner])
        b = np.flatnonzero(found.stroke_right & open_b[right.owner])
        if not len(a) or not len(b):
            return np.zeros((0, 2), np.int64)
        tree = cKDTree(as_points(self.strokes[b]))
        distance, nearest = tree.query(as_points(left.strokes[a]), distance_upper_bound=2 * self.reach)
        met = np.isfinite(distance)
        shared = Counter(zip(left.owner[a[met]].tolist(), right.owner[b[nearest[met]]].tolist(), strict=True))
        share_a = self._share(left, left.strokes, found.stroke_left)
        share_b = self._share(right, self.strokes, found.stroke_right)
        pairs = []
        for (i, j), _ in shared.most_common():
            both = open_a[i] and open_b[j] and (self.free_a[i] or self.free_b[j])
            if both and left.types[i] == right.types[j] and max(share_a[i], share_b[j]) >= PARTLY:
                pairs.append(self._take(np.array([[i, j]])))
                open_a[i] = open_b[j] = found.drawn_left[i] = found.drawn_right[j] = False
        return np.concatenate([np.zeros((0, 2), np.int64), *pairs])


def _log_size(own: np.ndarray, side: float) -> np.ndarray:
    """Width and height in steps of 2 %, with room for those that have none."""
    return np.log(own[:, :2] / side + 1e-3) / 0.02 + 0.37
