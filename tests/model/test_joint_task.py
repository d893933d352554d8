import math

import pytest
import torch
from torch.nn import functional

from model.joint_task import JointTask
from tests.model.batches import (
    assert_all_learn,
    assert_finite,
    deepdxf_batch,
    deepdxf_config,
    gf_batch,
    gf_config,
    gradients,
    joint_batch,
    joint_config,
    random_rows,
    train,
)

WEIGHTINGS = ["uncertainty", "grad_norm", "loss_ratio", "fixed"]


def make_task(**options) -> JointTask:
    torch.manual_seed(0)
    return JointTask(joint_config(**options))


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("cross_modal_weight", [0.0, 1.0])
@pytest.mark.parametrize("conv", ["gcn", "ggnn"])
def test_every_parameter_learns(weighting, cross_modal_weight, conv):
    options = {"weighting": weighting, "cross_modal_weight": cross_modal_weight, "gf": gf_config(conv=conv)}
    assert_all_learn(make_task(**options), joint_batch())


def test_the_loss_is_the_sum_of_its_weighted_parts():
    task = make_task(weighting="fixed", gf_weight=2.0, deepdxf_weight=0.5, cross_modal_weight=3.0)
    out = task(joint_batch())
    assert out["gf_weight"] == 2.0
    assert out["deepdxf_weight"] == 0.5
    total = 2.0 * out["gf"] + 0.5 * out["deepdxf"] + 3.0 * out["cross_modal"]
    assert out["loss"].item() == pytest.approx(total.item(), rel=1e-6)
    assert [name for name, value in out.items() if value.requires_grad] == ["loss"]
    assert all(value.ndim == 0 for value in out.values())


@pytest.mark.parametrize("pairs", [0, 1])
def test_too_few_pairs_skip_the_tie(pairs):
    task, batch = make_task(), joint_batch()
    batch["pairs"] = batch["pairs"][:pairs]
    assert task(batch)["cross_modal"] == 0
    assert all(gradient is not None for gradient in gradients(task, batch).values())


def test_weight_zero_makes_no_heads():
    task = make_task(cross_modal_weight=0.0)
    assert not any("cross_modal" in name for name, _ in task.named_parameters())
    assert task(joint_batch())["cross_modal"] == 0


@pytest.mark.parametrize(("cross_modal_weight", "tied"), [(0.0, False), (1.0, True)])
def test_the_cross_modal_term_is_what_ties_the_encoders(cross_modal_weight, tied):
    """In the reference the other model's batch changed the GF gradient by a factor only: cosine 1.000000000."""
    task = make_task(weighting="fixed", cross_modal_weight=cross_modal_weight, deepdxf=deepdxf_config(views="drawing"))

    def gf_gradient(deepdxf_seed):
        batch = joint_batch() | {"deepdxf": joint_batch(seed=deepdxf_seed)["deepdxf"]}
        found = gradients(task, batch)
        return torch.cat([g.flatten() for name, g in found.items() if name.startswith("gf.model.encoder")])

    cosine = functional.cosine_similarity(gf_gradient(0), gf_gradient(100), dim=0)
    assert (cosine < 0.999) == tied
    assert (cosine > 0.99999) != tied


def test_each_encoder_runs_once_a_step():
    task, calls = make_task(), []
    task.gf.model.encoder.register_forward_hook(lambda *_: calls.append("gf"))
    task.deepdxf.model.transformer.register_forward_hook(lambda *_: calls.append("deepdxf"))
    task(joint_batch())
    assert sorted(calls) == ["deepdxf", "gf"]


def test_embed():
    task = make_task().eval()
    batch = {"gf": gf_batch(4), "deepdxf": deepdxf_batch([random_rows(5 + i, i) for i in range(4)])}
    vectors = task.embed(batch)
    assert {name: v.shape for name, v in vectors.items()} == {
        "gf": (4, task.gf.model.vector_size),
        "deepdxf": (4, task.deepdxf.model.vector_size),
        "joint": (4, task.gf.model.vector_size + task.deepdxf.model.vector_size),
    }
    assert torch.allclose(vectors["joint"].norm(dim=1), torch.ones(4), atol=1e-6)

    def cosine(name):
        return functional.cosine_similarity(vectors[name][0], vectors[name][1], dim=0)

    assert cosine("joint").item() == pytest.approx((cosine("gf") + cosine("deepdxf")).item() / 2, abs=1e-5)
    assert set(task.embed({"gf": batch["gf"]})) == {"gf"}
    assert set(task.embed({"deepdxf": batch["deepdxf"]})) == {"deepdxf"}
    assert torch.equal(task.embed({"gf": batch["gf"]})["gf"], vectors["gf"])


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_validation_changes_no_state(weighting):
    """The loop validates in train mode, so that views exist, and without gradients."""
    task = make_task(weighting=weighting)
    train(task, joint_batch(), steps=2)
    before = {name: value.clone() for name, value in task.state_dict().items()}
    with torch.no_grad():
        weights = task(joint_batch())["gf_weight"]
        assert task(joint_batch(seed=1))["gf_weight"] == weights
    assert all(torch.equal(before[name], value) for name, value in task.state_dict().items())


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_the_state_dict_holds_all_that_was_learned(weighting):
    task, batch = make_task(weighting=weighting), joint_batch()
    for epoch in range(3):
        train(task, batch, steps=2, lr=1e-2)
        task.on_epoch_end({"loss": 9.0, "gf": 3.0 - 0.1 * epoch, "deepdxf": 2.0 - 0.5 * epoch, "cross_modal": 1.0})
    torch.manual_seed(99)
    copy = JointTask(joint_config(weighting=weighting))
    copy.load_state_dict(task.state_dict())
    torch.manual_seed(1)
    one = task(batch)
    torch.manual_seed(1)
    two = copy(batch)
    assert all(torch.equal(one[name], two[name]) for name in one)
    if weighting != "fixed":
        assert one["gf_weight"] != one["deepdxf_weight"]


@pytest.mark.parametrize("dtype", [None, torch.bfloat16])
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_finite_also_in_bfloat16(weighting, dtype):
    assert_finite(make_task(weighting=weighting), joint_batch(), dtype)


def test_same_seed_same_training_bit_for_bit():
    def run():
        task = make_task(weighting="grad_norm")
        torch.manual_seed(7)
        losses = train(task, joint_batch(), steps=3)
        return losses, task.state_dict()

    (losses_1, state_1), (losses_2, state_2) = run(), run()
    assert losses_1 == losses_2
    assert all(torch.equal(state_1[name], state_2[name]) for name in state_1)


def test_training_pulls_the_two_vectors_of_a_drawing_together():
    task, batch = make_task(), joint_batch(6)
    parts = []
    optimizer = torch.optim.AdamW(task.parameters(), lr=3e-3)
    for _ in range(60):
        out = task(batch)
        optimizer.zero_grad()
        out["loss"].backward()
        optimizer.step()
        parts.append(out["cross_modal"].item())
    assert parts[0] > 0.8 * math.log(6)
    assert sum(parts[-5:]) / 5 < 0.5 * math.log(6)
