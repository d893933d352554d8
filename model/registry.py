"""From a checkpoint, alone, back to the model that wrote it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from config.DeepDXF_config import DeepDXFConfig
from config.errors import UserError
from config.GF_config import GFConfig
from config.joint_config import JointConfig
from config.run_config import from_dict
from model.DeepDXF_task import DeepDXFTask
from model.GF_task import GFTask
from model.joint_task import JointTask
from model.sheet_encoder import FITTED, SheetEncoder
from utils.checkpoint import Checkpoint
from utils.seeding import seeded

TASKS: dict[str, tuple[type, type[nn.Module]]] = {
    "gf": (GFConfig, GFTask),
    "deepdxf": (DeepDXFConfig, DeepDXFTask),
    "joint": (JointConfig, JointTask),
}


def rebuild(checkpoint: Checkpoint, untrained_seed: int | None = None) -> nn.Module:
    """The checkpoint's task with its weights, in evaluation mode.

    Args:
        untrained_seed: if given, the same network as it was before its first step, its weights drawn by this seed. What
            was fitted to the training drawings before that step stays, so that weights make all of the difference.

    Raises:
        UserError: written by a program whose options or networks differ from this one's.
    """
    if checkpoint.kind not in TASKS:
        raise UserError(f"the checkpoint holds a {checkpoint.kind!r} model; known are {', '.join(TASKS)}")
    config_class, task_class = TASKS[checkpoint.kind]
    try:
        config = from_dict(config_class, checkpoint.config)
        if untrained_seed is None:
            task = task_class(config)
            task.load_state_dict(checkpoint.model)
        else:
            with seeded(untrained_seed, torch.device("cpu")):
                task = task_class(config)
            task.load_state_dict(_fitted(task, checkpoint), strict=False)
    except (ValueError, TypeError, RuntimeError, KeyError) as error:
        raise UserError(f"the checkpoint does not fit this version of the program: {error}") from error
    return task.eval()


def _fitted(task: nn.Module, checkpoint: Checkpoint) -> dict[str, Tensor]:
    """The entries of the checkpoint that :meth:`SheetEncoder.fit` set."""
    sheets = [prefix for prefix, module in task.named_modules() if isinstance(module, SheetEncoder)]
    return {f"{prefix}.{name}": checkpoint.model[f"{prefix}.{name}"] for prefix in sheets for name in FITTED}
