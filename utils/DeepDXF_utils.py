"""Rows of entities to batches: views made in drawing space, chunks, packing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from dataset.entities import ABSENT, MAX_BIN, SLOTS, Kind

Chunk = tuple[int, np.ndarray]  # index of its first entity inside the drawing, rows [T, ROW_LENGTH]

_COLUMNS = {kind: np.array([1 + i for i, slot in enumerate(SLOTS) if slot.kind is kind]) for kind in Kind}


def drop_entities(rows: np.ndarray, rng: np.random.Generator, low: float = 0.1, high: float = 0.5) -> np.ndarray:
    """Leave out a random share, between ``low`` and ``high``, of the entities; at least one stays."""
    keep = rng.random(len(rows)) >= rng.uniform(low, high)
    if not keep.any():
        keep[rng.integers(len(rows))] = True
    return rows[keep]


def shift_and_scale(rows: np.ndarray, rng: np.random.Generator, smallest: float = 0.85) -> np.ndarray:
    """Shrink the whole drawing a little and move it inside the room this leaves, so that nothing is clipped."""
    scale = rng.uniform(smallest, 1.0)
    moved = rows.copy()
    for kind in (Kind.X, Kind.Y, Kind.LENGTH):
        shift = 0.0 if kind is Kind.LENGTH else rng.uniform(0.0, (1.0 - scale) * MAX_BIN)
        values = rows[:, _COLUMNS[kind]]
        bins = np.round(values * scale + shift).astype(rows.dtype)
        moved[:, _COLUMNS[kind]] = np.where(values == ABSENT, ABSENT, bins)
    return moved


def drawing_view(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One view of a drawing made in drawing space; rows ``[L, ROW_LENGTH]``, the original stays untouched."""
    return shift_and_scale(drop_entities(rows, rng), rng)


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
    """The chunks of several drawings, one behind the other and sorted by length: nothing is padded.

    Returns:
        ``rows`` int16 ``[M, ROW_LENGTH]``, ``position`` int32 ``[M]`` (index of an entity in its drawing), ``lengths``
        (of the C chunks, plain numbers, M in sum), ``drawing`` int64 ``[C]`` (whose chunk), ``n_drawings``.
    """
    chunks = [(index, start, rows) for index, drawing in enumerate(drawings) for start, rows in drawing]
    chunks.sort(key=lambda chunk: len(chunk[2]))
    positions = [np.arange(start, start + len(rows), dtype=np.int32) for _, start, rows in chunks]
    return {
        "rows": torch.from_numpy(np.concatenate([rows for _, _, rows in chunks])),
        "position": torch.from_numpy(np.concatenate(positions)),
        "lengths": [len(rows) for _, _, rows in chunks],
        "drawing": torch.tensor([index for index, _, _ in chunks]),
        "n_drawings": len(drawings),
    }
