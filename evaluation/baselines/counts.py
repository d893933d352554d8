"""Counting entities."""

from __future__ import annotations

import numpy as np

from dataset.dxf_process_GF import gf_features
from dataset.entities import DEEPDXF_TYPES
from dataset.storage import SequenceRecord
from evaluation.archive import Archive


def counts_aspect(archive: Archive) -> np.ndarray:
    """How many entities of each type (log) and the aspect ratio (log), z-scored over the archive ``[N, 13]``."""
    return standardised(np.stack([_counts_and_aspect(drawing) for drawing in archive.sequences()]))


def raw_gf(archive: Archive) -> np.ndarray:
    """GF's input features as they are ``[N, 110]``; NaN for a drawing without any of the ten classes."""
    return np.stack([_gf(drawing) for drawing in archive.sequences()])


def standardised(table: np.ndarray) -> np.ndarray:
    """Each column less its mean, over its standard deviation; a constant column becomes 0."""
    deviation = table.std(axis=0)
    return (table - table.mean(axis=0)) / np.where(deviation > 1e-12, deviation, 1.0)


def _counts_and_aspect(drawing: SequenceRecord) -> np.ndarray:
    counts = np.bincount(drawing.dxf_vec[:, 0], minlength=len(DEEPDXF_TYPES))
    sides = max(drawing.extents.width, 1e-9), max(drawing.extents.height, 1e-9)
    return np.concatenate([np.log1p(counts), [np.log(sides[0] / sides[1])]])


def _gf(drawing: SequenceRecord) -> np.ndarray:
    if drawing.gf_counts is None:
        return np.full(110, np.nan)
    return gf_features(drawing.gf_counts).ravel().astype(np.float64)
