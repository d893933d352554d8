import pytest
import torch
from torch.nn import functional

from model.layers.DenseGraphMatching import DenseGraphMatching, attend, fuse


def attend_one(node, others, others_present):
    """What one node sees, written as a loop over the other graph's nodes."""
    total, weights = torch.zeros_like(node), torch.zeros(())
    for other, present in zip(others, others_present, strict=True):
        if not present or node.norm() == 0 or other.norm() == 0:
            continue
        weight = (node @ other / (node.norm() * other.norm())).clamp(min=0)
        total, weights = total + weight * other, weights + weight
    return total / weights if weights > 0 else total


@pytest.fixture
def graphs():
    torch.manual_seed(0)
    nodes, others = torch.randn(3, 5, 4), torch.randn(3, 6, 4)  # signs mixed: some cosines are negative
    others_present = torch.rand(3, 6) < 0.7
    nodes[0, 1] = 0
    others[1, 2] = 0
    others_present[2] = False
    return nodes, others, others_present


def by_loop(nodes, others, others_present):
    return torch.stack(
        [
            torch.stack([attend_one(node, o, p) for node in n])
            for n, o, p in zip(nodes, others, others_present, strict=True)
        ]
    )


def test_attention_and_fusion_equal_a_loop_over_nodes(graphs):
    nodes, others, present = graphs
    counts = present[:, None].float()
    assert torch.allclose(attend(nodes, others, counts), by_loop(*graphs), atol=1e-6)
    assert torch.allclose(fuse(nodes, others, counts), nodes + by_loop(*graphs), atol=1e-6)


def test_within_one_graph_those_look_at_each_other_who_count(graphs):
    nodes = graphs[0]
    first = torch.arange(5) < 2
    counts = (first[:, None] != first).float().expand(3, 5, 5)
    want = torch.cat(
        [by_loop(nodes[:, :2], nodes[:, 2:], torch.ones(3, 3)), by_loop(nodes[:, 2:], nodes[:, :2], torch.ones(3, 2))],
        dim=1,
    )
    assert torch.allclose(attend(nodes, nodes, counts), want, atol=1e-6)


def test_attention_is_a_weighted_mean():
    nodes, same = torch.rand(2, 5, 4), torch.rand(2, 1, 4).expand(2, 6, 4)
    assert torch.allclose(attend(nodes, same, torch.ones(2, 1, 6)), same[:, :1].expand(2, 5, 4), atol=1e-6)


def matched_by_loop(layer, match, nodes, others, others_present):
    rows = []
    for x, y in zip(nodes.flatten(0, 1), by_loop(nodes, others, others_present).flatten(0, 1), strict=True):
        if match == "concat":
            rows.append(layer.weight @ torch.cat([x, y]) + layer.bias)
        else:
            rows.append(functional.bilinear(x[None], y[None], layer.weight, layer.bias)[0])
    return torch.stack(rows).unflatten(0, nodes.shape[:2])


@pytest.mark.parametrize("match", ["concat", "bilinear"])
def test_matching_equals_a_loop_over_nodes_in_values_and_gradients(graphs, match):
    layer = DenseGraphMatching(4, 3, match)
    nodes, others, present = graphs
    found = []
    for compare in (layer, lambda *inputs: matched_by_loop(layer, match, *inputs)):
        inputs = nodes.clone().requires_grad_(), others.clone().requires_grad_()
        out = compare(*inputs, present)
        layer.zero_grad()
        out.square().sum().backward()
        found.append((out.detach(), *(tensor.grad for tensor in (*inputs, layer.weight, layer.bias))))
    zero = (nodes == 0).all(dim=-1)  # a zero row has no direction: the loop's gradient there is none
    for name, got, want in zip(("values", "nodes", "others", "weight", "bias"), *found, strict=True):
        if name == "nodes":
            got, want = got[~zero], want[~zero]
        if name == "others":
            got, want = got[present & (others != 0).any(-1)], want[present & (others != 0).any(-1)]
        torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("match", ["concat", "bilinear"])
def test_absent_nodes_of_the_other_graph_are_inert(graphs, match):
    layer = DenseGraphMatching(4, 3, match)
    nodes, others, present = graphs
    changed = torch.where(present[..., None], others, 100 * torch.randn_like(others))
    assert torch.equal(layer(nodes, others, present), layer(nodes, changed, present))


def test_gradients_are_finite_where_everything_is_zero():
    nodes = torch.zeros(2, 5, 4, requires_grad=True)
    attend(nodes, nodes, torch.zeros(2, 1, 5)).sum().backward()
    assert nodes.grad.isfinite().all()
