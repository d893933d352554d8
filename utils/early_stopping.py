"""Stop when the watched number no longer falls: the mechanism that the three early stoppers share."""

from __future__ import annotations

import math


class EarlyStopping:
    """Remembers the best value and counts the epochs since.

    Args:
        patience: epochs without a better value after which :attr:`should_stop` turns true.
        min_delta: how much lower a value must be to count as better.
    """

    monitor = "loss"  # the validation number that is watched

    def __init__(self, patience: int, min_delta: float = 0.0) -> None:
        self.patience = patience
        self.min_delta = min_delta
        self.best = math.inf
        self.best_epoch = -1
        self.epochs_without_gain = 0

    @property
    def should_stop(self) -> bool:
        return self.epochs_without_gain >= self.patience

    def update(self, metrics: dict[str, float], epoch: int) -> bool:
        """Take in an epoch's validation metrics; true when it is the best so far.

        Raises:
            ValueError: the watched number is not finite. It would count as neither better nor worse.
        """
        value = metrics[self.monitor]
        if not math.isfinite(value):
            raise ValueError(f"validation {self.monitor} of epoch {epoch} is {value}; early stopping cannot judge it")
        better = value < self.best - self.min_delta
        if better:
            self.best, self.best_epoch, self.epochs_without_gain = value, epoch, 0
        else:
            self.epochs_without_gain += 1
        return better

    def state_dict(self) -> dict[str, float | int]:
        return {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "epochs_without_gain": self.epochs_without_gain,
        }

    def load_state_dict(self, state: dict[str, float | int]) -> None:
        self.best = float(state["best"])
        self.best_epoch = int(state["best_epoch"])
        self.epochs_without_gain = int(state["epochs_without_gain"])
