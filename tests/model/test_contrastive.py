import pytest
import torch

from model.contrastive import hits, positive_first, unit


@pytest.mark.parametrize("pairs", [1, 2, 5])
def test_positive_comes_first_and_every_other_column_once(pairs):
    size = 2 * pairs
    similarity = torch.arange(size * size).reshape(size, size)
    result = positive_first(similarity)
    assert result.shape == (size, size - 1)
    for row in range(size):
        positive = (row + pairs) % size
        negatives = [column for column in range(size) if column not in (row, positive)]
        assert result[row, 0] == similarity[row, positive]
        assert sorted(result[row, 1:].tolist()) == [similarity[row, column] for column in negatives]


def test_positive_first_works_on_batches():
    similarity = torch.rand(3, 6, 6)
    assert torch.equal(positive_first(similarity)[2], positive_first(similarity[2]))


def test_a_tie_is_no_hit():
    logits = torch.tensor([[1.0, 0.5, 0.2], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.3, -torch.inf, -torch.inf]])
    assert hits(logits).tolist() == [True, False, False, True]


def test_unit_is_safe_at_zero():
    x = torch.tensor([[3.0, 4.0], [0.0, 0.0]], requires_grad=True)
    unit(x).sum().backward()
    assert torch.allclose(unit(x), torch.tensor([[0.6, 0.8], [0.0, 0.0]]))
    assert x.grad.isfinite().all()
