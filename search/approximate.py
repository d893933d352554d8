"""The nearest of very many vectors, nearly always: faiss says which rows may be near (requirements-faiss.txt).

An inverted file (Jégou et al., 2011) over each row's first principal axes, a byte an axis: rows lie in lists by the
centre they are next to, and a query looks into the lists whose centres are next to it. What is found there is ranked by
its rows in full, so a score is exact; a row in a list that was not looked into is missed.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from config.errors import UserError
from search.sketch import principal_axes
from search.vectors import Vectors
from utils.files import atomic_path

if TYPE_CHECKING:
    import faiss

SMALLEST = 20_000  # rows: fewer are searched exactly in less time than anyone can tell
ROWS_A_LIST = 500  # on average
SAMPLE_A_LIST = 48  # rows that a centre is fitted to
LOOKED_INTO = 96  # lists
RANKED = 512  # rows ranked in full, at least
FEW = 16  # times k, likewise
GROWTH = 2.0  # rows added since the centres were fitted, as a share of those then: beyond it they are fitted anew
PREFIX = "faiss-"


@dataclass(frozen=True)
class Approximate:
    """The rows of slots ``0 .. count - 1``.

    Attributes:
        parts: the columns that each part has in a row.
        axes: for each part ``[m_p, d_p]`` float32, orthonormal.
        fitted: how many rows there were when axes and centres were fitted.
        index: of faiss; a row's number in it is its slot.
    """

    parts: tuple[slice, ...]
    axes: tuple[np.ndarray, ...]
    fitted: int
    index: faiss.IndexIVF

    @property
    def count(self) -> int:
        return self.index.ntotal

    def near(self, query: np.ndarray, allowed: np.ndarray | None, k: int) -> np.ndarray:
        """Slots among which most of the ``k`` nearest are.

        Args:
            query: ``[D]``, against whole rows.
            allowed: bool ``[count]``, which rows to choose from; None for all.
        """
        import faiss

        wanted = min(max(RANKED, FEW * k), self.count)
        options = faiss.SearchParametersIVF(nprobe=min(LOOKED_INTO, self.index.nlist))
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")  # kept until the search is over: faiss has but its address
            options.sel = faiss.IDSelectorBitmap(bits)
        places = project(query[None].astype(np.float32), self.parts, self.axes)
        _, found = self.index.search(places, wanted, params=options)
        return np.sort(found[0][found[0] >= 0]).astype(np.int64)


def require_faiss() -> None:
    """Raises UserError if it is not installed."""
    try:
        import faiss  # noqa: F401
    except ImportError as error:
        raise UserError(
            "--faiss needs faiss: pip install -r requirements-faiss.txt, or --exact to do without"
        ) from error


def brought_up_to_date(found: Approximate | None, vectors: Vectors, parts: list[slice]) -> Approximate:
    """With all rows in it: those that are new are added, unless they are so many that all is made anew."""
    if found is None or vectors.end > (1 + GROWTH) * found.fitted:
        found = _fitted(vectors, parts)
    for _, rows in vectors.blocks(found.count):
        found.index.add(project(rows, found.parts, found.axes))
    return found


def project(rows: np.ndarray, parts: tuple[slice, ...], axes: tuple[np.ndarray, ...]) -> np.ndarray:
    """Rows along their axes, part beside part. Shape: ``[n, D] -> [n, sum of m_p]`` float32."""
    return np.concatenate([rows[:, part] @ each.T for part, each in zip(parts, axes, strict=True)], axis=1)


def write_approximate(folder: Path, found: Approximate) -> str:
    """Write it whole; the name of its file."""
    import faiss

    name = f"{PREFIX}{uuid.uuid4().hex}.npz"
    arrays = {f"axes{i}": axes for i, axes in enumerate(found.axes)}
    arrays["parts"] = np.array([(part.start, part.stop) for part in found.parts])
    arrays["fitted"] = np.array(found.fitted)
    with atomic_path(folder / name) as temporary, temporary.open("wb") as file:
        np.savez(file, index=faiss.serialize_index(found.index), **arrays)
    return name


def read_approximate(path: Path) -> Approximate:
    """Raises OSError, ValueError, KeyError or RuntimeError if it is missing or damaged."""
    import faiss

    with np.load(path, allow_pickle=False) as found:
        parts = tuple(slice(int(start), int(stop)) for start, stop in found["parts"])
        axes = tuple(found[f"axes{i}"] for i in range(len(parts)))
        return Approximate(parts, axes, int(found["fitted"]), faiss.deserialize_index(found["index"]))


def _fitted(vectors: Vectors, parts: list[slice], seed: int = 0) -> Approximate:
    """Axes and centres of the rows there are, and no row yet."""
    import faiss

    axes = principal_axes(vectors, parts, seed)
    width = sum(map(len, axes))
    lists = max(1, vectors.end // ROWS_A_LIST)
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(width), width, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    chosen = np.random.default_rng(seed).choice(vectors.end, min(vectors.end, SAMPLE_A_LIST * lists), replace=False)
    index.cp.seed, index.cp.min_points_per_centroid = seed, 1
    index.train(project(vectors.take(np.sort(chosen)), tuple(parts), tuple(axes)))
    return Approximate(tuple(parts), tuple(axes), vectors.end, index)
