"""What the loop asks of a task, of a loader and of the data of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

Batch = dict[str, Any]  # tensors, nested dicts of tensors, and under "names" the drawings of the step


class Task(Protocol):
    """An ``nn.Module`` that owns networks, heads, views, losses and learned loss weights."""

    def __call__(self, batch: Batch) -> dict[str, Tensor]:
        """``loss`` is what is backpropagated; every other entry is a scalar to log."""
        ...

    def on_epoch_end(self, train_means: dict[str, float]) -> None:
        """Hear the epoch's mean training losses (dynamic weights move by them)."""
        ...

    def settle(self, archive: Iterable[Batch]) -> None:
        """After training, with the weights that are kept: see the training drawings as they are."""
        ...


@runtime_checkable
class StackableTask(Task, Protocol):
    """A task several of which can be trained side by side, in threads (:class:`utils.engine.program.Abreast`) or as one
    batched program (:class:`utils.engine.program.Stack`): its products are too small to fill a processor.

    Its parts must be such that ``torch.vmap`` can batch them; buffers stay as they are. Rows of zeros at the end of a
    batch's tensors must change nothing. A forward that is given what :meth:`draw` draws draws nothing itself.
    """

    def batched(self) -> None:
        """Be the copy that stands for all: from now on no shape may follow from a tensor's values."""
        ...

    def draw(self, batch: Batch) -> dict[str, Tensor]:
        """All that is random in a forward of ``batch``, from torch's generator. A forward finds it under ``noise``."""
        ...


class Loader(Protocol):
    """Batches as a pure function of the epoch: the same epoch gives the same batches, whatever ran before.

    Where several processes train, a training batch is this one's share of the step, with the names of all of it, and
    may be empty; a validation batch is whole, or ``None`` where another process does the step.
    """

    @property
    def most_processes(self) -> int:
        """How many processes a training step has something for; more would idle."""
        ...

    def __len__(self) -> int: ...

    def epoch(self, epoch: int, first_step: int = 0) -> Iterator[Batch | None]:
        """The batches from ``first_step`` on; those before it are not built, so that a run is continued at once."""
        ...


class RunData(Protocol):
    """The loaders of a cross-validation, and the facts about the data that go into its checkpoints.

    Where a fold is asked for, ``None`` is the final training, on all that is not held out for the test.
    """

    n_folds: int
    facts: dict[str, Any]
    fingerprint: str  # changes with the drawings, their split and the facts: a run is continued on the same data only

    def with_options(self, config: Any) -> RunData:
        """The same drawings and split under another setting of a grid."""
        ...

    def to(self, device: torch.device) -> None:
        """Move there what is small enough to stay."""
        ...

    def prepare(self, task: Any, fold: int | None) -> None:
        """Before training: let a fresh task see the fold's training drawings."""
        ...

    def archive(self, fold: int | None) -> Iterator[Batch]:
        """The fold's training drawings as they are, for :meth:`Task.settle`."""
        ...

    def get_fold_loaders(self, fold: int) -> tuple[Loader, Loader]: ...

    def get_final_loader(self) -> Loader: ...

    def get_test_loaders(self) -> Loader: ...
