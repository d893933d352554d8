"""How the tasks of several folds meet their batches: one plainly, several as one batched program."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.utils.rnn import pad_sequence

from utils.protocol import Batch


class Single:
    """A stack of one task is the task itself."""

    def __init__(self, task: nn.Module) -> None:
        self.task = task

    def __call__(self, batches: Sequence[Batch | None], seeds: Sequence[int]) -> dict[str, Tensor]:
        """See :meth:`Stack.__call__`."""
        torch.manual_seed(seeds[0])
        return {name: value[None] for name, value in self.task(batches[0]).items()}

    def train(self) -> None:
        self.task.train()

    def zero_grad(self, position: int) -> None:
        self.task.zero_grad(set_to_none=True)


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

    def _one(self, state: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        return functional_call(self._skeleton, state, (batch,))


def make_program(tasks: Sequence[nn.Module]) -> Single | Stack:
    """The program of one task or of several."""
    return Single(tasks[0]) if len(tasks) == 1 else Stack(tasks)


def _tensors(batch: Batch) -> dict[str, Tensor]:
    return {name: value for name, value in batch.items() if isinstance(value, Tensor)}


def _draw(task: Any, batch: Batch, seed: int) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return task.draw(batch)


def _side_by_side(values: Sequence[Any]) -> Any:
    """Stack nested dicts of tensors, filled up with zeros to the longest; ``None`` is all zeros."""
    example = next(value for value in values if value is not None)
    if isinstance(example, dict):
        return {name: _side_by_side([value and value[name] for value in values]) for name in example}
    return pad_sequence([example[:0] if value is None else value for value in values], batch_first=True)
