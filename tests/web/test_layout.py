"""Where drawings lie on the map."""

import numpy as np
import pytest

from web.layout import MOST_DOTS, chosen, layout


def two_groups(count):
    rng = np.random.default_rng(0)
    middles = np.repeat(np.eye(2, 8), count, axis=0)
    rows = middles + 0.05 * rng.normal(size=(2 * count, 8))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize(("how", "name"), [("tsne", "t-SNE"), ("auto", "t-SNE"), ("pca", "PCA")])
def test_what_is_alike_lies_near_and_every_time_at_the_same_place(how, name):
    rows = two_groups(20)
    places, told = layout(rows, how)
    assert told == name
    assert (places >= -1e-9).all() and (places <= 1 + 1e-9).all()
    first, second = places[:20], places[20:]
    own = max(np.ptp(first, axis=0).max(), np.ptp(second, axis=0).max())
    assert np.linalg.norm(first.mean(axis=0) - second.mean(axis=0)) > 0.5 * own
    nearest = np.linalg.norm(places[:, None] - places, axis=2) + 9 * np.eye(40)
    assert ((nearest.argmin(axis=1) < 20) == (np.arange(40) < 20)).all()
    np.testing.assert_array_equal(places, layout(rows, how)[0])


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_drawings_or_equal_ones_have_places_too(count):
    for rows in (np.ones((count, 6)), np.eye(count, 6)):
        places, _ = layout(rows, "auto")
        assert places.shape == (count, 2) and np.isfinite(places).all()


def test_of_too_many_some_are_shown():
    assert chosen(7).tolist() == list(range(7))
    some = chosen(5 * MOST_DOTS)
    assert len(some) == len(set(some.tolist())) == MOST_DOTS and (np.diff(some) > 0).all()
