"""Views of a drawing: each changes what it says and nothing else, and rows, ink and words tell of the same edit."""

from collections import Counter
from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest

from dataset.drawing import NOBODY, Drawing
from dataset.entities import ABSENT, DEEPDXF_TYPES, MAX_BIN, N_SLOTS, ROW_LENGTH, SLOT_INDEX, SLOTS, TYPE_INDEX, Kind
from utils import views

ALL = {
    "make_view": views.make_view,
    "redimension": views.redimension,
    "drop_entities": lambda drawing, rng: views.drop_entities(drawing, rng, 0.2, 0.9),
    "drop_class": views.drop_class,
    "crop_window": views.crop_window,
    "explode": views.explode,
    "change_words": views.change_words,
    "shear": views.shear,
    "shift_and_scale": views.shift_and_scale,
    "change_unit": views.change_unit,
}
LOSES_ENTITIES = ["make_view", "drop_entities", "drop_class", "crop_window"]
N_TYPES = len(DEEPDXF_TYPES)
MARK = 1 + SLOT_INDEX["count"]  # a slot that no view touches


def marked(length, seed=0, types=N_TYPES):
    """A drawing each of whose entities bears its number: in a slot, in the ink's kind and place, in its n-grams."""
    rng = np.random.default_rng(seed)
    rows = np.full((length, ROW_LENGTH), ABSENT, np.int16)
    rows[:, 0] = rng.integers(0, types, length)
    present = rng.random((length, N_SLOTS)) < 0.3
    rows[:, 1:][present] = rng.integers(0, MAX_BIN + 1, present.sum())
    rows[:, MARK] = np.arange(length)
    stroke_owner = np.repeat(np.arange(length), rng.integers(1, 4, length)).astype(np.int32)
    gram_owner = np.repeat(np.arange(length), rng.integers(0, 4, length)).astype(np.int32)
    strokes = rng.random((len(stroke_owner), 4), dtype=np.float32)
    return Drawing(rows, strokes, stroke_owner.astype(np.uint8), stroke_owner, 2.0, gram_owner.copy(), gram_owner, 50.0)


def copied(drawing):
    values = {field.name: getattr(drawing, field.name) for field in fields(drawing)}
    return Drawing(**{name: v.copy() if isinstance(v, np.ndarray) else v for name, v in values.items()})


def differing(one, two):
    """The fields in which two drawings differ."""
    return {f.name for f in fields(one) if not np.array_equal(getattr(one, f.name), getattr(two, f.name))}


def typed(counts):
    """A drawing of so many entities of each type."""
    drawing = marked(sum(counts.values()))
    drawing.rows[:, 0] = np.repeat([TYPE_INDEX[name] for name in counts], list(counts.values()))
    return drawing


@pytest.mark.parametrize("name", ALL)
def test_the_original_stays_and_equal_seeds_give_equal_views(name):
    drawing = marked(40)
    before = copied(drawing)
    changed = 0
    for seed in range(20):
        one, two = (ALL[name](drawing, np.random.default_rng(seed)) for _ in range(2))
        assert not differing(one, two)
        assert not differing(drawing, before)
        changed += bool(differing(one, drawing))
    assert changed > 5


@pytest.mark.parametrize("name", ALL)
def test_dtypes_and_shapes_stay(name):
    drawing = marked(40)
    view = ALL[name](drawing, np.random.default_rng(3))
    for field in fields(drawing):
        mine, theirs = getattr(view, field.name), getattr(drawing, field.name)
        if isinstance(theirs, np.ndarray):
            assert mine.dtype == theirs.dtype, field.name
            assert mine.shape[1:] == theirs.shape[1:], field.name
    assert view.share == drawing.share and isinstance(view.side, float) and view.side > 0
    for owner in (view.stroke_owner, view.gram_owner):
        assert ((owner >= NOBODY) & (owner < len(view.rows))).all() and (np.diff(owner[owner != NOBODY]) >= 0).all()


@pytest.mark.parametrize("length", [1, 2, 5])
@pytest.mark.parametrize("name", ALL)
def test_at_least_one_entity_remains(name, length):
    for seed in range(60):
        assert len(ALL[name](marked(length, seed, types=2), np.random.default_rng(seed)).rows) >= 1


@pytest.mark.parametrize("name", ALL)
def test_a_drawing_without_ink_and_words_has_views_too(name):
    empty = marked(6).keep(np.ones(6, dtype=bool))
    empty = Drawing(
        empty.rows, np.zeros((0, 4), np.float32), *(np.zeros(0, t) for t in (np.uint8, np.int32)), 1.0,
        *(np.zeros(0, np.int32) for _ in range(2)), 1.0,
    )  # fmt: skip
    for seed in range(20):
        view = ALL[name](empty, np.random.default_rng(seed))
        assert len(view.rows) >= 1 and len(view.strokes) == len(view.grams) == 0


@pytest.mark.parametrize("name", LOSES_ENTITIES[1:])
def test_an_entity_goes_with_its_ink_and_its_words_and_what_stays_is_as_it_was(name):
    drawing = marked(60)
    lost = 0
    for seed in range(20):
        view = ALL[name](drawing, np.random.default_rng(seed))
        kept = view.rows[:, MARK]
        lost += len(drawing.rows) - len(kept)
        assert np.array_equal(view.rows, drawing.rows[kept]), "in their order, as they were"
        strokes, grams = np.isin(drawing.ink, kept), np.isin(drawing.grams, kept)
        assert np.array_equal(view.strokes, drawing.strokes[strokes])
        assert np.array_equal(view.ink, drawing.ink[strokes])
        assert np.array_equal(view.grams, drawing.grams[grams])
        assert np.array_equal(kept[view.stroke_owner], view.ink), "every stroke is its entity's"
        assert np.array_equal(kept[view.gram_owner], view.grams)
    assert lost > 0


@pytest.mark.parametrize("seed", range(5))
def test_other_dimensions_keep_the_order_and_what_is_aligned_and_move_rows_with_their_ink(seed):
    drawing = marked(60)
    drawing.strokes[:20, 0] = 0.25  # aligned
    point = np.array([0, 0.25, 0.5, 1])  # where a row and a stroke meet
    corner = np.column_stack([point, point, point, point]).astype(np.float32)
    drawing.strokes[-4:] = corner
    columns = [1 + SLOT_INDEX[name] for name in ("x0", "y0")]
    drawing.rows[-4:, columns] = np.round(point * MAX_BIN)[:, None]
    view = views.redimension(drawing, np.random.default_rng(seed))
    assert differing(drawing, view) == {"rows", "strokes"}
    for axis in (0, 1):
        before, after = (each.strokes[:, [axis, axis + 2]].ravel() for each in (drawing, view))
        order = np.argsort(before)
        assert (np.diff(after[order]) >= 0).all()
        assert len(np.unique(after[:40:2])) <= len(np.unique(before[:40:2]))
        assert np.allclose(view.rows[-4:, columns[axis]] / MAX_BIN, view.strokes[-4:, axis], atol=1 / MAX_BIN)
    assert view.strokes.min() >= 0
    assert view.strokes.max() <= 1
    assert np.ptp(np.diff(np.sort(view.strokes[-4:, 0])) / np.diff(np.sort(corner[:, 0]))) > 0.05  # not by one factor


def test_dropping_loses_a_share_between_the_two_ends():
    drawing = marked(2000)
    shares = [
        1 - len(views.drop_entities(drawing, np.random.default_rng(seed), 0.2, 0.4).rows) / 2000 for seed in range(40)
    ]
    assert 0.16 < min(shares) < 0.25 and 0.35 < max(shares) < 0.44


def test_drop_class_loses_one_type_altogether():
    drawing = marked(300)
    for seed in range(30):
        view = views.drop_class(drawing, np.random.default_rng(seed))
        (gone,) = set(drawing.rows[:, 0]) - set(view.rows[:, 0])
        assert len(drawing.rows) - len(view.rows) == (drawing.rows[:, 0] == gone).sum()


def test_crop_keeps_what_has_its_middle_in_a_window():
    drawing = marked(400)
    middles = np.random.default_rng(1).random((400, 2))
    around = np.random.default_rng(2).uniform(-0.01, 0.01, (400, 2))
    for i in range(400):  # an entity's strokes lie round its middle
        mine = np.flatnonzero(drawing.stroke_owner == i)
        drawing.strokes[mine] = np.concatenate([middles[i] - around[i], middles[i] + around[i]])
    corners = []
    for seed in range(40):
        kept = views.crop_window(drawing, np.random.default_rng(seed)).rows[:, MARK]
        low, high = middles[kept].min(axis=0), middles[kept].max(axis=0)
        inside = ((middles >= low) & (middles <= high)).all(axis=1)
        assert set(np.flatnonzero(inside)) == set(kept), "all that lies between those kept, and nothing else"
        corners.append([low, high])
    low, high = np.array(corners).swapaxes(0, 1)
    size = high - low  # [40, 2]
    assert (size > 0.55).all() and (size < 0.97).all()
    assert (size.min(axis=0) < 0.7).all() and (size.max(axis=0) > 0.85).all()
    assert (low.max(axis=0) > 0.1).all() and (low.min(axis=0) < 0.05).all()
    assert (high.min(axis=0) < 0.9).all() and (high.max(axis=0) > 0.95).all()
    assert np.abs(size[:, 0] - size[:, 1]).max() > 0.1, "not always as wide as high"


def test_crop_keeps_what_leaves_no_ink():
    drawing = marked(50)
    dots = drawing.stroke_owner >= 5
    drawing = Drawing(
        drawing.rows, drawing.strokes[dots], drawing.ink[dots], drawing.stroke_owner[dots], 1.0, drawing.grams,
        drawing.gram_owner, 1.0,
    )  # fmt: skip
    for seed in range(20):
        assert set(views.crop_window(drawing, np.random.default_rng(seed)).rows[:, MARK]) >= set(range(5))


def test_exploding_takes_the_rows_of_blocks_or_polylines_and_leaves_ink_and_words():
    drawing = typed({"LINE": 5, "INSERT": 4, "LWPOLYLINE": 3, "TEXT": 2})
    gone = set()
    for seed in range(20):
        view = views.explode(drawing, np.random.default_rng(seed))
        lost = set(range(14)) - set(view.rows[:, MARK].tolist())
        assert lost in (set(range(5, 9)), set(range(9, 12)))
        gone |= lost
        assert differing(view, drawing) <= {"rows", "stroke_owner", "gram_owner"}
        kept = view.rows[:, MARK]
        for owner, before in ((view.stroke_owner, drawing.stroke_owner), (view.gram_owner, drawing.gram_owner)):
            still = ~np.isin(before, list(lost))
            assert np.array_equal(kept[owner[still]], before[still]), "whose row is there keeps its ink"
            assert (owner[~still] == NOBODY).all()
    assert gone == set(range(5, 12)), "now the blocks, now the polylines"


def test_a_drawing_of_blocks_alone_cannot_lose_their_rows():
    drawing = typed({"INSERT": 4})
    for seed in range(10):
        assert not differing(views.explode(drawing, np.random.default_rng(seed)), drawing)


def test_words_are_lost_everywhere_or_nowhere_and_nothing_else_is():
    drawing = marked(300)
    shares = []
    for seed in range(60):
        view = views.change_words(drawing, np.random.default_rng(seed))
        assert differing(view, drawing) <= {"grams", "gram_owner"}
        kept = np.isin(drawing.grams, view.grams)
        assert np.array_equal(view.grams, drawing.grams[kept])
        assert np.array_equal(view.gram_owner, drawing.gram_owner[kept])
        shares.append(1 - len(np.unique(view.grams)) / len(np.unique(drawing.grams)))
    shares = np.array(shares)
    assert 1 < (shares == 1).sum() < 25, "now and then all"
    assert shares[shares < 1].max() < 0.75 and shares.min() < 0.1


def test_shear_moves_the_ink_alone_and_by_one_matrix():
    drawing = marked(50)
    mirrored = 0
    for seed in range(60):
        view = views.shear(drawing, np.random.default_rng(seed))
        assert differing(view, drawing) == {"strokes"}
        points, moved = drawing.strokes.reshape(-1, 2), view.strokes.reshape(-1, 2)
        matrix, *_ = np.linalg.lstsq(points.astype(float), moved.astype(float), rcond=None)
        np.testing.assert_allclose(points @ matrix, moved, atol=1e-5)
        mirror = np.linalg.det(matrix) < 0
        mirrored += mirror
        assert np.abs(matrix - np.diag([-1.0 if mirror else 1.0, 1.0])).max() < 0.2
    assert 2 < mirrored < 28


def test_shifting_and_scaling_moves_all_rows_together_and_clips_nothing():
    drawing = marked(200)
    view = views.shift_and_scale(drawing, np.random.default_rng(2))
    assert differing(view, drawing) == {"rows"}
    present = drawing.rows[:, 1:] != ABSENT
    assert np.array_equal(view.rows[:, 1:] != ABSENT, present)
    offsets = {}
    for column, slot in enumerate(SLOTS):
        before, after = (rows[present[:, column], 1 + column] for rows in (drawing.rows, view.rows))
        if slot.kind not in (Kind.X, Kind.Y, Kind.LENGTH):
            assert np.array_equal(before, after), slot.name
            continue
        assert after.min() >= 0 and after.max() <= MAX_BIN
        slope, offset = np.polyfit(before, after, 1)
        assert np.abs(slope * before + offset - after).max() < 1.0
        offsets.setdefault(slot.kind, []).append((slope, offset))
    slopes = np.concatenate([np.array(found)[:, 0] for found in offsets.values()])
    assert np.ptp(slopes) < 0.01 and 0.85 < slopes.mean() < 0.999, "one scale"
    for found in offsets.values():
        assert np.ptp(np.array(found)[:, 1]) < 1.5, "one shift for each axis"
    assert np.abs(np.array(offsets[Kind.LENGTH])[:, 1]).max() < 1.0, "lengths do not shift"
    assert np.mean(offsets[Kind.X], axis=0)[1] > 1.5, "the case shifts"


def test_another_unit_changes_the_size_alone_and_it_then_says_nothing():
    drawing, rng = marked(20), np.random.default_rng(0)
    found = [views.change_unit(drawing, rng) for _ in range(500)]
    assert all(differing(view, drawing) == {"side"} for view in found)
    logs = np.log([view.side / drawing.side for view in found])
    assert abs(logs.mean()) < 0.3 and logs.std() == pytest.approx(2.0, abs=0.2)


def test_a_view_is_several_edits_one_upon_the_other(monkeypatch):
    steps = []

    def watched(name, edit):
        def step(drawing, *args):
            view = edit(drawing, *args)
            steps.append((name, drawing, view))
            return view

        return step

    for name in set(ALL) - {"make_view"}:
        monkeypatch.setattr(views, name, watched(name, getattr(views, name)))
    drawing, counts = marked(50), Counter()
    for seed in range(200):
        steps.clear()
        view = views.make_view(drawing, np.random.default_rng(seed))
        for (_, _, before), (_, after, _) in pairwise(steps):
            assert after is before
        assert steps[0][1] is drawing and steps[-1][2] is view
        counts.update(name for name, _, _ in steps)
    always = {"drop_entities", "change_words", "shear", "shift_and_scale", "change_unit"}
    assert {name for name, count in counts.items() if count == 200} == always
    assert all(35 < counts[name] < 125 for name in set(ALL) - always - {"make_view"}), counts


def test_two_views_of_a_drawing_differ():
    drawing = marked(200)
    rng = np.random.default_rng(3)
    one, two = views.make_view(drawing, rng), views.make_view(drawing, rng)
    assert differing(one, two) >= {"rows", "strokes", "grams"}
