"""One fold of a run: its task and everything that moves it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from config.run_config import RunConfig
from utils.early_stopping import EarlyStopping
from utils.engine.device import Precision
from utils.engine.means import Means
from utils.engine.optimizer import build_optimizer, clip_groups
from utils.engine.schedule import Schedule
from utils.protocol import Loader


@dataclass(frozen=True)
class Position:
    """How far a fit has got: the epoch and the step in it that come next."""

    epoch: int = 0
    step: int = 0


@dataclass(frozen=True)
class FitResult:
    """The best epoch of a fold.

    Attributes:
        epoch: counted from 0.
        metrics: its validation numbers.
        lr_factors: of every epoch up to it, the learning rate over the one that was asked for.
    """

    epoch: int
    metrics: dict[str, float]
    lr_factors: tuple[float, ...] = ()


class Learner:
    """A task with its data, and a fresh optimizer, schedule, gradient scaler and early stopper. One for every fold.

    Its :meth:`state_dict` is all that a continued run needs, wherever between two optimizer steps it is taken.

    Args:
        fold: the fold's number, from which its random numbers follow.
        task: see :class:`utils.protocol.Task`; already on its device.
        val: ``None`` trains to the last epoch without validation.
        early_stopping: judges the validation numbers; also fresh.
        name: what log lines call it; ``fold <fold + 1>`` if left out.
        label: what marks its lines in the metrics; its fold if left out.
        lr_factors: take the learning rates of a fold that has been trained, see :class:`FitResult`.

    Attributes:
        best: the best epoch so far.
        best_weights: the task's state then, on the CPU, if :meth:`keep` was called.
        means: of the running epoch's numbers.
        norms: of the running epoch's gradients, one for each optimizer step.
    """

    def __init__(
        self,
        fold: int,
        task: nn.Module,
        train: Loader,
        val: Loader | None,
        early_stopping: EarlyStopping | None,
        config: RunConfig,
        precision: Precision,
        *,
        name: str = "",
        label: Mapping[str, Any] | None = None,
        lr_factors: Sequence[float] | None = None,
    ) -> None:
        self.fold = fold
        self.task = task
        self.train = train
        self.val = val
        self.early_stopping = early_stopping
        self.name = name or f"fold {fold + 1}"
        self.label = {"fold": fold} if label is None else dict(label)
        self.scaler = precision.scaler()
        self.optimizer = build_optimizer(task, config)
        self.schedule = Schedule(self.optimizer, config, lr_factors)
        self.best: FitResult | None = None
        self.best_weights: dict[str, Any] | None = None
        self.start_epoch()
        self._lr_factors: list[float] = []
        self._clip_groups = clip_groups(task, config)
        self._accumulate = config.accumulation_steps
        self._clip_norm = config.clip_norm or math.inf

    def start_epoch(self) -> None:
        """Forget the numbers of the epoch before."""
        self.means = Means()
        self.norms: list[float] = []

    def start_step(self, epoch: int, step: int) -> None:
        """Set the learning rate of a batch."""
        self.schedule.start_step(epoch, step, len(self.train))

    def divisor(self, step: int) -> int:
        """How many batches make up the optimizer step that batch ``step`` of an epoch belongs to: the last group of
        ``accumulation_steps`` may be shorter, and its mean gradient has its own divisor."""
        return min(self._accumulate, len(self.train) - step // self._accumulate * self._accumulate)

    def ends_group(self, step: int) -> bool:
        """Whether the optimizer steps behind batch ``step`` of an epoch."""
        return (step + 1) % self._accumulate == 0 or step + 1 == len(self.train)

    def clip(self) -> Tensor:
        """Undo the gradients' scale and clip them, all together or each encoder's by itself; returns the norm of all
        before clipping, still on the device."""
        self.scaler.unscale_(self.optimizer)
        norms = [torch.nn.utils.clip_grad_norm_(group, self._clip_norm) for group in self._clip_groups]
        return norms[0] if len(norms) == 1 else torch.linalg.vector_norm(torch.stack(norms))

    def step(self) -> None:
        """Move the weights. A scaler skips the step where a gradient is not finite, and lowers its scale."""
        self.scaler.step(self.optimizer)
        self.scaler.update()

    @property
    def lr(self) -> float:
        """Of the first parameters; where encoders have rates of their own, all move by the same factor."""
        return self.optimizer.param_groups[0]["lr"]

    @property
    def stopped(self) -> bool:
        return self.early_stopping is not None and self.early_stopping.should_stop

    def judge(self, epoch: int, val: dict[str, float]) -> bool:
        """Take in an epoch's validation numbers, if it has any; true when it is the best so far."""
        if self.early_stopping is None:
            return False
        self._lr_factors.append(self.lr / self.optimizer.param_groups[0]["initial_lr"])
        self.schedule.end_epoch(epoch, val[self.early_stopping.monitor])
        better = self.early_stopping.update(val, epoch)
        if better:
            self.best = FitResult(epoch, val, tuple(self._lr_factors))
        return better

    def keep(self) -> None:
        """Remember the weights as they are: those of the best epoch."""
        self.best_weights = {name: value.detach().cpu().clone() for name, value in self.task.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain Python."""
        return {
            "task": self.task.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "early_stopping": self.early_stopping and self.early_stopping.state_dict(),
            "best": self.best and {**asdict(self.best), "lr_factors": list(self.best.lr_factors)},
            "best_weights": self.best_weights,
            "lr_factors": list(self._lr_factors),
            "means": self.means.state_dict(),
            "norms": list(self.norms),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a :meth:`state_dict`; the learner must be of the same make."""
        self.task.load_state_dict(state["task"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        if state["scaler"]:  # empty where the run had none so far: on a CPU
            self.scaler.load_state_dict(state["scaler"])
        if self.early_stopping is not None:
            self.early_stopping.load_state_dict(state["early_stopping"])
        best = state["best"]
        self.best = best and FitResult(best["epoch"], best["metrics"], tuple(best["lr_factors"]))
        self.best_weights = state["best_weights"]
        self._lr_factors = list(state["lr_factors"])
        self.means.load_state_dict(state["means"])
        self.norms = list(state["norms"])

    def parameter_norms(self) -> dict[str, float]:
        """The length of every parameter, for the record of a failure."""
        return {name: float(p.detach().float().norm()) for name, p in self.task.named_parameters()}
