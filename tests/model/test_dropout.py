import pytest
import torch

from model.dropout import Dropout


@pytest.mark.parametrize("p", [0.1, 0.2, 0.5, 0.9])
def test_share_and_scale_are_those_of_torchs(p):
    torch.manual_seed(0)
    out = Dropout(p)(torch.ones(1000, 1003))
    kept = out != 0
    assert kept.float().mean().item() == pytest.approx(1 - p, abs=2e-3)
    assert out[kept].unique().tolist() == pytest.approx([1 / (1 - p)], rel=1e-3)
    assert out.mean().item() == pytest.approx(1, abs=0.01)


def test_elements_are_dropped_independently():
    """The four elements cut from one random number, neighbours and the two halves know nothing of each other."""
    torch.manual_seed(0)
    kept = (Dropout(0.3)(torch.ones(400_000)) != 0).float()
    assert torch.corrcoef(kept.view(-1, 4).T).fill_diagonal_(0).abs().max() < 0.01
    assert torch.corrcoef(kept.view(2, -1))[0, 1].abs() < 0.01
    assert torch.corrcoef(torch.stack([kept[3:-1], kept[4:]]))[0, 1].abs() < 0.01


def test_gradient_passes_where_the_value_did():
    x = torch.randn(7, 5, requires_grad=True)
    out = Dropout(0.4)(x)
    out.sum().backward()
    assert torch.allclose(out, x * x.grad)
    assert (x.grad == 0).any() and (x.grad > 1).any()


def test_same_seed_same_mask_and_another_every_time():
    dropout, x = Dropout(0.5), torch.ones(100)
    torch.manual_seed(3)
    first, second = dropout(x), dropout(x)
    torch.manual_seed(3)
    assert torch.equal(dropout(x), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("p", [1e-9, 1 - 1e-9])
def test_a_share_next_to_0_or_1_stays_finite(p):
    assert Dropout(p)(torch.ones(1000)).isfinite().all()


def test_keeps_everything_in_evaluation_and_at_0():
    x = torch.randn(9)
    assert torch.equal(Dropout(0.5).eval()(x), x)
    assert torch.equal(Dropout(0.0)(x), x)


def test_keeps_the_type():
    x = torch.ones(9, dtype=torch.bfloat16)
    assert Dropout(0.5)(x).dtype == torch.bfloat16
