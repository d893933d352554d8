import math

import pytest
import torch

from dataset.entities import ABSENT, PAD
from model.DeepDXF_task import DeepDXFTask
from tests.model.batches import (
    assert_all_learn,
    assert_finite,
    deepdxf_batch,
    deepdxf_config,
    gradients,
    random_rows,
    train,
    view_batch,
)


@pytest.mark.parametrize("loss", ["infonce", "simclr"])
@pytest.mark.parametrize("views", ["dropout", "drawing", "both"])
def test_every_parameter_learns(views, loss):
    torch.manual_seed(0)
    drawings = [random_rows(1 + 7 * seed, seed) for seed in range(8)]  # second views differ, also without dropout
    batch = deepdxf_batch(drawings)
    assert_all_learn(DeepDXFTask(deepdxf_config(views=views, loss=loss)), batch)


def test_both_names_of_the_loss_mean_nt_xent():
    outputs = []
    for loss in ("infonce", "simclr"):
        torch.manual_seed(0)
        outputs.append(DeepDXFTask(deepdxf_config(loss=loss))(view_batch(4))["loss"])
    assert outputs[0] == outputs[1]


def test_training_leaves_chance_behind():
    torch.manual_seed(0)
    batch = deepdxf_batch([random_rows(20, seed) for seed in range(6)] * 2)
    losses = train(DeepDXFTask(deepdxf_config()), batch, steps=60)
    assert sum(losses[-5:]) / 5 < 0.5 * math.log(11)


def test_views_differ_in_training_mode_and_follow_the_seed():
    """The reference's two views were equal in evaluation, so that its validation loss said nothing."""
    torch.manual_seed(0)
    task = DeepDXFTask(deepdxf_config(views="dropout")).train()

    def loss(seed):
        torch.manual_seed(seed)
        with torch.no_grad():
            return task(view_batch(5))["loss"].item()

    assert loss(1) == loss(1)
    assert loss(1) != loss(2)
    dropped = loss(1)
    task.eval()
    assert loss(1) < dropped, "equal views are an easier task"


def test_embed_has_no_views_and_nothing_random():
    torch.manual_seed(0)
    task = DeepDXFTask(deepdxf_config()).eval()
    batch = deepdxf_batch([random_rows(length) for length in (1, 30, 17)])
    vectors = task.embed(batch)["deepdxf"]
    assert vectors.shape == (3, 24)
    assert torch.equal(vectors, task.embed(batch)["deepdxf"])


def test_training_vectors_are_the_mean_of_the_views():
    torch.manual_seed(0)
    task = DeepDXFTask(deepdxf_config()).eval()
    batch = deepdxf_batch([random_rows(20, seed) for seed in range(8)])  # view 2 of other rows than view 1
    one, two = task.embed(batch)["deepdxf"].chunk(2)
    assert torch.allclose(task.forward_with_vectors(batch)[1], (one + two) / 2, atol=1e-6)


def _only(kind, length):
    """Rows of one type without any parameter."""
    rows = random_rows(length)
    rows[:] = ABSENT
    rows[:, 0] = kind
    return rows


@pytest.mark.parametrize("dtype", [None, torch.bfloat16, torch.float16])
@pytest.mark.parametrize(
    "drawings",
    [
        [random_rows(1, 0), random_rows(1, 1)],  # one entity each
        [random_rows(20, 0)] * 4,  # the same drawing throughout
        [random_rows(1, 0), random_rows(40, 1)],
        [_only(PAD, 5), _only(PAD, 1)],
        [_only(0, 300), random_rows(3)],
    ],
    ids=["one entity", "identical", "short and long", "only end tokens", "no parameters"],
)
def test_extreme_drawings_stay_finite(drawings, dtype):
    torch.manual_seed(0)
    output = assert_finite(DeepDXFTask(deepdxf_config()), deepdxf_batch(drawings * 2), dtype)
    assert 0 <= output["accuracy"] <= 1


def test_the_two_views_are_two_encoder_passes_with_masks_of_their_own():
    """The reference encoded once and dropped out twice behind the encoder."""
    torch.manual_seed(0)
    task = DeepDXFTask(deepdxf_config(views="dropout", latent_dropout=0.0)).train()
    outputs = []
    for layer in task.model.transformer.layers:
        layer.dropout.register_forward_hook(lambda module, args, output: outputs.append(output == 0))
    task(deepdxf_batch([random_rows(20), random_rows(20)]))
    assert len(outputs) == 4, "attention and feed-forward of two layers, one pass over both views"
    for dropped in outputs:
        one, two = dropped.unflatten(0, (4, 10)).float().chunk(2)  # four chunks of ten entities
        assert one.mean().item() == pytest.approx(0.2, abs=0.06)
        assert (one * two).mean().item() == pytest.approx(0.04, abs=0.03), "independent, not the same mask"


def test_same_seed_same_gradients_bit_for_bit():
    torch.manual_seed(0)
    task, batch = DeepDXFTask(deepdxf_config()), view_batch(4)
    one, two = gradients(task, batch, 1), gradients(task, batch, 1)
    assert all(torch.equal(one[name], two[name]) for name in one)
