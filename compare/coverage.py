"""Which strokes of two drawings lie on each other, whatever entities they belong to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from compare.alignment import as_points
from compare.figure import Figure


class Ground(NamedTuple):
    """The strokes of one drawing: ``[S, 4]``, the entity of each ``[S]``, and which entities are without a partner."""

    strokes: np.ndarray
    owner: np.ndarray
    free: np.ndarray


def strokes_met(left: Ground, right: Ground, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Which strokes of each drawing's free entities lie on strokes of the other's: bool ``[S]`` and ``[T]``."""
    met = tuple(_on_points(*each, reach) for each in ((left, right), (right, left)))
    _meet_curves(left, right, *met, reach)
    return met


def _on_points(one: Ground, other: Ground, reach: float) -> np.ndarray:
    """Strokes that end where one of the other drawing does."""
    met = np.zeros(len(one.strokes), bool)
    asked, among = np.flatnonzero(one.free[one.owner]), np.flatnonzero(other.free[other.owner])
    if len(asked) and len(among):
        tree = cKDTree(as_points(other.strokes[among]))
        distance, _ = tree.query(as_points(one.strokes[asked]), distance_upper_bound=2 * reach)
        met[asked] = np.isfinite(distance)
    return met


def _meet_curves(left: Ground, right: Ground, met_left: np.ndarray, met_right: np.ndarray, reach: float) -> None:
    """One arc can be cut into strokes in two ways, by where it starts and by rounding: the ends and middles of its
    strokes then lie beside those of the other way, by 3 % of their length. Adds to what is met."""
    sides = (left, met_left), (right, met_right)
    open_strokes = [_curved(one.strokes, one.owner) & one.free[one.owner] & ~met for one, met in sides]
    if not all(each.any() for each in open_strokes):
        return
    along = np.linspace(0.0, 1.0, 9)[:, None, None]
    trees = []
    for (one, _), chosen in zip(sides, open_strokes, strict=True):
        ends = one.strokes[chosen].reshape(-1, 2, 2)
        trees.append(cKDTree((ends[:, 0] * (1 - along) + ends[:, 1] * along).reshape(-1, 2)))
    for (one, met), chosen, tree in zip(sides, open_strokes, trees[::-1], strict=True):
        ends = one.strokes[chosen].reshape(-1, 2, 2)
        length = np.hypot(*(ends[:, 1] - ends[:, 0]).T)
        asked = np.stack([ends[:, 0], ends.mean(axis=1), ends[:, 1]], axis=1)  # [n, 3, 2]
        distance, _ = tree.query(asked)
        # between two of the nine points of a stroke lies an eighth of it
        met[chosen] = (distance <= (0.075 * length + reach)[:, None]).all(axis=1)


def _curved(strokes: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Which strokes are part of a curve: they go on into another of their entity, turning a little. Bool ``[S]``."""
    delta = strokes[:, 2:] - strokes[:, :2]
    length = np.hypot(delta[:, 0], delta[:, 1])
    angle = np.arctan2(delta[:, 1], delta[:, 0])
    turn = np.abs((np.diff(angle) + np.pi) % (2 * np.pi) - np.pi)
    gap = np.hypot(*(strokes[1:, :2] - strokes[:-1, 2:]).T)
    joined = (owner[1:] == owner[:-1]) & (gap <= 1e-3 * length[1:]) & (turn > 0.01) & (turn < 0.3)
    flags = np.zeros(len(strokes), bool)
    flags[1:] |= joined
    flags[:-1] |= joined
    return flags


def said_by_others(one: Figure, asked: np.ndarray, other: Figure, among: np.ndarray) -> np.ndarray:
    """Which of the entities asked for say nothing that none of the other drawing's says: bool ``[N]``."""
    known = {text for entity in np.flatnonzero(among).tolist() for text in other.texts[entity]}
    met = np.ones(len(one), bool)
    for entity in np.flatnonzero(asked).tolist():
        met[entity] = known.issuperset(one.texts[entity])
    return met
