"""From rows of bins to tokens: type, parameters and position of each entity."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dataset.entities import ABSENT, N_BINS, N_SLOTS, N_TYPES
from model.precision import full_precision

BIN_WIDTH = 64  # size of a bin's own vector, shared by all slots


def fourier_bins(n_bins: int, width: int) -> Tensor:
    """Sines and cosines of the bin at ``width / 2`` frequencies, 1/2 to 32 periods over the range.

    Neighbouring bins start alike (cosine above 0.9) and far ones apart, as their values are.
    Shape: ``[n_bins, width]``, of mean square 1.
    """
    place = (torch.arange(n_bins) + 0.5) / n_bins
    periods = 0.5 * 64.0 ** torch.linspace(0, 1, width // 2)
    angle = 2 * math.pi * place[:, None] * periods  # [n_bins, width / 2]
    return math.sqrt(2) * torch.cat([angle.sin(), angle.cos()], dim=1)


def sinusoidal_position(position: Tensor, width: int) -> Tensor:
    """The position encoding of Vaswani et al. 2017 (section 3.5), for any position.

    Shape: ``[...]`` -> ``[..., width]``, width even.
    """
    exponent = torch.arange(0, width, 2, device=position.device) / width
    angle = position[..., None].float() * 10000.0**-exponent  # [..., width / 2]
    return torch.cat([angle.sin(), angle.cos()], dim=-1)


class ParameterEmbedding(nn.Module):
    """The sum of one vector for each parameter that an entity has.

    The same as embedding every slot's bin (absent: zeros), concatenating the ``N_SLOTS * 64`` numbers and applying one
    linear layer without bias, but written as a look-up: the linear layer is applied to the 256 bins of each slot once,
    and the rows of that table are summed, so that the cost follows the parameters that are present (1 in 10).
    """

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.bins = nn.Parameter(fourier_bins(N_BINS, BIN_WIDTH))
        self.slots = nn.Parameter(torch.randn(N_SLOTS, BIN_WIDTH, d_model) / math.sqrt(BIN_WIDTH))

    def no_weight_decay(self) -> set[str]:
        """Names of the parameters that, as other embeddings, are not pulled towards zero."""
        return {"bins", "slots"}

    def table(self) -> Tensor:
        """The vector of every (slot, bin), float32. Shape: ``[N_SLOTS * N_BINS, d_model]``."""
        with full_precision(self.bins):
            return torch.matmul(self.bins, self.slots).flatten(0, 1)

    def forward(self, slots: Tensor, table: Tensor) -> Tensor:
        """Shape: integers ``[M, N_SLOTS]``, ``ABSENT`` or a bin, and :meth:`table` -> float32 ``[M, d_model]``."""
        present = slots != ABSENT
        first_row = torch.arange(0, N_SLOTS * N_BINS, N_BINS, device=slots.device, dtype=torch.int32)
        index = (slots + first_row)[present]  # row by row, so the bags lie one behind the other
        ends = present.sum(dim=1, dtype=torch.int32).cumsum(0, dtype=torch.int32)
        offsets = F.pad(ends, (1, 0))
        with full_precision(table):
            return F.embedding_bag(index, table, offsets, mode="sum", include_last_offset=True)


class DeepDXFEmbedding(nn.Module):
    """Type embedding + parameter embedding + position of the entity in its drawing."""

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.types = nn.Embedding(N_TYPES, d_model)
        self.parameter_embedding = ParameterEmbedding(d_model)

    def forward(self, rows: Tensor, position: Tensor, table: Tensor) -> Tensor:
        """Shape: ``rows [M, 1 + N_SLOTS]``, ``position [M]`` of the entity in its drawing, the table of
        :attr:`parameter_embedding` -> float32 ``[M, d_model]``.
        """
        return (
            self.types(rows[:, 0].long())
            + self.parameter_embedding(rows[:, 1:], table)
            + sinusoidal_position(position, self.types.embedding_dim)
        )
