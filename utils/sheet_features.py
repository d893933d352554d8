"""What a sheet shows, in numbers: an image of its ink, statistics of its strokes, its shapes, counts of its letters.

A drawing without a text lies as it happens to lie: nothing here tells it from itself turned by a quarter or mirrored.
"""

from __future__ import annotations

import numpy as np

from dataset.drawing import N_GRAM_BUCKETS, Drawing
from dataset.entities import DEEPDXF_TYPES
from dataset.strokes import Ink
from utils.joints import N_JOINTS, joint_counts
from utils.point_pairs import N_PAIRS, pair_histogram

IMAGE_SIZE = 32  # cells a side
N_DIRECTIONS = 4
N_CHANNELS = N_DIRECTIONS + 2  # lines by direction, texts, edges of filled areas
N_LENGTHS = 12  # octaves of stroke length, the longest as long as the sheet
STEEP = 0.02  # radians off the horizontal or vertical that still count as such
N_STROKE_STATISTICS = 5 * N_LENGTHS + 2
N_STATISTICS = N_STROKE_STATISTICS + len(DEEPDXF_TYPES)
FEATURE_SHAPES = {
    "image": (N_CHANNELS, IMAGE_SIZE, IMAGE_SIZE),
    "statistics": (N_STATISTICS,),
    "grams": (N_GRAM_BUCKETS,),
    "pairs": (N_PAIRS,),
    "joints": (2, N_JOINTS),
}


def sheet_features(drawing: Drawing) -> dict[str, np.ndarray]:
    """``image``, ``statistics``, ``grams``, ``pairs`` and ``joints``, float32 of ``FEATURE_SHAPES``."""
    return {
        "image": ink_image(drawing),
        "statistics": np.concatenate([stroke_statistics(drawing), type_counts(drawing)]).astype(np.float32),
        "grams": gram_counts(drawing),
        "pairs": pair_histogram(drawing),
        "joints": joint_counts(drawing),
    }


def has_upside(drawing: Drawing) -> bool:
    """Whether texts tell how the drawing is to be held."""
    return bool((drawing.ink == Ink.TEXT).any())


def ink_image(drawing: Drawing) -> np.ndarray:
    """``log(1 + 50 * length)`` of the ink in every cell, lines apart by direction as in HOG (Dalal & Triggs 2005).

    The frame is a square around the drawing, which is what remains of it: a view that lost a corner has another one.
    """
    if not len(drawing.strokes):
        return np.zeros((N_CHANNELS, IMAGE_SIZE, IMAGE_SIZE), np.float32)
    strokes = drawing.strokes.astype(np.float64)
    low, high = _corners(strokes)
    placed = (strokes - np.tile((low + high) / 2, 2)) / (max(high - low) or 1.0) + 0.5
    dx, dy = placed[:, 2] - placed[:, 0], placed[:, 3] - placed[:, 1]
    length = np.hypot(dx, dy)
    count = np.clip(np.ceil(length * IMAGE_SIZE * 1.5), 1, None).astype(int)  # at most two thirds of a cell apart
    stroke = np.repeat(np.arange(len(placed)), count)
    along = (np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + 0.5) / count[stroke]
    column = _cell(placed[stroke, 0] + along * dx[stroke])
    row = _cell(placed[stroke, 1] + along * dy[stroke])
    direction = np.round(np.arctan2(dy, dx) / np.pi * N_DIRECTIONS).astype(int) % N_DIRECTIONS
    channel = np.where(drawing.ink == Ink.LINE, direction, N_DIRECTIONS - 1 + drawing.ink)[stroke]
    index = (channel * IMAGE_SIZE + row) * IMAGE_SIZE + column
    weight = (length / count)[stroke] * drawing.share
    image = np.bincount(index, weights=weight, minlength=N_CHANNELS * IMAGE_SIZE**2)
    image = np.log1p(50 * image).reshape(N_CHANNELS, IMAGE_SIZE, IMAGE_SIZE).astype(np.float32)
    return image if has_upside(drawing) else _any_side_up(image)


def _any_side_up(image: np.ndarray) -> np.ndarray:
    """The mean of an image and its seven turned and mirrored selves. Shape: ``[N_CHANNELS, n, n]``, the same."""
    mirrored = image[:, :, ::-1][[0, 3, 2, 1, 4, 5]]  # what rose, falls
    both = image + mirrored
    both = both + both[:, ::-1, ::-1]
    turned = np.rot90(both, axes=(1, 2))[[2, 3, 0, 1, 4, 5]]  # what was level, is plumb
    return (both + turned) / 8


def stroke_statistics(drawing: Drawing) -> np.ndarray:
    """Log counts of texts, edges of filled areas, horizontal, vertical and other lines by octave of length, the aspect
    ratio and the size of the sheet: nothing that exploding a block or polyline would change.

    Shape: ``[N_STROKE_STATISTICS]``.
    """
    if not len(drawing.strokes):
        return np.zeros(N_STROKE_STATISTICS)
    strokes = drawing.strokes.astype(np.float64)
    low, high = _corners(strokes)
    width, height = np.maximum(high - low, 1e-9)
    side = max(width, height)
    dx, dy = strokes[:, 2] - strokes[:, 0], strokes[:, 3] - strokes[:, 1]
    octave = np.floor(np.log2(np.maximum(np.hypot(dx, dy) / side, 1e-9))) + N_LENGTHS - 1
    octave = np.clip(octave, 0, N_LENGTHS - 1).astype(int)
    angle = np.abs(np.arctan2(dy, dx))
    slope = np.where((angle < STEEP) | (angle > np.pi - STEEP), 2, np.where(abs(angle - np.pi / 2) < STEEP, 3, 4))
    kind = np.where(drawing.ink == Ink.LINE, slope, drawing.ink.astype(int) - 1)
    counts = np.bincount(kind * N_LENGTHS + octave, minlength=5 * N_LENGTHS) * drawing.share
    aspect = 3 * np.log(width / height)
    if not has_upside(drawing):
        level, plumb = (slice(slope * N_LENGTHS, (slope + 1) * N_LENGTHS) for slope in (2, 3))
        counts[level] = counts[plumb] = (counts[level] + counts[plumb]) / 2
        aspect = abs(aspect)
    return np.concatenate([np.log1p(counts), [aspect, np.log(side * drawing.side)]])


def type_counts(drawing: Drawing) -> np.ndarray:
    """Log counts of the entity types. Shape: ``[len(DEEPDXF_TYPES)]``."""
    return np.log1p(np.bincount(drawing.rows[:, 0], minlength=len(DEEPDXF_TYPES)))


def gram_counts(drawing: Drawing) -> np.ndarray:
    """Log counts of the buckets of n-grams. Shape: ``[N_GRAM_BUCKETS]`` float32."""
    return np.log1p(np.bincount(drawing.grams, minlength=N_GRAM_BUCKETS)).astype(np.float32)


def _corners(strokes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ends = strokes.reshape(-1, 2)
    return ends.min(axis=0), ends.max(axis=0)


def _cell(share: np.ndarray) -> np.ndarray:
    return np.clip((share * IMAGE_SIZE).astype(int), 0, IMAGE_SIZE - 1)
