"""Ways to look at a drawing: which parts of a vector they have, and how much each counts in an archive."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

NEIGHBOURS = 10  # of each drawing; from 30 to 600 drawings agreement changes by a tenth


@dataclass(frozen=True)
class Look:
    """A way to look at a drawing.

    Attributes:
        weight: how much it counts in the vectors of an archive like the sheets that the weights were chosen on.
        agreement: how far it agrees with the other looks there, see :func:`agreements`; 1 is the mean of all looks.
        parts: of a vector, which share the weight.
    """

    weight: float
    agreement: float
    parts: tuple[str, ...]


LOOKS = (
    Look(0.05, 1.17, ("sequence", "type_counts")),
    Look(0.18, 1.35, ("image", "coarse_image", "statistics", "stroke_statistics")),
    Look(0.12, 0.70, ("pair_histogram", "pair_deviations")),
    Look(0.20, 0.78, ("joints", "joint_counts")),
    Look(0.45, 1.00, ("letters", "words")),
)


def usual_weights() -> Tensor:
    """What each look counts if no archive says otherwise. Shape: ``[len(LOOKS)]``, of sum 1."""
    return torch.tensor([look.weight for look in LOOKS])


def weights_in(cosines: Tensor) -> Tensor:
    """What each look counts among some drawings: more than usual where it agrees more than usual with the others.

    A look that finds other neighbours than all the rest mostly errs; which does so differs from trade to trade (letters
    tell sheets apart, and symbols nothing). Nobody's labels are needed to see it, as in the late fusion of Zheng et al.
    (2015), whose weights follow from the scores alone. Too few drawings to have neighbours say nothing.

    Shape: ``[len(LOOKS), N, N]`` -> ``[len(LOOKS)]``, of sum 1.
    """
    usual = usual_weights().to(cosines)
    if cosines.shape[-1] < 3 * NEIGHBOURS:
        return usual
    found = agreements(cosines)
    if not found.any():
        return usual
    typical = found.new_tensor([look.agreement for look in LOOKS])
    weights = usual * (found / found.mean() / typical).square()
    return weights / weights.sum()


def agreements(cosines: Tensor) -> Tensor:
    """The share of its ``NEIGHBOURS`` nearest that each look has in common with all others together, beyond chance.

    0 by chance, 1 where they are the same. A drawing to which a look is blind has no neighbours in common.

    Args:
        cosines: of all pairs of drawings in each look, ``[L, N, N]``; 0 on the diagonal where the look saw nothing.

    Shape: ``[L]``.
    """
    others = ~torch.eye(cosines.shape[-1], dtype=torch.bool, device=cosines.device)
    scaled = cosines / cosines[:, others].std(dim=1).clamp(min=1e-6)[:, None, None]
    common = (_nearest(cosines) & _nearest(scaled.sum(dim=0) - scaled)).sum(dim=-1) / NEIGHBOURS  # [L, N]
    chance = NEIGHBOURS / (cosines.shape[-1] - 1)
    seen = cosines.diagonal(dim1=1, dim2=2) > 0
    return ((common - chance) / (1 - chance) * seen).mean(dim=1).clamp(min=0)


def _nearest(cosines: Tensor) -> Tensor:
    """Which drawings are among the nearest to each, without itself: ``[L, N, N]`` -> bool ``[L, N, N]``."""
    own = torch.eye(cosines.shape[-1], dtype=torch.bool, device=cosines.device)
    places = cosines.masked_fill(own, -torch.inf).topk(NEIGHBOURS, dim=-1).indices
    return torch.zeros_like(cosines, dtype=torch.bool).scatter(-1, places, True)
