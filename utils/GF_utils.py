"""Small tools of the GF side: which nodes exist, corrupted views of graphs, random partners."""

from __future__ import annotations

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
    features: Tensor, adjacency: Tensor, present: Tensor, feature_drop: float, edge_drop: float
) -> tuple[Tensor, Tensor]:
    """A corrupted copy of each graph, features and edges of the *same* graph; the inputs stay as they are.

    Shape: ``features [B, N, F]``, ``adjacency [B, N, N]``, ``present [B, N]`` -> new features, new adjacency.
    """
    return drop_features(features, feature_drop), change_edges(adjacency, present, edge_drop)


def drop_features(features: Tensor, rate: float) -> Tensor:
    """Zero whole feature columns, drawn anew for each graph (GRACE: Zhu et al. 2020, section 3.2).

    Shape: ``[B, N, F]`` -> ``[B, N, F]``.
    """
    batch, _, width = features.shape
    keep = torch.rand(batch, 1, width, device=features.device) >= rate
    return features * keep


def change_edges(adjacency: Tensor, present: Tensor, rate: float) -> Tensor:
    """Drop each edge with probability ``rate`` and add new ones, half as many on average.

    CGMN's ``aug_random_edge``: new edges join present nodes that were not adjacent, each such pair with the same
    probability; where too few pairs are left all of them are joined.

    Shape: ``adjacency [B, N, N]`` (0/1, symmetric, no self loops), ``present [B, N]`` -> ``[B, N, N]`` of that kind.
    """
    edge = adjacency.triu(1) > 0  # [B, N, N], each undirected edge once
    pair = (present[:, :, None] & present[:, None, :]).triu(1)
    free = pair & (adjacency == 0)
    wanted = rate / 2 * edge.sum(dim=(1, 2))  # [B]
    add_rate = wanted / free.sum(dim=(1, 2)).clamp(min=1)
    chance = torch.rand(adjacency.shape, device=adjacency.device)  # edge and free are disjoint: one draw serves both
    upper = (edge & (chance >= rate)) | (free & (chance < add_rate[:, None, None]))
    return (upper | upper.transpose(1, 2)).to(adjacency.dtype)


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
