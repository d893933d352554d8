"""The one optimizer of a run and its schedule."""

from __future__ import annotations

import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from config.run_config import RunConfig


def build_optimizer(task: nn.Module, config: RunConfig) -> torch.optim.AdamW:
    """AdamW over every parameter of the task, learned loss weights included.

    Norms, biases and other vectors, embeddings and learned loss weights are not decayed: pulling them towards zero is
    not regularisation. A module that is an embedding without being an ``nn.Embedding`` names its parameters in a method
    ``no_weight_decay``, as timm's models do.
    """
    embeddings = {id(parameter) for module in task.modules() for parameter in _embedding_parameters(module)}
    decayed, exempt = [], []
    for parameter in task.parameters():
        (exempt if parameter.ndim < 2 or id(parameter) in embeddings else decayed).append(parameter)
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": exempt, "weight_decay": 0.0}]
    fused = all(parameter.device.type in ("cpu", "cuda") for parameter in task.parameters())  # one kernel, not dozens
    return torch.optim.AdamW(groups, lr=config.lr, fused=fused)


def _embedding_parameters(module: nn.Module) -> list[nn.Parameter]:
    if isinstance(module, nn.Embedding):
        return list(module.parameters())
    return [module.get_parameter(name) for name in getattr(module, "no_weight_decay", set)()]


def build_schedule(optimizer: torch.optim.Optimizer, config: RunConfig) -> ReduceLROnPlateau | None:
    """Halve the learning rate when the validation loss rests; ``None`` when it is to stay."""
    if config.lr_patience == 0:
        return None
    # absolute, not relative: the combined loss of learned weights may be negative
    return ReduceLROnPlateau(
        optimizer, factor=0.5, patience=config.lr_patience, threshold=config.min_delta, threshold_mode="abs"
    )
