"""Classical descriptors of the rendered sheet, by scikit-image (an extra: requirements-eval.txt)."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from sklearn.feature_extraction.text import TfidfTransformer

from evaluation.archive import Archive
from evaluation.baselines.pictures import of_pictures, stacked

CELL, ORIENTATIONS = 32, 9
KEYPOINTS, WORDS = 200, 256
BITS = 256  # of an ORB descriptor
MAX_SAMPLE = 100_000  # descriptors that the words are made of


class MissingExtraError(ImportError):
    """A baseline needs a package that is not installed; the message says which and how to get it."""


def hog(archive: Archive) -> np.ndarray:
    """Histograms of oriented gradients (Dalal and Triggs, CVPR 2005): 8 x 8 cells, blocks of 2 x 2 ``[N, 1764]``.

    Raises:
        MissingExtraError: scikit-image is not installed.
    """
    _require_skimage()
    from skimage.feature import hog as describe

    options = {"orientations": ORIENTATIONS, "pixels_per_cell": (CELL, CELL), "cells_per_block": (2, 2)}
    return stacked(of_pictures(archive, lambda picture: describe(picture, **options), "HOG"))


def orb(archive: Archive) -> np.ndarray:
    """A bag of visual words ``[N, up to 256]``: ORB descriptors, clustered, counted and weighted by TF-IDF.

    Rublee et al., "ORB: an efficient alternative to SIFT or SURF", ICCV 2011; Sivic and Zisserman, "Video Google",
    ICCV 2003. The words are clusters of this archive's own descriptors. A sheet without a keypoint has no words (0).

    Raises:
        MissingExtraError: scikit-image is not installed.
    """
    _require_skimage()
    found = of_pictures(archive, _orb_descriptors, "ORB")
    sample = np.concatenate([np.empty((0, BITS), dtype=bool), *(bits for bits in found if bits is not None)])
    if not len(sample):
        return stacked([None if bits is None else np.zeros(1) for bits in found])
    if len(sample) > MAX_SAMPLE:
        sample = sample[np.random.default_rng(0).choice(len(sample), MAX_SAMPLE, replace=False)]
    words = MiniBatchKMeans(min(WORDS, len(sample)), random_state=0, n_init=1, batch_size=4096).fit(
        sample.astype(np.float32)
    )
    counts = np.stack([_histogram(bits, words) for bits in found])
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counts).toarray()
    return stacked([None if bits is None else row for bits, row in zip(found, weighted, strict=True)])


def _histogram(bits: np.ndarray | None, words: MiniBatchKMeans) -> np.ndarray:
    """How often each word occurs; zeros without a descriptor."""
    counts = np.zeros(words.n_clusters)
    if bits is not None and len(bits):
        counts += np.bincount(words.predict(bits.astype(np.float32)), minlength=words.n_clusters)
    return counts


def _orb_descriptors(picture: np.ndarray) -> np.ndarray:
    """bool ``[up to KEYPOINTS, BITS]``."""
    from skimage.feature import ORB

    finder = ORB(n_keypoints=KEYPOINTS)
    try:
        finder.detect_and_extract(picture)
    except RuntimeError:  # its word for a picture without a keypoint
        return np.empty((0, BITS), dtype=bool)
    return finder.descriptors


def _require_skimage() -> None:
    if find_spec("skimage") is None:
        raise MissingExtraError("needs scikit-image: pip install -r requirements-eval.txt")
