import math

import pytest
import torch

from model.joint_loss import CrossModalLoss, cross_modal_infonce


def slow(a, b, temperature):
    """CLIP's loss as a double loop."""
    a, b = ([v / v.norm() for v in x.double()] for x in (a, b))
    count, total = len(a), 0.0
    for i in range(count):
        by_a = [math.exp((a[i] @ b[k]).item() / temperature) for k in range(count)]
        by_b = [math.exp((a[k] @ b[i]).item() / temperature) for k in range(count)]
        total -= math.log(by_a[i] / sum(by_a)) + math.log(by_b[i] / sum(by_b))
    return total / (2 * count)


@pytest.mark.parametrize("count", [2, 5])
def test_equals_a_double_loop(count):
    torch.manual_seed(0)
    a, b = torch.randn(2, count, 8)
    assert cross_modal_infonce(a, b, 0.07).item() == pytest.approx(slow(a, b, 0.07), rel=1e-5)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_pairs_are_a_connected_zero(count):
    loss_of = CrossModalLoss(6, 4, 3, 0.07)
    pairs = torch.zeros(count, 2).long()
    loss = loss_of(torch.randn(5, 6), torch.randn(5, 4), pairs)
    loss.backward()
    assert loss == 0
    assert all((p.grad == 0).all() for p in loss_of.parameters())


def test_pairs_choose_the_rows():
    torch.manual_seed(0)
    loss_of = CrossModalLoss(6, 4, 3, 0.07)
    gf, deepdxf = torch.randn(7, 6), torch.randn(5, 4)
    pairs = torch.tensor([[6, 0], [2, 4], [3, 1]])
    want = cross_modal_infonce(loss_of.gf_head(gf[[6, 2, 3]]), loss_of.deepdxf_head(deepdxf[[0, 4, 1]]), 0.07)
    assert torch.equal(loss_of(gf, deepdxf, pairs), want)


def test_float32_under_autocast():
    torch.manual_seed(0)
    a, b = torch.randn(2, 5, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = cross_modal_infonce(a, b, 0.07)
    assert got == cross_modal_infonce(a, b, 0.07)
