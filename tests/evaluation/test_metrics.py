"""Metrics against scikit-learn and against the slow, obvious loop; ties against every order there is."""

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score

from evaluation.metrics import (
    Ranking,
    average_precision,
    group_metrics,
    ndcg,
    original_metrics,
    recall,
    reciprocal_rank,
)


def textbook(relevant_in_order, k):
    """mAP, recall, NDCG and reciprocal rank of one order, a loop each."""
    total = sum(relevant_in_order)
    found, precisions, gain = 0, 0.0, 0.0
    for rank, hit in enumerate(relevant_in_order[:k], start=1):
        if hit:
            found += 1
            precisions += found / rank
            gain += 1 / np.log2(rank + 1)
    ideal = sum(1 / np.log2(rank + 1) for rank in range(1, min(k, total) + 1))
    first = next(rank for rank, hit in enumerate(relevant_in_order, start=1) if hit)
    return precisions / min(k, total), found / min(k, total), gain / ideal, 1 / first


def ours(similarities, relevant, k):
    ranking = Ranking.of(np.asarray(similarities, dtype=float), np.asarray(relevant, dtype=bool))
    return average_precision(ranking, k), recall(ranking, k), ndcg(ranking, k), reciprocal_rank(ranking)


def random_query(seed, size=40):
    rng = np.random.default_rng(seed)
    relevant = rng.random(size) < 0.3
    relevant[rng.integers(size)] = True
    return rng.permutation(size).astype(float), relevant


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("k", [1, 3, 10, 40, 100])
def test_without_ties_they_equal_the_loop(seed, k):
    similarities, relevant = random_query(seed)
    order = np.argsort(-similarities)
    assert ours(similarities, relevant, k) == pytest.approx(textbook(relevant[order].tolist(), k))


@pytest.mark.parametrize("seed", range(10))
def test_they_equal_scikit_learn(seed):
    similarities, relevant = random_query(seed)
    found = ours(similarities, relevant, len(relevant))
    assert found[0] == pytest.approx(average_precision_score(relevant, similarities))
    for k in (1, 5, 10):
        expected = ndcg_score([relevant.astype(float)], [similarities], k=k)
        assert ours(similarities, relevant, k)[2] == pytest.approx(expected)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=7).filter(
        lambda v: any(r for _, r in v)
    ),
    st.integers(1, 8),
)
def test_ties_score_the_mean_over_all_their_orders(answers, k):
    orders = [order for order in permutations(answers) if all(a[0] >= b[0] for a, b in pairwise(order))]
    expected = np.mean([textbook([relevant for _, relevant in order], k) for order in orders], axis=0)
    assert ours(*zip(*answers, strict=True), k) == pytest.approx(expected.tolist())


def test_tied_ndcg_is_scikit_learn_s_too():
    rng = np.random.default_rng(0)
    similarities, relevant = rng.integers(0, 4, 30).astype(float), rng.random(30) < 0.4
    expected = ndcg_score([relevant.astype(float)], [similarities], k=10)
    assert ours(similarities, relevant, 10)[2] == pytest.approx(expected)


def test_the_order_of_the_archive_counts_for_nothing():
    rng = np.random.default_rng(1)
    similarities, relevant = rng.integers(0, 3, 50).astype(float), rng.random(50) < 0.2
    expected = ours(similarities, relevant, 10)
    for _ in range(5):
        shuffled = rng.permutation(50)
        assert ours(similarities[shuffled], relevant[shuffled], 10) == pytest.approx(expected)


def test_by_hand():
    # right, wrong, right, wrong; two right ones
    assert ours([4, 3, 2, 1], [1, 0, 1, 0], 2) == pytest.approx((1 / 2, 1 / 2, 1 / (1 + 1 / np.log2(3)), 1))
    assert ours([4, 3, 2, 1], [0, 0, 0, 1], 10) == pytest.approx((1 / 4, 1, 1 / np.log2(5), 1 / 4))
    # of 12 right ones all of the first ten: nothing better can be had
    assert ours(-np.arange(20), np.arange(20) < 12, 10)[:3] == pytest.approx((1, 1, 1))


def test_names_and_recall_at_one():
    similarities, relevant = random_query(3)
    ranking = Ranking.of(similarities, relevant)
    assert list(group_metrics(ranking, 5)) == ["mAP@5", "Recall@5", "NDCG@5", "Recall@1"]
    assert list(original_metrics(ranking, 10)) == ["Recall@1", "MRR", "Recall@10"]
    assert group_metrics(ranking, 5)["Recall@1"] == float(relevant[np.argmax(similarities)])


def test_what_has_no_score_is_refused():
    with pytest.raises(ValueError, match="relevant"):
        Ranking.of(np.array([1.0, 2.0]), np.array([False, False]))
    with pytest.raises(ValueError, match="NaN"):
        Ranking.of(np.array([1.0, np.nan]), np.array([True, False]))
