"""Pictures to vectors, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from evaluation.archive import Archive
from utils.progress import progress


def of_pictures(archive: Archive, describe: Callable[[np.ndarray], np.ndarray], name: str) -> list[np.ndarray | None]:
    """``describe`` of every drawing's picture, uint8 ``[S, S]``; None for a drawing without one."""
    looks = progress(archive.looks(), name, total=len(archive))
    return [describe(look.picture) for look in looks]


def stacked(vectors: Sequence[np.ndarray | None]) -> np.ndarray:
    """``[N, D]`` from vectors ``[D]``, a row of NaN for None."""
    size = max((len(vector) for vector in vectors if vector is not None), default=1)
    return np.stack([np.full(size, np.nan) if vector is None else vector for vector in vectors])
