import math

import pytest
import torch

from model.GF_loss import ABSENT, node_infonce_logits
from model.GF_loss import node_infonce as node_infonce_of_both


def node_infonce(z1, z2, present, tau):
    return node_infonce_of_both(torch.cat([z1, z2], dim=1), present, tau)


def one_direction(u, v, i, nodes, tau):
    """GRACE's term for node i of view u (Zhu et al. 2020, equation 1)."""

    def e(a, b):
        return torch.exp(a @ b / (a.norm() * b.norm()) / tau)

    inter = sum(e(u[i], v[k]) for k in nodes if k != i)
    intra = sum(e(u[i], u[k]) for k in nodes if k != i)
    positive = e(u[i], v[i])
    return -torch.log(positive / (positive + inter + intra))


def slow(z1, z2, present, tau):
    graph_losses = []
    for u, v, p in zip(z1.double(), z2.double(), present, strict=True):
        nodes = p.nonzero().flatten().tolist()
        if nodes:
            terms = [one_direction(u, v, i, nodes, tau) + one_direction(v, u, i, nodes, tau) for i in nodes]
            graph_losses.append(sum(terms) / (2 * len(nodes)))
    return sum(graph_losses) / len(graph_losses)


@pytest.fixture
def views():
    torch.manual_seed(0)
    present = torch.rand(6, 10) < 0.6
    present[0], present[1] = True, False
    present[2] = torch.arange(10) == 4
    return torch.randn(6, 10, 8), torch.randn(6, 10, 8), present


@pytest.mark.parametrize("tau", [0.7, 0.1])
def test_equals_the_formula_as_a_loop_in_value_and_gradient(views, tau):
    z1, z2, present = views
    found = []
    for formula in (lambda *inputs: node_infonce(*inputs)[0], slow):
        inputs = z1.clone().requires_grad_(), z2.clone().requires_grad_()
        loss = formula(*inputs, present, tau)
        loss.backward()
        found.append((loss.detach().float(), inputs[0].grad, inputs[1].grad))
    for got, want in zip(*found, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-6)


def test_accuracy_is_the_share_of_nodes_whose_other_view_is_the_nearest(views):
    z1, z2, present = views
    near = torch.where(torch.rand(z1.shape[:2])[..., None] < 0.5, z1 + 0.01 * z2, z2)
    _, accuracy = node_infonce(z1, near, present, 0.7)
    shares = []
    for u, v, p in zip(z1, near, present, strict=True):
        rows = torch.nn.functional.normalize(torch.cat([u[p], v[p]]), dim=1)
        n, cosine = len(rows) // 2, rows @ rows.T
        cosine.fill_diagonal_(-2)
        if n:
            shares.append((cosine.argmax(dim=1) == torch.arange(2 * n).roll(n)).float().mean())
    assert accuracy.item() == pytest.approx(torch.stack(shares).mean().item(), abs=1e-6)
    assert 0.1 < accuracy < 0.9


def test_ten_nodes_have_19_terms_and_chance_is_ln_19():
    same = torch.ones(3, 10, 8)
    loss, accuracy = node_infonce(same, same, torch.ones(3, 10).bool(), 0.7)
    logits = node_infonce_logits(torch.cat([same, same], dim=1), torch.ones(3, 10).bool(), 0.7)
    assert ((logits > ABSENT / 2).sum(dim=-1) == 19).all()
    assert loss.item() == pytest.approx(math.log(19), rel=1e-5)
    assert accuracy == 0


def test_nodes_told_apart_cost_little():
    z = torch.eye(10).expand(2, 10, 10)
    loss, accuracy = node_infonce(z, z, torch.ones(2, 10).bool(), 0.05)
    assert loss < 1e-4
    assert accuracy == pytest.approx(1)


def test_absent_nodes_change_nothing_and_get_no_gradient(views):
    z1, z2, present = views
    noise = 10 * torch.randn_like(z1) * ~present[..., None]
    noisy = (z1 + noise).requires_grad_()
    loss, _ = node_infonce(noisy, z2 + noise.flip(2), present, 0.7)
    assert loss.item() == pytest.approx(node_infonce(z1, z2, present, 0.7)[0].item(), abs=1e-6)
    loss.backward()
    assert (noisy.grad[~present] == 0).all()
    assert (noisy.grad[0] != 0).any()


def test_a_batch_without_nodes_costs_nothing():
    z = torch.zeros(2, 10, 8, requires_grad=True)
    loss, _ = node_infonce(z, z, torch.zeros(2, 10).bool(), 0.7)
    loss.backward()
    assert loss == 0
    assert (z.grad == 0).all()


def test_float32_under_autocast(views):
    z1, z2, present = views
    want, _ = node_infonce(z1.bfloat16().float(), z2.bfloat16().float(), present, 0.1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got, _ = node_infonce(z1.bfloat16(), z2.bfloat16(), present, 0.1)
    assert got.dtype == torch.float32
    assert got.item() == pytest.approx(want.item(), rel=1e-6)
