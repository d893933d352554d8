"""How alike drawings are by a trained model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compare.percent import percent
from config.errors import UserError
from dataset.storage import SequenceRecord
from model.embedding import Embedder, similarity

ENCODERS = ("joint", "gf", "deepdxf")


@dataclass(frozen=True)
class Score:
    """How alike two drawings are to one encoder: ``value`` by the method asked for; ``share_below`` is the share, 0..1,
    of pairs of training drawings that are less alike, None where that was never measured."""

    encoder: str
    value: float
    share_below: float | None

    def as_dict(self) -> dict[str, Any]:
        return {"score": self.value, "share_below": self.share_below}

    def briefly(self) -> str:
        share = self.share_below
        worth = "" if share is None else f" (more than {percent(share)} % of training pairs)"
        return f"{self.encoder} similarity {self.value:.3f}{worth}"


def chosen_encoders(embedder: Embedder, wanted: str) -> tuple[str, ...]:
    """The encoders asked for, of those that the model has. Raises UserError if it has none of them."""
    known = ENCODERS if embedder.kind == "joint" else (embedder.kind,)
    if wanted != "all" and wanted not in known:
        raise UserError(
            f"the model has no {wanted} encoder, only {', '.join(known)}: correct --encoder or --model_path"
        )
    return known if wanted == "all" else (wanted,)


class Vectors:
    """Vectors of drawings; drawings of equal content have equal ones, to the last bit.

    Args:
        encoders: those to keep.
    """

    def __init__(self, embedder: Embedder, encoders: tuple[str, ...]) -> None:
        self._embedder, self._encoders = embedder, encoders
        self._known: dict[bytes, dict[str, np.ndarray]] = {}

    def of(self, drawings: Iterable[SequenceRecord]) -> list[dict[str, np.ndarray]]:
        """In the order of the drawings; each is embedded once, those of similar length together."""
        prints: list[bytes] = []
        waiting: list[bytes] = []

        def fresh() -> Iterable[SequenceRecord]:
            for drawing in drawings:
                prints.append(fingerprint(drawing))
                if prints[-1] not in self._known:
                    self._known[prints[-1]] = {}
                    waiting.append(prints[-1])
                    yield drawing

        new = [
            {name: vectors[name] for name in self._encoders if name in vectors}
            for vectors in self._embedder.many(fresh())
        ]
        self._known.update(zip(waiting, new, strict=True))
        return [self._known[mark] for mark in prints]

    def of_readable(
        self, paths: list[Path], records: Iterable[SequenceRecord | str]
    ) -> tuple[list[Path], list[dict[str, np.ndarray]], dict[str, str]]:
        """Of the drawings that can be read: their paths and vectors; and by path why the others cannot.

        Args:
            records: of each path what was read, or the reason.
        """
        kept: list[Path] = []
        skipped: dict[str, str] = {}

        def readable() -> Iterator[SequenceRecord]:
            for path, record in zip(paths, records, strict=True):
                try:
                    if isinstance(record, str):
                        raise UserError(record)
                    self._embedder.require_same_reading(record)
                except UserError as error:
                    skipped[str(path)] = str(error)
                    continue
                kept.append(path)
                yield record

        found = self.of(readable())
        return kept, found, skipped

    def scores(self, first: dict[str, np.ndarray], second: dict[str, np.ndarray], method: str) -> list[Score]:
        """By every encoder that reads both, in the order of ``ENCODERS``."""
        found = []
        for name in self._encoders:
            if name in first and name in second:
                below = self._embedder.share_below(name, similarity(first[name], second[name], "cosine"))
                found.append(Score(name, similarity(first[name], second[name], method), below))
        return found


def fingerprint(drawing: SequenceRecord) -> bytes:
    """Equal for drawings that a model cannot tell apart."""
    seen = drawing.appearance
    digest = hashlib.blake2b(repr((seen.texts, seen.share, drawing.extents)).encode("utf-8", "surrogatepass"))
    arrays = (drawing.dxf_vec, seen.strokes, seen.ink, seen.stroke_owner, seen.text_owner)
    for array in (*arrays, drawing.gf_counts, drawing.gf_edge_counts):
        digest.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
    return digest.digest()


def words(scores: list[Score], method: str) -> list[str]:
    """A line for each score, the first encoder's alone in front, as most people and scripts want it; then the worth."""
    lines = [f"{score.encoder:<8} {method} similarity {score.value:.6f}" for score in scores]
    return lines + [
        f"{score.encoder:<8} more alike than {percent(score.share_below)} % of pairs of training drawings"
        for score in scores
        if score.share_below is not None
    ]
