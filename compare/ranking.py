"""One drawing with many: the most alike first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from compare.percent import percent
from compare.scoring import Score, Vectors
from config.errors import UserError
from dataset.storage import SequenceRecord


@dataclass(frozen=True)
class Ranking:
    """Scores of one drawing with others.

    Attributes:
        first: the encoder that sorts; None if none can read the drawing.
        ranked: scores and path of each, the most alike first; last what ``first`` cannot read.
        skipped: by path, why a drawing has no scores.
    """

    file1: Path
    encoders: tuple[str, ...]
    method: str
    first: str | None
    ranked: list[tuple[list[Score], Path]]
    skipped: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain Python, for JSON."""
        drawings = [
            {"file2": str(path), "scores": {score.encoder: score.as_dict() for score in scores}}
            for scores, path in self.ranked
        ]
        return {"file1": str(self.file1), "method": self.method, "drawings": drawings, "skipped": self.skipped}

    def lines(self) -> list[str]:
        """A line each, under a heading."""
        return [
            " ".join(f"{name:>9}" for name in self.encoders) + "  alike to more than  drawing",
            *(self._line(scores, path) for scores, path in self.ranked),
        ]

    def _line(self, scores: list[Score], path: Path) -> str:
        values = {score.encoder: score for score in scores}
        below = values[self.first].share_below if self.first in values else None
        cells = [f"{values[name].value:9.6f}" if name in values else f"{'-':>9}" for name in self.encoders]
        share = f"{percent(below)} % of pairs" if below is not None else ""
        return f"{' '.join(cells)}  {share:>18}  {path}"


def one_with_many(
    vectors: Vectors,
    encoders: tuple[str, ...],
    method: str,
    paths: list[Path],
    records: Iterable[SequenceRecord | str],
) -> Ranking:
    """Compare the first drawing with the others; what cannot be read is in the result's ``skipped``.

    Args:
        records: of each path what was read, or one sentence on why it cannot be.

    Raises:
        UserError: the first one cannot be read.
    """
    records = iter(records)
    query = next(records)
    if isinstance(query, str):  # before the others are read
        raise UserError(query)
    kept, found, skipped = vectors.of_readable(paths, chain([query], records))
    if kept[:1] != paths[:1]:
        raise UserError(skipped[str(paths[0])])
    own, *others = found
    first = next((name for name in encoders if name in own), None)
    scored = [(vectors.scores(own, each, method), path) for each, path in zip(others, kept[1:], strict=True)]
    scored.sort(key=lambda pair: next((-score.value for score in pair[0] if score.encoder == first), float("inf")))
    return Ranking(paths[0], encoders, method, first, scored, skipped)
