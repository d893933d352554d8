"""How alike drawings are by a trained model: one with many, or all with all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

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


def score_matrix(vectors: list[np.ndarray], method: str) -> np.ndarray:
    """All with all ``[N, N]``: symmetric, and exactly 1 for equal vectors; as :func:`similarity` up to rounding."""
    rows = np.stack(vectors)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    units = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    cosine = units @ units.T
    cosine = np.clip((cosine + cosine.T) / 2, -1.0, 1.0)
    scores = cosine if method == "cosine" else 1.0 / (1.0 + np.sqrt(2.0 - 2.0 * cosine))
    nothing = lengths[:, 0] == 0
    scores[nothing] = scores[:, nothing] = 0.0
    _, same = np.unique(rows, axis=0, return_inverse=True)
    same = same.reshape(-1)
    scores[same[:, None] == same] = 1.0
    return scores


def write_matrix(path: Path, names: list[str], scores: np.ndarray) -> None:
    """As CSV, the names in the first row and column; numbers are written so that they are read back exactly."""
    import csv

    from utils.files import atomic_path

    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8-sig", errors="replace", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(["", *names])
        for name, row in zip(names, scores.tolist(), strict=True):
            writer.writerow([name, *row])
