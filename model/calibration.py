"""What a similarity is worth: where it lies among those of the training drawings, or of an archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from model.contrastive import unit

STEPS = 2_000  # quantiles kept: a twentieth of a percent apart
MOST = 2_000  # drawings whose pairs are looked at: two million pairs


class PairQuantiles(nn.Module):
    """For each encoder the distribution of the cosines of all pairs of some drawings.

    Infinite, which no cosine is, until :meth:`fit`; part of the state dict, so that it travels with the weights.
    """

    def __init__(self, encoders: Sequence[str]) -> None:
        super().__init__()
        for encoder in encoders:
            self.register_buffer(encoder, torch.full((STEPS + 1,), torch.inf))

    @torch.no_grad()
    def fit(self, vectors: Mapping[str, Tensor]) -> None:
        """Shape: for each encoder ``[N, D]``, N at least 3. Fewer drawings have no distribution, and leave none."""
        for encoder, rows in vectors.items():
            chosen = unit(rows[torch.linspace(0, len(rows) - 1, min(MOST, len(rows))).long()])
            above = torch.triu_indices(len(chosen), len(chosen), offset=1)
            cosines = (chosen @ chosen.T)[above[0], above[1]].sort().values
            if len(cosines) < 3:
                getattr(self, encoder).fill_(torch.inf)
                continue
            places = torch.linspace(0, len(cosines) - 1, STEPS + 1, device=cosines.device).long()
            getattr(self, encoder).copy_(cosines[places])

    def share_below(self, encoder: str, cosine: float) -> float | None:
        """The share, 0..1, of pairs of those drawings that are less alike; None if that was never measured."""
        table = getattr(self, encoder).double()
        if table.isinf().any():
            return None
        return float(torch.searchsorted(table, table.new_tensor(cosine))) / (STEPS + 1)
