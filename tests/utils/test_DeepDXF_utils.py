import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dataset.entities import Extents, make_row
from utils.DeepDXF_utils import collate, cut_chunks, sample_chunks

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
