"""GF's loss: node-level InfoNCE between two views of the same graph."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from model.layers.products import inner_products
from model.precision import full_precision
from utils.distributed.exchange import sharers, total

ABSENT = -1e9  # a logit that no exponential notices; minus infinity would make rows without any other NaN


def node_infonce_logits(z: Tensor, present: Tensor, tau: float) -> Tensor:
    """Cosines over ``tau`` of each node of either view with all nodes of both; its positive is the same node in the
    other view, ``N`` columns away.

    A graph of ten nodes has 19 that count in a row, so chance gives a loss of ln 19; the node itself and absent nodes
    are as good as ``-inf``.

    Shape: ``z [B, 2N, D]``, nodes of view 1 before nodes of view 2, ``present [B, N]`` -> ``[B, 2N, 2N]``.
    """
    z = z.float()
    products = inner_products(z, z)
    inverse = products.diagonal(dim1=-2, dim2=-1).clamp(min=1e-12).rsqrt()  # [B, 2N]
    cosines = products * (inverse[:, :, None] * (inverse[:, None, :] / tau))
    absent = ABSENT * (1 - present.float()).repeat(1, 2)  # [B, 2N]
    return cosines + (absent[:, None, :] + ABSENT * torch.eye(z.shape[1], device=z.device))


def node_infonce(z: Tensor, present: Tensor, tau: float) -> tuple[Tensor, Tensor]:
    """The loss of GRACE (Zhu et al. 2020, equations 1 and 2) inside each graph, and how often it is right.

    For node ``i`` of view 1, with ``s`` the cosine over ``tau``::

        -log( e^s(u_i, v_i) / ( sum_k e^s(u_i, v_k) + sum_{k != i} e^s(u_i, u_k) ) )

    and the same with the views exchanged; the mean over both directions and the present nodes, then over the graphs
    that have a node. Without any such graph the loss is 0. In float32, also under autocast. Where processes share a
    step, it is the mean over theirs of what each returns.

    Shape: ``z [B, 2N, D]``, nodes of view 1 before nodes of view 2, ``present [B, N]`` -> loss, accuracy (share of
    present nodes whose positive is the largest; a tie is no hit; detached).
    """
    with full_precision(z):
        logits = node_infonce_logits(z, present, tau)
        share = present.repeat(1, 2).float()  # [B, 2N]
        share = share / share.sum(dim=1, keepdim=True).clamp(min=1)
        graphs = total(present.any(dim=1).sum())  # of all processes that share the step
        share = share * (sharers() / graphs.clamp(min=1))  # sums to 1 over the batch
        loss = -(_positives(F.log_softmax(logits, dim=-1)) * share).sum()
        right = (logits.detach() >= _positives(logits.detach())[..., None]).sum(dim=-1) == 1
        return loss, (right * share).sum()


def _positives(logits: Tensor) -> Tensor:
    """Shape: ``[B, 2N, 2N]`` -> ``[B, 2N]``."""
    n = logits.shape[-1] // 2
    return torch.cat([logits.diagonal(n, -2, -1), logits.diagonal(-n, -2, -1)], dim=-1)
