import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dataset.entities import ABSENT, MAX_BIN, SLOT_INDEX, Extents, make_row
from utils.DeepDXF_utils import collate, cut_chunks, drawing_view, drop_entities, sample_chunks, shift_and_scale

EXTENTS = Extents(0, 0, 100, 100)


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    circles = [{"x0": x, "y0": y, "radius": r} for x, y, r in rng.uniform(0, 100, (200, 3))]
    return np.stack([make_row("CIRCLE", circle, EXTENTS) for circle in circles]).astype(np.int16)


@given(length=st.integers(1, 1000), size=st.integers(1, 300))
def test_chunks_hold_every_row_once_and_are_even(length, size):
    rows = np.arange(length)[:, None]
    chunks = cut_chunks(rows, size)
    assert np.array_equal(np.concatenate([part for _, part in chunks]), rows)
    assert all(part[0, 0] == start for start, part in chunks)
    lengths = [len(part) for _, part in chunks]
    assert max(lengths) <= size
    assert max(lengths) - min(lengths) <= 1


@given(length=st.integers(1, 1000), size=st.integers(1, 64), limit=st.integers(0, 500), seed=st.integers(0, 9))
def test_sampled_chunks_stay_within_the_limit_and_in_order(length, size, limit, seed):
    chunks = cut_chunks(np.arange(length)[:, None], min(size, limit or size))
    picked = sample_chunks(chunks, limit, np.random.default_rng(seed))
    read = sum(len(part) for _, part in picked)
    assert 1 <= read <= (limit or length)
    assert read == length or limit < length
    assert [start for start, _ in picked] == sorted({start for start, _ in picked})


def test_dropping_leaves_some_of_the_rows_as_they_were(rows):
    kept = drop_entities(rows, np.random.default_rng(1))
    assert 0.4 * len(rows) < len(kept) < len(rows)
    original = {row.tobytes() for row in rows}
    assert all(row.tobytes() in original for row in kept)


def test_a_drawing_of_one_entity_keeps_it(rows):
    for seed in range(50):
        assert len(drop_entities(rows[:1], np.random.default_rng(seed))) == 1


def test_shifting_and_scaling_moves_all_together_and_clips_nothing(rows):
    moved = shift_and_scale(rows, np.random.default_rng(2))
    present = rows[:, 1:] != ABSENT
    assert np.array_equal(moved[:, 1:] != ABSENT, present)
    assert moved[:, 1:][present].min() >= 0 and moved[:, 1:][present].max() <= MAX_BIN
    x = 1 + SLOT_INDEX["x0"]
    slope, intercept = np.polyfit(rows[:, x], moved[:, x], 1)
    assert 0.85 <= slope < 1.0
    assert np.abs(slope * rows[:, x] + intercept - moved[:, x]).max() < 1.0, "one scale and one shift for the drawing"
    assert not np.array_equal(moved, rows)


def test_views_differ_and_leave_the_original_alone(rows):
    before = rows.copy()
    rng = np.random.default_rng(3)
    first, second = drawing_view(rows, rng), drawing_view(rows, rng)
    assert first.shape != second.shape or not np.array_equal(first, second)
    assert np.array_equal(rows, before)


def test_collate_packs_the_chunks_by_length(rows):
    batch = collate([cut_chunks(rows[:5], 4), cut_chunks(rows[5:7], 4), cut_chunks(rows[7:8], 4)])
    assert batch["lengths"] == [1, 2, 2, 3]
    assert batch["drawing"].tolist() == [2, 0, 1, 0] or batch["drawing"].tolist() == [2, 1, 0, 0]
    assert batch["n_drawings"] == 3
    owner = batch["drawing"].repeat_interleave(torch.tensor(batch["lengths"]))
    for index, part in enumerate((rows[:5], rows[5:7], rows[7:8])):
        mine = owner == index
        order = batch["position"][mine].argsort()
        assert np.array_equal(batch["rows"][mine][order].numpy(), part)
        assert sorted(batch["position"][mine].tolist()) == list(range(len(part)))
