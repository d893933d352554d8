"""Many drawings, all with all, by one encoder."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from compare.scoring import Vectors
from config.errors import UserError
from dataset.storage import SequenceRecord
from utils.files import atomic_path

MOST_LISTED = 20  # pairs


@dataclass(frozen=True)
class Matrix:
    """All scores of a folder's drawings.

    Attributes:
        names: of the drawings, below the folder.
        scores: ``[N, N]``.
        skipped: by path, why a drawing has no scores.
    """

    encoder: str
    method: str
    names: list[str]
    scores: np.ndarray
    skipped: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain Python, for JSON."""
        return {
            "encoder": self.encoder,
            "method": self.method,
            "drawings": self.names,
            "scores": self.scores.tolist(),
            "skipped": self.skipped,
        }

    def lines(self) -> list[str]:
        """The most alike pairs."""
        rows, columns = np.triu_indices(len(self.names), 1)
        best = np.argsort(-self.scores[rows, columns], kind="stable")[:MOST_LISTED]
        lines = [f"{self.encoder} {self.method} similarity of {len(self.names)} drawings; the most alike pairs:"]
        return lines + [
            f"{self.scores[i, j]:9.6f}  {self.names[i]}  |  {self.names[j]}"
            for i, j in zip(rows[best].tolist(), columns[best].tolist(), strict=True)
        ]


def all_with_all(
    vectors: Vectors,
    encoder: str,
    method: str,
    folder: Path,
    paths: list[Path],
    records: Iterable[SequenceRecord | str],
) -> Matrix:
    """Compare the drawings of a folder; what cannot be read is in the result's ``skipped``.

    Args:
        records: of each path what was read, or one sentence on why it cannot be.

    Raises:
        UserError: fewer than two can be compared.
    """
    paths, found, skipped = vectors.of_readable(paths, records)
    for path, each in zip(paths, found, strict=True):
        if encoder not in each:
            skipped[str(path)] = f"{path} has no {encoder} vector: it holds none of GF's ten entity classes"
    kept = [(path, each[encoder]) for path, each in zip(paths, found, strict=True) if encoder in each]
    if len(kept) < 2:
        reason = f" ({next(iter(skipped.values()))})" if skipped else ""
        raise UserError(f"{folder} holds {len(kept)} drawings that can be compared, two are needed{reason}")
    names = [path.relative_to(folder).as_posix() for path, _ in kept]
    return Matrix(encoder, method, names, score_matrix([vector for _, vector in kept], method), skipped)


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
    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8-sig", errors="replace", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(["", *names])
        for name, row in zip(names, scores.tolist(), strict=True):
            writer.writerow([name, *row])
