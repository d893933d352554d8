"""Node matching between two graphs (CGMN: Jin et al., IJCAI 2022, sections 3.3 and 3.4), a batch at a time."""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.contrastive import cosines
from model.precision import full_precision


def attend(nodes: Tensor, others: Tensor, others_present: Tensor) -> Tensor:
    """What each node sees in the other graph: its nodes' mean, weighted by their cosine similarity.

    A negative cosine counts as 0, so that the weights are a true mean and their sum cannot vanish by cancellation
    (encoder outputs are never negative; for them it changes nothing). Absent nodes weigh nothing; a node that is like
    no other, such as an all-zero one, sees the zero vector.

    Shape: ``nodes [B, N, D]``, ``others [B, M, D]``, ``others_present [B, M]`` -> float32 ``[B, N, D]``.
    """
    with full_precision(nodes):
        weight = F.relu(cosines(nodes, others)) * others_present[:, None, :]  # [B, N, M]
        weight = weight / weight.sum(dim=-1, keepdim=True).clamp(min=1e-6)
        return weight @ others.float()


def fuse(nodes: Tensor, others: Tensor, others_present: Tensor) -> Tensor:
    """Each node plus what it sees in the other graph; it has no parameters and keeps the shape ``[B, N, D]``."""
    return nodes + attend(nodes, others, others_present)


class DenseGraphMatching(nn.Module):
    """Compare each node with what it sees in the other graph, from several learned perspectives.

    ``concat``: a linear layer on the two vectors side by side. ``bilinear``: one bilinear form a perspective.

    Args:
        width: size of a node vector.
        perspectives: outputs per node.
    """

    def __init__(self, width: int, perspectives: int, match: Literal["concat", "bilinear"]) -> None:
        super().__init__()
        self.match = match
        shape = (perspectives, 2 * width) if match == "concat" else (perspectives, width, width)
        self.weight = nn.Parameter(torch.empty(shape))
        self.bias = nn.Parameter(torch.empty(perspectives))
        bound = 1 / math.sqrt(shape[1])  # as nn.Linear and nn.Bilinear start
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, nodes: Tensor, others: Tensor, others_present: Tensor) -> Tensor:
        """Shape: ``nodes [B, N, D]``, ``others [B, M, D]``, ``others_present [B, M]`` -> ``[B, N, perspectives]``."""
        seen = attend(nodes, others, others_present).to(nodes.dtype)  # [B, N, D]
        if self.match == "concat":
            return F.linear(torch.cat([nodes, seen], dim=-1), self.weight, self.bias)
        products = (nodes[..., :, None] * seen[..., None, :]).flatten(-2)  # [B, N, D * D]
        return F.linear(products, self.weight.flatten(1), self.bias)
