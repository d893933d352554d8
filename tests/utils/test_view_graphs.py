"""The graph of a view: preprocessing's own counts, of what the view has left."""

import numpy as np
import pytest

from dataset.drawing import NOBODY, Drawing
from dataset.dxf_process import load_drawing
from dataset.dxf_process_GF import gf_adjacency, gf_features
from dataset.entities import TYPE_INDEX
from tests.dataset.building import new_drawing, saved
from tests.model.batches import random_drawing
from utils import views
from utils.view_graphs import view_graph


@pytest.fixture
def record(tmp_path):
    """Lines, circles and polylines, whose boxes their strokes fill."""
    document, space = new_drawing()
    for i in range(6):
        space.add_line((10 * i, 0), (10 * i + 12, 8))
        space.add_circle((10 * i + 6, 4), 3)
        space.add_lwpolyline([(10 * i, 20), (10 * i + 5, 24), (10 * i + 9, 20)])
    space.add_line((0, 22), (60, 22.5))
    return load_drawing(saved(document, tmp_path, "part.dxf"))


def test_an_unedited_drawing_has_the_graph_that_preprocessing_gave_it(record):
    features, adjacency = view_graph(Drawing.of(record), "cross")
    assert np.array_equal(features, gf_features(record.gf_counts)) and features[:, 1:].any()
    assert np.array_equal(adjacency, gf_adjacency(record.gf_edge_counts)) and adjacency.any()


def test_what_a_view_lost_is_in_no_count(record):
    drawing = Drawing.of(record)
    view = drawing.keep(drawing.rows[:, 0] != TYPE_INDEX["CIRCLE"])
    features, adjacency = view_graph(view, "cross")
    assert not features[TYPE_INDEX["CIRCLE"]].any() and not adjacency[TYPE_INDEX["CIRCLE"]].any()
    assert features[TYPE_INDEX["LINE"]].any()


def test_ink_whose_row_is_gone_is_in_no_box(record):
    """It would stretch that of another entity over the sheet."""
    drawing = Drawing.of(record)
    for seed in range(20):
        view = views.explode(drawing, np.random.default_rng(seed))
        if len(view.rows) < len(drawing.rows):  # the polylines, there being no blocks
            without = drawing.keep(drawing.rows[:, 0] != TYPE_INDEX["LWPOLYLINE"])
            assert len(view.strokes) > len(without.strokes)
            for found, wanted in zip(view_graph(view, "cross"), view_graph(without, "cross"), strict=True):
                assert np.array_equal(found, wanted)
            again = view.keep(view.rows[:, 0] == TYPE_INDEX["LINE"])
            assert (again.stroke_owner == NOBODY).sum() == (view.stroke_owner == NOBODY).sum() > 0
            return
    pytest.fail("no polyline was exploded")


def test_a_view_without_any_ink_has_free_entities_alone():
    drawing = random_drawing(12, 3)
    features, _ = view_graph(drawing.keep(np.bincount(drawing.stroke_owner, minlength=12) == 0), "cross")
    assert not features[:, 1:].any()
