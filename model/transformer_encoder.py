"""A pre-norm transformer encoder in which padding is exactly inert."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


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
            nn.Linear(d_model, d_feedforward), nn.GELU(), nn.Dropout(dropout), nn.Linear(d_feedforward, d_model)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, keys: Tensor) -> Tensor:
        """Shape: ``tokens [C, T, D]``, ``keys`` bool ``[C, 1, 1, T]`` (may be attended to) -> ``[C, T, D]``."""
        tokens = tokens + self.dropout(self._attend(self.attention_norm(tokens), keys))
        return tokens + self.dropout(self.feedforward(self.feedforward_norm(tokens)))

    def _attend(self, tokens: Tensor, keys: Tensor) -> Tensor:
        qkv = self.to_qkv(tokens).unflatten(-1, (3, self.n_heads, -1))  # [C, T, 3, H, D / H]
        query, key, value = qkv.permute(2, 0, 3, 1, 4)  # each [C, H, T, D / H]
        heads = F.scaled_dot_product_attention(query, key, value, attn_mask=keys)
        return self.from_heads(heads.transpose(1, 2).flatten(-2))  # [C, T, D]


class TransformerEncoder(nn.Module):
    """Layers over chunks of tokens and a final norm; chunks do not see each other."""

    def __init__(self, d_model: int, n_layers: int, n_heads: int, d_feedforward: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TransformerLayer(d_model, n_heads, d_feedforward, dropout) for _ in range(n_layers))
        self.norm = nn.LayerNorm(d_model)

    def forward(self, tokens: Tensor, valid: Tensor) -> Tensor:
        """Shape: ``tokens [C, T, D]``, ``valid`` bool ``[C, T]`` -> ``[C, T, D]``, where padded finite but void."""
        keys = valid.clone()
        keys[:, 0] = True  # a chunk of nothing but padding needs a key as well: some kernels give 0/0 over none
        for layer in self.layers:
            tokens = layer(tokens, keys[:, None, None, :])
        return self.norm(tokens)
