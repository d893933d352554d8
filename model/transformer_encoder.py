"""A pre-norm transformer encoder whose work follows the real tokens: padding exists inside the attention only."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class Packing:
    """The way between padded chunks ``[C, T, ...]`` and their M real tokens ``[M, ...]``, one behind the other.

    Norms, linear layers and dropout treat each token by itself, so they run on the packed form. On real drawings that
    saves about half of their work, and what stands in the padding cannot matter.
    """

    def __init__(self, valid: Tensor) -> None:
        """Shape: ``valid`` bool ``[C, T]``."""
        self.shape = valid.shape
        self.index = valid.flatten().nonzero().squeeze(1)  # [M]
        keys = valid.clone()
        keys[:, 0] = True  # a chunk of nothing but padding needs a key as well: a softmax over none is 0/0
        self.keys = keys[:, None, None, :]  # [C, 1, 1, T], what may be attended to

    def pack(self, padded: Tensor) -> Tensor:
        """Shape: ``[C, T, D]`` -> ``[M, D]``."""
        return padded.flatten(0, 1).index_select(0, self.index)

    def unpack(self, packed: Tensor) -> Tensor:
        """Shape: ``[M, D]`` -> ``[C, T, D]``, zero where padded."""
        padded = packed.new_zeros(self.shape.numel(), packed.shape[-1])
        return padded.index_copy(0, self.index, packed).unflatten(0, self.shape)


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

    def forward(self, tokens: Tensor, packing: Packing) -> Tensor:
        """Shape: ``tokens [M, D]`` -> ``[M, D]``; a token attends to those of its own chunk."""
        tokens = tokens + self.dropout(self._attend(self.attention_norm(tokens), packing))
        return tokens + self.dropout(self.feedforward(self.feedforward_norm(tokens)))

    def _attend(self, tokens: Tensor, packing: Packing) -> Tensor:
        qkv = packing.unpack(self.to_qkv(tokens)).unflatten(-1, (3, self.n_heads, -1))  # [C, T, 3, H, D / H]
        query, key, value = qkv.permute(2, 0, 3, 1, 4)  # each [C, H, T, D / H]
        heads = F.scaled_dot_product_attention(query, key, value, attn_mask=packing.keys)
        return self.from_heads(packing.pack(heads.transpose(1, 2).flatten(-2)))  # [M, D]


class TransformerEncoder(nn.Module):
    """Layers over chunks of tokens and a final norm; chunks do not see each other."""

    def __init__(self, d_model: int, n_layers: int, n_heads: int, d_feedforward: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TransformerLayer(d_model, n_heads, d_feedforward, dropout) for _ in range(n_layers))
        self.norm = nn.LayerNorm(d_model)

    def forward(self, tokens: Tensor, valid: Tensor) -> Tensor:
        """Shape: ``tokens [C, T, D]``, ``valid`` bool ``[C, T]`` -> ``[C, T, D]``, zero where padded."""
        packing = Packing(valid)
        packed = packing.pack(tokens)  # [M, D]
        for layer in self.layers:
            packed = layer(packed, packing)
        return packing.unpack(self.norm(packed))
