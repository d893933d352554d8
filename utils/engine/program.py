"""How tasks meet their batches: one plainly or as one of several processes; those of several folds side by side, on a
GPU as one batched program, on a processor in as many threads as it has cores."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils.rnn import pad_sequence

from utils.distributed.exchange import mean, sharing_a_step, step_group
from utils.distributed.world import world
from utils.engine.device import Precision
from utils.protocol import Batch, StackableTask
from utils.seeding import derived_seed, seed_step

T, R = TypeVar("T"), TypeVar("R")


class Program:
    """Tasks side by side.

    Args:
        tasks: their parameters are where an optimizer finds them.
        precision: of the forward; full if left out.
    """

    def __init__(self, tasks: Sequence[nn.Module], precision: Precision | None = None) -> None:
        self.tasks = list(tasks)
        self._autocast = precision.autocast if precision else nullcontext

    def __call__(
        self, batches: Sequence[Batch | None], seeds: Sequence[int], weights: Tensor | None = None
    ) -> dict[str, Tensor]:
        """One forward of every task, and one backward.

        Args:
            batches: one for each task, on the device; ``None`` for a task that has no more in this epoch.
            seeds: what each task's random numbers follow from.
            weights: ``[tasks]``: what each loss counts for in what is added to the gradients, 0 for a task without a
                batch; forward only if left out.

        Returns:
            what a task returns, each number as a tensor of as many as there are tasks. Those of a task without a batch
            mean nothing.
        """
        with self._autocast():
            out = self._forward(batches, seeds)
        if weights is not None:
            out["loss"].backward(weights)
        return out

    def _forward(self, batches: Sequence[Batch | None], seeds: Sequence[int]) -> dict[str, Tensor]:
        raise NotImplementedError

    def each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Work on things that are one task's each."""
        return [work(item) for item in items]

    def at_work(self) -> AbstractContextManager[Any]:
        """A block of many steps."""
        return nullcontext()

    def train(self) -> None:
        """Training mode: dropout is on."""
        for task in self.tasks:
            task.train()

    def zero_grad(self, position: int) -> None:
        """Forget the gradients of one task."""
        self.tasks[position].zero_grad(set_to_none=True)

    def accumulating(self, more: bool) -> AbstractContextManager[Any]:
        """A block for the forward and backward of a batch; ``more`` of them follow before the optimizer steps."""
        return nullcontext()


class Single(Program):
    """One task."""

    def __init__(self, task: nn.Module, precision: Precision | None = None) -> None:
        super().__init__([task], precision)

    def _forward(self, batches: Sequence[Batch | None], seeds: Sequence[int]) -> dict[str, Tensor]:
        seed_step(seeds[0])
        return {name: value[None] for name, value in self.tasks[0](batches[0]).items()}


class Shared(Single):
    """A task whose training steps several processes share, each with its part of the batch.

    Loss and gradients are those of the whole batch (see :mod:`utils.distributed.exchange`). What a task draws for the
    whole step (``draw``) is the same everywhere; dropout masks beyond it differ between the processes.
    """

    def __init__(self, task: nn.Module, precision: Precision | None = None) -> None:
        super().__init__(task, precision)
        # takes over the first process's weights and buffers; later ones follow from what all have exchanged
        self._parallel = DistributedDataParallel(task, forward_sync_buffers=False)

    def _forward(self, batches: Sequence[Batch | None], seeds: Sequence[int]) -> dict[str, Tensor]:
        """Without gradients a step is this process's own affair."""
        if not torch.is_grad_enabled():
            return super()._forward(batches, seeds)
        batch = batches[0]
        if hasattr(self.tasks[0], "draw"):
            batch = {**batch, "noise": _draw(self.tasks[0], batch, seeds[0])}
        seed_step(derived_seed(seeds[0], world().rank))
        with sharing_a_step(step_group()):
            out = self._parallel(batch)
            numbers = mean(torch.stack([value.detach().float() for value in out.values()]))
        # the whole batch's numbers, with this process's part of the gradient
        parts = (value - value.detach() for value in out.values())
        return {name: (number + part)[None] for name, number, part in zip(out, numbers, parts, strict=True)}

    def accumulating(self, more: bool) -> AbstractContextManager[Any]:
        return self._parallel.no_sync() if more else nullcontext()


class Abreast(Program):
    """Tasks that do not fill a processor: one of its cores computes one, each task exactly as if it were alone there.

    Torch's own threads share one product among the cores, which costs more than it saves where products are small.
    Torch runs without Python's lock, so that threads will do; the processes' common memory makes everything else as
    simple as it is for one task.

    Args:
        tasks: what is random in a step of theirs comes from ``draw``, see :class:`utils.protocol.StackableTask`.
        threads: how many compute at a time; as many as torch has if left out.
    """

    def __init__(
        self, tasks: Sequence[nn.Module], precision: Precision | None = None, threads: int | None = None
    ) -> None:
        super().__init__(tasks, precision)
        count = min(threads or torch.get_num_threads(), len(self.tasks))
        self._pool = ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,))
        self._drawing = threading.Lock()  # torch's generator is everybody's

    def __call__(
        self, batches: Sequence[Batch | None], seeds: Sequence[int], weights: Tensor | None = None
    ) -> dict[str, Tensor]:
        """As :meth:`Program.__call__`, but what is returned has no graph: a task's backward follows at once upon its
        forward, when what that has left is still in the core's cache."""
        places = [place for place, batch in enumerate(batches) if batch is not None]
        learning = torch.is_grad_enabled()  # a thread has a mode of its own

        def step(place: int) -> dict[str, Tensor]:
            with torch.set_grad_enabled(learning):
                return self._step(place, batches[place], seeds[place], None if weights is None else weights[place])

        found = dict(zip(places, self.each(step, places), strict=True))
        missing = {name: torch.zeros_like(value) for name, value in found[places[0]].items()}
        outs = [found.get(place, missing) for place in range(len(batches))]
        return {name: torch.stack([out[name] for out in outs]) for name in missing}

    def _step(self, place: int, batch: Batch, seed: int, weight: Tensor | None) -> dict[str, Tensor]:
        task = self.tasks[place]
        with self._drawing:
            noise = _draw(task, batch, seed)
        with self._autocast():
            out = task({**batch, "noise": noise})
        if weight is not None:
            out["loss"].backward(weight)
        return {name: value.detach() for name, value in out.items()}

    def each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        return list(self._pool.map(work, items))

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """The calling thread, which makes the batches, may not share its work either: torch's own threads would spin
        while they wait for a core."""
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


class Stack(Program):
    """Tasks of one make as one batched program: ``vmap`` over their stacked parameters ("model ensembling").

    The tasks stay what they are, modules with parameters of their own; only, their parameters and gradients now are
    slices of stacked tensors. An optimizer, a schedule or a checkpoint of one task needs to know nothing of the others.
    Up to rounding every task computes what it computes alone.

    Args:
        tasks: see :class:`utils.protocol.StackableTask`. Stacking the tasks of an older stack anew takes them over.
    """

    def __init__(self, tasks: Sequence[nn.Module], precision: Precision | None = None) -> None:
        super().__init__(tasks, precision)
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

    def _forward(self, batches: Sequence[Batch | None], seeds: Sequence[int]) -> dict[str, Tensor]:
        """Smaller batches are filled up with zeros, missing ones all zeros; the gradient of these is zero."""
        complete = [
            {**_tensors(batch), "noise": _draw(task, batch, seed)} if batch is not None else None
            for task, batch, seed in zip(self.tasks, batches, seeds, strict=True)
        ]
        return vmap(self._one)(self._state, _side_by_side(complete))

    def train(self) -> None:
        super().train()
        self._skeleton.train()

    def zero_grad(self, position: int) -> None:
        torch._foreach_zero_([parameter.grad for parameter in self.tasks[position].parameters()])

    def _one(self, state: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        return functional_call(self._skeleton, state, (batch,))


def make_program(tasks: Sequence[nn.Module], precision: Precision) -> Program:
    """The program of one task, or of several stackable ones, which are for one process."""
    if world().size > 1:
        return Shared(tasks[0], precision)
    if precision.device.type == "cpu" and isinstance(tasks[0], StackableTask):
        return Abreast(tasks, precision)
    return Stack(tasks, precision) if len(tasks) > 1 else Single(tasks[0], precision)


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
