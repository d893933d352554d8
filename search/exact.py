"""The nearest of many vectors, exactly: every row is looked at, or a bound says that it need not be. Or nearly always,
of very many, see :mod:`search.approximate`.

With a :class:`Sketch` a row is first seen through its first principal axes: ``q . x = q1 . x1 + q2 . x2``, and what the
axes do not show, ``q2 . x2``, is at most ``|q2| |x2|`` (Cauchy-Schwarz). A row whose best case is worse than the k-th
answer's true score is none of the answers. The result is that of the full scan, at a fraction of the bytes.
"""

from __future__ import annotations

import numpy as np

from search.approximate import Approximate
from search.sketch import Sketch
from search.vectors import Vectors

ROUNDING = 1e-5  # of a float32 scan, generously
DECIMALS = 7  # of a score: float32 vectors know no more, and equal rows then tie
FEW = 16  # times k: rows whose true score is taken first, to know what the others must reach
SCATTERED = 0.1  # share of rows below which they are read one by one


def nearest(
    vectors: Vectors,
    shortcut: Sketch | Approximate | None,
    query: np.ndarray,
    columns: slice,
    slots: np.ndarray,
    k: int,
) -> tuple[np.ndarray, np.ndarray]:
    """The slots whose rows have the greatest inner product with the query, and it.

    Args:
        shortcut: what spares most of the rows; with an :class:`Approximate` one some of the nearest may be missed, with
            a :class:`Sketch` none.
        query: ``[d]``, against ``columns`` of the rows, all of them with an ``Approximate``.
        slots: ascending; the rows to choose from.

    Returns:
        The slots of the ``k`` greatest, and of all that tie with the last, in no order; their products, float64,
        rounded to ``DECIMALS``.
    """
    if not len(slots) or k < 1:
        return np.empty(0, np.int64), np.empty(0)
    query = np.asarray(query, np.float64)
    if len(slots) <= SCATTERED * vectors.end:
        chosen = _scan_some(vectors, query, columns, slots, k)
    else:
        chosen = _candidates(vectors, shortcut, query, columns, slots, k)
    scores = products(vectors, query, columns, chosen)
    if len(scores) <= k:
        return chosen, scores
    keep = scores >= np.partition(scores, -k)[-k]
    return chosen[keep], scores[keep]


def products(vectors: Vectors, query: np.ndarray, columns: slice, slots: np.ndarray) -> np.ndarray:
    """Inner products in float64, rounded."""
    found = [
        (vectors.take(slots[i : i + 256])[:, columns].astype(np.float64) * query).sum(axis=1)
        for i in range(0, len(slots), 256)
    ]
    return np.round(np.concatenate(found), DECIMALS) if found else np.empty(0)


def _candidates(
    vectors: Vectors,
    shortcut: Sketch | Approximate | None,
    query: np.ndarray,
    columns: slice,
    slots: np.ndarray,
    k: int,
) -> np.ndarray:
    """Slots among which the nearest are."""
    covered = 0 if shortcut is None else int(np.searchsorted(slots, shortcut.count))
    if not covered:
        return _scan(vectors, query, columns, slots, k)
    allowed = None
    if covered != shortcut.count:
        allowed = np.zeros(shortcut.count, bool)
        allowed[slots[:covered]] = True
    if isinstance(shortcut, Sketch):
        first = _within_bound(vectors, shortcut, query, columns, allowed, covered, k)
        if len(first) > SCATTERED * vectors.end:  # the axes say little of these vectors
            return _scan(vectors, query, columns, slots, k)
    else:
        first = shortcut.near(query, allowed, k)
    first = _scan_some(vectors, query, columns, first, k)
    later = slots[covered:]
    return np.concatenate([first, _scan(vectors, query, columns, later, k, shortcut.count)]) if len(later) else first


def _within_bound(
    vectors: Vectors,
    sketch: Sketch,
    query: np.ndarray,
    columns: slice,
    allowed: np.ndarray | None,
    covered: int,
    k: int,
) -> np.ndarray:
    """Of the sketch's rows those that can be among the nearest; ``covered`` are ``allowed``."""
    estimate, slack = sketch.estimate(query, columns)
    best_case = estimate + slack
    if allowed is not None:
        best_case[~allowed] = -np.inf
    first = np.argpartition(best_case, -min(FEW * k, covered))[-min(FEW * k, covered) :]
    if covered < k:
        return first
    reached = products(vectors, query, columns, first)
    floor = np.partition(reached, -min(k, len(reached)))[-min(k, len(reached))] - ROUNDING
    return np.flatnonzero(best_case >= floor)


def _scan(vectors: Vectors, query: np.ndarray, columns: slice, slots: np.ndarray, k: int, start: int = 0) -> np.ndarray:
    """Look at every row from slot ``start`` on; the ``slots`` that can be among the k nearest."""
    single = query.astype(np.float32)
    score = np.empty(vectors.end - start, np.float32)
    for first, rows in vectors.blocks(start):
        np.dot(rows[:, columns], single, out=score[first - start : first - start + len(rows)])
    return _best(score[slots - start], slots, k)


def _scan_some(vectors: Vectors, query: np.ndarray, columns: slice, slots: np.ndarray, k: int) -> np.ndarray:
    single = query.astype(np.float32)
    parts = [vectors.take(slots[i : i + 4096])[:, columns] @ single for i in range(0, len(slots), 4096)]
    return _best(np.concatenate(parts), slots, k)


def _best(score: np.ndarray, slots: np.ndarray, k: int) -> np.ndarray:
    if len(slots) <= k:
        return slots
    return slots[score >= np.partition(score, -k)[-k] - ROUNDING]
