"""What an index knows of a drawing, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One drawing of an archive.

    Attributes:
        id: its path below the archive's folder, with ``/``.
        content_hash: of the file's bytes.
        sequence: where its preprocessed sequence lies, below the index's folder or, for an archive of ``.h5``, equal to
            ``id``.
        mark: equal as long as the sequence is the one whose vectors are here.
        width, height: of what is drawn, in drawing units.
        counts: how many entities it has of each type.
    """

    id: str
    content_hash: str
    sequence: str
    mark: str
    width: float
    height: float
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def entities(self) -> int:
        return sum(self.counts.values())

    @property
    def size(self) -> float:
        """The larger side, in drawing units."""
        return max(self.width, self.height)


@dataclass(frozen=True)
class Hit:
    """One answer to a query.

    Attributes:
        id: path of the drawing below the archive's folder.
        path: where it lies now; it may have been removed since it was indexed, see :attr:`missing`.
        score: cosine of the two vectors, -1..1; exactly 1 for the query's own bytes.
        share_below: share, 0..1, of pairs of drawings that are less alike: of the archive's, or of the training's where
            the archive has too few; None where never measured.
        sequence_path: its preprocessed ``.h5``: strokes and texts to draw it with, without reading the DXF again.
        same_file: the bytes are the query's.
    """

    id: str
    path: Path
    score: float
    share_below: float | None
    sequence_path: Path
    entry: Entry
    same_file: bool = False

    @property
    def missing(self) -> bool:
        return not self.path.exists()

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "score": self.score,
            "share_below": self.share_below,
            "same_file": self.same_file,
            "missing": self.missing,
            "width": self.entry.width,
            "height": self.entry.height,
            "entities": self.entry.entities,
            "counts": self.entry.counts,
        }
