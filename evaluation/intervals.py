"""How far a score would move with other groups: bootstrap intervals.

The queries of one group are not independent: they ask for each other. So whole groups are drawn again, not queries
(cluster bootstrap, Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8).
"""

from __future__ import annotations

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95


def bootstrap_means(values: np.ndarray, clusters: np.ndarray, seed: int = 0) -> np.ndarray:
    """The means of values over the queries of clusters drawn with replacement, as many as there are.

    All rows see the same draws, so that the difference of two rows is a paired one.

    Args:
        values: ``[M, Q]``, a row a method, a column a query.
        clusters: ``[Q]``, which cluster a query belongs to.

    Returns:
        ``[M, RESAMPLES]``.
    """
    _, cluster, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    count = len(sizes)
    sums = np.stack([np.bincount(cluster, weights=row, minlength=count) for row in values])  # [M, C]
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=RESAMPLES)  # [R, C]
    return (sums @ draws.T) / (sizes @ draws.T)


def interval(means: np.ndarray) -> tuple[float, float]:
    """The middle ``LEVEL`` of bootstrap means (percentile method)."""
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
