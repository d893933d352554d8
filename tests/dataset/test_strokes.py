"""Strokes are what is drawn: the same ink whatever entities draw it, and ezdxf's own paths lie on it."""

import math

import numpy as np
import pytest
from ezdxf.math import Matrix44

from dataset.appearance import MAX_KEPT, appearance, quarter_turns
from dataset.content import measure
from dataset.entities import Extents
from dataset.extents import drawing_extents
from dataset.geometry import Geometry
from dataset.reading import read_sheet
from dataset.sight import Sight
from dataset.strokes import MAX_STROKES, Ink, Strokes
from dataset.texts import Texts
from tests.dataset.building import new_drawing


def strokes_of(document, *entities):
    geometry = Geometry(document, collect=Strokes)
    return np.concatenate([geometry.trace(entity).array() for entity in entities])


def length(strokes):
    return np.hypot(strokes[:, 2] - strokes[:, 0], strokes[:, 3] - strokes[:, 1]).sum()


def same_ink(left, right):
    """The same strokes in any order and direction."""

    def canonical(strokes):
        ends = np.sort(np.round(strokes[:, :4].reshape(-1, 2, 2), 6).view("f8,f8").reshape(-1, 2), axis=1)
        return sorted(map(str, ends))

    return canonical(left) == canonical(right)


def test_a_line_and_a_circle():
    document, space = new_drawing()
    line, circle = space.add_line((0, 0), (3, 4)), space.add_circle((1, 1), 2)
    assert strokes_of(document, line).tolist() == [[0, 0, 3, 4, Ink.LINE]]
    round_ = strokes_of(document, circle)
    assert len(round_) == 24
    np.testing.assert_allclose(np.hypot(round_[:, 0] - 1, round_[:, 1] - 1), 2)
    assert length(round_) == pytest.approx(4 * math.pi, rel=0.01)


def test_exploding_leaves_the_ink():
    document, space = new_drawing()
    block = document.blocks.new("PART", base_point=(1, 1))
    block.add_lwpolyline([(0, 0, 0, 0, 0.5), (4, 0, 0, 0, 0), (4, 2, 0, 0, -1)], close=True)
    block.add_line((0, 0), (5, 5))
    insert = space.add_blockref("PART", (10, 20), {"xscale": 2, "yscale": -2, "rotation": 30})
    before = strokes_of(document, insert)
    parts = list(insert.explode())
    assert same_ink(before, strokes_of(document, *parts))
    straight = space.add_lwpolyline([(0, 0), (4, 0), (4, 2)], close=True)
    before = strokes_of(document, straight)
    assert same_ink(before, strokes_of(document, *straight.explode()))


def test_what_is_filled_and_what_is_written():
    document, space = new_drawing()
    hatch = space.add_hatch()
    hatch.paths.add_polyline_path([(0, 0), (1, 0), (1, 1)])
    solid = space.add_solid([(0, 0), (1, 0), (0, 1), (1, 1)])
    text = space.add_text("ABC", height=2)
    assert strokes_of(document, hatch)[:, 4].tolist() == [Ink.FILL] * 3
    corners = strokes_of(document, solid)
    assert length(corners) == 4 and (corners[:, 4] == Ink.FILL).all()  # round the square, not across it
    ((x0, y0, x1, y1, ink),) = strokes_of(document, text).tolist()
    assert ink == Ink.TEXT and x0 == 0 and x1 > 3 and y0 == y1 == 1


def test_a_huge_array_is_thinned():
    document, space = new_drawing()
    document.blocks.new("DOT").add_circle((0, 0), 1)
    insert = space.add_blockref("DOT", (0, 0), {"column_count": 3000, "row_count": 3000})
    insert.dxf.column_spacing = insert.dxf.row_spacing = 5
    found = strokes_of(document, insert)
    assert 1000 < len(found) <= MAX_STROKES
    assert found[:, [0, 2]].max() == pytest.approx(2999 * 5 + 1)  # its far end is there


def test_a_block_inside_itself():
    document, space = new_drawing()
    block = document.blocks.new("SELF")
    block.add_line((0, 0), (1, 1))
    block.add_blockref("SELF", (1, 0))
    insert = space.add_blockref("SELF", (0, 0))
    assert len(strokes_of(document, insert)) == 1


def test_not_finite_strokes_are_refused():
    collector = Strokes()
    collector.chain([(0, 0), (math.nan, 1)])
    with pytest.raises(ValueError, match="not finite"):
        collector.box()


def test_of_many_strokes_some_are_kept():
    rng = np.random.default_rng(0)
    strokes = [np.column_stack([rng.random((5, 4)), np.zeros(5)]) for _ in range(4000)]
    frame = Extents(0, 0, 1, 1)
    seen = appearance(strokes, [[]] * 4000, frame)
    assert len(seen.strokes) == MAX_KEPT and seen.share == 20_000 / MAX_KEPT
    again = appearance(strokes[::-1], [[]] * 4000, frame)  # another order of the entities, the same ink
    assert same_ink(seen.strokes.astype(float), again.strokes.astype(float))
    assert (np.diff(seen.stroke_owner) >= 0).all()


@pytest.mark.parametrize("far", [1e4, 1e20, 1e300, -1.7e308])
def test_a_stray_does_not_shrink_the_ink(far):
    rng = np.random.default_rng(0)
    strokes = [np.column_stack([rng.random((1, 4)), [[Ink.LINE]]]) for _ in range(60)]
    frame = Extents(0.0, 0.0, 1.0, 0.9)
    alone = appearance([np.minimum(part, [[1, 0.9, 1, 0.9, 9]]) for part in strokes], [[]] * 60, frame)
    seen = appearance([*strokes, np.array([[far, far, -far, far, Ink.LINE]])], [[]] * 61, frame)
    assert np.array_equal(seen.strokes[:60], alone.strokes)
    assert seen.strokes.min() >= 0 and seen.strokes.max() <= 1 and len(seen.strokes) == 61


def test_texts_of_blocks_attributes_and_dimensions():
    document, space = new_drawing()
    inner = document.blocks.new("INNER")
    inner.add_mtext(r"{\fArial;first\Psecond}  line")
    outer = document.blocks.new("OUTER")
    outer.add_blockref("INNER", (0, 0))
    outer.add_blockref("OUTER", (0, 0))  # itself
    insert = space.add_blockref("OUTER", (0, 0))
    insert.add_attrib("TAG", "value %%c5", (0, 0))
    dimension = space.add_linear_dim(base=(0, 2), p1=(0, 0), p2=(3, 0)).render().dimension
    texts = Texts(document, Sight(document, visible_only=False))
    assert texts.of(insert) == ["first second line", "value Ø5"]
    assert texts.of(dimension) == ["3"]
    assert texts.of(space.add_line((0, 0), (1, 1))) == []


@pytest.mark.parametrize("turns", range(4))
def test_a_sheet_on_its_side_is_noticed(tmp_path, turns):
    document, space = new_drawing()
    for i in range(4):
        space.add_text("a note to read", height=2).set_placement((0, 5 * i))
        space.add_text("12.5", height=2, rotation=90).set_placement((40 + 5 * i, 0))
    for entity in space:
        entity.transform(Matrix44.z_rotate(turns * math.pi / 2))
    document.saveas(tmp_path / "a.dxf")
    content = measure(read_sheet(tmp_path / "a.dxf"))
    seen = appearance(content.strokes, content.texts, drawing_extents(content.boxes))
    assert quarter_turns(seen.strokes, seen.ink) == turns
    assert sorted(seen.texts) == ["12.5"] * 4 + ["a note to read"] * 4
