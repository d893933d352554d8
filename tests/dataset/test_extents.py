"""One stray entity must not squeeze the drawing into a bin; a sheet's own parts must not be taken for strays."""

import numpy as np
import pytest

from dataset.dxf_process_DeepDXF import sequence_rows
from dataset.entities import SLOT_INDEX, Extents
from dataset.extents import drawing_extents
from tests.dataset.building import content_of, new_drawing

GRID = np.array([(x, y, x + 1, y + 1) for x in range(10) for y in range(6)], dtype=np.float64)


def test_union_of_the_boxes():
    boxes = np.concatenate([GRID, [[np.nan] * 4]])
    assert drawing_extents(boxes) == Extents(0, 0, 10, 6)
    assert drawing_extents(boxes[-1:]) == Extents(0, 0, 0, 0)
    assert drawing_extents(np.zeros((0, 4))).side == 1


@pytest.mark.parametrize(
    "stray",
    [
        (1e6, 5, 1e6, 5),
        (0, 0, 1e20, 0),  # a line that starts on the sheet
        (-1e20, -1e20, 1e20, 1e20),
        (5, -1e300, 6, -1e300),
        (4, 400, 5, 401),
    ],
)
def test_a_stray_does_not_count(stray):
    assert drawing_extents(np.concatenate([GRID, [stray]])) == Extents(0, 0, 10, 6)


def test_several_strays_at_several_distances():
    many = np.concatenate([GRID, GRID, GRID, [(1e4, 0, 1e4, 0), (0, 1e9, 0, 1e9), (1e20, 0, 1e20, 0)]])
    assert drawing_extents(many) == Extents(0, 0, 10, 6)


def test_border_and_a_second_view_count():
    border = np.array([(-70.0, -50.0, 80.0, 50.0)])
    assert drawing_extents(np.concatenate([GRID, border])) == Extents(-70, -50, 150, 100)
    views = np.concatenate([GRID, GRID + 1000])
    assert drawing_extents(views) == Extents(0, 0, 1010, 1006)


def test_a_drawing_of_few_entities_has_no_strays():
    assert drawing_extents(np.array([(0, 0, 1, 1), (0, 0, 2, 2), (1e3, 0, 1e3, 1)])).width == 1000


def test_a_stray_is_clipped_to_the_edge_and_the_rest_keeps_its_bins(tmp_path):
    document, space = new_drawing()
    for i in range(9):
        space.add_line((i, 0), (i, 8))
    space.add_line((1e20, 0), (1e20, 1))
    content = content_of(document, tmp_path)
    rows = sequence_rows(content, drawing_extents(content.boxes))
    x = rows[:, 1 + SLOT_INDEX["x0"]]
    assert len(set(x[:9].tolist())) == 9 and x[9] == 255
