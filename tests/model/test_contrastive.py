import pytest
import torch

from model.contrastive import cosines, hits, positive_first, unit


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


def test_cosines_are_products_of_unit_rows_in_values_and_gradients():
    torch.manual_seed(0)
    one, two = torch.randn(3, 4, 8), torch.randn(3, 5, 8)
    one[0, 1] = 0
    two[1] *= 1e-8  # below the floor of the length
    found = []
    for way in (cosines, lambda a, b: unit(a) @ unit(b).mT):
        inputs = one.clone().requires_grad_(), two.clone().requires_grad_()
        out = way(*inputs)
        out.square().sum().backward()
        found.append((out.detach(), inputs[0].grad, inputs[1].grad))
    for got, want in zip(*found, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)
    assert (found[0][0][0, 1] == 0).all()
