"""Which process of a run this is. Imports no torch: the processes that read drawings ask too."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class World:
    """A process among those of a run, as torchrun tells it.

    Attributes:
        rank: 0 .. size - 1.
        size: processes of the run, on all machines.
        local_rank: the place among those of this machine, which is also the place of its GPU.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this is the one process that writes logs and checkpoints."""
        return self.rank == 0

    def takes(self, step: int) -> bool:
        """Whether a step that one process does alone is this one's."""
        return step % self.size == self.rank


def world() -> World:
    """The place of this process by its environment; alone where nobody has said anything."""
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        return World()
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    return World(*(int(os.environ.get(name, "0")) for name in names))
