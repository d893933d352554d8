"""The graph of an edited drawing, so that both encoders see the same edit."""

from __future__ import annotations

import numpy as np

from dataset.drawing import NOBODY, Drawing
from dataset.dxf_process_GF import Overlap, gf_adjacency, gf_counts, gf_edge_counts, gf_features
from dataset.strokes import boxes_of


def view_graph(view: Drawing, overlap: Overlap) -> tuple[np.ndarray, np.ndarray]:
    """What :mod:`dataset.dxf_process_GF` makes of a drawing, of what a view has left of it.

    An entity's box is that of its strokes; one without any is free, and ink whose row is gone is no entity.

    Returns:
        Features ``[10, 11]`` float32 and adjacency ``[10, 10]`` uint8.
    """
    owned = view.stroke_owner != NOBODY
    boxes = boxes_of(view.strokes[owned].astype(np.float64), view.stroke_owner[owned], len(view.rows))
    types = view.rows[:, 0].astype(np.int64)
    return gf_features(gf_counts(types, boxes, overlap)), gf_adjacency(gf_edge_counts(types))
