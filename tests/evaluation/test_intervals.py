"""Bootstrap over whole groups."""

import numpy as np
import pytest

from evaluation.intervals import RESAMPLES, bootstrap_means, interval


def test_they_are_means_of_clusters_drawn_with_replacement():
    values = np.array([[0.0, 1.0, 5.0]])
    means = bootstrap_means(values, np.array([7, 7, 3]))
    # clusters {0, 1} and {5}: twice the first, one of each, twice the second
    assert set(np.round(means[0], 12)) == {0.5, 2.0, 5.0}
    assert means.shape == (1, RESAMPLES)


def test_a_loop_gives_the_same_interval():
    rng = np.random.default_rng(0)
    values, clusters = rng.random(60), rng.integers(0, 12, 60)
    slow = []
    for _ in range(4000):
        drawn = rng.choice(np.unique(clusters), size=len(np.unique(clusters)))
        slow.append(np.mean(np.concatenate([values[clusters == cluster] for cluster in drawn])))
    found = interval(bootstrap_means(values[None], clusters)[0])
    assert found == pytest.approx(tuple(np.quantile(slow, [0.025, 0.975])), abs=0.01)


def test_queries_of_one_group_are_not_independent():
    """Ten groups of 20 equal values know no more than ten values do."""
    values = np.repeat(np.random.default_rng(1).random(10), 20)
    low, high = interval(bootstrap_means(values[None], np.repeat(np.arange(10), 20))[0])
    alone = interval(bootstrap_means(values[None], np.arange(200))[0])
    assert high - low > 3 * (alone[1] - alone[0])


def test_the_same_draws_for_all_methods_and_the_same_every_time():
    values, clusters = np.random.default_rng(2).random((2, 30)), np.arange(30) // 3
    means = bootstrap_means(values, clusters)
    assert np.array_equal(means, bootstrap_means(values, clusters))
    assert means[1] - means[0] == pytest.approx(bootstrap_means(values[1:] - values[:1], clusters)[0])
