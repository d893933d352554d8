"""One fold of a run: its task and everything that moves it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from config.run_config import RunConfig
from utils.early_stopping import EarlyStopping
from utils.engine.device import Precision
from utils.engine.optimizer import build_optimizer, build_schedule
from utils.protocol import Loader


@dataclass(frozen=True)
class FitResult:
    """The best epoch of a fold and its validation numbers."""

    epoch: int
    metrics: dict[str, float]


class Learner:
    """A task with its data, and a fresh optimizer, schedule, gradient scaler and early stopper. One for every fold.

    Args:
        fold: the fold's number.
        task: see :class:`utils.protocol.Task`; already on its device.
        early_stopping: judges the validation numbers; also fresh.

    Attributes:
        best: the best epoch so far.
    """

    def __init__(
        self,
        fold: int,
        task: nn.Module,
        train: Loader,
        val: Loader,
        early_stopping: EarlyStopping,
        config: RunConfig,
        precision: Precision,
    ) -> None:
        self.fold = fold
        self.task = task
        self.train = train
        self.val = val
        self.early_stopping = early_stopping
        self.scaler = precision.scaler()
        self.optimizer = build_optimizer(task, config)
        self.schedule = build_schedule(self.optimizer, config)
        self.best: FitResult | None = None
        self._accumulate = config.accumulation_steps
        self._clip_norm = config.clip_norm or math.inf

    def divisor(self, step: int) -> int:
        """How many batches make up the optimizer step that batch ``step`` of an epoch belongs to: the last group of
        ``accumulation_steps`` may be shorter, and its mean gradient has its own divisor."""
        return min(self._accumulate, len(self.train) - step // self._accumulate * self._accumulate)

    def ends_group(self, step: int) -> bool:
        """Whether the optimizer steps behind batch ``step`` of an epoch."""
        return (step + 1) % self._accumulate == 0 or step + 1 == len(self.train)

    def clip(self) -> Tensor:
        """Undo the gradients' scale and clip them; returns their norm before clipping, still on the device."""
        self.scaler.unscale_(self.optimizer)
        return torch.nn.utils.clip_grad_norm_(self.task.parameters(), self._clip_norm)

    def step(self) -> None:
        """Move the weights. A scaler skips the step where a gradient is not finite, and lowers its scale."""
        self.scaler.step(self.optimizer)
        self.scaler.update()

    @property
    def lr(self) -> float:
        return self.optimizer.param_groups[0]["lr"]

    @property
    def stopped(self) -> bool:
        return self.early_stopping.should_stop

    def judge(self, epoch: int, val: dict[str, float]) -> bool:
        """Take in an epoch's validation numbers; true when it is the best so far."""
        if self.schedule is not None:
            self.schedule.step(val[self.early_stopping.monitor])
        better = self.early_stopping.update(val, epoch)
        if better:
            self.best = FitResult(epoch, val)
        return better

    def parameter_norms(self) -> dict[str, float]:
        """The length of every parameter, for the record of a failure."""
        return {name: float(p.detach().float().norm()) for name, p in self.task.named_parameters()}
