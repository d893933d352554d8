"""Where the vectors of a batch's nodes lie: graph by graph with room for absent nodes, or the present ones alone.

A third of the nodes of real graphs is absent. What is done to every node by itself (weights, dropout, the projection
head) need not be done to those; what nodes do to each other wants ``[B, N, D]``. A *layout* goes from one to the other
and back. It is written for ``k`` *sets* of the same graphs, such as a graph and its two views; their rows lie set after
set, whatever the layout.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor


class Layout(Protocol):
    """Rows and graphs; ``k``, the number of sets, follows from the input.

    In graphs the place of an absent node holds something finite, not always zero: who lets nodes of one graph meet must
    weigh absent ones with zero, as those who act and as those who are acted upon. Their gradient is of no account.
    """

    def there(self, present: Tensor) -> Tensor | float:
        """What rows are multiplied by so that absent nodes are zero.

        Shape: ``[k * B, N]`` -> a number, or ``[k * B, N, 1]``.
        """
        ...

    def graphs(self, rows: Tensor) -> Tensor:
        """The sets one after the other: ``[k * B, N, D]``."""
        ...

    def rows(self, graphs: Tensor) -> Tensor:
        """The other way."""
        ...

    def side_by_side(self, rows: Tensor, k: int) -> Tensor:
        """The nodes of all sets of a graph together: ``[B, k * N, D]``."""
        ...

    def apart(self, graphs: Tensor, k: int) -> Tensor:
        """The other way."""
        ...


class Padded:
    """Every node has its place: rows are ``[k * B, N, D]``. For shapes that must not depend on the graphs."""

    def __init__(self, present: Tensor) -> None:
        self.n_graphs, self.n_nodes = present.shape

    def there(self, present: Tensor) -> Tensor:
        return present[..., None].float()

    def graphs(self, rows: Tensor) -> Tensor:
        return rows

    def rows(self, graphs: Tensor) -> Tensor:
        return graphs

    def side_by_side(self, rows: Tensor, k: int) -> Tensor:
        return rows.unflatten(0, (k, self.n_graphs)).transpose(0, 1).flatten(1, 2)

    def apart(self, graphs: Tensor, k: int) -> Tensor:
        return graphs.unflatten(1, (k, self.n_nodes)).transpose(0, 1).flatten(0, 1)


class Packed:
    """Present nodes only, of at least one graph: rows are ``[k * R, D]`` for ``R`` present nodes. The place of an
    absent node holds a copy of another node's vector, which costs less than zeros."""

    def __init__(self, present: Tensor) -> None:
        self.n_graphs, self.n_nodes = present.shape
        flat = present.flatten()
        self._place = flat.nonzero().flatten()  # [R], of a row among the nodes
        if not len(self._place):  # no node at all: one that is absent stands in
            self._place = flat.new_zeros(1, dtype=torch.int64)
        self._row = flat.cumsum(0).sub_(1).clamp_(min=0)  # [B * N], of a node among the rows
        self._indices: dict[tuple[int, bool], tuple[Tensor, Tensor]] = {}

    def there(self, present: Tensor) -> float:
        return 1.0

    def graphs(self, rows: Tensor) -> Tensor:
        place, row = self._index(len(rows) // len(self._place), side_by_side=False)
        return _Pick.apply(rows, row, place).view(-1, self.n_nodes, rows.shape[-1])

    def rows(self, graphs: Tensor) -> Tensor:
        place, row = self._index(len(graphs) // self.n_graphs, side_by_side=False)
        return _Pick.apply(graphs.flatten(0, 1), place, row)

    def side_by_side(self, rows: Tensor, k: int) -> Tensor:
        place, row = self._index(k, side_by_side=True)
        return _Pick.apply(rows, row, place).view(self.n_graphs, -1, rows.shape[-1])

    def apart(self, graphs: Tensor, k: int) -> Tensor:
        place, row = self._index(k, side_by_side=True)
        return _Pick.apply(graphs.flatten(0, 1), place, row)

    def _index(self, k: int, side_by_side: bool) -> tuple[Tensor, Tensor]:
        """For ``k`` sets the place of every row among the nodes, and the row of every node."""
        if (k, side_by_side) not in self._indices:
            place, row, step = self._place, self._row, torch.arange(k, device=self._row.device)
            rows = (step[:, None] * len(place) + row).view(k, self.n_graphs, self.n_nodes)
            if side_by_side:
                graph = torch.div(place, self.n_nodes, rounding_mode="floor")
                places = place + graph * ((k - 1) * self.n_nodes) + step[:, None] * self.n_nodes
                rows = rows.transpose(0, 1)
            else:
                places = place + step[:, None] * len(row)
            self._indices[k, side_by_side] = places.flatten(), rows.flatten()
        return self._indices[k, side_by_side]


class _Pick(torch.autograd.Function):
    """``rows[index]``, whose gradient is picked too: ``inverse`` says where each row has gone. Adding up would give the
    same, since what was picked a second time stands in for an absent node, but takes three times as long."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, index: Tensor, inverse: Tensor) -> Tensor:
        ctx.save_for_backward(inverse)
        return rows.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (inverse,) = ctx.saved_tensors
        return gradient.index_select(0, inverse), None, None
