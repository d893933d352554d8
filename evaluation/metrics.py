"""How good a ranking is: mAP@k, Recall@k, NDCG@k, Recall@1 and MRR of one query, ties dealt with exactly.

Drawings that are equally similar to the query come in no order of their own; an order that the archive happens to have
must not decide the score. So every metric is its expectation over all orders of the tied drawings, in closed form
(McSherry and Najork, "Computing information retrieval performance measures efficiently in the presence of tied
scores", ECIR 2008). It needs no random numbers, and a method that says nothing scores exactly what chance gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ranking:
    """The answers to one query, best first, in blocks of equally similar ones.

    Arrays ``[N]``, one value a rank: ``start`` (first rank of its block), ``size`` (answers in the block), ``relevant``
    (relevant ones in the block), ``before`` (relevant ones in earlier blocks).
    """

    start: np.ndarray
    size: np.ndarray
    relevant: np.ndarray
    before: np.ndarray

    @classmethod
    def of(cls, similarities: np.ndarray, relevant: np.ndarray) -> Ranking:
        """From a query's similarity to every answer and whether that one is relevant, both ``[N]``.

        Raises:
            ValueError: nothing is relevant, or a similarity is NaN.
        """
        if not relevant.any():
            raise ValueError("a query without a relevant answer has no score")
        if np.isnan(similarities).any():
            raise ValueError("a similarity is NaN")
        order = np.argsort(-similarities, kind="stable")
        ordered = similarities[order]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        sizes = np.diff(starts, append=len(ordered))
        hits = np.add.reduceat(relevant[order].astype(np.int64), starts)
        return cls(*(np.repeat(values, sizes) for values in (starts, sizes, hits, np.cumsum(hits) - hits)))

    @property
    def total(self) -> int:
        """Relevant answers in all."""
        return int(self.before[-1] + self.relevant[-1])

    @property
    def chance(self) -> np.ndarray:
        """The chance that a rank holds a relevant answer ``[N]``; 0 or 1 without ties."""
        return self.relevant / self.size


def average_precision(ranking: Ranking, k: int) -> float:
    """AP@k: the mean over the relevant ranks up to k of the precision there, divided by min(k, relevant)."""
    rank = np.arange(min(k, len(ranking.size)))
    size, relevant = ranking.size[rank], ranking.relevant[rank]
    # given that this rank is relevant: how many of the tied ones before it are
    tied = (rank - ranking.start[rank]) * (relevant - 1) / np.maximum(size - 1, 1)
    precision = (ranking.before[rank] + 1 + tied) / (rank + 1)
    return float((ranking.chance[rank] * precision).sum() / min(k, ranking.total))


def recall(ranking: Ranking, k: int) -> float:
    """Recall@k: relevant answers among the first k, divided by min(k, relevant), the most there can be.

    The cap ("capped recall", Thakur et al., BEIR, 2021, appendix) matters for groups of more than k + 1 drawings only.
    Recall@1 is thereby the share of queries whose first answer is right, as in metric learning.
    """
    return float(ranking.chance[:k].sum() / min(k, ranking.total))


def ndcg(ranking: Ranking, k: int) -> float:
    """NDCG@k with gain 1 for a relevant answer and discount 1 / log2(1 + rank) (Järvelin and Kekäläinen, 2002)."""
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    chance = ranking.chance[:k]
    return float((chance * discount[: len(chance)]).sum() / discount[: min(k, ranking.total)].sum())


def reciprocal_rank(ranking: Ranking) -> float:
    """1 / rank of the first relevant answer; its mean over queries is the MRR."""
    first = int(np.argmax(ranking.relevant > 0))
    start, size, relevant = (int(values[first]) for values in (ranking.start, ranking.size, ranking.relevant))
    place = np.arange(size - relevant + 1)  # where in its block the first relevant answer can stand
    none_yet = np.cumprod(np.concatenate([[1.0], (size - place[:-1] - relevant) / (size - place[:-1])]))
    return float((none_yet * relevant / (size - place) / (start + place + 1)).sum())


def group_metrics(ranking: Ranking, k: int) -> dict[str, float]:
    """The metrics of a query whose answers are the other drawings of its group."""
    return {
        f"mAP@{k}": average_precision(ranking, k),
        f"Recall@{k}": recall(ranking, k),
        f"NDCG@{k}": ndcg(ranking, k),
        "Recall@1": recall(ranking, 1),
    }


def original_metrics(ranking: Ranking, k: int) -> dict[str, float]:
    """The metrics of a query that has one answer: the drawing that it was edited from."""
    return {"Recall@1": recall(ranking, 1), "MRR": reciprocal_rank(ranking), f"Recall@{k}": recall(ranking, k)}
