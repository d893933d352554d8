"""Filled areas as R12 writes them: triangles instead of a hatch or of what a block fills, and instead of an arrow; a
block of lines instead of a pattern."""

from __future__ import annotations

import numpy as np
import shapely
from scipy.spatial import cKDTree

from compare.spellings import ROUGHLY, Side
from dataset.entities import TYPE_INDEX
from dataset.strokes import Ink

SOLID, LEADER, HATCH, INSERT = (TYPE_INDEX[name] for name in ("SOLID", "LEADER", "HATCH", "INSERT"))
UNREACHED = 0.25  # of a hatch's size: the lines of a pattern end that far before its edge, at most
AT_ONCE = 2_000_000  # points times edges


def find_tiles(one: Side, other: Side, reach: float) -> None:
    """Mark the free SOLIDs of ``one`` as drawn that lie inside what the other drawing fills, whatever entity does, and
    those that are the arrow of one of its leaders."""
    solids = np.flatnonzero(one.free & (one.figure.types == SOLID))
    if len(solids):
        one.is_drawn(solids[_inside_fills(one, solids, other, reach) | _arrows(one, solids, other, reach)])


def find_patterns(one: Side, other: Side, reach: float) -> None:
    """Mark the free HATCHes of ``one``, and INSERTs that fill something, as drawn that an INSERT of the other drawing
    without an equal fills, and that; what else the INSERTs show must be drawn on both sides."""
    inserts = np.flatnonzero((other.free | other.drawn) & (other.figure.types == INSERT))
    if not len(inserts):
        return
    for hatch in np.flatnonzero(one.free & np.isin(one.figure.types, [HATCH, INSERT])).tolist():
        box, size = one.shape.boxes[hatch], one.shape.sizes[hatch]
        off = np.abs(other.shape.boxes[inserts] - box).max(axis=1)
        near = inserts[off <= UNREACHED * size + reach].tolist()
        edge = _fill(one, hatch) if near else None
        is_hatch = one.figure.types[hatch] == HATCH
        if edge is None:
            continue
        for insert in near:
            lines = _fill(other, insert, pattern=is_hatch)
            if lines is not None and _in_or_near(lines.reshape(-1, 2), edge, reach + ROUGHLY * size).all():
                one.is_drawn([hatch])
                other.is_drawn([insert])
                break


def _fill(side: Side, entity: int, pattern: bool = False) -> np.ndarray | None:
    """The strokes of what an entity fills. None where it fills nothing, or shows something else that the other drawing
    has not.

    Args:
        pattern: of one that fills nothing take all strokes, for the lines of a pattern.
    """
    mine = np.arange(*np.searchsorted(side.figure.owner, [entity, entity + 1]))
    fills = side.figure.ink[mine] == Ink.FILL
    if not fills.any():
        return side.strokes[mine] if pattern else None
    return side.strokes[mine[fills]] if side.inked[mine[~fills]].all() else None


def _inside_fills(one: Side, solids: np.ndarray, other: Side, reach: float) -> np.ndarray:
    """Which of the SOLIDs lie inside a fill: bool ``[len(solids)]``."""
    inside = np.zeros(len(solids), bool)
    edges = np.flatnonzero((other.figure.ink == Ink.FILL) & (other.figure.types[other.figure.owner] != SOLID))
    if not len(edges):
        return inside
    _, first = np.unique(other.figure.owner[edges], return_index=True)
    ends = other.strokes[edges].reshape(-1, 2, 2)
    low, high = (np.minimum.reduceat(ends.min(axis=1), first), np.maximum.reduceat(ends.max(axis=1), first))
    slack = reach + ROUGHLY * (high - low).max(axis=1)
    boxes = shapely.box(*(low - slack[:, None]).T, *(high + slack[:, None]).T)
    tiles = shapely.box(*one.shape.boxes[solids].T)
    tile, filler = shapely.STRtree(boxes).query(tiles, predicate="covered_by")
    bounds = np.append(first, len(edges))
    for number in np.unique(filler).tolist():
        asked = tile[(filler == number) & ~inside[tile]]
        lines = other.strokes[edges[bounds[number] : bounds[number + 1]]]
        step = max(1, AT_ONCE // (4 * len(lines)))
        for chosen in (asked[at : at + step] for at in range(0, len(asked), step)):
            points = _points(one, solids[chosen])  # [n, 4, 2]
            met = _in_or_near(points.reshape(-1, 2), lines, slack[number])
            inside[chosen] = met.reshape(-1, 4).all(axis=1)
    return inside


def _points(one: Side, solids: np.ndarray) -> np.ndarray:
    """The middle of each SOLID and three points between it and the middles of its first edges ``[n, 4, 2]``."""
    start = np.searchsorted(one.figure.owner, solids)
    edges = one.strokes[start[:, None] + np.arange(3)].reshape(len(solids), 3, 2, 2)
    middle = edges[:, :, 0].mean(axis=1, keepdims=True)
    return np.concatenate([middle, (edges.mean(axis=2) + middle) / 2], axis=1)


def _in_or_near(points: np.ndarray, edges: np.ndarray, slack: float) -> np.ndarray:
    """Which points lie inside an outline by the even-odd rule, or hardly outside. Bool ``[n]``.

    An arc's edge is cut into strokes here and into triangles there, by other steps.
    """
    x, y = points[:, 0, None], points[:, 1, None]
    x0, y0, x1, y1 = edges.T
    rise = np.where(y1 == y0, 1.0, y1 - y0)
    crosses = (y0 > y) != (y1 > y)
    inside = (crosses & (x < x0 + (y - y0) / rise * (x1 - x0))).sum(axis=1) % 2 == 1
    along = np.clip(
        ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / np.maximum((x1 - x0) ** 2 + (y1 - y0) ** 2, 1e-300), 0.0, 1.0
    )
    away = np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0)).min(axis=1)
    return inside | (away <= slack)


def _arrows(one: Side, solids: np.ndarray, other: Side, reach: float) -> np.ndarray:
    """Which of the SOLIDs have their tip where a leader starts, and lie along it: bool ``[len(solids)]``."""
    leaders = np.flatnonzero((other.figure.types == LEADER) & np.isin(np.arange(len(other.figure)), other.figure.owner))
    if not len(leaders):
        return np.zeros(len(solids), bool)
    first = other.strokes[np.searchsorted(other.figure.owner, leaders)]
    start = np.searchsorted(one.figure.owner, solids)
    corners = one.strokes[start[:, None] + np.arange(3), :2]  # [n, 3, 2]
    distance, nearest = cKDTree(first[:, :2]).query(corners)  # [n, 3]
    tip = distance.argmin(axis=1)
    rows = np.arange(len(solids))
    line = first[nearest[rows, tip]]
    way = line[:, 2:] - line[:, :2]
    way = way / np.maximum(np.hypot(*way.T), 1e-300)[:, None]
    back = (corners.sum(axis=1) - corners[rows, tip]) / 2 - corners[rows, tip]  # from the tip to the middle of the back
    length = np.hypot(*back.T)
    return (distance[rows, tip] <= 2 * reach) & ((back * way).sum(axis=1) >= 0.95 * length)
