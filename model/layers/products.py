"""Inner products of the rows of small matrices, many at a time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def inner_products(one: Tensor, two: Tensor) -> Tensor:
    """``one @ two.mT``, also of a tensor with itself.

    torch's own gradient multiplies ``[D, N]`` by ``[N, M]`` and turns the result around, which for few rows of many
    numbers takes four times as long as what is asked for; and it does so twice where both are the same.

    Shape: ``[B, N, D]``, ``[B, M, D]`` -> ``[B, N, M]``.
    """
    return _OfItself.apply(one) if one is two else _OfTwo.apply(one, two)


class _OfTwo(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(one: Tensor, two: Tensor) -> Tensor:
        return one @ two.mT

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        one, two = ctx.saved_tensors
        return gradient @ two, gradient.mT @ one


class _OfItself(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(rows: Tensor) -> Tensor:
        return rows @ rows.mT

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (rows,) = ctx.saved_tensors
        return (gradient + gradient.mT) @ rows
