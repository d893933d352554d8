"""From vectors to scores."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from evaluation.metrics import group_metrics
from evaluation.queries import group_queries
from evaluation.scoring import Scores, answers, score_queries, similarities
from model.embedding import similarity

GROUPS = [[0, 1, 2], [3, 4], [5, 6, 7, 8]]


def scores_of(vectors, groups=GROUPS):
    return score_queries(vectors, group_queries(groups), group_metrics, 10)


@pytest.fixture
def vectors():
    return np.random.default_rng(0).normal(size=(12, 5))


def test_similarities_are_those_of_the_comparison(vectors):
    vectors[3] = 0
    for query, row in zip(range(12), similarities(vectors, range(12)), strict=True):
        for other in set(range(12)) - {query}:
            assert row[other] == pytest.approx(similarity(vectors[query], vectors[other], "cosine"), abs=1e-6)
        assert row[query] == -np.inf


def test_sparse_and_dense_vectors_score_the_same(vectors):
    vectors[vectors < 0.3] = 0
    sparse, dense = scores_of(csr_array(vectors)), scores_of(vectors)
    for metric, values in dense.items():
        assert sparse[metric] == pytest.approx(values)


def test_perfect_vectors_score_one_and_equal_vectors_what_chance_gives():
    perfect = np.eye(3)[[0, 0, 0, 1, 1, 2, 2, 2, 2]]
    assert all((values == 1).all() for values in scores_of(perfect).values())
    rng = np.random.default_rng(0)
    draws = [scores_of(rng.normal(size=(9, 20))) for _ in range(300)]
    for metric, values in scores_of(np.ones((9, 1))).items():
        assert values.mean() == pytest.approx(np.mean([draw[metric] for draw in draws]), abs=0.02)


def test_length_of_a_vector_and_order_of_the_archive_count_for_nothing(vectors):
    expected = {metric: values.mean() for metric, values in scores_of(vectors).items()}
    for metric, values in scores_of(vectors * np.arange(1, 13)[:, None]).items():
        assert values.mean() == pytest.approx(expected[metric])
    order = np.random.default_rng(3).permutation(12)
    place = np.argsort(order)
    moved = scores_of(vectors[order], [[int(place[i]) for i in group] for group in GROUPS])
    for metric, values in moved.items():
        assert values.mean() == pytest.approx(expected[metric])


def test_a_drawing_without_a_vector_comes_last_and_finds_by_chance():
    vectors = np.array([[1.0, 0], [-1.0, 0], [np.nan, 0], [0, 1.0]])
    assert answers(vectors, 0, 3).tolist() == [3, 1, 2]
    found = score_queries(vectors, group_queries([[1, 2]]), group_metrics, 10)
    chance = score_queries(np.ones((4, 1)), group_queries([[1, 2]]), group_metrics, 10)
    assert found["mAP@10"][0] == pytest.approx(1 / 3), "behind two others"
    assert found["mAP@10"][1] == pytest.approx(chance["mAP@10"][1])
    two = score_queries(np.append(vectors, [[np.nan, 0]], axis=0), group_queries([[2, 4]]), group_metrics, 10)
    assert two["Recall@1"] == pytest.approx([1 / 4, 1 / 4])


def test_rounding_makes_no_order():
    vectors = np.array([[1.0, 0], [1.0, 1.0], [1.0, 1.0 + 1e-9], [1.0, 1.0 - 1e-9]])
    assert len(np.unique(next(similarities(vectors, [0]))[1:])) == 1


def test_the_query_is_never_its_own_answer(vectors):
    assert all(query not in answers(vectors, query, 10) for query in range(12))
    assert len(answers(vectors, 0, 100)) == 11


def test_means_by_label_and_the_gain_of_one_method_over_another(vectors):
    queries = group_queries(GROUPS)
    perfect = np.eye(3)[[0, 0, 0, 1, 1, 2, 2, 2, 2]]
    values = {
        name: score_queries(rows, queries, group_metrics, 10)
        for name, rows in (("good", perfect), ("chance", np.ones((9, 1))))
    }
    scores = Scores(queries, values)
    assert {label: len(chosen) for label, chosen in scores.by_label().items()} == {0: 3, 1: 2, 2: 4}
    assert scores.means()["good"]["mAP@10"] == 1
    gain, (low, high) = scores.difference("good", "chance", "mAP@10")
    assert gain == pytest.approx(1 - scores.means()["chance"]["mAP@10"])
    assert 0 < low <= gain <= high
    assert scores.intervals()["good"]["mAP@10"] == (1, 1)


def test_one_group_has_no_interval():
    queries = group_queries([[0, 1]])
    scores = Scores(queries, {"a": score_queries(np.eye(3), queries, group_metrics, 10)})
    assert scores.intervals()["a"]["mAP@10"] is None
    assert scores.difference("a", "a", "mAP@10") == (0, None)
