"""Pairs of things that are equal or near, found by sorting and in trees."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

NEIGHBOURS = 8  # of a point among its like, so that copies on top of each other find a partner each


def hashed(rows: np.ndarray) -> np.ndarray:
    """One int64 for equal rows."""
    mixed = np.zeros(len(rows), dtype=np.uint64)
    for column in rows.T:
        mixed = (mixed ^ column.astype(np.int64).astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed.astype(np.int64)


def same_rows(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pairs of equal rows ``[P, 2]``; of equal ones the first with the first, the second with the second."""
    _, inverse = np.unique(np.concatenate([a, b]), axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    keys = []
    for part in (inverse[: len(a)], inverse[len(a) :]):
        order = np.argsort(part, kind="stable")
        ranks = np.empty(len(part), np.int64)
        ordered = part[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=-1))
        ranks[order] = np.arange(len(part)) - np.repeat(starts, np.diff(starts, append=len(part)))
        keys.append(part * (len(inverse) + 1) + ranks)
    _, i, j = np.intersect1d(*keys, return_indices=True)
    return np.column_stack([i, j])


def nearest_pairs(a: np.ndarray, b: np.ndarray, reach: float, norm: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Index pairs of points within reach, each of ``a`` with its few nearest of ``b``, and their distances."""
    k = min(NEIGHBOURS, len(b))
    distance, nearest = cKDTree(b).query(a, k=k, p=norm, distance_upper_bound=reach)
    distance, nearest = distance.reshape(len(a), k), nearest.reshape(len(a), k)
    i, column = np.nonzero(np.isfinite(distance))
    order = np.argsort(distance[i, column], kind="stable")
    i, column = i[order], column[order]
    return i, nearest[i, column], distance[i, column]


def one_each(i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Of pairs, the best first, those whose two are not taken yet: positions."""
    taken_i: set[int] = set()
    taken_j: set[int] = set()
    chosen = []
    for position, (first, second) in enumerate(zip(i.tolist(), j.tolist(), strict=True)):
        if first not in taken_i and second not in taken_j:
            taken_i.add(first)
            taken_j.add(second)
            chosen.append(position)
    return np.array(chosen, dtype=np.int64)
