"""DeepDXF's view of a drawing: one row an entity, in drawing order."""

from __future__ import annotations

import numpy as np

from dataset.content import Content
from dataset.entities import Extents, make_rows, read_row


def sequence_rows(content: Content, extents: Extents) -> np.ndarray:
    """The sequence of a drawing.

    Args:
        extents: the drawing's frame, see :func:`dataset.extents.drawing_extents`.

    Returns:
        ``[L, ROW_LENGTH]`` int32, as described in :mod:`dataset.entities`.
    """
    return make_rows(content.types, content.parameters, extents)


def decode_rows(rows: np.ndarray, extents: Extents) -> list[tuple[str, dict[str, float]]]:
    """The inverse of :func:`sequence_rows` up to one bin: type name and physical values of every row."""
    return [read_row(row, extents) for row in rows]
