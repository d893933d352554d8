"""Whether "more alike than 99 % of pairs of training drawings" holds for drawings that were not trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import kstest

from model.embedding import Embedder, similarity

CALIBRATED_ON = 150  # drawings: as many pairs as are looked at
MAX_PAIRS = 10_000


@dataclass(frozen=True)
class Calibration:
    """How the shares of :meth:`model.embedding.Embedder.share_below` are spread over pairs of an archive.

    If its pairs are as alike as those of the training drawings, the shares are uniform on 0..1.

    Attributes:
        mean: of the shares; 1/2 if uniform, more where the archive's pairs are more alike.
        ks: their Kolmogorov-Smirnov distance from uniform, 0..1: no share is further from the truth than that.
    """

    mean: float
    ks: float


def calibrate(vectors: Mapping[str, np.ndarray], embedder: Embedder) -> dict[str, Calibration]:
    """By encoder, over all pairs ``[N, D]`` or ``MAX_PAIRS`` random ones; without those that were never measured."""
    found = {}
    for encoder, rows in vectors.items():
        known = rows[~np.isnan(rows).any(axis=1)]
        cosines = (similarity(known[i], known[j], "cosine") for i, j in _pairs(len(known)))
        shares = [embedder.share_below(encoder, cosine) for cosine in cosines]
        if shares and None not in shares:
            found[encoder] = Calibration(float(np.mean(shares)), float(kstest(shares, "uniform").statistic))
    return found


def _pairs(count: int) -> np.ndarray:
    """``[P, 2]`` indices of different drawings."""
    if count * (count - 1) // 2 <= MAX_PAIRS:
        return np.column_stack(np.triu_indices(count, k=1))
    rng = np.random.default_rng(0)
    first, step = rng.integers(0, count, MAX_PAIRS), rng.integers(1, count, MAX_PAIRS)
    return np.column_stack([first, (first + step) % count])
