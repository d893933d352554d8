"""From what the folds reached to what ships: which setting, and for how many epochs."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from utils.engine.learner import FitResult


@dataclass(frozen=True)
class Outcome:
    """What the folds of one setting reached.

    Attributes:
        name: the setting's.
        folds: the best epoch of each.
    """

    name: str
    folds: Sequence[FitResult]

    @property
    def val(self) -> dict[str, dict[str, float]]:
        """Mean and standard deviation over folds (0 for a single fold) of every validation number."""
        records = [fold.metrics for fold in self.folds]
        return {
            name: {
                "mean": statistics.fmean(record[name] for record in records),
                "std": statistics.stdev(record[name] for record in records) if len(records) > 1 else 0.0,
            }
            for name in records[0]
        }

    @property
    def typical(self) -> FitResult:
        """The fold whose best epoch is the median; of an even number of folds the lower of the two in the middle."""
        median = statistics.median_low([fold.epoch for fold in self.folds])
        return next(fold for fold in self.folds if fold.epoch == median)

    @property
    def final_epochs(self) -> int:
        """How many epochs a final training takes: up to the typical fold's best."""
        return self.typical.epoch + 1


def best_of(outcomes: Sequence[Outcome]) -> int:
    """The place of the setting with the lowest mean validation loss; of equal ones the first."""
    return min(range(len(outcomes)), key=lambda i: outcomes[i].val["loss"]["mean"])


def as_records(outcomes: Sequence[Outcome], chosen: int) -> list[Mapping[str, Any]]:
    """The settings as the summary has them."""
    return [
        {"name": each.name, "val": each.val, "final_epochs": each.final_epochs, "chosen": i == chosen}
        for i, each in enumerate(outcomes)
    ]
