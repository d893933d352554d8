"""A drawing in memory: it stands upright whichever way it was drawn, and ink and words belong to their entity."""

import math
import zlib
from itertools import pairwise

import numpy as np
import pytest
from ezdxf.math import Matrix44
from hypothesis import given
from hypothesis import strategies as st

from dataset.drawing import N_LETTER_BUCKETS, N_WORD_BUCKETS, Drawing, hashed_grams, turn_rows_back, turn_strokes_back
from dataset.entities import ABSENT, DEEPDXF_TYPES, N_BINS, SLOTS, TYPE_INDEX, Extents, Kind, make_row, model_rows
from dataset.storage import SequenceRecord
from dataset.worker import process_file
from tests.dataset.building import new_drawing, saved

ANGLES = [1 + i for i, slot in enumerate(SLOTS) if slot.kind is Kind.ANGLE]
OTHERS = [i for i in range(1 + len(SLOTS)) if i not in ANGLES]


def sheet_with_every_type(turns):
    """Each of the twelve types, and a frame around them; turned counter-clockwise."""
    document, msp = new_drawing()
    msp.add_lwpolyline([(-10, -10), (190, -10), (190, 110), (-10, 110)], close=True)
    msp.add_line((3, 4), (50, 20))
    msp.add_circle((30, 30), 12)
    msp.add_arc((60, 10), 8, 300, 80)
    msp.add_lwpolyline([(0, 0, 0.4), (30, 0, 0), (30, 30, -1), (5, 20, 0.2)], format="xyb", close=True)
    msp.add_text("WORDS TO READ", height=4, rotation=10).set_placement((10, 40))
    msp.add_mtext("two lines\\Pof text", dxfattribs={"char_height": 3, "insert": (70, 40)})
    msp.add_hatch().paths.add_polyline_path([(80, 10), (95, 10), (95, 25)], is_closed=True)
    msp.add_leader([(5, 5), (15, 45), (25, 45)])
    msp.add_solid([(50, 50), (62, 50), (50, 60), (60, 60)])
    msp.add_spline([(0, 80), (10, 95), (25, 70), (40, 90)])
    document.blocks.new("PART").add_line((0, 0), (7, 3))
    msp.add_blockref("PART", (120, 70), {"xscale": 2, "yscale": -3, "rotation": 25})
    msp.add_linear_dim(base=(0, -5), p1=(10, 5), p2=(50, 0), angle=0).render()
    msp.add_linear_dim(base=(120, 0), p1=(100, 15), p2=(110, 30), angle=90).render()
    for entity in msp:
        entity.transform(Matrix44.z_rotate(turns * math.pi / 2))
    return document


@pytest.mark.parametrize("turns", range(4))
def test_a_turned_drawing_is_read_as_the_upright_one(tmp_path, turns):
    """Every type and every slot: rows as preprocessing makes them of the upright sheet, to within a bin."""
    upright = process_file(saved(sheet_with_every_type(0), tmp_path, "upright.dxf"), "u").sequence
    turned = process_file(saved(sheet_with_every_type(turns), tmp_path, "turned.dxf"), "t").sequence
    want, found = Drawing.of(upright), Drawing.of(turned)
    assert set(want.rows[:, 0]) == set(range(len(DEEPDXF_TYPES)))
    assert np.array_equal(want.rows, model_rows(upright.dxf_vec)), "this one lies as it is"
    assert np.array_equal(want.rows == ABSENT, found.rows == ABSENT)
    assert np.abs(found.rows[:, OTHERS] - want.rows[:, OTHERS]).max() <= 1
    off = np.abs(found.rows[:, ANGLES] - want.rows[:, ANGLES])
    assert np.minimum(off, N_BINS - off).max() <= 1
    assert found.side == pytest.approx(want.side) and found.share == want.share
    assert np.array_equal(found.grams, want.grams) and np.array_equal(found.gram_owner, want.gram_owner)
    assert np.array_equal(found.ink, want.ink) and np.array_equal(found.stroke_owner, want.stroke_owner)
    apart = np.abs(in_the_corner(found.strokes)[:, None] - in_the_corner(want.strokes)).max(axis=2)
    assert apart.min(axis=0).max() < 1e-4 and apart.min(axis=1).max() < 1e-4, "but a circle may start elsewhere"


def in_the_corner(strokes):
    """Strokes with the lower left corner of them all at the origin."""
    return strokes - np.tile(strokes.reshape(-1, 2).min(axis=0), 2)


def test_four_quarters_are_a_full_turn():
    extents = Extents(-3, 5, 40, 100)
    rows = np.stack(
        [
            make_row("ARC", {"x0": 0, "y0": 70, "radius": 2, "start_angle": 350, "end_angle": 20}, extents),
            make_row("HATCH", {"x0": 0, "y0": 10, "x1": 30, "y1": 90, "count": 1}, extents),
        ]
    )
    strokes = np.random.default_rng(0).random((5, 4))
    assert np.abs(turn_rows_back(rows, extents, 4) - rows).max() <= 1
    assert np.allclose(turn_strokes_back(strokes, 4), strokes)
    assert np.array_equal(turn_rows_back(rows, extents, 0), rows)
    hatch = turn_rows_back(rows, extents, 1)[1]
    assert hatch[1] <= hatch[3] and hatch[2] <= hatch[4], "lower left corner first"


@st.composite
def drawings(draw):
    """Rows that say which one they are, ink and words of any of them."""
    length = draw(st.integers(1, 12))
    owners = st.lists(st.integers(0, length - 1), max_size=20)
    stroke_owner, gram_owner = (np.array(sorted(draw(owners)), np.int32) for _ in range(2))
    rows = np.full((length, 1 + len(SLOTS)), ABSENT, np.int16)
    rows[:, 0] = TYPE_INDEX["LINE"]
    rows[:, 1] = np.arange(length)
    strokes = np.repeat(stroke_owner[:, None], 4, axis=1).astype(np.float32)
    ink = (stroke_owner % 3).astype(np.uint8)
    drawing = Drawing(rows, strokes, ink, stroke_owner, 1.5, gram_owner.astype(np.uint16), gram_owner, 10.0)
    return drawing, np.array(draw(st.lists(st.booleans(), min_size=length, max_size=length)), bool)


@given(drawings())
def test_kept_entities_keep_their_ink_and_words_and_no_others(case):
    drawing, entities = case
    kept = drawing.keep(entities)
    who = kept.rows[:, 1]
    assert who.tolist() == np.flatnonzero(entities).tolist()
    assert kept.strokes[:, 0].tolist() == [i for i in drawing.stroke_owner if entities[i]]
    assert who[kept.stroke_owner].tolist() == kept.strokes[:, 0].tolist()
    assert who[kept.gram_owner].tolist() == kept.grams.tolist() == [i for i in drawing.gram_owner if entities[i]]
    assert kept.ink.tolist() == [i % 3 for i in who[kept.stroke_owner]]
    assert (kept.share, kept.side) == (drawing.share, drawing.side)


def test_grams_equal_the_slow_loop():
    texts, owner = ("QFN21  Rev1 A", "部品"), np.array([4, 7], np.int32)
    want = []
    for text, row in zip(texts, owner, strict=True):
        words = text.lower().split()
        for phrase in [*words, *(f"{one} {two}" for one, two in pairwise(words))]:
            want.append((N_LETTER_BUCKETS + zlib.crc32(phrase.encode()) % N_WORD_BUCKETS, row))
        for word in words:
            for n in (2, 3, 4):
                for start in range(len(word) + 2 - n + 1):
                    piece = f" {word} "[start : start + n]
                    want.append((zlib.crc32(piece.encode()) % N_LETTER_BUCKETS, row))
    buckets, rows = hashed_grams(texts, owner)
    assert sorted(zip(buckets, rows, strict=True)) == sorted(want)
    assert (buckets.dtype, rows.dtype) == (np.uint16, np.int32)


def test_grams_are_the_same_everywhere():
    """Not Python's hash, which is another one in every process: these numbers are in the packed files."""
    buckets, _ = hashed_grams(("Ø5",), np.zeros(1, np.int32))
    assert buckets.tolist() == [193, 408, 129, 168, 802, 1063, 6552]
    assert hashed_grams(("ø5 ",), np.zeros(1, np.int32))[0].tolist() == buckets.tolist(), "whatever the case"
    assert len(hashed_grams((), np.zeros(0, np.int32))[0]) == 0


def test_a_drawing_without_anything_to_see():
    record = SequenceRecord(np.zeros((0, 1 + len(SLOTS)), np.int32), "a.dxf", Extents(0, 0, 0, 0), (), "cross")
    drawing = Drawing.of(record)
    assert len(drawing.rows) == len(drawing.strokes) == len(drawing.grams) == 0 and drawing.side == 1
