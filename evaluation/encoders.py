"""A trained model's vectors of an archive, and those of the same networks before any training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from config.frame import ASKED
from evaluation.archive import Archive
from model.embedding import Embedder
from utils.progress import progress

ENCODERS = ("joint", "gf", "deepdxf")
UNTRAINED_SEED = 0


def encoder_vectors(archive: Archive, embedder: Embedder, name: str = "drawings") -> dict[str, np.ndarray]:
    """By encoder ``[N, D]``; NaN for a drawing that it cannot read."""
    return by_encoder(list(progress(embedder.many(archive.sequences()), name, total=len(archive))))


def by_encoder(found: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Of a vector a drawing and encoder, a matrix an encoder; NaN where a drawing has none."""
    sizes = {encoder: len(vector) for vectors in found for encoder, vector in vectors.items()}
    return {
        encoder: np.stack([vectors.get(encoder, np.full(sizes[encoder], np.nan)) for vectors in found])
        for encoder in ENCODERS
        if encoder in sizes
    }


def untrained_vectors(archive: Archive, model_path: Path, device: torch.device) -> dict[str, np.ndarray]:
    """The same of fresh weights by a fixed seed: without them a high score looks like learning.

    They keep what was fitted to the training drawings without a gradient, and settle on the archive as the trained ones
    do, so that weights make all of the difference.
    """
    embedder = Embedder(model_path, device, untrained_seed=UNTRAINED_SEED)
    embedder.settle(archive.sample(ASKED))
    found = encoder_vectors(archive, embedder, "untrained")
    return {f"untrained_{encoder}": vectors for encoder, vectors in found.items()}
