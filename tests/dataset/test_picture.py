"""The picture of a sheet: what is drawn stands where it is drawn, whatever entities draw it."""

import math

import numpy as np
import pytest

from dataset import strokes
from dataset.appearance import appearance
from dataset.content import measure
from dataset.extents import drawing_extents
from dataset.geometry import Geometry
from dataset.picture import MARGIN, SIZE, draw
from dataset.strokes import Strokes
from tests.dataset.building import content_of, new_drawing, sheet_of


def add_one_of_each(msp):
    msp.add_line((0, 0), (50, 20))
    msp.add_circle((30, 30), 12)
    msp.add_arc((60, 10), 8, 300, 80)
    msp.add_ellipse((20, 60), (15, 5), 0.4, 0, 4)
    msp.add_lwpolyline([(0, 0, 0.4), (30, 0, 0), (30, 30, -1), (5, 20, 0.2)], format="xyb", close=True)
    msp.add_polyline2d([(70, 70, 0.0), (90, 75, 0.5), (80, 95, 0.0)], format="xyb")
    msp.add_spline([(0, 80), (10, 95), (25, 70), (40, 90)])
    msp.add_solid([(50, 50), (60, 50), (50, 60), (60, 60)])
    msp.add_text("WORDS", height=4).set_placement((10, 40))
    msp.add_mtext("two lines\\Pof text", dxfattribs={"char_height": 3, "insert": (70, 40)})
    msp.add_hatch().paths.add_polyline_path([(80, 10, 0.3), (95, 10, 0), (95, 25, 0)], is_closed=True)
    edges = msp.add_hatch().paths.add_edge_path()
    edges.add_line((80, 50), (95, 50))
    edges.add_arc((87.5, 50), 7.5, 0, 180)
    msp.add_leader([(5, 5), (15, 45), (25, 45)])
    msp.add_linear_dim(base=(0, -15), p1=(0, 0), p2=(50, 0)).render()


def picture_of(content):
    return draw(appearance(content.strokes, content.texts, drawing_extents(content.boxes)).strokes)


def test_the_ink_of_every_entity_fills_its_box(tmp_path):
    """Of a text, which is one stroke through its middle, it fills the width."""
    document, msp = new_drawing()
    add_one_of_each(msp)
    add_one_of_each(document.blocks.new("PART", base_point=(1, 2)))
    insert = {"xscale": 0.3, "yscale": -0.5, "rotation": 30, "extrusion": (0, 0, -1)}
    msp.add_blockref("PART", (200, 100), dxfattribs=insert)
    array = {"column_count": 3, "row_count": 2, "column_spacing": 40, "row_spacing": 70, "xscale": 0.2, "yscale": 0.2}
    msp.add_blockref("PART", (0, 200), dxfattribs=array | {"rotation": 20})
    content = content_of(document, tmp_path)
    assert len(content) == len(content.strokes) == 16
    for box, drawn, said in zip(content.boxes, content.strokes, content.texts, strict=True):
        ends = drawn[:, :4].reshape(-1, 2)
        found = np.concatenate([ends.min(axis=0), ends.max(axis=0)])
        size = (box[2:] - box[:2]).max()
        assert (found[:2] >= box[:2] - 1e-6 * size).all() and (found[2:] <= box[2:] + 1e-6 * size).all()
        if said in (["WORDS"], ["two lines of text"]):
            assert found[[0, 2]] == pytest.approx(box[[0, 2]])
        else:
            assert found == pytest.approx(box, abs=0.01 * size)


def test_one_walk_gives_what_two_would(tmp_path):
    document, msp = new_drawing()
    add_one_of_each(msp)
    add_one_of_each(document.blocks.new("PART"))
    msp.add_blockref("PART", (200, 100), dxfattribs={"rotation": 30})
    sheet = sheet_of(document, tmp_path)
    content = measure(sheet)
    boxes, ink = Geometry(sheet.document, sheet.sight), Geometry(sheet.document, sheet.sight, Strokes)
    for entity, box, drawn in zip(sheet.entities, content.boxes, content.strokes, strict=True):
        assert np.array_equal(boxes.box(entity), box)
        assert np.array_equal(ink.trace(entity).array(), drawn)


def test_a_block_shows_the_same_as_its_exploded_insert(tmp_path):
    def picture(explode):
        document, msp = new_drawing()
        msp.add_lwpolyline([(-10, -10), (400, -10), (400, 300), (-10, 300)], close=True)
        add_one_of_each(document.blocks.new("PART"))
        insert = msp.add_blockref("PART", (100, 50), dxfattribs={"xscale": 2, "yscale": 2, "rotation": 25})
        if explode:
            insert.explode()
        return picture_of(content_of(document, tmp_path)).astype(float)

    inserted, exploded = picture(False), picture(True)
    assert (inserted > 0).mean() > 0.02
    assert np.abs(inserted - exploded).mean() < 0.01 * inserted.mean()


def test_damage_and_recursion_draw_nothing_and_stop_nothing(tmp_path):
    document, msp = new_drawing()
    msp.add_line((0, 0), (100, 50))
    msp.add_circle((math.nan, 0), 3)
    block = document.blocks.new("SELF")
    block.add_line((0, 0), (1, 1))
    block.add_circle((math.nan, 0), 3)
    block.add_blockref("SELF", (1, 1))
    msp.add_blockref("SELF", (10, 10))
    msp.add_blockref("NO SUCH BLOCK", (10, 10))
    content = content_of(document, tmp_path)
    assert [len(drawn) for drawn in content.strokes] == [1, 1, 0]
    assert sum(content.left_out.values()) == 2
    assert picture_of(content).any()


def test_a_block_bomb_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(strokes, "MAX_STROKES", 5000)
    document, msp = new_drawing()
    document.blocks.new("B0").add_circle((0, 0), 1)
    document.blocks.new("EMPTY")
    for level in range(1, 12):
        block = document.blocks.new(f"B{level}")
        for x in range(10):
            block.add_blockref(f"B{level - 1}", (3 * x, level))
    array = {"column_count": 9000, "row_count": 9000, "column_spacing": 1, "row_spacing": 1}
    for name in ("B11", "EMPTY"):
        msp.add_blockref(name, (0, 0), dxfattribs=array)
    content = content_of(document, tmp_path)
    assert [len(drawn) for drawn in content.strokes] == [5000, 0]


def test_a_picture_keeps_the_aspect_and_stands_in_the_middle():
    rectangle = np.array([[0, 0, 1, 0], [1, 0, 1, 0.5], [1, 0.5, 0, 0.5], [0, 0.5, 0, 0]])
    picture = draw(rectangle)
    rows, columns = np.nonzero(picture.max(axis=1))[0], np.nonzero(picture.max(axis=0))[0]
    assert picture.shape == (SIZE, SIZE) and picture.dtype == np.uint8
    assert (columns[0], columns[-1]) == (MARGIN, SIZE - MARGIN)
    assert rows[-1] - rows[0] == pytest.approx((columns[-1] - columns[0]) / 2, abs=1)
    assert picture[rows[0], SIZE // 2] > 0 and picture[SIZE // 2, SIZE // 2] == 0


def test_up_is_up():
    picture = draw(np.array([[0.0, 0, 1, 0], [0.0, 0, 0, 1]]))
    assert picture[-SIZE // 4 :].sum() > 2 * picture[: SIZE // 4].sum(), "one line lies at the bottom"
    assert picture[:, : SIZE // 4].sum() > 2 * picture[:, -SIZE // 4 :].sum(), "the other one on the left"


def test_moving_and_scaling_a_sheet_leaves_its_picture(tmp_path):
    def picture(scale, shift):
        document, msp = new_drawing()
        for x0, y0, x1, y1 in np.random.default_rng(0).uniform(0, 100, (30, 4)) * scale + shift:
            msp.add_line((x0, y0), (x1, y1))
        return picture_of(content_of(document, tmp_path)).astype(int)

    assert np.abs(picture(1, 0) - picture(25.4, 300)).mean() < 0.5


def test_strays_and_nothing(tmp_path):
    def picture(stray):
        document, msp = new_drawing()
        for x0, y0, x1, y1 in np.random.default_rng(1).uniform(0, 100, (60, 4)):
            msp.add_line((x0, y0), (x1, y1))
        if stray:
            msp.add_line((0, 0), (1e20, 1e20))
        return picture_of(content_of(document, tmp_path))

    assert (picture(True) > 0).mean() > 0.9 * (picture(False) > 0).mean()
    assert not draw(np.empty((0, 4))).any()
    assert draw(np.array([[0.5, 0.5, 0.5, 0.5]])).any(), "a dot"
