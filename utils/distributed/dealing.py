"""Which drawings of a step's batch are whose. Shares differ by one unit at most and may be empty."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from utils.distributed.world import World


def deal(count: int, world: World) -> np.ndarray:
    """Of ``count`` things that do not depend on each other those of one process."""
    return np.arange(world.rank, count, world.size)


def partner_groups(partner: Tensor) -> list[np.ndarray]:
    """Which graphs must stay together: the pairs (and the ring of three) of :func:`utils.GF_utils.draw_partners`.

    Shape: int64 ``[B]``, a permutation -> its cycles, which hold every position once.
    """
    follows = partner.tolist()
    groups, seen = [], set()
    for start in range(len(follows)):
        group, place = [], start
        while place not in seen:
            seen.add(place)
            group.append(place)
            place = follows[place]
        if group:
            groups.append(np.array(group))
    return groups


def deal_groups(groups: Sequence[np.ndarray], world: World, cost: Sequence[int] | None = None) -> np.ndarray:
    """The members of every ``size``-th group, in ascending order.

    Args:
        cost: of each group; groups of like cost are dealt out evenly.
    """
    order = np.arange(len(groups)) if cost is None else np.argsort(-np.asarray(cost), kind="stable")
    mine = [groups[i] for i in order[world.rank :: world.size]]
    return np.sort(np.concatenate(mine)) if mine else np.empty(0, dtype=np.int64)
