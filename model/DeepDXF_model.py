"""The DeepDXF network: a transformer over the sequence of entities, one vector a drawing."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from config.DeepDXF_config import DeepDXFModelConfig
from dataset.entities import PAD
from model.DeepDXF_embedding import DeepDXFEmbedding
from model.precision import full_precision
from model.transformer_encoder import TransformerEncoder


def pool(tokens: Tensor, valid: Tensor, drawing: Tensor, n_drawings: int) -> Tensor:
    """The mean over all tokens of a drawing, whichever chunk they lie in; zeros for a drawing without any.

    The sum over chunks is a product with their membership matrix, which, other than a scatter, adds in the same order
    every time on a GPU too.

    Shape: ``tokens [C, T, D]``, ``valid [C, T]``, ``drawing [C]`` -> float32 ``[n_drawings, D]``.
    """
    with full_precision(tokens):
        chunk_sum = (tokens.float() * valid[..., None]).sum(dim=1)  # [C, D]
        member = F.one_hot(drawing, n_drawings).T.float()  # [n_drawings, C]
        count = member @ valid.sum(dim=1, keepdim=True).float()  # [n_drawings, 1]
        return member @ chunk_sum / count.clamp(min=1)


class DeepDXFModel(nn.Module):
    """Embedding, transformer chunk by chunk, mean over the drawing, linear layer to the latent vector.

    With ``views="drawing"`` nothing is dropped out: the views then differ in what the drawing lost, and in that alone.
    """

    def __init__(self, config: DeepDXFModelConfig) -> None:
        super().__init__()
        dropout, latent_dropout = (0.0, 0.0) if config.views == "drawing" else (config.dropout, config.latent_dropout)
        self.embedding = DeepDXFEmbedding(config.d_model)
        self.dropout = nn.Dropout(dropout)
        self.transformer = TransformerEncoder(
            config.d_model, config.n_layers, config.n_heads, config.d_feedforward, dropout
        )
        self.latent_dropout = nn.Dropout(latent_dropout)
        self.to_latent = nn.Linear(config.d_model, config.latent_size)
        self.vector_size = config.latent_size

    def forward(self, rows: Tensor, drawing: Tensor, start: Tensor, n_drawings: int) -> Tensor:
        """Vectors of the drawings.

        Shape: ``rows`` int ``[C, T, 1 + N_SLOTS]`` (chunks of drawings), ``drawing [C]`` (whose chunk), ``start [C]``
        (index of the chunk's first entity in its drawing) -> ``[n_drawings, latent_size]``.
        """
        valid = rows[..., 0] != PAD  # [C, T]
        tokens = self.dropout(self.embedding(rows, start))  # [C, T, D]
        tokens = self.transformer(tokens, valid)
        pooled = pool(tokens, valid, drawing, n_drawings)  # [n_drawings, D]
        return self.to_latent(self.latent_dropout(pooled))
