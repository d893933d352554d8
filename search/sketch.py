"""A short version of every row that bounds its inner products, see :mod:`search.exact`."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from search.vectors import Vectors
from utils.files import atomic_path

SMALLEST = 20_000  # rows: fewer are scanned faster than anyone can tell
AXES = 256  # in all parts together
SAMPLE = 8_192  # rows that the axes are fitted to


@dataclass(frozen=True)
class Sketch:
    """The rows of slots ``0 .. count - 1``, each part along its own principal axes.

    Attributes:
        parts: the columns that each part has in a row.
        axes: for each part ``[m_p, d_p]`` float32, orthonormal.
        places: for each part ``[count, m_p]`` float32, the row along the axes.
        rests: for each part ``[count]`` float32, the length of what the axes do not show.
    """

    parts: tuple[slice, ...]
    axes: tuple[np.ndarray, ...]
    places: tuple[np.ndarray, ...]
    rests: tuple[np.ndarray, ...]

    @property
    def count(self) -> int:
        return len(self.rests[0])

    def estimate(self, query: np.ndarray, columns: slice) -> tuple[np.ndarray, np.ndarray]:
        """The inner products with a query as the axes show them ``[count]``, and by how much they may be off."""
        value = np.zeros(self.count, np.float32)
        slack = np.zeros(self.count, np.float32)
        for part, axes, places, rests in zip(self.parts, self.axes, self.places, self.rests, strict=True):
            if part.start < columns.start or part.stop > columns.stop:
                continue
            mine = query[part.start - columns.start : part.stop - columns.start]
            along = axes.astype(np.float64) @ mine
            value += places @ along.astype(np.float32)
            slack += rests * np.float32(np.linalg.norm(mine - along @ axes))
        return value, slack


def principal_axes(vectors: Vectors, parts: list[slice], seed: int = 0) -> list[np.ndarray]:
    """For each part ``[m_p, d_p]`` float32, ``AXES`` in all: they go to the parts by how much of the rows they show."""
    count = vectors.end
    chosen = np.sort(np.random.default_rng(seed).choice(count, min(SAMPLE, count), replace=False))
    sample = vectors.take(chosen)
    found = [_principal(sample[:, part]) for part in parts]
    worth = np.sort(np.concatenate([values for values, _ in found]))[::-1]
    least = worth[min(AXES, len(worth)) - 1]
    return [np.ascontiguousarray(rows[: max(1, int((values >= least).sum()))]) for values, rows in found]


def make_sketch(vectors: Vectors, parts: list[slice], seed: int = 0) -> Sketch:
    """Of all rows."""
    count = vectors.end
    axes = principal_axes(vectors, parts, seed)
    places = [np.empty((count, len(each)), np.float32) for each in axes]
    rests = [np.empty(count, np.float32) for _ in axes]
    for first, rows in vectors.blocks():
        here = slice(first, first + len(rows))
        for part, each, place, rest in zip(parts, axes, places, rests, strict=True):
            mine = rows[:, part]
            place[here] = mine @ each.T
            rest[here] = np.linalg.norm(mine - place[here] @ each, axis=1)
    return Sketch(tuple(parts), tuple(axes), tuple(places), tuple(rests))


def write_sketch(folder: Path, sketch: Sketch) -> str:
    """Write it whole; the name of its file."""
    name = f"sketch-{uuid.uuid4().hex}.npz"
    arrays = {"parts": np.array([(part.start, part.stop) for part in sketch.parts])}
    for i, (axes, places, rests) in enumerate(zip(sketch.axes, sketch.places, sketch.rests, strict=True)):
        arrays |= {f"axes{i}": axes, f"places{i}": places, f"rests{i}": rests}
    with atomic_path(folder / name) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)
    return name


def read_sketch(path: Path) -> Sketch:
    """Raises OSError, ValueError or KeyError if it is missing or damaged."""
    with np.load(path, allow_pickle=False) as found:
        parts = tuple(slice(int(start), int(stop)) for start, stop in found["parts"])
        numbers = range(len(parts))
        axes, places, rests = (tuple(found[f"{name}{i}"] for i in numbers) for name in ("axes", "places", "rests"))
    return Sketch(parts, axes, places, rests)


def _principal(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Second moments ``[m]``, descending, and their axes ``[m, d]``: about the origin, as inner products are."""
    values, axes = np.linalg.eigh((rows.T @ rows).astype(np.float64))
    return values[::-1][:AXES], axes.T[::-1][:AXES].astype(np.float32)
