"""What the loop asks of a task, of a loader and of the data of a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from torch import Tensor

Batch = dict[str, Any]  # tensors, nested dicts of tensors, and under "names" the drawings in it


class Task(Protocol):
    """An ``nn.Module`` that owns networks, heads, views, losses and learned loss weights."""

    def __call__(self, batch: Batch) -> dict[str, Tensor]:
        """``loss`` is what is backpropagated; every other entry is a scalar to log."""
        ...

    def on_epoch_end(self, train_means: dict[str, float]) -> None:
        """Hear the epoch's mean training losses (dynamic weights move by them)."""
        ...


class Loader(Protocol):
    """Batches as a pure function of the epoch: the same epoch gives the same batches, whatever ran before."""

    def __len__(self) -> int: ...

    def epoch(self, epoch: int) -> Iterator[Batch]: ...


class RunData(Protocol):
    """The loaders of a cross-validation, and the facts about the data that go into its checkpoints."""

    n_folds: int
    facts: dict[str, Any]

    def get_fold_loaders(self, fold: int) -> tuple[Loader, Loader]: ...

    def get_test_loaders(self) -> Loader: ...
