"""From a method's vectors to its scores: similarities, rankings, means, intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, issparse

from evaluation.intervals import bootstrap_means, interval
from evaluation.metrics import Ranking
from evaluation.queries import Query

Vectors = np.ndarray | csr_array  # [N, D], a row a drawing
Metrics = Callable[[Ranking, int], dict[str, float]]

DECIMALS = 7  # of a cosine: what differs by less does so by rounding, and is a tie
BLOCK = 256  # queries whose similarities are in memory at once


def similarities(vectors: Vectors, queries: Sequence[int]) -> Iterator[np.ndarray]:
    """The cosine of each query's vector with all drawings' ``[N]``.

    A zero vector is like nothing (0). A row of NaN is a drawing of which the method can say nothing: it comes last,
    behind what is as unlike as can be, and as a query it ranks nothing. The query itself is -inf, behind all.
    """
    if issparse(vectors):
        lengths = np.sqrt(vectors.multiply(vectors).sum(axis=1))
        unit = csr_array(vectors.multiply(1 / np.where(lengths > 0, lengths, 1)[:, None]))
        silent = np.zeros(vectors.shape[0], dtype=bool)
    else:
        silent = np.isnan(vectors).any(axis=1)
        known = np.where(silent[:, None], 0.0, vectors).astype(np.float64)
        lengths = np.linalg.norm(known, axis=1, keepdims=True)
        unit = known / np.where(lengths > 0, lengths, 1)
    for first in range(0, len(queries), BLOCK):
        block = np.asarray(queries[first : first + BLOCK])
        product = unit[block] @ unit.T
        cosines = np.round(product.toarray() if issparse(product) else product, DECIMALS) + 0.0  # -0 to 0
        cosines[:, silent] = -2.0
        cosines[silent[block]] = -2.0
        cosines[np.arange(len(block)), block] = -np.inf
        yield from cosines


def score_queries(vectors: Vectors, queries: Sequence[Query], metrics: Metrics, k: int) -> dict[str, np.ndarray]:
    """Every metric of every query, ``[Q]`` each."""
    rows = []
    for query, row in zip(queries, similarities(vectors, [query.drawing for query in queries]), strict=True):
        relevant = np.zeros(len(row), dtype=bool)
        relevant[query.relevant] = True
        rows.append(metrics(Ranking.of(row, relevant), k))  # the query itself comes last, and is not relevant
    return {name: np.array([row[name] for row in rows]) for name in (rows[0] if rows else ())}


def answers(vectors: Vectors, query: int, count: int) -> np.ndarray:
    """The first answers to a query, best first; ties in archive order."""
    row = next(similarities(vectors, [query]))
    return np.argsort(-row, kind="stable")[: min(count, len(row) - 1)]


@dataclass(frozen=True)
class Scores:
    """What all methods reach on one set of queries.

    ``values`` holds, by method and metric, one value a query ``[Q]``.
    """

    queries: Sequence[Query]
    values: dict[str, dict[str, np.ndarray]]

    @property
    def metrics(self) -> list[str]:
        return list(next(iter(self.values.values())))

    @property
    def clusters(self) -> np.ndarray:
        return np.array([query.cluster for query in self.queries])

    def means(self, chosen: np.ndarray | slice = slice(None)) -> dict[str, dict[str, float]]:
        """By method and metric, the mean over all or the chosen queries."""
        return {
            method: {metric: float(values[chosen].mean()) for metric, values in metrics.items()}
            for method, metrics in self.values.items()
        }

    def intervals(self) -> dict[str, dict[str, tuple[float, float] | None]]:
        """By method and metric, where the mean may lie; None where there are no two clusters to draw from."""
        if len(np.unique(self.clusters)) < 2:
            return {method: dict.fromkeys(self.metrics) for method in self.values}
        draws = {
            metric: bootstrap_means(np.stack([v[metric] for v in self.values.values()]), self.clusters)
            for metric in self.metrics
        }
        return {
            method: {metric: interval(draws[metric][row]) for metric in self.metrics}
            for row, method in enumerate(self.values)
        }

    def difference(self, method: str, other: str, metric: str) -> tuple[float, tuple[float, float] | None]:
        """How much better one method is than another, and where this may lie by the same draws for both."""
        gain = self.values[method][metric] - self.values[other][metric]
        if len(np.unique(self.clusters)) < 2:
            return float(gain.mean()), None
        return float(gain.mean()), interval(bootstrap_means(gain[None], self.clusters)[0])

    def by_label(self) -> dict[object, np.ndarray]:
        """The queries ``[q]`` of each label, in the order of the labels."""
        labels = sorted({label for query in self.queries for label in query.labels})
        return {
            label: np.array([i for i, query in enumerate(self.queries) if label in query.labels]) for label in labels
        }
