"""The lines of a sheet, the words on it, its picture."""

import math

import numpy as np
import pytest

import dataset.linework
from dataset.geometry import Geometry
from dataset.linework import linework
from dataset.picture import MARGIN, SIZE, draw
from dataset.reading import read_sheet
from dataset.texts import MAX_CHARACTERS, sheet_texts
from tests.dataset.building import new_drawing, saved, sheet_of


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
    behind = msp.add_hatch(dxfattribs={"extrusion": (0, 0, -1)})
    behind.paths.add_polyline_path([(-70, 30), (-60, 30), (-60, 38)], is_closed=True)
    edges = msp.add_hatch().paths.add_edge_path()
    edges.add_line((80, 50), (95, 50))
    edges.add_arc((87.5, 50), 7.5, 0, 180)
    msp.add_leader([(5, 5), (15, 45), (25, 45)])
    msp.add_linear_dim(base=(0, -15), p1=(0, 0), p2=(50, 0)).render()


def test_every_entity_fills_its_box(tmp_path):
    """What is drawn of an entity has the extents that the entity has; of a text, within its frame."""
    document, msp = new_drawing()
    add_one_of_each(msp)
    block = document.blocks.new("PART", base_point=(1, 2))
    add_one_of_each(block)
    insert = {"xscale": 0.3, "yscale": -0.5, "rotation": 30, "extrusion": (0, 0, -1)}
    msp.add_blockref("PART", (200, 100), dxfattribs=insert)
    array = {"column_count": 3, "row_count": 2, "column_spacing": 40, "row_spacing": 70, "xscale": 0.2, "yscale": 0.2}
    msp.add_blockref("PART", (0, 200), dxfattribs=array | {"rotation": 20})
    sheet = sheet_of(document, tmp_path)
    geometry = Geometry(sheet.document, sheet.sight)
    drawn = linework(sheet)
    assert len(drawn) == len(sheet.entities) == 17
    for entity, pieces in zip(sheet.entities, drawn, strict=True):
        box = np.array(geometry.box(entity))
        ends = pieces.reshape(-1, 2)
        found = np.concatenate([ends.min(axis=0), ends.max(axis=0)])
        size = (box[2:] - box[:2]).max()
        assert (found[:2] >= box[:2] - 1e-6 * size).all() and (found[2:] <= box[2:] + 1e-6 * size).all(), entity
        if entity.dxftype() in ("TEXT", "MTEXT"):
            assert found[[0, 2]] == pytest.approx(box[[0, 2]])
        else:
            assert found == pytest.approx(box, abs=0.01 * size), entity


def test_lines_follow_the_curve(tmp_path):
    document, msp = new_drawing()
    msp.add_circle((3, 4), 10)
    msp.add_lwpolyline([(0, 0, 1), (10, 0, 0)], format="xyb")  # half a turn below the chord
    circle, half = linework(sheet_of(document, tmp_path))
    assert np.hypot(*(circle.reshape(-1, 2) - (3, 4)).T) == pytest.approx(10)
    assert np.hypot(*(half.reshape(-1, 2) - (5, 0)).T) == pytest.approx(5)
    assert half[:, [1, 3]].min() == pytest.approx(-5)


def test_the_corners_of_a_solid_are_joined_along_its_sides(tmp_path):
    document, msp = new_drawing()
    msp.add_solid([(0, 0), (1, 0), (0, 1), (1, 1)])
    (sides,) = linework(sheet_of(document, tmp_path))
    assert np.hypot(*(sides[:, 2:] - sides[:, :2]).T) == pytest.approx([1, 1, 1, 1])


def test_a_block_shows_the_same_as_its_exploded_insert(tmp_path):
    def picture(explode):
        document, msp = new_drawing()
        msp.add_lwpolyline([(-10, -10), (400, -10), (400, 300), (-10, 300)], close=True)
        add_one_of_each(document.blocks.new("PART"))
        insert = msp.add_blockref("PART", (100, 50), dxfattribs={"xscale": 2, "yscale": 2, "rotation": 25})
        if explode:
            insert.explode()
        return draw(linework(sheet_of(document, tmp_path))).astype(float)

    inserted, exploded = picture(False), picture(True)
    assert (inserted > 0).mean() > 0.02
    assert np.abs(inserted - exploded).mean() < 0.01 * inserted.mean()


def test_damage_and_recursion_draw_nothing_and_stop_nothing(tmp_path):
    document, msp = new_drawing()
    msp.add_line((0, 0), (100, 50))
    msp.add_circle((math.nan, 0), 3)
    block = document.blocks.new("SELF")
    block.add_line((0, 0), (1, 1))
    block.add_blockref("SELF", (1, 1))
    msp.add_blockref("SELF", (10, 10))
    msp.add_blockref("NO SUCH BLOCK", (10, 10))
    msp.add_point((5, 5))
    found = linework(sheet_of(document, tmp_path))
    assert sorted(map(len, found)) == [0, 0, 1, 1, 1]


def test_a_block_bomb_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset.linework, "MAX_SEGMENTS", 5000)
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
    for x in range(50):
        msp.add_blockref("B2", (0, x))
    pieces = linework(sheet_of(document, tmp_path))
    assert 2000 < sum(map(len, pieces)) < 5000 + 16 * len(pieces)
    assert all(len(piece) for piece in pieces[2:]), "a frame at least"
    assert not len(pieces[1])


def test_a_picture_keeps_the_aspect_and_stands_in_the_middle():
    rectangle = np.array([[0, 0, 40, 0], [40, 0, 40, 20], [40, 20, 0, 20], [0, 20, 0, 0]]) + 1e6
    picture = draw([rectangle])
    rows, columns = np.nonzero(picture.max(axis=1))[0], np.nonzero(picture.max(axis=0))[0]
    assert picture.shape == (SIZE, SIZE) and picture.dtype == np.uint8
    assert (columns[0], columns[-1]) == (MARGIN, SIZE - MARGIN)
    assert rows[-1] - rows[0] == pytest.approx((columns[-1] - columns[0]) / 2, abs=1)
    assert picture[rows[0], SIZE // 2] > 0 and picture[SIZE // 2, SIZE // 2] == 0


def test_up_is_up():
    picture = draw([np.array([[0.0, 0, 100, 0]]), np.array([[0.0, 0, 0, 100]])])
    assert picture[-SIZE // 4 :].sum() > 2 * picture[: SIZE // 4].sum(), "the long line lies at the bottom"
    assert picture[:, : SIZE // 4].sum() > 2 * picture[:, -SIZE // 4 :].sum(), "the other one on the left"


def test_moving_and_scaling_a_sheet_leaves_its_picture():
    pieces = np.random.default_rng(0).uniform(0, 100, (30, 4))
    assert np.abs(draw([pieces]).astype(int) - draw([pieces * 25.4 + 300])).mean() < 0.5


def test_strays_and_nothing():
    rng = np.random.default_rng(1)
    pieces = [piece[None] for piece in rng.uniform(0, 100, (60, 4))]
    stray = np.array([[0.0, 0.0, 1e20, 1e20]])
    assert (draw([*pieces, stray]) > 0).mean() > 0.9 * (draw(pieces) > 0).mean()
    assert not draw([]).any() and not draw([np.empty((0, 4))]).any()
    assert draw([np.array([[5.0, 5, 5, 5]])]).any(), "a dot"


def test_words_in_drawing_order_without_codes(tmp_path):
    document, msp = new_drawing()
    block = document.blocks.new("TITLE")
    block.add_text("IN A BLOCK")
    block.add_attdef("NAME", (0, 0), "default")
    msp.add_text("%%c5 FIRST")
    msp.add_mtext("{\\fArial|b0;second}\\Pline")
    insert = msp.add_blockref("TITLE", (0, 0))
    insert.add_attrib("NAME", "部品（旧）", (0, 0))
    msp.add_blockref("TITLE", (50, 0))
    msp.add_line((0, 0), (1, 1))
    msp.add_linear_dim(base=(0, -5), p1=(0, 0), p2=(12.5, 0)).render()
    found = sheet_texts(sheet_of(document, tmp_path))
    assert found[:4] == ["Ø5 FIRST", "second\nline", "部品（旧）", "IN A BLOCK"]
    assert len(found) == 5 and found[4] in ("12.5", "12,5")


def test_words_without_end_are_cut(tmp_path):
    document, msp = new_drawing()
    for _ in range(3):
        msp.add_text("x" * (MAX_CHARACTERS // 2))
    assert sum(map(len, sheet_texts(sheet_of(document, tmp_path)))) == MAX_CHARACTERS


def test_what_is_switched_off_is_neither_drawn_nor_read(tmp_path):
    document, msp = new_drawing()
    document.layers.add("HIDDEN").freeze()
    msp.add_line((0, 0), (9, 9))
    block = document.blocks.new("B")
    block.add_text("secret", dxfattribs={"layer": "HIDDEN"})
    block.add_text("shown")
    msp.add_blockref("B", (0, 0))
    path = saved(document, tmp_path)
    shown, all_of_it = read_sheet(path, visible_only=True), read_sheet(path)
    assert sheet_texts(shown) == ["shown"] and sheet_texts(all_of_it) == ["secret", "shown"]
    assert sum(map(len, linework(shown))) == 2 and sum(map(len, linework(all_of_it))) == 3
