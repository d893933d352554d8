import math

import pytest
import torch

from model.GF_task import GFTask
from tests.model.batches import assert_all_learn, assert_finite, gf_batch, gf_config, gradients, train
from utils.engine.program import Stack

OPTIONS = [(conv, match) for conv in ("gcn", "graphsage", "gin", "ggnn") for match in ("concat", "bilinear")]


@pytest.mark.parametrize(("conv", "match"), OPTIONS)
def test_every_parameter_learns(conv, match):
    torch.manual_seed(0)
    assert_all_learn(GFTask(gf_config(conv=conv, match=match)), gf_batch(8))


def test_everything_is_float32():
    task = GFTask(gf_config())
    assert {p.dtype for p in task.parameters()} == {torch.float32}
    assert task(gf_batch(4))["loss"].dtype == torch.float32


@pytest.mark.parametrize("conv", ["gcn", "graphsage", "gin", "ggnn"])
def test_training_leaves_chance_behind(conv):
    """The reference's loss stayed at chance, ln 19, for 50 epochs."""
    torch.manual_seed(0)
    batch = gf_batch(24)
    batch["features"] = batch["features"].clamp(min=0.01)  # all nodes present: chance is ln 19
    losses = train(GFTask(gf_config(conv=conv)), batch, steps=100, lr=3e-3)
    assert losses[0] == pytest.approx(math.log(19), abs=0.2)
    assert sum(losses[-10:]) / 10 < 0.9 * math.log(19)


def test_vectors_need_no_partner_and_know_no_batch():
    torch.manual_seed(0)
    task, batch = GFTask(gf_config()).eval(), gf_batch(7)
    del batch["partner"]
    together = task.embed(batch)["gf"]
    alone = torch.cat([task.embed({k: v[i : i + 1] for k, v in batch.items()})["gf"] for i in range(7)])
    assert together.shape == (7, task.model.vector_size)
    assert torch.allclose(together, alone, atol=1e-6)
    assert torch.equal(together, task.embed(batch)["gf"]), "nothing random"


def test_vectors_of_the_training_pass_are_those_of_the_plain_graphs():
    torch.manual_seed(0)
    task, batch = GFTask(gf_config()).eval(), gf_batch(7)
    assert torch.allclose(task.forward_with_vectors(batch)[1], task.embed(batch)["gf"], atol=1e-6)


@pytest.mark.parametrize("dtype", [None, torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("conv", "match"), OPTIONS)
def test_extreme_graphs_stay_finite(conv, match, dtype):
    torch.manual_seed(0)
    task, batch = GFTask(gf_config(conv=conv, match=match)), gf_batch(6)
    batch["features"][1] = 0  # no node at all
    batch["adjacency"][1] = 0
    batch["features"][2, 1:] = 0  # one node
    batch["adjacency"][2] = 0
    for name in ("features", "adjacency"):
        batch[name][4] = batch[name][3]  # the same drawing twice
    batch["features"][5] = 0
    batch["features"][5, 9, 0] = 1.0  # one entity
    batch["adjacency"][5] = 0
    assert_finite(task, batch, dtype)
    same = {name: batch[name][3].expand(4, *batch[name][3].shape) for name in ("features", "adjacency")}
    assert_finite(task, same | {"partner": torch.tensor([1, 0, 3, 2])}, dtype)  # nothing but one drawing
    assert_finite(
        task,
        {"features": torch.zeros(2, 10, 11), "adjacency": torch.zeros(2, 10, 10)} | {"partner": torch.tensor([1, 0])},
        dtype,
    )


@pytest.mark.parametrize(("conv", "match"), OPTIONS)
def test_graphs_of_zeros_that_fill_a_batch_up_change_nothing(conv, match):
    torch.manual_seed(0)
    task, batch = GFTask(gf_config(conv=conv, match=match)), gf_batch(5)
    batch["noise"] = task.draw(batch)
    filled = {
        name: {key: filled_up(value) for key, value in tensor.items()} if name == "noise" else filled_up(tensor)
        for name, tensor in batch.items()
    }
    assert torch.allclose(task(batch)["loss"], task(filled)["loss"], atol=1e-6)
    assert torch.allclose(task(batch)["accuracy"], task(filled)["accuracy"], atol=1e-6)
    few, many = gradients(task, batch), gradients(task, filled)
    for name in few:
        torch.testing.assert_close(few[name], many[name], rtol=1e-4, atol=1e-6, msg=name)


def filled_up(tensor):
    return torch.cat([tensor, tensor.new_zeros(3, *tensor.shape[1:])])


@pytest.mark.parametrize(("conv", "match"), OPTIONS)
@pytest.mark.filterwarnings("error:There is a performance drop")
def test_every_part_can_be_stacked_without_falling_back_to_a_loop(conv, match):
    tasks = [GFTask(gf_config(conv=conv, match=match)) for _ in range(2)]
    Stack(tasks)([gf_batch(4, 0), gf_batch(4, 1)], [1, 2])["loss"].sum().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in tasks[1].parameters())


def test_a_forward_draws_what_draw_draws_and_with_it_nothing():
    torch.manual_seed(0)
    task, batch = GFTask(gf_config()), gf_batch(8)
    torch.manual_seed(1)
    by_itself = task(batch)["loss"]
    torch.manual_seed(1)
    noise = task.draw(batch)
    state = torch.get_rng_state()
    assert torch.equal(task({**batch, "noise": noise})["loss"], by_itself)
    assert torch.equal(torch.get_rng_state(), state)


def test_same_seed_same_gradients_bit_for_bit():
    torch.manual_seed(0)
    task, batch = GFTask(gf_config()), gf_batch(8)
    one, two, other = gradients(task, batch, 1), gradients(task, batch, 1), gradients(task, batch, 2)
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_views_are_made_of_the_edited_graphs_where_there_are_some():
    torch.manual_seed(0)
    task, batch = GFTask(gf_config()), gf_batch(8)
    noise = {"noise": task.draw(batch)}
    twice = {f"view_{name}": batch[name][:, None].repeat(1, 2, 1, 1) for name in ("features", "adjacency")}
    loss = task(batch | noise)["loss"]
    torch.testing.assert_close(task(batch | noise | twice)["loss"], loss)
    for view in (0, 1):
        edited = {name: rows.clone() for name, rows in twice.items()}
        edited["view_features"][:, view] = edited["view_features"][:, view].roll(1, dims=0)
        found, vectors = task.forward_with_vectors(batch | noise | edited)
        assert (found["loss"] - loss).abs() > 1e-5
        torch.testing.assert_close(vectors, task.forward_with_vectors(batch | noise)[1])
