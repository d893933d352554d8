"""What stands in a vector for a part that a drawing does not have."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from model.precision import full_precision

NEAR = 0.1  # 1 less the cosine at which two stand-ins are alike by 1/e


class StandIn(nn.Module):
    """A direction of length 1 that follows from the rest of a drawing, and that only a near copy shares.

    Without it the vector of a drawing that lacks a part, a sheet without a word, would be short, and at length 1 the
    rest of it would count more: two sheets without words would be more alike than one of them and itself with words.

    The cosine of two stand-ins is about ``exp((c - 1) / NEAR)``, c being that of the rest, give or take ``size**-0.5``:
    random Fourier features of a Gaussian kernel (Rahimi & Recht 2007, algorithm 1), whose length is exactly 1 with both
    cosine and sine. They are the same in every model.

    Args:
        size_in: size of the rest.
        size: of the stand-in; an even number.
    """

    def __init__(self, size_in: int, size: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(2)
        self.register_buffer("frequencies", torch.randn(size_in, size // 2, generator=generator) / NEAR**0.5)

    def forward(self, rest: Tensor) -> Tensor:
        """Shape: ``[N, size_in]`` of length 1 -> ``[N, size]``. Passes no gradient on."""
        with full_precision(rest):
            angles = rest.detach().float() @ self.frequencies
        return torch.cat([angles.cos(), angles.sin()], dim=-1) / math.sqrt(angles.shape[-1])
