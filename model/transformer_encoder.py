"""A pre-norm transformer encoder over packed chunks: the tokens lie one behind the other, and nothing is padded."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.dropout import Dropout


def split_runs(tokens: Tensor, lengths: Sequence[int]) -> list[Tensor]:
    """Views of the packed tokens in which chunks of one length that follow each other stand side by side.

    Sorted by length (see :func:`utils.DeepDXF_utils.collate`) a batch has as few of them as it has lengths.

    Shape: ``tokens [M, ...]``, ``lengths`` of the C chunks, M in sum -> one ``[chunks, length, ...]`` a run.
    """
    runs = [(len(list(same)), length) for length, same in groupby(lengths)]
    parts = tokens.split([count * length for count, length in runs])
    return [part.unflatten(0, run) for part, run in zip(parts, runs, strict=True)]


class TransformerLayer(nn.Module):
    """Self-attention and feed-forward, each behind a layer norm and beside a residual (Xiong et al. 2020).

    Dropout falls on what each half adds to the residual and inside the feed-forward, not on the attention weights:
    that keeps the fused attention kernels in training, and one code path for training and evaluation.
    """

    def __init__(self, d_model: int, n_heads: int, d_feedforward: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.attention_norm = nn.LayerNorm(d_model)
        self.to_qkv = nn.Linear(d_model, 3 * d_model)
        self.from_heads = nn.Linear(d_model, d_model)
        self.feedforward_norm = nn.LayerNorm(d_model)
        self.feedforward = nn.Sequential(
            nn.Linear(d_model, d_feedforward), nn.GELU(), Dropout(dropout), nn.Linear(d_feedforward, d_model)
        )
        self.dropout = Dropout(dropout)

    def forward(self, tokens: Tensor, lengths: Sequence[int]) -> Tensor:
        """Shape: ``tokens [M, D]`` -> ``[M, D]``; a token attends to those of its own chunk."""
        tokens = tokens + self.dropout(self._attend(self.attention_norm(tokens), lengths))
        return tokens + self.dropout(self.feedforward(self.feedforward_norm(tokens)))

    def _attend(self, tokens: Tensor, lengths: Sequence[int]) -> Tensor:
        """Attention without a mask, a run of equal chunks at a time: no work on padding, no copy."""
        qkv = self.to_qkv(tokens).unflatten(-1, (3, self.n_heads, -1))  # [M, 3, H, D / H]
        attended = []
        for run in split_runs(qkv, lengths):
            query, key, value = run.permute(2, 0, 3, 1, 4)  # each [chunks, H, length, D / H]
            heads = F.scaled_dot_product_attention(query, key, value)
            attended.append(heads.transpose(1, 2).flatten(-2).flatten(0, 1))  # [chunks * length, D]
        return self.from_heads(torch.cat(attended))


class TransformerEncoder(nn.Module):
    """Layers over chunks of tokens and a final norm; chunks do not see each other."""

    def __init__(self, d_model: int, n_layers: int, n_heads: int, d_feedforward: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TransformerLayer(d_model, n_heads, d_feedforward, dropout) for _ in range(n_layers))
        self.norm = nn.LayerNorm(d_model)

    def forward(self, tokens: Tensor, lengths: Sequence[int]) -> Tensor:
        """Shape: ``tokens [M, D]`` of chunks of ``lengths`` one behind the other -> ``[M, D]``."""
        for layer in self.layers:
            tokens = layer(tokens, lengths)
        return self.norm(tokens)
