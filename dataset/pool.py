"""Many files side by side on one machine, each in a process whose crash, hang or hunger costs that file only."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pebble

from dataset.in_order import in_order
from dataset.worker import FileReport, Task, explain, run_task

AHEAD = 2  # tasks a worker has waiting: enough to never idle, and as few of a million in memory at once
FILES_PER_PROCESS = 1000  # then a fresh one takes over, so that what libraries keep cannot add up
MOST_BEGUN = 3  # times that a file is begun when the processes are lost and it cannot be told by which file
LOOK = 1.0  # seconds between two looks at whether there are processes
OUT_OF_MEMORY = 77  # the exit status of a process that needed more memory than it may take


def run_in_pool(
    tasks: Iterable[Task],
    workers: int,
    timeout: float,
    memory: int,
    work: Callable[[Task], FileReport] = run_task,
) -> Iterator[FileReport]:
    """Run the tasks side by side on this machine and give their reports in task order, see :func:`in_order`.

    Args:
        timeout: seconds for one file.
        memory: bytes that a process may take for one file.

    Raises:
        OSError: an output cannot be written.
    """
    return in_order(tasks, LocalPool(workers, timeout, memory, work))


class LocalPool:
    """Processes of this machine, as a :class:`dataset.in_order.Pool`."""

    def __init__(
        self, workers: int, timeout: float, memory: int, work: Callable[[Task], FileReport] = run_task
    ) -> None:
        self.capacity = AHEAD * workers
        self._workers, self._timeout, self._memory, self._work = workers, timeout, memory, work
        self._running: dict[pebble.ProcessFuture, tuple[int, Task]] = {}
        self._begun: Counter[int] = Counter()
        self._processes = self._new_processes()

    def warm_up(self) -> None:
        """Let the processes start and import what the work needs now, while whoever asks does something else."""
        for _ in range(self._workers):
            self._processes.schedule(_ready, args=(self._work,))

    def start(self, number: int, task: Task) -> None:
        self._revive()
        self._schedule(number, task)

    def finished(self) -> list[tuple[int, FileReport]]:
        reports: list[tuple[int, FileReport]] = []
        while not reports:
            for future in wait(self._running, LOOK, return_when=FIRST_COMPLETED).done:
                number, task = self._running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool) and self._begun[number] < MOST_BEGUN:
                    self.start(number, task)
                else:
                    del self._begun[number]
                    reports.append((number, outcome(task, future, self._timeout, self._memory)))
            self._revive()
        return reports

    def close(self) -> None:
        self._processes.stop()  # at the end there is nothing left to stop
        self._processes.join()

    def _new_processes(self) -> pebble.ProcessPool:
        return pebble.ProcessPool(
            self._workers,
            max_tasks=FILES_PER_PROCESS,
            initializer=_prepare,
            initargs=(self._memory,),
            context=multiprocessing.get_context("spawn"),
        )

    def _schedule(self, number: int, task: Task) -> None:
        self._begun[number] += 1
        future = self._processes.schedule(_fed, args=(self._work, task), timeout=self._timeout)
        self._running[future] = number, task

    def _revive(self) -> None:
        """Go on with new processes when Pebble has given up, as it does when one dies that, as far as it has heard, was
        doing nothing. What had not begun would wait for ever."""
        if self._processes.active:
            return
        waiting = [future for future in self._running if not future.done()]
        self.close()
        self._processes = self._new_processes()
        for future in waiting:
            self._schedule(*self._running.pop(future))


def _prepare(memory: int) -> None:
    limit_memory(memory)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent cannot stop its processes: without this, one that hangs in a drawing would stay for ever."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _ready(work: Callable[[Task], FileReport]) -> None:
    """Nothing: the process has imported the work to come here."""


def _fed(work: Callable[[Task], FileReport], task: Task) -> FileReport:
    """Do the work, and end the process when memory runs out: its heap is too full for the files to come."""
    try:
        return work(task)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def outcome(task: Task, future: pebble.ProcessFuture, timeout: float, memory: int) -> FileReport:
    """What became of a file, whatever became of the process that read it."""
    try:
        return future.result()
    except TimeoutError:
        reason = f"took longer than {timeout:g} s (--timeout)"
    except pebble.ProcessExpired as error:
        reason = f"the process reading it crashed (exit code {error.exitcode})"
        if error.exitcode == OUT_OF_MEMORY:
            reason = f"needs more than {memory / 1e9:.2g} GB of memory (--memory)"
        elif error.exitcode == -9:  # what Linux does when memory runs out
            reason = "the process reading it was killed, probably because the machine ran out of memory"
    except BrokenProcessPool:
        reason = "the process reading it died at once, again and again"
    except OSError:  # the only other thing that a task raises: the output cannot be written
        raise
    except Exception as error:  # the boundary of one file: it is named in the report with its reason
        reason = explain(error)
    return FileReport(task.source, "skipped", reason)


def limit_memory(memory: int) -> None:
    """Let this process take at most so many bytes beyond what it holds now, where the platform can say so (Linux).

    What it holds now is mostly address space that libraries have set aside, a few GB on a machine of many cores.
    """
    if sys.platform != "linux":
        return
    import resource  # does not exist on Windows

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = pages * resource.getpagesize() + memory
    resource.setrlimit(resource.RLIMIT_AS, (limit if most == resource.RLIM_INFINITY else min(limit, most), most))


def fair_share(workers: int) -> int:
    """The bytes of memory that one of so many processes may take on this machine."""
    if not hasattr(os, "sysconf"):
        return 4_000_000_000
    return int(0.9 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / workers)
