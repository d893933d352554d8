"""What a run will do, and how long that may take."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from utils.engine.learner import Position

EARLY_SECONDS, EARLY_STEPS = 30.0, 3  # a first estimate needs no whole epoch where epochs are long


@dataclass(frozen=True)
class Stage:
    """Folds that are trained side by side under one setting.

    Attributes:
        setting: its place in the list of settings.
        folds: their numbers, or ``None`` for the final training.
        epochs: at most.
        steps: of an epoch.
    """

    setting: int
    folds: tuple[int | None, ...]
    epochs: int
    steps: int


def in_words(stages: Sequence[Stage], n_settings: int, n_folds: int) -> str:
    """One sentence for the log."""
    most_epochs = max(stage.epochs for stage in stages)
    least, most = min(stage.steps for stage in stages), max(stage.steps for stage in stages)
    steps = str(most) if least == most else f"{least} to {most}"
    trainings = f"{n_folds} fold(s)" if n_settings == 1 else f"{n_settings} settings x {n_folds} fold(s)"
    final = " + 1 final training on all but the test drawings" if n_folds > 1 else ""
    length = f"each at most {most_epochs} epochs of {steps} step(s)"
    return f"plan: {trainings}{final}, {length}; then the held-out test, once"


class Estimate:
    """Says once, from what the first steps took, how long the rest may take at most.

    Args:
        stages: that are left; the first begins now, at ``start``.
    """

    def __init__(self, stages: Sequence[Stage], start: Position) -> None:
        self._stages = stages
        self._start = start
        self._began = time.perf_counter()
        self._said = False

    def after(self, position: Position) -> str | None:
        """The estimate as soon as there is one, by a position in the first stage; ``None`` before and ever after."""
        seconds = time.perf_counter() - self._began
        steps = self._steps(position) - self._steps(self._start)
        whole_epoch = position.step == 0 and position.epoch > self._start.epoch
        if self._said or not steps or not (whole_epoch or (steps >= EARLY_STEPS and seconds >= EARLY_SECONDS)):
            return None
        self._said = True
        left = sum(stage.epochs * stage.steps for stage in self._stages) - self._steps(position)
        return (
            f"estimate: {_hours(left * seconds / steps)} more at this pace ({seconds / steps:.3g} s a step), "
            "less where early stopping ends a fold sooner"
        )

    def _steps(self, position: Position) -> int:
        return position.epoch * self._stages[0].steps + position.step


def _hours(seconds: float) -> str:
    if seconds >= 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
