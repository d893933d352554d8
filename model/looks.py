"""Ways to look at a drawing: which parts of a vector they have, and how much each counts in an archive."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

NEIGHBOURS = 10  # of each drawing
DOUBT = 30  # drawings: as if so many more agreed as usual
MOST = 4.0  # by which factor a look may count more or less than usual
SAME = 1e-4  # less than 1, the cosine of copies in every look


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
TEXT = LOOKS[-1]  # which many a drawing is without


def usual_weights() -> Tensor:
    """What each look counts if no archive says otherwise, in drawings with and in those without words: ``[2, L]``."""
    return torch.tensor([look.weight for look in LOOKS]).expand(2, -1).clone()


def weights_in(cosines: Tensor) -> Tensor | None:
    """What each look counts among some drawings: more than usual where it agrees more than usual with the others.

    A look that finds other neighbours than all the rest mostly errs; which does so differs from trade to trade: text
    tells sheets apart, and symbols nothing. Nobody's labels are needed to see it, as in the late fusion of Zheng et al.
    (2015), whose weights follow from the scores alone.

    Drawings with words and those without may be of two trades, so they have weights of their own; too few of a kind
    have those of all. Text counts as much in both, but in those without (where a stand-in has its place) the less the
    fewer there are with words: then nobody looks for one of those.

    Args:
        cosines: of all pairs of drawings in each of ``LOOKS``, ``[L, N, N]``; 0 on the diagonal where the look saw
            nothing.

    Returns:
        For drawings with words, whose weights sum up to 1, and for those without: ``[2, L]``. None if all are too few.
    """
    cosines = _of(cosines, ~_copies(cosines))
    worded = cosines[-1].diagonal() > 0
    common = _weights(cosines)
    if common is None:
        return None
    own = [_weights(_of(cosines, which)) for which in (worded, ~worded)]
    with_words = common if own[0] is None else own[0]
    others = (with_words if own[1] is None else own[1])[:-1]
    text = with_words[-1:]
    without = torch.cat([others / others.sum() * (1 - text), text * worded.float().mean()])
    return torch.stack([with_words, without])


def agreements(cosines: Tensor) -> Tensor:
    """The share of its ``NEIGHBOURS`` nearest that each look has in common with all others together, beyond chance.

    0 by chance, 1 where they are the same. A drawing to which a look is blind has no neighbours in common.

    Shape: as in :func:`weights_in` -> ``[L]``.
    """
    others = ~torch.eye(cosines.shape[-1], dtype=torch.bool, device=cosines.device)
    scaled = cosines / cosines[:, others].std(dim=1).clamp(min=1e-6)[:, None, None]
    common = (_nearest(cosines) & _nearest(scaled.sum(dim=0) - scaled)).sum(dim=-1) / NEIGHBOURS  # [L, N]
    chance = NEIGHBOURS / (cosines.shape[-1] - 1)
    seen = cosines.diagonal(dim1=1, dim2=2) > 0
    return ((common - chance) / (1 - chance) * seen).mean(dim=1).clamp(min=0)


def _weights(cosines: Tensor) -> Tensor | None:
    """``[L]``, of sum 1; None for too few drawings to have neighbours, or if no look agrees with any."""
    count = cosines.shape[-1]
    found = agreements(cosines) if count >= 3 * NEIGHBOURS else cosines.new_zeros(len(LOOKS))
    if not found.any():
        return None
    usual, typical = found.new_tensor([(look.weight, look.agreement) for look in LOOKS]).unbind(dim=1)
    ratio = (count * found / found.mean() / typical + DOUBT) / (count + DOUBT)
    weights = usual * ratio.square().clamp(1 / MOST, MOST)
    return weights / weights.sum()


def _copies(cosines: Tensor) -> Tensor:
    """Which drawings are, in every look, one before them: their neighbours would be the same in all. Bool ``[N]``."""
    same = (cosines >= cosines.diagonal(dim1=1, dim2=2)[:, :, None] - SAME).all(dim=0)
    return same.tril(diagonal=-1).any(dim=1)


def _of(cosines: Tensor, which: Tensor) -> Tensor:
    """The cosines of these drawings (bool ``[N]``) alone."""
    return cosines[:, which][:, :, which]


def _nearest(cosines: Tensor) -> Tensor:
    """Which drawings are among the nearest to each, without itself: ``[L, N, N]`` -> bool ``[L, N, N]``."""
    own = torch.eye(cosines.shape[-1], dtype=torch.bool, device=cosines.device)
    places = cosines.masked_fill(own, -torch.inf).topk(NEIGHBOURS, dim=-1).indices
    return torch.zeros_like(cosines, dtype=torch.bool).scatter(-1, places, True)
