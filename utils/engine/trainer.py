"""Fit one task on one fold: epochs, accumulation, mixed precision, clipping, validation, early stopping."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from config.run_config import RunConfig
from utils.early_stopping import EarlyStopping
from utils.engine.device import Precision, to_device
from utils.engine.optimizer import build_optimizer, build_schedule
from utils.progress import progress
from utils.protocol import Batch, Loader
from utils.run_log import RunLog, logger
from utils.seeding import seeded


class NonFiniteError(RuntimeError):
    """A loss or gradient is NaN or infinite: going on would ruin the weights."""


@dataclass(frozen=True)
class FitResult:
    """The best epoch of a fold and its validation numbers."""

    epoch: int
    metrics: dict[str, float]


class Trainer:
    """Trains ``task`` with a fresh optimizer. Make a new one, with a new task, for every fold.

    Args:
        task: see :class:`utils.protocol.Task`; already on ``device``.
        early_stopping: judges the validation numbers; also fresh.
        fold: the fold's number, for the log.
    """

    def __init__(
        self,
        task: nn.Module,
        config: RunConfig,
        early_stopping: EarlyStopping,
        device: torch.device,
        log: RunLog,
        fold: int = 0,
    ) -> None:
        self.task = task
        self.config = config
        self.early_stopping = early_stopping
        self.device = device
        self.log = log
        self.fold = fold
        self.precision = Precision.choose(config.precision, device)
        self.scaler = self.precision.scaler()
        self.optimizer = build_optimizer(task, config)
        self.schedule = build_schedule(self.optimizer, config)

    def fit(self, train: Loader, val: Loader, on_better: Callable[[FitResult], None]) -> FitResult:
        """Run epochs until the last or until early stopping.

        ``on_better`` is called whenever an epoch is the best so far, while the task holds that epoch's weights: the
        moment to save them. Afterwards the task holds its last weights.

        Raises:
            NonFiniteError: a loss or gradient is not finite.
        """
        best: FitResult | None = None
        epochs = progress(range(self.config.epochs), f"fold {self.fold + 1}", unit="epoch")
        for epoch in epochs:
            record = self._run_epoch(epoch, train, val)
            self.log.epoch(record)
            logger.info(
                "fold %d, epoch %d: train %.4f, validation %.4f, gradient norm %.3g, %.1f s",
                self.fold + 1,
                epoch + 1,
                record["train"]["loss"],
                record["val"]["loss"],
                record["grad_norm"],
                record["seconds"],
            )
            if self.schedule is not None:
                self.schedule.step(record["val"][self.early_stopping.monitor])
            if self.early_stopping.update(record["val"], epoch):
                best = FitResult(epoch, record["val"])
                on_better(best)
            self.task.on_epoch_end(record["train"])  # after saving: a checkpoint holds the weights that were validated
            if self.early_stopping.should_stop:
                logger.info("fold %d: no gain for %d epochs, stopped", self.fold + 1, self.early_stopping.patience)
                break
        epochs.close()
        if best is None:
            raise NonFiniteError(f"fold {self.fold + 1}: no epoch had a finite validation loss")
        return best

    def evaluate(self, loader: Loader, desc: str = "validation") -> dict[str, float]:
        """Mean of every number the task reports, over drawings.

        The task stays in training mode under a fixed seed: views are drawn and dropout is on, as in training, but the
        same way every time. In evaluation mode dropout views would be equal and the loss would say nothing.
        """
        means = _Means()
        batches = progress(loader.epoch(0), desc, total=len(loader), leave=False)
        self.task.train()
        with torch.no_grad(), seeded(self.config.seed, self.device):
            for batch in batches:
                with self.precision.autocast():
                    out = self.task(to_device(batch, self.device))
                numbers = _numbers(out)
                self._require_finite(numbers, batch, desc)
                means.add(numbers, len(batch["names"]))
        return means.result()

    def _run_epoch(self, epoch: int, train: Loader, val: Loader) -> dict[str, Any]:
        start = time.perf_counter()
        train_means, grad_norms = self._train_epoch(epoch, train)
        stepped = [norm for norm in grad_norms if math.isfinite(norm)]
        if not stepped:  # a scaler skips a step now and then, but an epoch without any has learned nothing
            raise NonFiniteError(
                f"fold {self.fold + 1}, epoch {epoch + 1}: no step had a finite gradient, nothing was learned; "
                "try --precision bf16 or fp32, or a lower --lr"
            )
        val_means = self.evaluate(val)
        return {
            "fold": self.fold,
            "epoch": epoch,
            "train": train_means,
            "val": val_means,
            "lr": self.optimizer.param_groups[0]["lr"],
            "grad_norm": sum(stepped) / len(stepped),
            "skipped_steps": len(grad_norms) - len(stepped),  # by the gradient scaler, which then lowers its scale
            "seconds": round(time.perf_counter() - start, 3),
        }

    def _train_epoch(self, epoch: int, loader: Loader) -> tuple[dict[str, float], list[float]]:
        """One pass; returns the mean of every number and the gradient norm of every optimizer step."""
        self.task.train()
        means, grad_norms = _Means(), []
        group = self.config.accumulation_steps
        steps = progress(loader.epoch(epoch), f"epoch {epoch + 1}", total=len(loader), leave=False)
        for step, batch in enumerate(steps):
            # the last group may be shorter; its mean gradient has its own divisor
            divisor = min(group, len(loader) - step // group * group)
            with self.precision.autocast():
                out = self.task(to_device(batch, self.device))
            numbers = _numbers(out)
            self._require_finite(numbers, batch, f"epoch {epoch + 1}, step {step + 1}")
            self.scaler.scale(out["loss"] / divisor).backward()  # only what is backpropagated is divided
            if (step + 1) % group == 0 or step + 1 == len(loader):
                grad_norms.append(self._optimizer_step(batch, f"epoch {epoch + 1}, step {step + 1}"))
            means.add(numbers, len(batch["names"]))
            steps.set_postfix(loss=f"{numbers['loss']:.4f}")
        return means.result(), grad_norms

    def _optimizer_step(self, batch: Batch, where: str) -> float:
        """Unscale, clip, step; returns the gradient norm before clipping."""
        self.scaler.unscale_(self.optimizer)
        limit = self.config.clip_norm or math.inf
        norm = float(torch.nn.utils.clip_grad_norm_(self.task.parameters(), limit))
        if not self.scaler.is_enabled():  # a scaler skips such a step by itself and lowers its scale
            self._require_finite({"gradient norm": norm}, batch, where)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return norm

    def _require_finite(self, numbers: dict[str, float], batch: Batch, where: str) -> None:
        bad = [name for name, value in numbers.items() if not math.isfinite(value)]
        if not bad:
            return
        norms = {name: float(p.detach().float().norm()) for name, p in self.task.named_parameters()}
        path = self.log.failure(
            {
                "fold": self.fold,
                "where": where,
                "numbers": {name: str(value) for name, value in numbers.items()},
                "drawings": list(batch["names"]),
                "parameter_norms": {name: str(value) for name, value in norms.items()},
            }
        )
        raise NonFiniteError(
            f"fold {self.fold + 1}, {where}: {', '.join(bad)} not finite; the batch's drawings and the norms of all "
            f"parameters are in {path}. Try a lower --lr, --precision fp32, or look at the drawings named there."
        )


class _Means:
    """Running means weighted by the number of drawings."""

    def __init__(self) -> None:
        self.sums: dict[str, float] = defaultdict(float)
        self.weight = 0

    def add(self, numbers: dict[str, float], weight: int) -> None:
        for name, value in numbers.items():
            self.sums[name] += value * weight
        self.weight += weight

    def result(self) -> dict[str, float]:
        return {name: value / self.weight for name, value in self.sums.items()}


def _numbers(out: dict[str, Tensor]) -> dict[str, float]:
    """All scalars of a step with one transfer from the device."""
    values = torch.stack([value.detach().float() for value in out.values()]).tolist()
    return dict(zip(out, values, strict=True))
