"""The term that ties the encoders: cross-modal InfoNCE between their vectors of the same drawing."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.contrastive import unit
from model.precision import full_precision
from utils.distributed.exchange import gather, shared_mean


def cross_modal_infonce(a: Tensor, b: Tensor, temperature: float) -> Tensor:
    """Symmetric InfoNCE of CLIP (Radford et al. 2021, figure 3), with a fixed temperature.

    Row ``i`` of both belongs to the same drawing, other rows to others; the mean of choosing ``b`` by ``a`` and ``a``
    by ``b``. Fewer than two pairs offer no choice: the loss is 0, still connected to its inputs, so that every
    parameter behind them gets a (zero) gradient. In float32, also under autocast. Where processes share a step, the M
    pairs are those of all, and it is the mean over the processes of what each returns.

    Shape: ``a, b [m, D]`` -> scalar; chance gives ``ln M``.
    """
    with full_precision(a):
        everyone, own = gather(torch.stack([unit(a), unit(b)], dim=1))  # [M, 2, D]
        all_a, all_b = everyone.unbind(dim=1)
        if len(everyone) < 2:
            return everyone.sum() * 0.0
        same = torch.arange(own.start, own.stop, device=a.device)
        losses = [
            F.cross_entropy(rows[own] @ columns.T / temperature, same, reduction="none")  # [m]
            for rows, columns in ((all_a, all_b), (all_b, all_a))
        ]
        return shared_mean(torch.cat(losses))


class CrossModalLoss(nn.Module):
    """Each encoder's vector through its own linear head into one space, as CLIP does, and InfoNCE there."""

    def __init__(self, gf_size: int, deepdxf_size: int, shared_size: int, temperature: float) -> None:
        super().__init__()
        self.gf_head = nn.Linear(gf_size, shared_size)
        self.deepdxf_head = nn.Linear(deepdxf_size, shared_size)
        self.temperature = temperature

    def forward(self, gf_vectors: Tensor, deepdxf_vectors: Tensor, pairs: Tensor) -> Tensor:
        """Shape: ``gf_vectors [B, .]``, ``deepdxf_vectors [N, .]``, ``pairs [M, 2]`` (of one drawing) -> scalar."""
        a = self.gf_head(gf_vectors[pairs[:, 0]])  # [M, shared_size]
        b = self.deepdxf_head(deepdxf_vectors[pairs[:, 1]])
        return cross_modal_infonce(a, b, self.temperature)
