"""What both encoders' losses share: the layout of a contrastive similarity matrix.

Two views of ``N`` things, stacked to ``2N`` rows, give one ``2N x 2N`` similarity matrix. Row ``i`` has one positive,
its other view in column ``i + N`` (modulo ``2N``); the diagonal says nothing; the other ``2N - 2`` are negatives.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def unit(vectors: Tensor) -> Tensor:
    """Rows of length 1 in float32; a zero row stays zero.

    The floor of the length bounds the gradient at a zero row, which is its inverse (torch's default is 1e12).
    """
    return F.normalize(vectors.float(), dim=-1, eps=1e-6)


def positive_first(similarity: Tensor, rows: Tensor | None = None) -> Tensor:
    """Reorder each row: the positive into column 0, the negatives behind it, the diagonal left out.

    ``rows``: which of the 2N rows ``similarity`` holds, all of them if left out.

    Shape: ``[..., R, 2N]``, ``rows [R]`` -> ``[..., R, 2N - 1]``.
    """
    size = similarity.shape[-1]
    rows = torch.arange(size, device=similarity.device) if rows is None else rows
    step = torch.arange(1, size, device=similarity.device)
    step = torch.cat([step[size // 2 - 1 : size // 2], step[: size // 2 - 1], step[size // 2 :]])  # N, then the others
    columns = (rows[:, None] + step) % size  # [R, 2N - 1]
    return similarity.gather(-1, columns.expand(*similarity.shape[:-1], size - 1))


def hits(logits: Tensor) -> Tensor:
    """Rows whose positive (column 0) is larger than every other logit.

    A tie is no hit: a collapsed encoder, whose logits are all equal, must not look perfect.
    Shape: ``[..., R, K]`` -> bool ``[..., R]``.
    """
    return (logits[..., :1] > logits[..., 1:]).all(dim=-1)
