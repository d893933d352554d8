"""Which drawings of a step's batch are whose: every process gets about as much work, some perhaps none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from utils.distributed.world import World


def deal(costs: Sequence[float], world: World) -> np.ndarray:
    """Of things that do not depend on each other those of one process, in ascending order.

    The most costly first, each to whoever has least to do so far (Graham 1969): nobody then has more than the mean and
    one thing. Every process finds the same.
    """
    loads, mine = [0.0] * world.size, []
    for i in np.argsort(-np.asarray(costs, dtype=np.float64), kind="stable"):
        least = loads.index(min(loads))
        loads[least] += costs[i]
        if least == world.rank:
            mine.append(i)
    return np.sort(np.array(mine, dtype=np.int64))


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


def members(groups: Sequence[np.ndarray], chosen: np.ndarray) -> np.ndarray:
    """What the chosen groups hold, in ascending order."""
    return np.sort(np.concatenate([groups[i] for i in chosen])) if len(chosen) else np.empty(0, dtype=np.int64)
