"""The one optimizer of a run, and which gradients are clipped together."""

from __future__ import annotations

import importlib
from collections import defaultdict
from typing import Any

import torch
from torch import nn

from config.errors import UserError
from config.run_config import RunConfig

MOMENTUM = 0.9


def require_optimizer(config: RunConfig) -> None:
    """Raise :class:`UserError` when the optimizer's library is not installed."""
    if config.optimizer == "lamb":
        _lamb()


def build_optimizer(task: nn.Module, config: RunConfig) -> torch.optim.Optimizer:
    """The config's optimizer over every parameter of the task, learned loss weights included.

    Norms, biases and other vectors, embeddings and learned loss weights are not decayed: pulling them towards zero is
    not regularisation. A module that is an embedding without being an ``nn.Embedding`` names its parameters in a method
    ``no_weight_decay``, as timm's models do. Encoders may have learning rates of their own.

    Raises:
        UserError: the optimizer's library is not installed.
    """
    embeddings = {id(parameter) for module in task.modules() for parameter in _embedding_parameters(module)}
    members: dict[tuple[float, float], list[nn.Parameter]] = defaultdict(list)  # by rate and decay
    for name, parameter in task.named_parameters():
        decay = 0.0 if parameter.ndim < 2 or id(parameter) in embeddings else config.weight_decay
        members[config.lr_of(name), decay].append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": parameters, "lr": lr, "initial_lr": lr, "weight_decay": decay}
        for (lr, decay), parameters in sorted(members.items(), key=lambda item: -item[0][1])
    ]
    match config.optimizer:
        case "adamw":
            # one kernel, not dozens
            fused = all(parameter.device.type in ("cpu", "cuda") for parameter in task.parameters())
            return torch.optim.AdamW(groups, lr=config.lr, fused=fused)
        case "sgd":
            return torch.optim.SGD(groups, lr=config.lr, momentum=MOMENTUM, nesterov=True)
        case "lamb":
            return _lamb()(groups, lr=config.lr)
    raise ValueError(f"unknown optimizer {config.optimizer!r}")


def clip_groups(task: nn.Module, config: RunConfig) -> list[list[nn.Parameter]]:
    """Parameters whose gradients are clipped together: all, or each encoder's and the rest."""
    groups: dict[str, list[nn.Parameter]] = defaultdict(list)
    for name, parameter in task.named_parameters():
        groups[config.clip_group_of(name)].append(parameter)
    return list(groups.values())


def _lamb() -> Any:
    """LAMB (You et al. 2020), of a library that few runs need."""
    try:
        return importlib.import_module("pytorch_optimizer").Lamb
    except ImportError as error:
        raise UserError("--optimizer lamb needs: pip install -r requirements-lamb.txt") from error


def _embedding_parameters(module: nn.Module) -> list[nn.Parameter]:
    if isinstance(module, nn.Embedding):
        return list(module.parameters())
    return [module.get_parameter(name) for name in getattr(module, "no_weight_decay", set)()]
