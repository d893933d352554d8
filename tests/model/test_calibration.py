"""A similarity among those of the training drawings."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from model import calibration
from model.calibration import STEPS, PairQuantiles


def all_cosines(vectors):
    """Of every pair, by numpy, in double."""
    rows = vectors.double().numpy()
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.array([rows[i] @ rows[j] for i in range(len(rows)) for j in range(i)])


@pytest.fixture
def vectors():
    return torch.randn(90, 6, generator=torch.Generator().manual_seed(0)) + 0.5  # 4,005 pairs, in a cone


@pytest.fixture
def pairs(vectors):
    pairs = PairQuantiles(["one", "other"])
    pairs.fit({"one": vectors})
    return pairs


def test_share_below_is_the_share_of_pairs_that_are_less_alike(pairs, vectors):
    cosines = all_cosines(vectors)
    for cosine in [*np.linspace(-1, 1, 101), *cosines[::97]]:
        assert pairs.share_below("one", float(cosine)) == pytest.approx(np.mean(cosines < cosine), abs=2 / STEPS)
    assert pairs.share_below("one", cosines.min() - 1e-3) == 0.0
    assert pairs.share_below("one", 1.0) == 1.0


def test_what_is_more_alike_is_never_worth_less(pairs):
    shares = [pairs.share_below("one", cosine) for cosine in np.linspace(-1, 1, 1001)]
    assert all(low <= high for low, high in pairwise(shares))
    assert shares[0] == 0.0 and shares[-1] == 1.0 and len(set(shares)) > 300


def test_lengths_do_not_matter(pairs, vectors):
    scaled = PairQuantiles(["one"])
    scaled.fit({"one": vectors * torch.linspace(0.1, 50, 90)[:, None]})
    torch.testing.assert_close(scaled.one, pairs.one)


def test_none_where_nothing_was_measured(pairs, vectors):
    assert pairs.share_below("other", 0.5) is None
    few = PairQuantiles(["one"])
    few.fit({"one": vectors[:2]})
    assert few.share_below("one", 0.5) is None
    few.fit({"one": vectors[:3]})
    assert few.share_below("one", 1.0) == 1.0


def test_of_many_drawings_some_are_looked_at_from_all_over(vectors, monkeypatch):
    monkeypatch.setattr(calibration, "MOST", 30)
    pairs = PairQuantiles(["one"])
    pairs.fit({"one": vectors})
    chosen = np.linspace(0, 89, 30).astype(int)
    cosines = all_cosines(vectors[chosen])
    for cosine in np.linspace(-0.5, 1, 31):
        assert pairs.share_below("one", cosine) == pytest.approx(np.mean(cosines < cosine), abs=1 / 400)  # 435 pairs


def test_it_travels_with_the_weights(pairs):
    copy = PairQuantiles(["one", "other"])
    copy.load_state_dict(pairs.state_dict())
    assert copy.share_below("one", 0.3) == pairs.share_below("one", 0.3) not in (None, 0.0, 1.0)
    assert copy.share_below("other", 0.3) is None
