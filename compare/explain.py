"""Which parts of two drawings make a model call them alike, and which keep it from doing so.

By occlusion (Zeiler & Fergus 2014): a part of one drawing is left out, the drawing is encoded again, and what the score
loses is what the part had added. It asks the model as it is, whatever its encoders, and nothing of it is approximated
but for this: parts are left out one at a time, so what two of them do only together shows in neither.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from compare.figure import Loaded
from compare.node_matching import NodeMatching, node_matching
from config.errors import UserError
from dataset.dxf_process_GF import gf_counts, gf_edge_counts
from dataset.entities import DEEPDXF_TYPES, GF_CLASSES
from dataset.storage import SequenceRecord
from model.embedding import Embedder, similarity
from utils.progress import progress


@dataclass(frozen=True)
class Contributions:
    """What the entities of one drawing add to the score.

    Attributes:
        entities: ``[N]``: what the score loses without the entity's part, spread evenly over its entities; negative
            where the drawings are more alike without it.
        own: ``[N]`` likewise, what the drawing's likeness to *itself* loses. An entity that both drawings have costs
            the two about the same.
        parts: ``[N]`` int64, the part of each entity; entity by entity where there are few.
        classes: by entity type, what the score loses without all of them.
    """

    entities: np.ndarray
    own: np.ndarray
    parts: np.ndarray
    classes: dict[str, float]

    @property
    def differs(self) -> np.ndarray:
        """What an entity matters to its drawing and not to the other one ``[N]``; 0 throughout for equal drawings."""
        return self.own - self.entities


@dataclass(frozen=True)
class Explanation:
    """Why two drawings have their score, by one encoder; ``matching`` where GF has a say in it."""

    encoder: str
    method: str
    score: float
    left: Contributions
    right: Contributions
    matching: NodeMatching | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain Python, for JSON."""
        sides = {
            name: {
                "entities": side.entities.tolist(),
                "differs": side.differs.tolist(),
                "parts": side.parts.tolist(),
                "classes": side.classes,
            }
            for name, side in (("left", self.left), ("right", self.right))
        }
        matching = {"node_matching": self.matching.as_dict()} if self.matching else {}
        return {"encoder": self.encoder, "method": self.method, "score": self.score, **sides, **matching}

    def words(self) -> list[str]:
        """By class, the strongest first."""
        lines = [
            f"{self.encoder} {self.method} similarity {self.score:.6f}; without all entities of a type it would be:"
        ]
        lines.append(f"{'':<12}{'left':>10}{'right':>10}")
        names = sorted(
            {*self.left.classes, *self.right.classes},
            key=lambda name: -max(abs(side.classes.get(name, 0.0)) for side in (self.left, self.right)),
        )
        for name in names:
            cells = [
                f"{self.score - side.classes[name]:10.4f}" if name in side.classes else f"{'':>10}"
                for side in (self.left, self.right)
            ]
            lines.append(f"{name:<12}{''.join(cells)}")
        return lines + (self.matching.words() if self.matching else [])


def explain(
    embedder: Embedder, left: Loaded, right: Loaded, encoder: str, method: str = "cosine", parts: int = 96
) -> Explanation:
    """Leave out parts of each drawing and see what the score does.

    Args:
        encoder: ``joint``, ``gf`` or ``deepdxf``.
        parts: at most so many of each drawing, compact on the sheet; then those that matter most are taken apart, as
            many again.

    Raises:
        UserError: the encoder cannot read one of the drawings.
    """
    vectors = [embedder(loaded.record) for loaded in (left, right)]
    for loaded, found in zip((left, right), vectors, strict=True):
        if encoder not in found:
            raise UserError(f"{loaded.figure.name} holds none of GF's ten entity classes: --encoder deepdxf reads it")
    score = similarity(vectors[0][encoder], vectors[1][encoder], method)
    sides = [
        _Occlusion(embedder, loaded, (other[encoder], own[encoder]), encoder, method).contributions(parts)
        for loaded, own, other in ((left, *vectors), (right, *vectors[::-1]))
    ]
    matching = None if encoder == "deepdxf" else node_matching(vectors[0]["gf"], vectors[1]["gf"])
    return Explanation(encoder, method, score, *sides, matching)


@dataclass(frozen=True)
class _Occlusion:
    """Leaves out parts of one drawing; ``targets`` are the vectors of the other one and its own."""

    embedder: Embedder
    loaded: Loaded
    targets: tuple[np.ndarray, np.ndarray]
    encoder: str
    method: str

    def contributions(self, most: int) -> Contributions:
        figure = self.loaded.figure
        groups = compact_parts(figure.boxes, most)
        groups, values = self._refined(groups, self._lost(groups), most)
        shares, parts = np.zeros((len(figure), 2)), np.zeros(len(figure), np.int64)
        for number, (group, value) in enumerate(zip(groups, values, strict=True)):
            shares[group], parts[group] = value / len(group), number
        kinds = np.unique(figure.types)
        by_kind = self._lost([np.flatnonzero(figure.types == kind) for kind in kinds])[:, 0].tolist()
        classes = dict(zip([DEEPDXF_TYPES[kind] for kind in kinds], by_kind, strict=True))
        return Contributions(shares[:, 0], shares[:, 1], parts, classes)

    def _lost(self, groups: list[np.ndarray]) -> np.ndarray:
        """What the likeness to each target loses without each group of entities ``[G, 2]``.

        All of it, where nothing is left that the encoder could read.
        """
        kept = [np.ones(self.loaded.record.entity_count, bool) for _ in groups]
        for keep, group in zip(kept, groups, strict=True):
            keep[group] = False
        names = self.loaded.figure.name[:30]
        left_over = self.embedder.many(without(self.loaded, keep) for keep in kept if keep.any())
        found = progress(left_over, names, total=sum(bool(keep.any()) for keep in kept), unit="part")
        full = self._likeness(self.targets[1])
        some = iter([self._likeness(vectors.get(self.encoder)) for vectors in found])
        return np.array([full - (next(some) if keep.any() else 0.0) for keep in kept]).reshape(-1, 2)

    def _likeness(self, vector: np.ndarray | None) -> np.ndarray:
        return np.array([0.0 if vector is None else similarity(vector, target, self.method) for target in self.targets])

    def _refined(self, groups: list[np.ndarray], values: np.ndarray, most: int) -> tuple[list[np.ndarray], np.ndarray]:
        """Take apart the groups that matter most, into at most so many single entities."""
        kept, apart, room = [], [], most
        weight = np.abs(values[:, 0]) / max(np.abs(values[:, 0]).max(), 1e-12)
        differs = np.abs(values[:, 1] - values[:, 0])
        weight = np.maximum(weight, differs / max(differs.max(), 1e-12))
        for index in np.argsort(-weight, kind="stable").tolist():
            size = len(groups[index])
            if 1 < size <= room:
                room -= size
                apart.append(index)
            else:
                kept.append(index)
        singles = [entity[None] for index in apart for entity in groups[index]]
        if not singles:
            return groups, values
        return [*(groups[index] for index in kept), *singles], np.concatenate([values[kept], self._lost(singles)])


def compact_parts(boxes: np.ndarray, most: int) -> list[np.ndarray]:
    """At most so many parts of about as many entities each, near each other on the sheet: by halving at the median of
    the wider side, again and again (as in a k-d tree). Entities that show nothing lie in the middle.

    Args:
        boxes: ``[N, 4]``.
    """
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    middles = np.where(np.isnan(middles), np.nanmedian(middles, axis=0) if len(middles) else 0.0, middles)
    parts = [np.arange(len(boxes))] if len(boxes) else []
    while len(parts) < min(most, len(boxes)):
        largest = max(range(len(parts)), key=lambda i: len(parts[i]))
        members = parts.pop(largest)
        axis = int(np.ptp(middles[members], axis=0).argmax())
        order = members[np.argsort(middles[members, axis], kind="stable")]
        parts += [order[: len(order) // 2], order[len(order) // 2 :]]
    return parts


def without(loaded: Loaded, keep: np.ndarray) -> SequenceRecord:
    """The drawing as a model would read it with some of its entities (bool ``[N]``) only, in the frame it had."""
    record, figure, seen = loaded.record, loaded.figure, loaded.record.appearance
    index = np.cumsum(keep, dtype=np.int32) - 1
    strokes, texts = keep[seen.stroke_owner], keep[seen.text_owner]
    appearance = replace(
        seen,
        strokes=seen.strokes[strokes],
        ink=seen.ink[strokes],
        stroke_owner=index[seen.stroke_owner[strokes]],
        texts=tuple(text for text, kept in zip(seen.texts, texts.tolist(), strict=True) if kept),
        text_owner=index[seen.text_owner[texts]],
    )
    types, boxes = figure.types[keep], figure.boxes[keep]
    has_graph = bool((types < len(GF_CLASSES)).any())
    return replace(
        record,
        dxf_vec=record.dxf_vec[keep],
        appearance=appearance,
        gf_counts=gf_counts(types, boxes, record.overlap) if has_graph else None,
        gf_edge_counts=gf_edge_counts(types) if has_graph else None,
    )
