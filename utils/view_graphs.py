"""The graph of an edited drawing, so that both encoders see the same edit."""

from __future__ import annotations

import numpy as np

from dataset.drawing import Drawing
from dataset.dxf_process_GF import Overlap, gf_adjacency, gf_counts, gf_edge_counts, gf_features


def view_graph(view: Drawing, overlap: Overlap) -> tuple[np.ndarray, np.ndarray]:
    """What :mod:`dataset.dxf_process_GF` makes of a drawing, of what a view has left of it.

    An entity's box is that of its strokes; one without any is free.

    Returns:
        Features ``[10, 11]`` float32 and adjacency ``[10, 10]`` uint8.
    """
    types = view.rows[:, 0].astype(np.int64)
    return gf_features(gf_counts(types, stroke_boxes(view), overlap)), gf_adjacency(gf_edge_counts(types))


def stroke_boxes(view: Drawing) -> np.ndarray:
    """min_x, min_y, max_x, max_y of each entity's strokes, NaN where it has none. Shape: ``[L, 4]`` float64."""
    low, high = (np.full((len(view.rows), 2), sign * np.inf) for sign in (1, -1))
    owner = np.repeat(view.stroke_owner, 2)
    ends = view.strokes.reshape(-1, 2).astype(np.float64)
    np.minimum.at(low, owner, ends)
    np.maximum.at(high, owner, ends)
    boxes = np.concatenate([low, high], axis=1)
    return np.where(np.isfinite(boxes), boxes, np.nan)
