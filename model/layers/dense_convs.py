"""torch_geometric's dense convolutions on rows of nodes: what a node does by itself apart from what it hears of others.

Each is torch_geometric's layer, parameters and ``forward`` included; :meth:`on_rows` computes the same on any layout of
the nodes (:mod:`model.layers.node_rows`), and the weights of the edges, which do not differ from layer to layer, once.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch_geometric.nn.dense import DenseGCNConv, DenseGINConv, DenseSAGEConv

Mix = Callable[
    [Tensor], Tensor
]  # rows [..., D] -> rows: each node's sum over its neighbours, by the weights of the edges


class RowsGCN(DenseGCNConv):
    """Kipf & Welling 2017, equation 2."""

    @staticmethod
    def edge_weights(adjacency: Tensor) -> Tensor:
        """Shape: ``[..., N, N]`` -> the same."""
        looped = adjacency.clone()
        looped.diagonal(dim1=-2, dim2=-1).fill_(1)
        inverse = looped.sum(dim=-1).clamp(min=1).rsqrt()
        return inverse[..., :, None] * looped * inverse[..., None, :]

    def on_rows(self, x: Tensor, mix: Mix) -> Tensor:
        return mix(self.lin(x)) + self.bias


class RowsSAGE(DenseSAGEConv):
    """Hamilton et al. 2017 with the mean of the neighbours."""

    @staticmethod
    def edge_weights(adjacency: Tensor) -> Tensor:
        """Shape: ``[..., N, N]`` -> the same."""
        return adjacency / adjacency.sum(dim=-1, keepdim=True).clamp(min=1)

    def on_rows(self, x: Tensor, mix: Mix) -> Tensor:
        # MKL takes the gradient of a narrow weight (the first one's) five times faster from this side
        heard, own = self.lin_rel.weight.t().contiguous(), self.lin_root.weight.t().contiguous()
        return (mix(x) @ heard).add_(x @ own).add_(self.lin_root.bias)


class RowsGIN(DenseGINConv):
    """Xu et al. 2019, equation 4.1."""

    @staticmethod
    def edge_weights(adjacency: Tensor) -> Tensor:
        return adjacency

    def on_rows(self, x: Tensor, mix: Mix) -> Tensor:
        return self.nn((1 + self.eps) * x + mix(x))
