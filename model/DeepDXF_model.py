"""The DeepDXF network: a transformer over the sequence of entities, one vector a drawing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from config.DeepDXF_config import DeepDXFModelConfig
from model.DeepDXF_embedding import DeepDXFEmbedding
from model.dropout import Dropout
from model.precision import full_precision
from model.transformer_encoder import TransformerEncoder, split_runs


def sum_chunks(tokens: Tensor, lengths: Sequence[int]) -> Tensor:
    """Shape: ``tokens [M, D]`` of chunks of ``lengths`` -> float32 ``[C, D]``."""
    with full_precision(tokens):
        return torch.cat([run.float().sum(dim=1) for run in split_runs(tokens, lengths)])


def pool(chunk_sums: Tensor, lengths: Sequence[int], drawing: Tensor, n_drawings: int) -> Tensor:
    """The mean over all tokens of a drawing, whichever chunk they lie in; zeros for a drawing without any.

    The sum over chunks is a product with their membership matrix, which, other than a scatter, adds in the same order
    every time on a GPU too.

    Shape: ``chunk_sums [C, D]``, ``drawing [C]`` -> float32 ``[n_drawings, D]``.
    """
    with full_precision(chunk_sums):
        member = (drawing == torch.arange(n_drawings, device=drawing.device)[:, None]).float()  # [n_drawings, C]
        count = member @ torch.tensor(lengths, dtype=torch.float32, device=drawing.device)  # [n_drawings]
        return member @ chunk_sums / count.clamp(min=1)[:, None]


def passes(lengths: Sequence[int], limit: int) -> Iterator[tuple[slice, slice]]:
    """Cut a batch into passes of whole chunks that hold at most ``limit`` tokens (one chunk, if it alone is longer).

    Yields:
        which chunks and which tokens.
    """
    first_chunk = first_token = token = 0
    for chunk, length in enumerate(lengths):
        if token > first_token and token + length - first_token > limit:
            yield slice(first_chunk, chunk), slice(first_token, token)
            first_chunk, first_token = chunk, token
        token += length
    yield slice(first_chunk, len(lengths)), slice(first_token, token)


class DeepDXFModel(nn.Module):
    """Embedding, transformer chunk by chunk, mean over the drawing, linear layer to the latent vector.

    With ``views="drawing"`` nothing is dropped out: the views then differ in what the drawing lost, and in that alone.

    Memory is bounded by ``config.tokens_at_once``, not by the drawings: chunks do not see each other, so more tokens
    go through in several passes, and in training all passes but the last are computed again when their gradient is due
    (Chen et al. 2016, "Training deep nets with sublinear memory cost") instead of keeping what led to them.
    """

    def __init__(self, config: DeepDXFModelConfig) -> None:
        super().__init__()
        dropout, latent_dropout = (0.0, 0.0) if config.views == "drawing" else (config.dropout, config.latent_dropout)
        self.tokens_at_once = config.tokens_at_once
        self.embedding = DeepDXFEmbedding(config.d_model)
        self.dropout = Dropout(dropout)
        self.transformer = TransformerEncoder(
            config.d_model, config.n_layers, config.n_heads, config.d_feedforward, dropout
        )
        self.latent_dropout = Dropout(latent_dropout)
        self.to_latent = nn.Linear(config.d_model, config.latent_size)
        self.vector_size = config.latent_size

    def forward(
        self, rows: Tensor, position: Tensor, lengths: Sequence[int], drawing: Tensor, n_drawings: int
    ) -> Tensor:
        """Vectors of the drawings.

        Shape: ``rows`` int ``[M, 1 + N_SLOTS]`` (the drawings' chunks one behind the other), ``position [M]`` (index of
        an entity in its drawing), ``lengths`` of the C chunks, ``drawing [C]`` (whose chunk)
        -> ``[n_drawings, latent_size]``.
        """
        table = self.embedding.parameter_embedding.table()
        sums = []
        for chunks, tokens in passes(lengths, self.tokens_at_once):
            part = (rows[tokens], position[tokens], lengths[chunks], table)
            if torch.is_grad_enabled() and tokens.stop < len(rows):
                sums.append(checkpoint(self._chunk_sums, *part, use_reentrant=False))
            else:
                sums.append(self._chunk_sums(*part))
        pooled = pool(torch.cat(sums), lengths, drawing, n_drawings)  # [n_drawings, D]
        return self.to_latent(self.latent_dropout(pooled))

    def _chunk_sums(self, rows: Tensor, position: Tensor, lengths: Sequence[int], table: Tensor) -> Tensor:
        tokens = self.dropout(self.embedding(rows, position, table))  # [M, D]
        return sum_chunks(self.transformer(tokens, lengths), lengths)  # [C, D]
