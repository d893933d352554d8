"""A trained model's vectors of an archive, and those of the same networks before any training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from evaluation.archive import Archive
from model.embedding import Embedder
from utils.progress import progress

ENCODERS = ("joint", "gf", "deepdxf")
UNTRAINED_SEED = 0


def encoder_vectors(archive: Archive, embedder: Embedder, name: str = "drawings") -> dict[str, np.ndarray]:
    """By encoder ``[N, D]``; NaN for a drawing that it cannot read."""
    found = list(progress(embedder.many(archive.sequences()), name, total=len(archive)))
    sizes = {encoder: len(vector) for vectors in found for encoder, vector in vectors.items()}
    return {
        encoder: np.stack([vectors.get(encoder, np.full(sizes[encoder], np.nan)) for vectors in found])
        for encoder in ENCODERS
        if encoder in sizes
    }


def untrained_vectors(archive: Archive, model_path: Path, device: torch.device) -> dict[str, np.ndarray]:
    """The same of fresh weights by a fixed seed: without them a high score looks like learning.

    They keep what was fitted to the training drawings without a gradient, and are centred on the archive itself, of
    which the trained model knows nothing. That is to their advantage.
    """
    embedder = Embedder(model_path, device, untrained_seed=UNTRAINED_SEED)
    embedder.settle(progress(archive.sequences(), "centring the untrained", total=len(archive)))
    found = encoder_vectors(archive, embedder, "untrained")
    return {f"untrained_{encoder}": vectors for encoder, vectors in found.items()}
