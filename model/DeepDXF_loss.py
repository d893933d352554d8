"""DeepDXF's loss: NT-Xent over a batch of drawings."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from model.contrastive import positive_first, unit
from model.precision import full_precision
from utils.distributed.exchange import gather, shared_mean


def nt_xent_logits(z1: Tensor, z2: Tensor, temperature: float) -> Tensor:
    """Cosines over the temperature: a drawing's other view in column 0, the ``2N - 2`` negatives behind it.

    All of them come from one ``2N x 2N`` matrix: for ``N = 5`` there are 10 rows of 9, 80 of them negatives. Where
    processes share a step, N counts the drawings of all; a process has the rows of its own n. In float32, also under
    autocast.

    Shape: ``z1, z2 [..., n, D]`` -> ``[..., 2n, 2N - 1]``, rows of view 1 before rows of view 2.
    """
    with full_precision(z1):
        views = torch.stack([z1.float(), z2.float()]).movedim(-2, 0)  # [n, 2, ..., D]
        everyone, own = gather(views)
        z = unit(everyone.movedim(0, -2).movedim(0, -3).flatten(-3, -2))  # [..., 2N, D]
        mine = torch.arange(own.start, own.stop, device=z.device)
        rows = torch.cat([mine, mine + len(everyone)])  # [2n]
        return positive_first(z[..., rows, :] @ z.mT / temperature, rows)


def cross_entropy(logits: Tensor) -> Tensor:
    """The mean of ``-log softmax`` at the positive, column 0, over the rows of all processes that share the step.

    Shape: ``[..., R, K]`` -> ``[...]``.
    """
    return shared_mean(-F.log_softmax(logits, dim=-1)[..., 0])


def nt_xent(z1: Tensor, z2: Tensor, temperature: float) -> Tensor:
    """NT-Xent, the loss of SimCLR (Chen et al. 2020, equation 1); ``infonce`` and ``simclr`` both name it.

    In the literature the names differ in what stands in the denominator. InfoNCE as van den Oord et al. 2018 (equation
    4) wrote it goes one way, from view 1 to view 2, and has the ``N - 1`` other drawings' second views as negatives;
    NT-Xent goes both ways and has the other drawings' first *and* second views, ``2N - 2``. The public reference uses
    the second for both names, and so does this package.

    Shape: ``z1, z2 [N, D]`` -> scalar; chance gives ``ln(2N - 1)``.
    """
    return cross_entropy(nt_xent_logits(z1, z2, temperature))
