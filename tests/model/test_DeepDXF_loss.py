import math

import pytest
import torch
from pytorch_metric_learning.losses import NTXentLoss

from model.DeepDXF_loss import cross_entropy, nt_xent, nt_xent_logits


def slow(z1, z2, temperature):
    """Equation 1 of SimCLR as a double loop."""
    z = [v / v.norm() for v in [*z1.double(), *z2.double()]]
    count = len(z1)
    total = 0.0
    for i in range(2 * count):
        positive = math.exp((z[i] @ z[(i + count) % (2 * count)]).item() / temperature)
        others = sum(math.exp((z[i] @ z[k]).item() / temperature) for k in range(2 * count) if k != i)
        total -= math.log(positive / others)
    return total / (2 * count)


@pytest.mark.parametrize("temperature", [0.07, 0.5])
@pytest.mark.parametrize("count", [2, 5, 9])
def test_equals_a_double_loop(count, temperature):
    torch.manual_seed(0)
    z1, z2 = torch.randn(2, count, 8)
    assert nt_xent(z1, z2, temperature).item() == pytest.approx(slow(z1, z2, temperature), rel=1e-5)


@pytest.mark.parametrize("temperature", [0.07, 0.5])
@pytest.mark.parametrize("count", [2, 5, 9])
def test_equals_pytorch_metric_learning_in_value_and_gradient(count, temperature):
    torch.manual_seed(0)
    z = torch.randn(2 * count, 8, requires_grad=True)
    theirs = NTXentLoss(temperature)(z, torch.arange(count).repeat(2))
    ours = nt_xent(*z.chunk(2), temperature)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    want, got = (torch.autograd.grad(loss, z)[0] for loss in (theirs, ours))
    assert torch.allclose(got, want, atol=1e-5)


def test_five_drawings_give_5_positives_and_80_negatives():
    torch.manual_seed(0)
    z1, z2 = torch.nn.functional.normalize(torch.randn(2, 5, 8), dim=-1)
    logits = nt_xent_logits(z1, z2, 1.0)
    assert logits.shape == (10, 9)
    assert torch.allclose(logits[:5, 0], (z1 * z2).sum(1), atol=1e-6)
    assert torch.allclose(logits[:5, 0], logits[5:, 0]), "5 positives, each seen from both sides"
    assert logits[:, 1:].numel() == 80
    everything = torch.cat([z1, z2]) @ torch.cat([z1, z2]).T
    for row in range(10):
        expected = [everything[row, k].item() for k in range(10) if k not in (row, (row + 5) % 10)]
        assert sorted(logits[row, 1:].tolist()) == pytest.approx(sorted(expected), abs=1e-6)


def test_chance_is_ln_of_the_columns():
    same = torch.ones(5, 8)
    assert nt_xent(same, same, 0.07).item() == pytest.approx(math.log(9), rel=1e-5)


def test_views_alike_and_drawings_apart_cost_nothing():
    z = torch.eye(5)
    assert nt_xent(z, z, 0.07) < 1e-4


@pytest.mark.parametrize("z", [torch.zeros(4, 8), torch.ones(4, 8), torch.full((4, 8), 1e18)])
def test_extreme_inputs_have_finite_gradients(z):
    z1, z2 = z.clone().requires_grad_(), z.clone().requires_grad_()
    loss = nt_xent(z1, z2, 0.07)
    loss.backward()
    assert loss.isfinite()
    assert z1.grad.isfinite().all()


def test_float32_under_autocast():
    torch.manual_seed(0)
    z1, z2 = torch.randn(2, 5, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(nt_xent_logits(z1, z2, 0.07), nt_xent_logits(z1.float(), z2.float(), 0.07))
        logits = nt_xent_logits(z1, z2, 0.07)
    assert logits.dtype == torch.float32
    assert nt_xent(z1, z2, 0.07) == cross_entropy(logits)
