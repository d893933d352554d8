"""Gated graph convolution on dense adjacency matrices."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.layers.dense_convs import Mix


class DenseGGNN(nn.Module):
    """The gated graph layer of Li et al. 2016 ("Gated Graph Sequence Neural Networks", section 3.2), dense.

    Equals ``torch_geometric.nn.GatedGraphConv`` with sum aggregation, parameter for parameter, so that weights can be
    exchanged. Narrower input is padded with zeros to ``out_channels``.

    Args:
        out_channels: width of a node, at least that of the input.
        num_layers: propagation steps, each with its own message weight; they share the GRU cell.
    """

    def __init__(self, out_channels: int, num_layers: int = 1) -> None:
        super().__init__()
        self.out_channels = out_channels
        self.weight = nn.Parameter(torch.empty(num_layers, out_channels, out_channels))
        self.rnn = nn.GRUCell(out_channels, out_channels)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = self.out_channels**-0.5
        nn.init.uniform_(self.weight, -bound, bound)
        self.rnn.reset_parameters()

    def forward(self, x: Tensor, adj: Tensor, mask: Tensor | None = None) -> Tensor:
        """Propagate; row ``i`` of ``adj`` holds the weights of the edges that reach node ``i``.

        Shape: ``x [B, N, in]``, ``adj [B, N, N]``, ``mask [B, N]`` (true: the node exists) -> ``[B, N, out]``, zero
        where the mask is false.

        Raises:
            ValueError: the input is wider than ``out_channels``.
        """
        x = self.on_rows(x, lambda messages: adj @ messages)  # [B, N, out]
        return x if mask is None else x * mask[..., None].to(x.dtype)

    @staticmethod
    def edge_weights(adjacency: Tensor) -> Tensor:
        """See :mod:`model.layers.dense_convs`."""
        return adjacency

    def on_rows(self, x: Tensor, mix: Mix) -> Tensor:
        """See :mod:`model.layers.dense_convs`.

        Shape: ``[..., in]`` -> ``[..., out]``.
        """
        width = x.shape[-1]
        if width > self.out_channels:
            raise ValueError(f"input of width {width} does not fit into out_channels {self.out_channels}")
        x = F.pad(x, (0, self.out_channels - width))
        for weight in self.weight:
            x = self._update(mix(x @ weight), x)
        return x

    def _update(self, messages: Tensor, x: Tensor) -> Tensor:
        """``self.rnn(messages, x)``: the equations of ``torch.nn.GRUCell``, in operations that ``torch.vmap`` batches.

        Shape: ``[..., out]`` twice -> ``[..., out]``.
        """
        reset_in, update_in, new_in = F.linear(messages, self.rnn.weight_ih, self.rnn.bias_ih).chunk(3, dim=-1)
        reset_old, update_old, new_old = F.linear(x, self.rnn.weight_hh, self.rnn.bias_hh).chunk(3, dim=-1)
        update = torch.sigmoid(update_in + update_old)
        new = torch.tanh(new_in + torch.sigmoid(reset_in + reset_old) * new_old)
        return new + update * (x - new)
