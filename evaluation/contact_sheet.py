"""What the numbers mean, to look at: queries with their first answers, right ones framed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import chain, zip_longest

import numpy as np

from evaluation.evaluation import Evaluation
from evaluation.scoring import answers

ANSWERS = 10


@dataclass(frozen=True)
class Shown:
    """A drawing on the sheet; ``right`` is None for a query."""

    name: str
    picture: np.ndarray | None
    right: bool | None = None


@dataclass(frozen=True)
class Row:
    """One query with one method's first answers."""

    method: str
    score: str
    query: Shown
    answers: list[Shown]


def contact_sheet(evaluation: Evaluation, count: int) -> list[list[Row]]:
    """A list of rows a query, one row a method: the model, then the best baseline.

    Queries are dealt evenly: the first of every independent group, then the second, until there are ``count``.
    """
    scores = evaluation.by_group
    methods = [evaluation.model, evaluation.best_baseline(scores, evaluation.headline)]
    looks = [look.picture for look in evaluation.archive.looks()]
    sheet = []
    for position in _dealt(scores.clusters, count):
        query = scores.queries[position]
        right = set(query.relevant.tolist())
        shown = Shown(evaluation.archive.names[query.drawing], looks[query.drawing])
        rows = []
        for method in methods:
            found = answers(evaluation.vectors[method], query.drawing, ANSWERS)
            value = scores.values[method][evaluation.headline][position]
            given = [Shown(evaluation.archive.names[i], looks[i], i in right) for i in found.tolist()]
            rows.append(Row(method, f"AP@{evaluation.k} {value:.2f}", shown, given))
        sheet.append(rows)
    return sheet


def _dealt(clusters: np.ndarray, count: int) -> list[int]:
    """Positions of up to ``count`` queries, dealt over the clusters, in their own order."""
    piles = defaultdict(list)
    for position, cluster in enumerate(clusters.tolist()):
        piles[cluster].append(position)
    dealt = [position for position in chain.from_iterable(zip_longest(*piles.values())) if position is not None]
    return sorted(dealt[:count])
