"""Small tools of the GF side: which nodes exist, corrupted views of graphs, dropout masks, random partners.

What is random in a forward comes in as tensors, so that folds that train side by side can each bring their own.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor


def present_nodes(features: Tensor) -> Tensor:
    """Which nodes take part: those whose feature row is not all zero.

    A drawing holds few of the ten entity classes; 39 % of the nodes of real graphs are absent.
    Shape: ``[B, N, F]`` -> bool ``[B, N]``.
    """
    return (features != 0).any(dim=-1)


def make_view(
    features: Tensor,
    adjacency: Tensor,
    present: Tensor,
    feature_drop: float,
    edge_drop: float,
    column_chance: Tensor,
    edge_chance: Tensor,
) -> tuple[Tensor, Tensor]:
    """A corrupted copy of each graph, features and edges of the *same* graph; the inputs stay as they are.

    Shape: ``features [B, N, F]``, ``adjacency [B, N, N]``, ``present [B, N]``, uniform in [0, 1) ``column_chance
    [B, F]`` and ``edge_chance [B, N, N]`` -> new features, new adjacency.
    """
    view = drop_features(features, feature_drop, column_chance)
    return view, change_edges(adjacency, present, edge_drop, edge_chance)


def drop_features(features: Tensor, rate: float, chance: Tensor) -> Tensor:
    """Zero whole feature columns, other ones in each graph (GRACE: Zhu et al. 2020, section 3.2).

    Shape: ``features [B, N, F]``, ``chance [B, F]`` uniform in [0, 1) -> ``[B, N, F]``.
    """
    return features * (chance >= rate).to(features.dtype)[:, None, :]


def change_edges(adjacency: Tensor, present: Tensor, rate: float, chance: Tensor) -> Tensor:
    """Drop each edge with probability ``rate`` and add new ones, half as many on average.

    CGMN's ``aug_random_edge``: new edges join present nodes that were not adjacent, each such pair with the same
    probability; where too few pairs are left all of them are joined.

    Shape: ``adjacency [B, N, N]`` (0/1, symmetric, no self loops), ``present [B, N]``, ``chance [B, N, N]`` uniform in
    [0, 1), of which the upper triangle counts -> ``[B, N, N]`` of the adjacency's kind.
    """
    edge = adjacency.triu(1) > 0  # [B, N, N], each undirected edge once
    pair = (present[:, :, None] & present[:, None, :]).triu(1)
    free = pair & (adjacency == 0)
    wanted = rate / 2 * edge.sum(dim=(1, 2))  # [B]
    add_rate = wanted / free.sum(dim=(1, 2)).clamp(min=1)
    upper = (edge & (chance >= rate)) | (free & (chance < add_rate[:, None, None]))  # disjoint: one draw serves both
    return (upper | upper.transpose(1, 2)).to(adjacency.dtype)


def draw_kept(shape: tuple[int, ...], rate: float, device: torch.device) -> Tensor:
    """Dropout's mask: bool of ``shape``, false with probability ``rate`` (to 1 in 65,536), by torch's generator.

    Four cells share one 64-bit random number: on a CPU a third of what ``torch.rand`` costs, a seventh of
    ``bernoulli_``, and masks were a sixth of a training step.
    """
    cells = math.prod(shape)
    bits = torch.empty(-(-cells // 4), dtype=torch.int64, device=device).random_(-(2**63), None).view(torch.int16)
    least = round(rate * 2**16) - 2**15
    if device.type == "cpu":  # numpy compares ten times as fast
        return torch.from_numpy(bits.numpy() >= least)[:cells].view(shape)
    return (bits[:cells] >= least).view(shape)


def draw_partners(count: int, rng: np.random.Generator) -> Tensor:
    """Pair ``count`` graphs at random: ``partner[i]`` is the other graph of graph ``i``.

    Pairs are mutual; an odd count ends in one cycle of three. No graph is its own partner and each is one exactly once.

    Shape: int64 ``[count]``.

    Raises:
        ValueError: fewer than two graphs.
    """
    if count < 2:
        raise ValueError(f"a graph needs a partner; {count} graph(s) cannot be paired")
    order = rng.permutation(count)
    partner = np.empty(count, dtype=np.int64)
    paired = count - 3 if count % 2 else count
    partner[order[0:paired:2]] = order[1:paired:2]
    partner[order[1:paired:2]] = order[0:paired:2]
    partner[order[paired:]] = np.roll(order[paired:], 1)
    return torch.from_numpy(partner)
