"""Device, precision and optimizer: the small parts of the engine."""

import pytest
import torch
from torch import nn

from config.errors import UserError
from config.joint_config import JointConfig
from config.run_config import RunConfig
from model.joint_task import JointTask
from utils.engine.device import Precision, choose_device, to_device
from utils.engine.optimizer import build_optimizer, build_schedule

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


def test_the_learning_rate_halves_when_validation_rests():
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = build_schedule(optimizer, RunConfig(lr_patience=2))
    for loss in (3.0, 2.0, 2.0, 2.0, 2.0):
        schedule.step(loss)
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert build_schedule(optimizer, RunConfig(lr_patience=0)) is None
