"""Device, precision and optimizer: the small parts of the engine."""

import math
import sys

import pytest
import torch
from torch import nn

from config.errors import UserError
from config.joint_config import JointConfig
from config.run_config import RunConfig
from model.joint_task import JointTask
from utils.engine.device import Precision, choose_device, to_device
from utils.engine.optimizer import build_optimizer, clip_groups
from utils.engine.schedule import Schedule

CPU = torch.device("cpu")


def test_devices_that_are_not_there_are_refused_with_a_way_out():
    assert choose_device("cpu") == CPU
    with pytest.raises(UserError, match="auto, cpu, cuda"):
        choose_device("gpu please")
    if not torch.cuda.is_available():
        assert choose_device("auto") == CPU
        with pytest.raises(UserError, match="--device cpu"):
            choose_device("cuda:0")


def test_precision_follows_the_device():
    assert Precision.choose("auto", CPU).dtype is None
    assert Precision.choose("auto", torch.device("cuda")).dtype is torch.float16
    assert not Precision.choose("bf16", CPU).scaler().is_enabled()
    with pytest.raises(UserError, match="fp16"):
        Precision.choose("fp16", CPU)
    with Precision.choose("bf16", CPU).autocast():
        assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype is torch.bfloat16


def test_nested_batches_move_and_the_rest_stays():
    batch = {"gf": {"features": torch.ones(2)}, "names": ["a"], "n_drawings": 3}
    moved = to_device(batch, torch.device("meta"))
    assert moved["gf"]["features"].device.type == "meta"
    assert (moved["names"], moved["n_drawings"]) == (["a"], 3)


def test_one_optimizer_holds_every_parameter_and_decays_only_matrices():
    task = JointTask(JointConfig(weighting="uncertainty", weight_decay=0.1))
    decayed, exempt = build_optimizer(task, JointConfig(weight_decay=0.1)).param_groups
    assert (decayed["weight_decay"], exempt["weight_decay"]) == (0.1, 0.0)
    held = {id(parameter) for group in (decayed, exempt) for parameter in group["params"]}
    assert held == {id(parameter) for parameter in task.parameters()}
    exempt_ids = {id(parameter) for parameter in exempt["params"]}
    names = {name for name, parameter in task.named_parameters() if id(parameter) in exempt_ids}
    assert "weighting.log_variance" in names
    assert {name for name in names if "embedding" in name} == {
        "deepdxf.model.embedding.types.weight",
        "deepdxf.model.embedding.parameter_embedding.bins",
        "deepdxf.model.embedding.parameter_embedding.slots",
    }
    assert {name for name in names if "norm" in name} == {name for name, _ in task.named_parameters() if "norm" in name}
    assert "deepdxf.model.to_latent.weight" not in names


def _rates(config, losses, steps=1, lr_factors=None):
    """The rates of every step, epoch by epoch, while validation gives these losses."""
    parameters = [nn.Parameter(torch.zeros(1)) for _ in range(2)]
    groups = [{"params": [each], "lr": lr, "initial_lr": lr} for each, lr in zip(parameters, (1.0, 0.5), strict=True)]
    optimizer = torch.optim.SGD(groups, lr=1.0)
    schedule, rates = Schedule(optimizer, config, lr_factors), []
    for epoch, loss in enumerate(losses):
        for step in range(steps):
            schedule.start_step(epoch, step, steps)
            first, second = (group["lr"] for group in optimizer.param_groups)
            assert second == pytest.approx(first / 2), "all groups move by the same factor"
            rates.append(first)
        schedule.end_epoch(epoch, loss)
    return rates


def test_plateau_halves_the_rate_when_validation_rests():
    losses = (3.0, 2.0, 2.0, 2.0, 2.0, 2.0)
    assert _rates(RunConfig(lr_patience=2), losses) == [1, 1, 1, 1, 1, 0.5]
    assert _rates(RunConfig(lr_patience=2, schedule="constant"), losses) == [1] * 6


def test_plateau_does_not_watch_the_warm_up():
    rates = _rates(RunConfig(lr_patience=1, warmup_epochs=2), (1.0, 1.0, 5.0, 5.0, 5.0, 5.0), steps=2)
    assert rates == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 1, 0.5, 0.5])


def test_cosine_falls_to_nothing_behind_the_warm_up():
    rates = _rates(RunConfig(epochs=5, schedule="cosine", warmup_epochs=1), [1.0] * 5, steps=4)
    down = [(1 + math.cos(math.pi * step / 16)) / 2 for step in range(16)]
    assert rates == pytest.approx([0.25, 0.5, 0.75, 1, *down])


def test_a_final_training_repeats_the_rates_of_a_fold():
    assert _rates(RunConfig(), (9.0, 9.0, 9.0), lr_factors=(1.0, 0.5, 0.25)) == [1, 0.5, 0.25]
    assert _rates(RunConfig(warmup_epochs=1), (9.0, 9.0), steps=2, lr_factors=(1.0, 1.0)) == [0.5, 1, 1, 1]


def test_encoders_may_have_rates_and_clipping_of_their_own():
    config = JointConfig(lr=0.1, gf_lr=0.01, clip_per="encoder")
    task = JointTask(config)
    rate = {id(p): group["lr"] for group in build_optimizer(task, config).param_groups for p in group["params"]}
    assert {rate[id(parameter)] for parameter in task.gf.parameters()} == {0.01}
    assert {rate[id(p)] for name, p in task.named_parameters() if not name.startswith("gf.")} == {0.1}
    groups = clip_groups(task, config)
    assert len(groups) == 3, "two encoders and what ties them"
    assert sum(map(len, groups)) == len(list(task.parameters()))
    assert len(clip_groups(task, JointConfig())) == 1


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "lamb"])
def test_every_optimizer_goes_down_and_decays_matrices_only(optimizer):
    torch.manual_seed(0)
    task = nn.Linear(3, 2)
    config = RunConfig(optimizer=optimizer, lr=0.05, weight_decay=0.1)
    moving = build_optimizer(task, config)
    assert [group["weight_decay"] for group in moving.param_groups] == [0.1, 0.0]
    x = torch.randn(8, 3)
    losses = []
    for _ in range(20):
        loss = (task(x) - 1).square().mean()
        moving.zero_grad()
        loss.backward()
        moving.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_a_missing_optimizer_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pytorch_optimizer", None)
    with pytest.raises(UserError, match=r"requirements-lamb\.txt"):
        build_optimizer(nn.Linear(2, 2), RunConfig(optimizer="lamb"))
