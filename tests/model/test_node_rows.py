"""Leaving absent nodes out changes nothing."""

import pytest
import torch

from model.GF_task import GFTask
from model.layers.node_rows import Packed, Padded
from model.layers.products import inner_products
from tests.model.batches import gf_batch, gf_config, gradients

OPTIONS = [(conv, match) for conv in ("gcn", "graphsage", "gin", "ggnn") for match in ("concat", "bilinear")]


@pytest.mark.parametrize(("conv", "match"), OPTIONS)
def test_loss_vectors_and_gradients_are_those_with_all_nodes(conv, match):
    torch.manual_seed(0)
    task, batch = GFTask(gf_config(conv=conv, match=match)), gf_batch(9)
    batch["features"][4], batch["adjacency"][4] = 0, 0
    batch["adjacency"][5, 2, 3] = batch["adjacency"][5, 3, 2] = 1
    batch["features"][5, 2] = 0  # an edge to an absent node
    batch["noise"] = task.draw(batch)
    packed, gradients_packed = task.forward_with_vectors(batch), gradients(task, batch)
    task.batched()
    padded, gradients_padded = task.forward_with_vectors(batch), gradients(task, batch)
    for name in ("loss", "accuracy"):
        torch.testing.assert_close(packed[0][name], padded[0][name], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(packed[1], padded[1])
    assert gradients_packed.keys() == gradients_padded.keys()
    for name, gradient in gradients_packed.items():
        torch.testing.assert_close(gradient, gradients_padded[name], rtol=1e-3, atol=1e-5, msg=name)


def test_a_process_may_have_no_graph_of_a_step():
    task = GFTask(gf_config())
    batch = {name: tensor[:0] for name, tensor in gf_batch(2).items()}
    out = task(batch)
    out["loss"].backward()
    assert out["loss"] == 0
    assert all((parameter.grad == 0).all() for parameter in task.parameters())


def test_only_present_nodes_are_rows():
    present = gf_batch(9)["features"].any(dim=-1)
    graphs = torch.rand(27, 10, 4)
    assert Packed(present).rows(graphs).shape == (3 * present.sum(), 4)
    assert Padded(present).rows(graphs).shape == graphs.shape


ABSENT = {"some nodes": slice(0, 0), "one graph": slice(2, 3), "all nodes": slice(0, 5)}


@pytest.fixture(params=ABSENT)
def present(request):
    present = torch.rand(5, 10, generator=torch.Generator().manual_seed(3)) < 0.6
    present[ABSENT[request.param]] = False
    return present


@pytest.mark.parametrize("kind", [Packed, Padded])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_there_and_back_gives_present_nodes_their_own_vectors_and_gradients(kind, k, present):
    layout, there = kind(present), present.repeat(k, 1)[..., None]
    graphs = torch.rand(k * 5, 10, 4, requires_grad=True)
    scale = torch.rand(k * 5, 10, 4)
    side_by_side = (scale * graphs).unflatten(0, (k, 5)).transpose(0, 1).flatten(1, 2)  # [B, k N, D]
    for back in (
        layout.graphs(layout.rows(scale * graphs)),
        layout.graphs(layout.apart(side_by_side, k)),
        layout.side_by_side(layout.rows(scale * graphs), k).unflatten(1, (k, 10)).transpose(0, 1).flatten(0, 1),
    ):
        torch.testing.assert_close(back * there, (scale * graphs * there).detach())
        (gradient,) = torch.autograd.grad((back * there).sum(), graphs, retain_graph=True)
        torch.testing.assert_close(gradient * there, scale * there)


@pytest.mark.parametrize("same", [True, False])
def test_inner_products_and_their_gradients_are_those_of_a_product(same):
    one = torch.rand(3, 4, 5, dtype=torch.float64, requires_grad=True)
    two = one if same else torch.rand(3, 6, 5, dtype=torch.float64, requires_grad=True)
    assert torch.equal(inner_products(one, two), one @ two.mT)
    assert torch.autograd.gradcheck(inner_products, (one, two))
    if same:
        assert torch.autograd.gradcheck(lambda rows: inner_products(rows, rows), (one,))
