"""The archive by itself: what is there twice, and what belongs together."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isqrt
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from config.errors import UserError
from search.exact import DECIMALS, ROUNDING
from search.filters import NO_FILTERS, Filters
from search.index import Index
from search.model_card import unit
from utils.progress import progress

BLOCK = 1024  # rows compared with all later ones at once


@dataclass(frozen=True)
class Group:
    """Drawings that belong together.

    Attributes:
        ids: near-duplicates by id; a cluster's by how typical they are.
        score: of near-duplicates the least alike pair that was linked; of a cluster the mean to its centre.
        same_bytes: all of them are copies of one file.
    """

    ids: list[str]
    score: float
    same_bytes: bool = False

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def duplicates(
    index: Index, threshold: float, filters: Filters = NO_FILTERS, encoder: str | None = None
) -> list[Group]:
    """Groups of drawings each of which is at least so alike to another of its group; the largest first, then by id.

    Drawings of the same bytes are duplicates whatever any encoder makes of them. Raises as :meth:`Index.query` does.
    """
    encoder = index.model.chosen(encoder)
    slots = index.catalogue.slots((), filters)
    if not len(slots):
        return []
    names = index.names(slots)
    place = {slot: i for i, slot in enumerate(slots.tolist())}
    pairs = _pairs(index, index.slots(encoder, filters), threshold, encoder)
    links = [(place[a], place[b], score) for a, b, score in pairs]
    first: dict[str, int] = {}
    for i, (_, digest) in enumerate(names):
        if digest in first:
            links.append((first[digest], i, 1.0))
        first.setdefault(digest, i)
    if not links:
        return []
    rows, columns, scores = (np.array(each) for each in zip(*links, strict=True))
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(slots),) * 2)
    _, label = connected_components(graph, directed=False)
    least = np.ones(label.max() + 1)
    np.minimum.at(least, label[rows], scores)
    groups = []
    for each in np.unique(label[rows]):
        members = [names[i] for i in np.flatnonzero(label == each)]
        same = len({digest for _, digest in members}) == 1
        groups.append(Group(sorted(name for name, _ in members), 1.0 if same else float(least[each]), same))
    return sorted(groups, key=lambda group: (-len(group.ids), group.ids))


def _pairs(index: Index, slots: np.ndarray, threshold: float, encoder: str):
    """Pairs of slots that score so much, and the score: every pair is looked at, a block with all later rows."""
    columns = index.model.columns(encoder)
    for start in progress(range(0, len(slots), BLOCK), "pairs", unit="block"):
        mine = unit(index.vectors.take(slots[start : start + BLOCK])[:, columns])
        for other in range(start, len(slots), BLOCK):
            theirs = unit(index.vectors.take(slots[other : other + BLOCK])[:, columns])
            row, column = np.nonzero(mine @ theirs.T >= threshold - ROUNDING)
            later = row + start < column + other
            row, column = row[later], column[later]
            exact = np.round((mine[row].astype(np.float64) * theirs[column]).sum(axis=1), DECIMALS)
            for a, b, score in zip(row, column, exact.tolist(), strict=True):
                if score >= threshold:
                    yield int(slots[start + a]), int(slots[other + b]), min(score, 1.0)


def clustered(
    index: Index, number: int = 0, filters: Filters = NO_FILTERS, encoder: str | None = None, seed: int = 0
) -> list[Group]:
    """Groups around centres by k-means of the vectors at length 1; the largest first.

    Args:
        number: of groups; 0 takes the square root of half the drawings.

    Raises:
        UserError: there are fewer drawings than groups, or the model has no such encoder.
    """
    from sklearn.cluster import KMeans, MiniBatchKMeans

    encoder = index.model.chosen(encoder)
    slots = index.slots(encoder, filters)
    number = number or max(1, isqrt(len(slots) // 2))
    if len(slots) < number:
        raise UserError(f"{len(slots)} drawings make no {number} groups: correct --number or the conditions")
    rows = unit(index.vectors.take(slots)[:, index.model.columns(encoder)])
    method = KMeans if len(rows) <= 10_000 else MiniBatchKMeans
    found = method(number, random_state=seed, n_init=3).fit(rows)
    alike = (rows * unit(found.cluster_centers_)[found.labels_]).sum(axis=1)
    ids = [name for name, _ in index.names(slots)]
    groups = []
    for label in np.unique(found.labels_):
        members = np.flatnonzero(found.labels_ == label)
        typical = sorted(members.tolist(), key=lambda i: (-round(float(alike[i]), 6), ids[i]))
        groups.append(Group([ids[i] for i in typical], round(float(alike[members].mean()), 6)))
    return sorted(groups, key=lambda group: (-len(group.ids), group.ids))
