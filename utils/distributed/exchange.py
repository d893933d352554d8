"""What the processes of a run tell each other. Alone, every function gives back what it got.

:func:`gather`, :func:`total` and :func:`mean` exchange only inside :func:`sharing_a_step`: a training step is one batch
of all processes, a validation step is one process's own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from config.errors import UserError
from utils.distributed.world import world

T = TypeVar("T")

_group: dist.ProcessGroup | None = None  # who shares the running step


class Gathered(NamedTuple):
    """The rows of all processes, in the order of their ranks, and where this one's are."""

    rows: Tensor
    own: slice


@functools.cache
def step_group() -> dist.ProcessGroup:
    """All processes, apart from DistributedDataParallel's group: when gradients are due is no longer the same order
    everywhere where one process has a longer backward pass, and what is exchanged out of order hangs."""
    return dist.new_group()


@contextmanager
def sharing_a_step(group: dist.ProcessGroup) -> Iterator[None]:
    """A block in which the processes of ``group`` work on one batch."""
    global _group
    _group = group
    try:
        yield
    finally:
        _group = None


class _AllGather(torch.autograd.Function):
    """Filled up to the longest, since the processes' shares differ; every process's loss reads the rows, so a row's
    gradient is the sum of what all of them ask of it."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, counts: list[int], group: dist.ProcessGroup) -> Tensor:
        rank = dist.get_rank(group)
        ctx.group, ctx.own = group, slice(sum(counts[:rank]), sum(counts[: rank + 1]))
        padded = rows.new_zeros(max(counts), *rows.shape[1:])
        padded[: len(rows)] = rows
        everyone = [torch.empty_like(padded) for _ in counts]
        dist.all_gather(everyone, padded, group=group)
        return torch.cat([part[:count] for part, count in zip(everyone, counts, strict=True)])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        gradient = gradient.contiguous().clone()
        dist.all_reduce(gradient, group=ctx.group)
        return gradient[ctx.own], None, None


def gather(rows: Tensor) -> Gathered:
    """The rows of all processes that share the step, with gradients. Processes may have any number of rows, also none.

    Shape: ``[n, ...]`` -> ``[N, ...]``.
    """
    if _group is None:
        return Gathered(rows, slice(0, len(rows)))
    counts = _counts(len(rows), _group)
    first = sum(counts[: dist.get_rank(_group)])
    own = slice(first, first + len(rows))
    return Gathered(_AllGather.apply(rows, counts, _group) if max(counts) else rows, own)


def total(value: Tensor) -> Tensor:
    """The sum over the processes that share the step, without gradient."""
    if _group is None:
        return value
    value = value.detach().clone()
    dist.all_reduce(value, group=_group)
    return value


def mean(value: Tensor) -> Tensor:
    """The mean over the processes that share the step, without gradient."""
    return value if _group is None else total(value) / sharers()


def sharers() -> int:
    """How many processes share the step.

    DistributedDataParallel averages gradients, so a loss that is a sum of everybody's terms must count this many times.
    """
    return 1 if _group is None else dist.get_world_size(_group)


def shared_mean(values: Tensor) -> Tensor:
    """A mean over the last dimension and over the processes that share the step, in parts: the mean over the processes
    of what each returns, and of its gradient, is that mean. Processes may have any number of values, also none.

    Shape: ``[..., n]`` -> ``[...]``.
    """
    if _group is None:
        return values.mean(dim=-1)
    count = sum(_counts(values.shape[-1], _group))
    return values.sum(dim=-1) * (sharers() / max(count, 1))


def from_first(make: Callable[[], T]) -> T:
    """What ``make`` gives on the first process, which alone calls it; a :class:`UserError` of it reaches all."""
    if world().size == 1:
        return make()
    box: list[Any] = [_result_or_error(make) if world().is_first else None]
    dist.broadcast_object_list(box)
    if isinstance(box[0], UserError):
        raise box[0]
    return box[0]


def from_all(items: list[T]) -> list[T]:
    """The items of all processes."""
    if world().size == 1:
        return items
    boxes: list[Any] = [None] * world().size
    dist.all_gather_object(boxes, items)
    return [item for box in boxes for item in box]


def on_first(change: Callable[[], None]) -> None:
    """Let the first process alone change a task that all have. The others take over its weights and buffers when the
    task is next trained or evaluated: :class:`utils.engine.program.Shared` begins with that."""
    if world().is_first:
        change()


def _result_or_error(make: Callable[[], T]) -> T | UserError:
    try:
        return make()
    except UserError as error:
        return error


def _counts(count: int, group: dist.ProcessGroup) -> list[int]:
    parts = [torch.zeros(1, dtype=torch.int64) for _ in range(dist.get_world_size(group))]
    dist.all_gather(parts, torch.tensor([count]), group=group)  # on the CPU: no waiting for a GPU
    return [int(part) for part in parts]
