"""Node matching between two graphs (CGMN: Jin et al., IJCAI 2022, sections 3.3 and 3.4), a batch at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.layers.products import inner_products
from model.precision import full_precision

See = Callable[[Tensor], Tensor]


def attention(nodes: Tensor, others: Tensor, counts: Tensor) -> Tensor:
    """How much each node looks at each node of the other graph: by cosine similarity, one in all.

    A negative cosine counts as 0, so that the weights are those of a true mean and their sum cannot vanish by
    cancellation (encoder outputs are never negative; for them it changes nothing). A node that is like no other, such
    as an all-zero one, looks at none. A node's own length divides all its weights alike and is left out.

    Shape: ``nodes [B, N, D]``, ``others [B, M, D]``, ``counts [B, N or 1, M]``, 1 for pairs that count and else 0 ->
    float32 ``[B, N, M]``.
    """
    with full_precision(nodes):
        same, nodes = others is nodes, nodes.float()
        others = nodes if same else others.float()
        products = inner_products(nodes, others)
        squares = products.diagonal(dim1=-2, dim2=-1) if same else others.square().sum(dim=-1)  # [B, M]
        inverse = squares.clamp(min=1e-12).rsqrt()
        weight = F.relu(products) * (inverse[..., None, :] * counts)
        return weight * weight.sum(dim=-1, keepdim=True).clamp(min=1e-6).reciprocal()


def attend(nodes: Tensor, others: Tensor, counts: Tensor) -> Tensor:
    """What each node sees in the other graph: the mean of its nodes by :func:`attention`, in float32; nothing where no
    node counts. Shapes as there -> ``[B, N, D]``."""
    weights = attention(nodes, others, counts)
    with full_precision(nodes):
        return weights @ others.float()


def fuse(nodes: Tensor, others: Tensor, counts: Tensor) -> Tensor:
    """Each node plus what it sees in the other graph, in float32. Shapes as in :func:`attention` -> ``[B, N, D]``."""
    weights = attention(nodes, others, counts)
    with full_precision(nodes):
        return torch.baddbmm(nodes.float(), weights, others.float())


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
        weights = attention(nodes, others, others_present[:, None].float())
        return self.on_rows(nodes, others, lambda rows: weights @ rows)

    def on_rows(self, nodes: Tensor, others: Tensor, see: See, after: nn.Linear | None = None) -> Tensor:
        """The same on any layout of the nodes (:mod:`model.layers.node_rows`).

        Args:
            nodes: rows ``[..., D]``.
            others: rows of the graphs that they look at.
            see: rows of those -> rows of what ``nodes`` see of them.
            after: a linear layer behind this one. ``concat`` multiplies the two out: their weights' product is small.
        """
        if self.match == "bilinear":
            products = (nodes[..., :, None] * see(others)[..., None, :]).flatten(-2)  # [..., D * D]
            matched = F.linear(products, self.weight.flatten(1), self.bias)
            return matched if after is None else after(matched)
        weight, bias = self.weight, self.bias
        if after is not None:
            weight, bias = after.weight @ weight, after.weight @ bias + after.bias
        own, seen = weight.chunk(2, dim=1)
        # what is seen is a mean of nodes, and there are fewer of those than there are that look: weights first
        return F.linear(nodes, own, bias) + see(F.linear(others, seen))
