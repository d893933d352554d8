"""What a sheet shows, in numbers: equal to slow loops, and blind to how the same sheet was drawn."""

import math
from dataclasses import replace

import numpy as np
import pytest
from ezdxf.math import Matrix44

from dataset.drawing import N_GRAM_BUCKETS, Drawing
from dataset.entities import DEEPDXF_TYPES, TYPE_INDEX
from dataset.strokes import Ink
from dataset.worker import process_file
from tests.dataset.building import new_drawing, saved
from tests.model.batches import random_drawing
from utils.joints import N_JOINTS
from utils.point_pairs import N_PAIRS
from utils.sheet_features import (
    IMAGE_SIZE,
    N_CHANNELS,
    N_LENGTHS,
    N_STATISTICS,
    N_STROKE_STATISTICS,
    STEEP,
    gram_counts,
    ink_image,
    sheet_features,
    stroke_statistics,
    type_counts,
)


def with_strokes(*strokes, ink=Ink.LINE, share=1.0, side=1.0):
    """A drawing of these strokes, all of one kind of ink."""
    strokes = np.array(strokes, np.float32).reshape(-1, 4)
    ink, owner = np.full(len(strokes), ink, np.uint8), np.zeros(len(strokes), np.int32)
    return replace(random_drawing(1), strokes=strokes, ink=ink, stroke_owner=owner, share=share, side=side)


def held(drawing):
    """The same with a text of no size, so that it is clear which way up it is."""
    one = drawing.strokes[:1, [0, 1, 0, 1]]
    return replace(
        drawing,
        strokes=np.concatenate([drawing.strokes, one]),
        ink=np.append(drawing.ink, np.uint8(Ink.TEXT)),
        stroke_owner=np.append(drawing.stroke_owner, np.int32(0)),
    )


def looped_image(drawing):
    """Stroke by stroke, piece by piece."""
    ends = drawing.strokes.astype(float).reshape(-1, 2)
    middle, side = (ends.min(axis=0) + ends.max(axis=0)) / 2, max(ends.max(axis=0) - ends.min(axis=0))
    image = np.zeros((N_CHANNELS, IMAGE_SIZE, IMAGE_SIZE))
    for stroke, ink in zip(drawing.strokes.astype(float), drawing.ink, strict=True):
        start, end = ((point - middle) / side + 0.5 for point in (stroke[:2], stroke[2:]))
        length = math.dist(start, end)
        pieces = max(1, math.ceil(1.5 * IMAGE_SIZE * length))
        degrees = math.degrees(math.atan2(end[1] - start[1], end[0] - start[0])) % 180
        channel = round(degrees / 45) % 4 if ink == Ink.LINE else {Ink.TEXT: 4, Ink.FILL: 5}[ink]
        for piece in range(pieces):
            x, y = start + (piece + 0.5) / pieces * (end - start)
            column, row = (min(max(int(IMAGE_SIZE * place), 0), IMAGE_SIZE - 1) for place in (x, y))
            image[channel, row, column] += drawing.share * length / pieces
    return np.log(1 + 50 * image)


def looped_statistics(drawing):
    strokes = drawing.strokes.astype(float)
    ends = strokes.reshape(-1, 2)
    width, height = ends.max(axis=0) - ends.min(axis=0)
    side = max(width, height)
    counts = np.zeros((5, N_LENGTHS))
    for (x0, y0, x1, y1), ink in zip(strokes, drawing.ink, strict=True):
        octave = N_LENGTHS - 1 + math.floor(math.log2(math.hypot(x1 - x0, y1 - y0) / side))
        off = math.atan2(abs(y1 - y0), abs(x1 - x0))  # 0 horizontal, pi / 2 vertical
        slope = 2 if off < STEEP else 3 if off > math.pi / 2 - STEEP else 4
        kind = {Ink.LINE: slope, Ink.TEXT: 0, Ink.FILL: 1}[ink]
        counts[kind, min(max(octave, 0), N_LENGTHS - 1)] += drawing.share
    return [*np.log(1 + counts.ravel()), 3 * math.log(width / height), math.log(side * drawing.side)]


@pytest.mark.parametrize("seed", range(4))
def test_image_and_statistics_equal_slow_loops(seed):
    drawing = replace(random_drawing(30, seed), share=1.0 + seed)
    drawing.strokes[::3, 3] = drawing.strokes[::3, 1]  # level
    drawing.strokes[1::3, 2] = drawing.strokes[1::3, 0]  # upright
    drawing.strokes[::2, 2:] = drawing.strokes[::2, :2] + (drawing.strokes[::2, 2:] - drawing.strokes[::2, :2]) / 500
    assert set(drawing.ink) == set(Ink)
    np.testing.assert_allclose(ink_image(drawing), looped_image(drawing), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(stroke_statistics(drawing), looped_statistics(drawing), rtol=1e-6)


def test_all_ink_is_in_the_image():
    drawing = replace(random_drawing(50), share=3.0)
    lengths = np.hypot(*(drawing.strokes[:, 2:] - drawing.strokes[:, :2]).T.astype(float))
    side = np.ptp(drawing.strokes.reshape(-1, 2), axis=0).max()
    assert np.expm1(ink_image(drawing).astype(float)).sum() / 50 == pytest.approx(3 * lengths.sum() / side, rel=1e-5)


def test_lines_by_direction_and_place_by_hand():
    """A square with one diagonal: bottom, right, top, left, rising."""
    square = [(0, 0, 1, 0), (1, 0, 1, 1), (1, 1, 0, 1), (0, 1, 0, 0), (0, 0, 1, 1)]
    image = ink_image(held(with_strokes(*square))) > 0
    assert image[0, [0, -1]].all() and not image[0, 1:-1].any(), "the level ones"
    assert image[2][:, [0, -1]].all() and not image[2][:, 1:-1].any(), "the upright ones"
    assert np.array_equal(image[1], np.eye(IMAGE_SIZE, dtype=bool)), "the rising one"
    assert not image[3:].any()
    falling = ink_image(held(with_strokes(*square[:4], (0, 1, 1, 0))))
    assert (falling[3] > 0).any() and not (falling[1] > 0).any()
    for ink, channel in ((Ink.TEXT, 4), (Ink.FILL, 5)):
        found = ink_image(held(with_strokes(*square, ink=ink)))
        assert found[channel].any() and np.flatnonzero(found.any(axis=(1, 2))).tolist() == [channel]


TURNS = {
    "quarter turn": [[0, -1], [1, 0]],
    "upside down": [[-1, 0], [0, -1]],
    "mirrored": [[-1, 0], [0, 1]],
    "turned and mirrored": [[0, 1], [1, 0]],
}


@pytest.mark.parametrize("matrix", TURNS.values(), ids=TURNS)
def test_without_a_text_nobody_can_tell_which_way_up(matrix):
    drawing = random_drawing(40, 6)
    drawing = replace(drawing, ink=np.where(drawing.ink == Ink.TEXT, Ink.LINE, drawing.ink).astype(np.uint8))
    drawing.strokes[::3, 3] = drawing.strokes[::3, 1]  # level
    drawing.strokes[:, [1, 3]] *= 0.6

    def turned(one):
        return replace(one, strokes=(one.strokes.reshape(-1, 2) @ np.array(matrix, np.float32)).reshape(-1, 4))

    for measure in (ink_image, stroke_statistics):
        np.testing.assert_allclose(measure(turned(drawing)), measure(drawing), atol=1e-4)
    assert not np.allclose(ink_image(turned(held(drawing))), ink_image(held(drawing)), atol=0.1)
    np.testing.assert_allclose(ink_image(drawing).sum(), ink_image(held(drawing)).sum(), rtol=1e-4)


def test_which_end_of_a_stroke_comes_first_says_nothing():
    drawing = random_drawing(30, 5)
    turned = replace(drawing, strokes=drawing.strokes[:, [2, 3, 0, 1]])
    np.testing.assert_allclose(ink_image(turned), ink_image(drawing), atol=1e-5)
    np.testing.assert_allclose(stroke_statistics(turned), stroke_statistics(drawing))


@pytest.mark.parametrize("strokes", [[], [(0.3, 0.4, 0.3, 0.4)], [(0.1, 0.2, 0.9, 0.2)]], ids=["none", "dot", "level"])
def test_little_ink_gives_finite_numbers(strokes):
    drawing = replace(with_strokes(*strokes), grams=np.zeros(0, np.int32), gram_owner=np.zeros(0, np.int32))
    features = sheet_features(drawing)
    shapes = {"image": (N_CHANNELS, IMAGE_SIZE, IMAGE_SIZE), "statistics": (N_STATISTICS,), "grams": (N_GRAM_BUCKETS,)}
    shapes |= {"joints": (2, N_JOINTS), "pairs": (N_PAIRS,)}
    assert {name: value.shape for name, value in features.items()} == shapes
    assert all(value.dtype == np.float32 and np.isfinite(value).all() for value in features.values())
    if not strokes:
        assert not features["image"].any() and not features["statistics"][:N_STROKE_STATISTICS].any()
    assert not features["grams"].any()


def test_counts_of_types_and_letters():
    drawing = random_drawing(3)
    drawing.rows[:, 0] = [TYPE_INDEX["LINE"], TYPE_INDEX["HATCH"], TYPE_INDEX["LINE"]]
    want = np.zeros(len(DEEPDXF_TYPES))
    want[[TYPE_INDEX["LINE"], TYPE_INDEX["HATCH"]]] = np.log([3, 2])
    np.testing.assert_allclose(type_counts(drawing), want)
    words = gram_counts(replace(drawing, grams=np.array([5, 2047, 5, 5], np.int32)))
    assert np.flatnonzero(words).tolist() == [5, 2047]
    np.testing.assert_allclose(words[[5, 2047]], np.log([4, 2]), rtol=1e-6)
    assert np.array_equal(sheet_features(drawing)["statistics"][N_STROKE_STATISTICS:], np.float32(type_counts(drawing)))


def part():
    """A sheet with a block, polylines with bulges, a circle, a hatch, a text and a dimension."""
    document, space = new_drawing()
    block = document.blocks.new("PART", base_point=(1.3, 0.7))
    block.add_lwpolyline([(0, 0, 0, 0, 0.5), (41.3, 0, 0, 0, 0), (37.1, 22.7, 0, 0, -0.3)], close=True)
    block.add_line((0.3, 0.1), (50.7, 13.9))
    block.add_text("INNER NOTE", height=2.3).set_placement((3.1, 29.3))
    block.add_hatch().paths.add_polyline_path([(5.1, 5.3), (9.7, 5.3), (9.7, 11.9)])
    space.add_blockref("PART", (13.7, 21.1))
    space.add_blockref("PART", (71.3, 64.9), {"rotation": 37, "xscale": 1.5, "yscale": 1.5})
    space.add_lwpolyline([(0, 0), (143.1, 0), (143.1, 101.7), (0, 101.7)], close=True)
    space.add_circle((110.3, 23.7), 7.9)
    space.add_text("DRAWING 12", height=3.1).set_placement((91.7, 91.3))
    space.add_linear_dim(base=(0, -9.7), p1=(3.3, 1.1), p2=(101.9, 1.1)).render()
    return document, space


def seen(document, folder, name="a.dxf"):
    """The drawing that training would have in memory."""
    path = saved(document, folder, name)
    return Drawing.of(process_file(path, name, "cross", False).sequence)


def test_exploding_changes_neither_image_nor_strokes_nor_letters(tmp_path):
    document, space = part()
    before = seen(document, tmp_path)
    for kind in ("INSERT", "LWPOLYLINE"):  # those that come out of the blocks too
        for entity in list(space.query(kind)):
            entity.explode()
    after = seen(document, tmp_path, "exploded.dxf")
    assert not np.allclose(type_counts(before), type_counts(after)), "the case explodes something"
    np.testing.assert_allclose(ink_image(after), ink_image(before), atol=1e-4)
    np.testing.assert_allclose(stroke_statistics(after), stroke_statistics(before), atol=1e-4)
    assert np.array_equal(gram_counts(after), gram_counts(before))
    assert before.grams.any() and (before.ink == Ink.FILL).any()


def test_another_place_and_another_unit_change_the_size_alone(tmp_path):
    document, space = part()
    before = seen(document, tmp_path)
    for dimension in list(space.query("DIMENSION")):  # what it measures would be another number
        dimension.explode()
    flat = seen(document, tmp_path, "flat.dxf")
    for entity in space:
        entity.transform(Matrix44.scale(25.4, 25.4, 25.4) @ Matrix44.translate(-1234.5, 678.9, 0))
    after = seen(document, tmp_path, "moved.dxf")
    np.testing.assert_allclose(ink_image(after), ink_image(flat), atol=1e-3)
    change = stroke_statistics(after) - stroke_statistics(flat)
    np.testing.assert_allclose(change[:-1], 0, atol=1e-4)
    assert change[-1] == pytest.approx(math.log(25.4), rel=1e-4)
    assert np.array_equal(gram_counts(after), gram_counts(flat))
    np.testing.assert_allclose(ink_image(flat), ink_image(before), atol=1e-4)
