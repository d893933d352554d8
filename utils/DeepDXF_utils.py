"""Rows of entities to batches: chunks, packing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from dataset.entities import ROW_LENGTH

Chunk = tuple[int, np.ndarray]  # index of its first entity inside the drawing, rows [T, ROW_LENGTH]


def cut_chunks(rows: np.ndarray, chunk_size: int) -> list[Chunk]:
    """Cut a drawing into the fewest chunks of at most ``chunk_size`` entities, even in length."""
    parts = np.array_split(rows, -(-len(rows) // chunk_size))
    starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
    return list(zip(starts.tolist(), parts, strict=True))


def sample_chunks(chunks: Sequence[Chunk], limit: int, rng: np.random.Generator) -> list[Chunk]:
    """Random chunks, in drawing order, that together hold at most ``limit`` entities; all if they fit or limit is 0.

    No chunk may be longer than the limit.
    """
    total = sum(len(rows) for _, rows in chunks)
    if limit == 0 or total <= limit:
        return list(chunks)
    keep = limit // max(len(rows) for _, rows in chunks)
    return [chunks[i] for i in sorted(rng.choice(len(chunks), size=keep, replace=False))]


def collate(drawings: Sequence[Sequence[Chunk]]) -> dict[str, Any]:
    """The chunks of several drawings, one behind the other and sorted by length: nothing is padded. Without any
    drawing there is one chunk, of no entity.

    Returns:
        ``rows`` int16 ``[M, ROW_LENGTH]``, ``position`` int32 ``[M]`` (index of an entity in its drawing), ``lengths``
        (of the C chunks, plain numbers, M in sum), ``drawing`` int64 ``[C]`` (whose chunk), ``n_drawings``.
    """
    chunks = [(index, start, rows) for index, drawing in enumerate(drawings) for start, rows in drawing]
    chunks = chunks or [(0, 0, np.empty((0, ROW_LENGTH), np.int16))]  # no drawing, but a batch like any other
    chunks.sort(key=lambda chunk: len(chunk[2]))
    positions = [np.arange(start, start + len(rows), dtype=np.int32) for _, start, rows in chunks]
    return {
        "rows": torch.from_numpy(np.concatenate([rows for _, _, rows in chunks])),
        "position": torch.from_numpy(np.concatenate(positions)),
        "lengths": [len(rows) for _, _, rows in chunks],
        "drawing": torch.tensor([index for index, _, _ in chunks]),
        "n_drawings": len(drawings),
    }
