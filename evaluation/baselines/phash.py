"""Image hash of the rendered sheet."""

from __future__ import annotations

import numpy as np
from scipy.fft import dctn

from evaluation.archive import Archive
from evaluation.baselines.pictures import of_pictures, stacked

SIDE, LOW = 32, 8


def phash(archive: Archive) -> np.ndarray:
    """The 64 bits of pHash as -1 and 1 ``[N, 64]``: their cosine is 1 - 2 * (Hamming distance) / 64.

    Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010, section 3.2.1: the low
    frequencies of the picture's cosine transform, above their median or not.
    """
    return stacked(of_pictures(archive, hash_bits, "pHash"))


def hash_bits(picture: np.ndarray) -> np.ndarray:
    """uint8 ``[S, S] -> [64]`` of -1 and 1."""
    step = len(picture) // SIDE
    small = picture.reshape(SIDE, step, SIDE, step).mean(axis=(1, 3))
    low = dctn(small)[:LOW, :LOW].ravel()
    return np.where(low > np.median(low), 1.0, -1.0)
