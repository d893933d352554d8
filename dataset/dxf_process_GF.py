"""GF's view of a drawing: ten entity classes, who overlaps whom, and which follow each other in drawing order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import shapely

from dataset.content import Content
from dataset.entities import GF_CLASSES
from dataset.extents import drawing_extents

N_CLASSES = len(GF_CLASSES)

Overlap = Literal["cross", "intersects"]

TOLERANCE = 1e-6  # of the sheet's larger side: what differs in the last digits after a rotation still touches
PAIRS_AT_ONCE = 4_000_000  # bounds the memory of a sheet on which everything meets everything


def gf_counts(types: np.ndarray, boxes: np.ndarray, overlap: Overlap = "cross") -> np.ndarray:
    """Count free entities and overlapping pairs by class.

    Two entities overlap when their closed boxes touch or cross and, for ``cross``, neither contains the other (equal
    boxes contain each other). For ``intersects`` the boxes share a point. An entity without a box is free. Only the ten
    GF classes count, on both sides. All comparisons have a tolerance of ``TOLERANCE`` times the sheet's larger side.

    Args:
        types: ``[N]`` indices into ``entities.DEEPDXF_TYPES``.
        boxes: ``[N, 4]`` min_x, min_y, max_x, max_y, NaN where an entity shows nothing.

    Returns:
        ``[10, 11]`` int64. Row i: column 0 the entities of class i that overlap no other entity, column 1 zero, columns
        2..10 the overlapping pairs with each other class in the fixed order.
    """
    tolerance = TOLERANCE * drawing_extents(boxes).side
    known = types < N_CLASSES
    types, boxes = types[known], boxes[known]
    overlapped = np.zeros(len(types), dtype=bool)
    pairs = np.zeros((N_CLASSES, N_CLASSES), dtype=np.int64)
    for first, second in overlapping_pairs(boxes, overlap, tolerance):
        overlapped[first] = True
        overlapped[second] = True
        np.add.at(pairs, (types[first], types[second]), 1)
    pairs += pairs.T  # each pair was found once; the diagonal is not used
    counts = np.zeros((N_CLASSES, N_CLASSES + 1), dtype=np.int64)
    counts[:, 0] = np.bincount(types[~overlapped], minlength=N_CLASSES)
    counts[:, 2:] = pairs[~np.eye(N_CLASSES, dtype=bool)].reshape(N_CLASSES, N_CLASSES - 1)
    return counts


def overlapping_pairs(
    boxes: np.ndarray, overlap: Overlap = "cross", tolerance: float = 0.0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Every overlapping pair of boxes once, in slices: index arrays ``first < second``, both ``[M]``."""
    seen = np.flatnonzero(~np.isnan(boxes[:, 0]))
    boxes = boxes[seen]
    tree = shapely.STRtree(shapely.box(*boxes.T))
    grown = boxes + tolerance * np.array((-1.0, -1.0, 1.0, 1.0))
    step = max(1, PAIRS_AT_ONCE // max(1, len(boxes)))
    for start in range(0, len(boxes), step):
        first, second = tree.query(shapely.box(*grown[start : start + step].T))
        first += start
        keep = first < second
        if overlap == "cross":
            keep &= ~_contains(grown[first], boxes[second]) & ~_contains(grown[second], boxes[first])
        yield seen[first[keep]], seen[second[keep]]


def _contains(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Row by row: does the closed box ``outer`` contain ``inner``? ``[M, 4], [M, 4] -> [M]``."""
    return (outer[:, :2] <= inner[:, :2]).all(axis=1) & (outer[:, 2:] >= inner[:, 2:]).all(axis=1)


def gf_edge_counts(types: np.ndarray) -> np.ndarray:
    """Count the neighbours of different classes in drawing order.

    Entities that belong to no GF class are taken out first, so two LINEs with a SOLID between them are neighbours.

    Args:
        types: ``[N]`` indices into ``entities.DEEPDXF_TYPES``, in drawing order.

    Returns:
        ``[10, 10]`` int64, symmetric, zero on the diagonal.
    """
    types = types[types < N_CLASSES]
    edges = np.zeros((N_CLASSES, N_CLASSES), dtype=np.int64)
    np.add.at(edges, (types[:-1], types[1:]), 1)
    edges += edges.T
    np.fill_diagonal(edges, 0)
    return edges


def gf_features(counts: np.ndarray) -> np.ndarray:
    """Normalise counts: column 0 by its sum over the classes, columns 1..10 of each row by that row's sum.

    A sum of zero leaves zeros. ``[10, 11]`` int64 -> ``[10, 11]`` float32.
    """
    features = counts.astype(np.float64)
    free = features[:, :1].sum()
    pairs = features[:, 1:].sum(axis=1, keepdims=True)
    features[:, :1] /= free or 1.0
    features[:, 1:] /= np.where(pairs == 0.0, 1.0, pairs)
    return features.astype(np.float32)


def gf_adjacency(edge_counts: np.ndarray) -> np.ndarray:
    """Which classes follow each other at all: ``[10, 10]`` uint8 without self loops."""
    return (edge_counts > 0).astype(np.uint8)


def gf_graph(content: Content, overlap: Overlap = "cross") -> tuple[np.ndarray, np.ndarray] | None:
    """The raw counts ``[10, 11]`` and edge counts ``[10, 10]`` of a drawing; None if it has no GF class entity."""
    if not (content.types < N_CLASSES).any():
        return None
    return gf_counts(content.types, content.boxes, overlap), gf_edge_counts(content.types)
