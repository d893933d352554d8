"""Whether "more alike than 99 % of pairs" holds for drawings that had no say in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import kstest

from config.frame import FEWEST
from dataset.storage import SequenceRecord
from evaluation.encoders import by_encoder
from model.embedding import Embedder, similarity

CALIBRATED_ON = 150  # drawings: as many pairs as are looked at
MAX_PAIRS = 10_000


@dataclass(frozen=True)
class Calibration:
    """How the shares of :meth:`model.embedding.Embedder.share_below` are spread over pairs of an archive.

    If its pairs are as alike as those that the shares are of, they are uniform on 0..1.

    Attributes:
        mean: of the shares; 1/2 if uniform, more where the archive's pairs are more alike.
        ks: their Kolmogorov-Smirnov distance from uniform, 0..1: no share is further from the truth than that.
    """

    mean: float
    ks: float


def calibrate_as_search(drawings: Sequence[SequenceRecord], embedder: Embedder) -> dict[str, Calibration]:
    """As an index says it, which asks the archive: by every second drawing, over the pairs of the others.

    Leaves the embedder settled on those that were asked. Nothing if they are too few (:mod:`config.frame`).
    """
    if not embedder.settle(drawings[::2], FEWEST):
        return {}
    return calibrate(by_encoder(list(embedder.many(drawings[1::2]))), embedder)


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
