"""Many files side by side, wherever they are worked on: a few at a time, and their reports in a fixed order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Protocol

from dataset.worker import FileReport, Task

MOST_WAITING = 10_000  # reports that may wait for a slower file before them: some 20 MB


class Pool(Protocol):
    """Where files are worked on: tasks in, outcomes out. A file in trouble has an outcome like any other."""

    capacity: int
    """Tasks that it can hold, running and waiting; it may change."""

    def start(self, number: int, task: Task) -> None:
        """Take a task on."""

    def finished(self) -> Iterable[tuple[int, FileReport]]:
        """Wait until at least one task is done; the number and the outcome of each that is.

        Raises:
            OSError: an output cannot be written.
        """

    def close(self) -> None:
        """Stop what is still running."""


def in_order(tasks: Iterable[Task], pool: Pool) -> Iterator[FileReport]:
    """Run the tasks in the pool, close it, and give the reports in task order.

    Tasks are drawn as they are needed. A report waits in memory only for slower files before it.

    Raises:
        OSError: an output cannot be written.
    """
    numbered = enumerate(tasks)
    started = running = turn = 0
    done: dict[int, FileReport] = {}
    try:
        while True:
            room = min(pool.capacity - running, turn + MOST_WAITING - started)
            for number, task in islice(numbered, max(room, 0 if running else 1)):
                pool.start(number, task)
                started, running = started + 1, running + 1
            if not running:
                return
            for number, report in pool.finished():
                done[number] = report
                running -= 1
            while turn in done:
                yield done.pop(turn)
                turn += 1
    finally:
        pool.close()
