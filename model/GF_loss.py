"""GF's loss: node-level InfoNCE between two views of the same graph."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from model.contrastive import cosines, hits, positive_first
from model.precision import full_precision
from utils.distributed.exchange import sharers, total


def node_infonce_logits(z1: Tensor, z2: Tensor, present: Tensor, tau: float) -> Tensor:
    """Cosines over ``tau``: the node's other view in column 0, behind it the graph's other nodes in both views.

    A graph of ten nodes has 19 columns, so chance gives a loss of ln 19. Columns of absent nodes are ``-inf``; column 0
    never is, so that rows of absent nodes stay finite (the loss leaves them out).

    Shape: ``z1, z2 [B, N, D]``, ``present [B, N]`` -> ``[B, 2N, 2N - 1]``, rows of view 1 before rows of view 2.
    """
    z = torch.cat([z1, z2], dim=1)  # [B, 2N, D]
    logits = positive_first(cosines(z, z) / tau)  # [B, 2N, 2N - 1]
    twice = present.repeat(1, 2)  # [B, 2N]
    absent = positive_first(~twice[:, None, :].expand(-1, twice.shape[1], -1))
    absent[..., 0] = False
    return logits.masked_fill(absent, -torch.inf)


def node_infonce(z1: Tensor, z2: Tensor, present: Tensor, tau: float) -> tuple[Tensor, Tensor]:
    """The loss of GRACE (Zhu et al. 2020, equations 1 and 2) inside each graph, and how often it is right.

    For node ``i`` of view 1, with ``s`` the cosine over ``tau``::

        -log( e^s(u_i, v_i) / ( sum_k e^s(u_i, v_k) + sum_{k != i} e^s(u_i, u_k) ) )

    and the same with the views exchanged; the mean over both directions and the present nodes, then over the graphs
    that have a node. Without any such graph the loss is 0. In float32, also under autocast. Where processes share a
    step, it is the mean over theirs of what each returns.

    Shape: ``z1, z2 [B, N, D]``, ``present [B, N]`` -> loss, accuracy (share of present nodes whose positive is the
    largest; detached).
    """
    with full_precision(z1):
        logits = node_infonce_logits(z1, z2, present, tau)
        share = present.repeat(1, 2).float()  # [B, 2N]
        share = share / share.sum(dim=1, keepdim=True).clamp(min=1)
        graphs = total(present.any(dim=1).sum())  # of all processes that share the step
        share = share * (sharers() / graphs.clamp(min=1))  # sums to 1 over the batch
        loss = (-F.log_softmax(logits, dim=-1)[..., 0] * share).sum()
        return loss, (hits(logits.detach()) * share).sum()
