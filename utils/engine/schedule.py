"""The learning rate along a run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from config.run_config import RunConfig


class Schedule:
    """A linear warm-up, then what the config names: constant, down a half cosine to 0 (SGDR without restarts:
    Loshchilov and Hutter 2017, equation 5), or halved whenever the validation loss rests.

    Every parameter group moves by the same factor from its own ``initial_lr``.

    Args:
        optimizer: its groups hold ``initial_lr``, as :func:`utils.engine.optimizer.build_optimizer` leaves them.
        lr_factors: instead of watching a validation loss, repeat these factors, one for each epoch.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, config: RunConfig, lr_factors: Sequence[float] | None = None
    ) -> None:
        self._optimizer = optimizer
        self._cosine = config.schedule == "cosine"
        self._epochs = config.epochs
        self._warmup = config.warmup_epochs
        self._plateau: ReduceLROnPlateau | None = None
        self._lr_factors: Sequence[float] | None = None
        if config.schedule != "plateau":
            return
        self._lr_factors = lr_factors
        if lr_factors is None:
            # absolute, not relative: the combined loss of learned weights may be negative
            self._plateau = ReduceLROnPlateau(
                optimizer, factor=0.5, patience=config.lr_patience, threshold=config.min_delta, threshold_mode="abs"
            )

    def start_step(self, epoch: int, step: int, steps: int) -> None:
        """Set the rate of batch ``step`` of ``steps`` in an epoch; all counted from 0."""
        factor = self.factor(epoch, step, steps)
        if factor is not None:
            for group in self._optimizer.param_groups:
                group["lr"] = group["initial_lr"] * factor

    def factor(self, epoch: int, step: int, steps: int) -> float | None:
        """The rate over ``initial_lr``; ``None`` where it stays as it is."""
        if epoch < self._warmup:
            return (epoch * steps + step + 1) / (self._warmup * steps)
        if self._cosine:
            done = (epoch + step / steps - self._warmup) / (self._epochs - self._warmup)
            return (1 + math.cos(math.pi * done)) / 2
        return self._lr_factors[epoch] if self._lr_factors is not None else None

    def end_epoch(self, epoch: int, loss: float) -> None:
        """Take in an epoch's validation loss; those of the warm-up do not count."""
        if self._plateau is not None and epoch >= self._warmup:
            self._plateau.step(loss)

    def state_dict(self) -> dict[str, Any]:
        return {} if self._plateau is None else self._plateau.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if self._plateau is not None:
            self._plateau.load_state_dict(dict(state))
