"""How tasks meet their batches: one plainly or as one of several processes, those of several folds as one program."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils.rnn import pad_sequence

from utils.distributed.exchange import mean, sharing_a_step, step_group
from utils.distributed.world import world
from utils.protocol import Batch
from utils.seeding import derived_seed, seed_step


class Single:
    """A stack of one task is the task itself."""

    def __init__(self, task: nn.Module) -> None:
        self.task = task

    def __call__(self, batches: Sequence[Batch | None], seeds: Sequence[int]) -> dict[str, Tensor]:
        """See :meth:`Stack.__call__`."""
        seed_step(seeds[0])
        return {name: value[None] for name, value in self.task(batches[0]).items()}

    def train(self) -> None:
        self.task.train()

    def zero_grad(self, position: int) -> None:
        self.task.zero_grad(set_to_none=True)

    def accumulating(self, more: bool) -> AbstractContextManager[Any]:
        """A block for the forward and backward of a batch; ``more`` of them follow before the optimizer steps."""
        return nullcontext()


class Shared(Single):
    """A task whose training steps several processes share, each with its part of the batch.

    Loss and gradients are those of the whole batch (see :mod:`utils.distributed.exchange`). What a task draws for the
    whole step (``draw``) is the same everywhere; dropout masks beyond it differ between the processes.
    """

    def __init__(self, task: nn.Module) -> None:
        super().__init__(task)
        # takes over the first process's weights and buffers; later ones follow from what all have exchanged
        self._parallel = DistributedDataParallel(task, forward_sync_buffers=False)

    def __call__(self, batches: Sequence[Batch | None], seeds: Sequence[int]) -> dict[str, Tensor]:
        """See :meth:`Stack.__call__`; without gradients a step is this process's own affair."""
        if not torch.is_grad_enabled():
            return super().__call__(batches, seeds)
        batch = batches[0]
        if hasattr(self.task, "draw"):
            batch = {**batch, "noise": _draw(self.task, batch, seeds[0])}
        seed_step(derived_seed(seeds[0], world().rank))
        with sharing_a_step(step_group()):
            out = self._parallel(batch)
            numbers = mean(torch.stack([value.detach().float() for value in out.values()]))
        # the whole batch's numbers, with this process's part of the gradient
        parts = (value - value.detach() for value in out.values())
        return {name: (number + part)[None] for name, number, part in zip(out, numbers, parts, strict=True)}

    def accumulating(self, more: bool) -> AbstractContextManager[Any]:
        return self._parallel.no_sync() if more else nullcontext()


class Stack:
    """Tasks of one make as one batched program: ``vmap`` over their stacked parameters ("model ensembling").

    The tasks stay what they are, modules with parameters of their own; only, their parameters and gradients now are
    slices of stacked tensors. An optimizer, a schedule or a checkpoint of one task needs to know nothing of the others.
    Up to rounding every task computes what it computes alone.

    Args:
        tasks: see :class:`utils.protocol.StackableTask`. Stacking the tasks of an older stack anew takes them over.
    """

    def __init__(self, tasks: Sequence[nn.Module]) -> None:
        self.tasks = list(tasks)
        self._skeleton = copy.deepcopy(self.tasks[0]).to("meta")
        self._skeleton.batched()
        self._state: dict[str, Tensor] = {}
        for members in zip(*(task.named_parameters() for task in self.tasks), strict=True):
            name, parameters = members[0][0], [parameter for _, parameter in members]
            stacked = torch.stack([parameter.detach() for parameter in parameters]).requires_grad_()
            stacked.grad = torch.zeros_like(stacked)
            for parameter, own, gradient in zip(parameters, stacked.detach(), stacked.grad, strict=True):
                parameter.data, parameter.grad = own, gradient
            self._state[name] = stacked
        for members in zip(*(task.named_buffers() for task in self.tasks), strict=True):
            self._state[members[0][0]] = torch.stack([buffer for _, buffer in members])

    def __call__(self, batches: Sequence[Batch | None], seeds: Sequence[int]) -> dict[str, Tensor]:
        """One forward of every task.

        Args:
            batches: one for each task, on the device; ``None`` for a task that has no more in this epoch. Smaller ones
                are filled up with zeros.
            seeds: what each task's random numbers follow from.

        Returns:
            what a task returns, each number as a tensor of as many as there are tasks. Those of a task without a batch
            mean nothing, and their gradient is zero.
        """
        complete = [
            {**_tensors(batch), "noise": _draw(task, batch, seed)} if batch is not None else None
            for task, batch, seed in zip(self.tasks, batches, seeds, strict=True)
        ]
        return vmap(self._one)(self._state, _side_by_side(complete))

    def train(self) -> None:
        """Training mode: dropout is on."""
        for task in (*self.tasks, self._skeleton):
            task.train()

    def zero_grad(self, position: int) -> None:
        """Forget the gradients of one task."""
        torch._foreach_zero_([parameter.grad for parameter in self.tasks[position].parameters()])

    def accumulating(self, more: bool) -> AbstractContextManager[Any]:
        """See :meth:`Single.accumulating`."""
        return nullcontext()

    def _one(self, state: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        return functional_call(self._skeleton, state, (batch,))


def make_program(tasks: Sequence[nn.Module]) -> Single | Stack:
    """The program of one task or of several; several are for one process."""
    if len(tasks) > 1:
        return Stack(tasks)
    return Single(tasks[0]) if world().size == 1 else Shared(tasks[0])


def _tensors(batch: Batch) -> dict[str, Tensor]:
    return {name: value for name, value in batch.items() if isinstance(value, Tensor)}


def _draw(task: Any, batch: Batch, seed: int) -> dict[str, Tensor]:
    seed_step(seed)
    return task.draw(batch)


def _side_by_side(values: Sequence[Any]) -> Any:
    """Stack nested dicts of tensors, filled up with zeros to the longest; ``None`` is all zeros."""
    example = next(value for value in values if value is not None)
    if isinstance(example, dict):
        return {name: _side_by_side([value and value[name] for value in values]) for name in example}
    return pad_sequence([example[:0] if value is None else value for value in values], batch_first=True)
