"""Options of DeepDXF: the transformer over the sequence of entities (SPEC section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from config.run_config import RunConfig, require


@dataclass
class DeepDXFModelConfig:
    """The DeepDXF network, its views and its loss."""

    d_model: int = 256
    """Width of a token."""
    n_layers: int = 4
    """Transformer layers."""
    n_heads: int = 8
    """Attention heads."""
    d_feedforward: int = 512
    """Width of the feed-forward part of a layer."""
    dropout: float = 0.2
    """Dropout inside the transformer; it makes the two views."""
    latent_dropout: float = 0.1
    """Dropout in front of the latent vector."""
    latent_size: int = 256
    """Size of a drawing's vector."""
    projection_size: int = 128
    """Size of what the loss compares: the output of the two-layer projection head."""
    chunk_size: int = 256
    """Most entities that attend to each other; a longer drawing is cut into even chunks that are pooled together."""
    max_view_entities: int = 128
    """Entities of a drawing that one view reads at most, random chunks of it, in training others every time; 0 reads
    all. Search always reads all."""
    tokens_at_once: int = 16_384
    """Entities that pass through the encoder at once. What a training batch holds beyond them is computed twice, so
    that memory stays bounded whatever the drawings: about 2 GB at the default sizes in float32. Fewer: less memory."""
    reads: Literal["sequence", "sheet"] = "sheet"
    """sequence: the rows of entities alone. sheet: also what is drawn and written, whatever entities it is made of: an
    image of the ink, statistics of its strokes, how strokes meet and points of the ink lie to each other, letters."""
    sheet_size: int = 128
    """Size of each vector learned from the sheet."""
    views: Literal["dropout", "drawing", "both"] = "both"
    """dropout: the same drawing under two dropout masks. drawing: each view is the drawing edited otherwise, see
    utils/views.py. both: both."""
    loss: Literal["infonce", "simclr"] = "infonce"
    """Two names for NT-Xent; docs/losses.md says where the literature tells them apart."""
    temperature: float = 0.07
    """Temperature of NT-Xent."""

    def __post_init__(self) -> None:
        require(self.d_model % self.n_heads == 0, "d_model must be a multiple of n_heads")
        require(self.d_model % 2 == 0, "d_model must be even")
        for name in (
            "n_layers",
            "d_feedforward",
            "latent_size",
            "sheet_size",
            "projection_size",
            "chunk_size",
            "tokens_at_once",
        ):
            require(getattr(self, name) >= 1, f"{name} must be at least 1")
        for name in ("dropout", "latent_dropout"):
            require(0 <= getattr(self, name) < 1, f"{name} must be at least 0 and below 1")
        require(self.max_view_entities >= 0, "max_view_entities must not be negative (0 reads all)")
        require(self.temperature > 0, "temperature must be positive")
        require(
            self.reads == "sequence" or self.views != "dropout",
            "views=dropout makes no views of a sheet: use reads=sequence with it",
        )
        require(
            self.views != "dropout" or self.dropout > 0 or self.latent_dropout > 0,
            "views=dropout needs a dropout above 0: without it the two views are equal",
        )


@dataclass
class DeepDXFConfig(RunConfig, DeepDXFModelConfig):
    """A run of DeepDXF alone: learn drawing vectors by contrasting two views of each drawing."""

    checkpoint_dir: Path = Path("checkpoints/deepdxf")
    batch_size: int = 16
    """Drawings in a batch; each is compared with all others in it."""
    patience: int = 7
    min_delta: float = 0.001

    MEMORY_OPTIONS: ClassVar = ("--batch_size", "--tokens_at_once", "--max_view_entities")

    def __post_init__(self) -> None:
        RunConfig.__post_init__(self)
        DeepDXFModelConfig.__post_init__(self)
        require(self.batch_size >= 2, "batch_size must be at least 2: a drawing needs others to differ from")
