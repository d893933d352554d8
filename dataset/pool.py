"""Many files side by side, each in a process whose crash, hang or hunger costs that file only."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from itertools import islice
from pathlib import Path

import pebble

from dataset.worker import FileReport, Task, explain, run_task

AHEAD = 2  # tasks a worker has waiting: enough to never idle, and as few of a million in memory at once
FILES_PER_PROCESS = 1000  # then a fresh one takes over, so that what libraries keep cannot add up
OUT_OF_MEMORY = 77  # the exit status of a process that needed more memory than it may take


def run_in_pool(
    tasks: Iterable[Task],
    workers: int,
    timeout: float,
    memory: int,
    work: Callable[[Task], FileReport] = run_task,
) -> Iterator[FileReport]:
    """Run the tasks side by side and give their reports in task order.

    Tasks are drawn as they are needed. A report waits in memory only for slower files before it.

    Args:
        timeout: seconds for one file.
        memory: bytes that a process may take for one file.

    Raises:
        OSError: an output cannot be written.
    """
    pool = pebble.ProcessPool(
        workers,
        max_tasks=FILES_PER_PROCESS,
        initializer=limit_memory,
        initargs=(memory,),
        context=multiprocessing.get_context("spawn"),
    )
    numbered = enumerate(tasks)
    running: dict[pebble.ProcessFuture, tuple[int, Task]] = {}
    done: dict[int, FileReport] = {}
    turn = 0
    try:
        while True:
            for number, task in islice(numbered, AHEAD * workers - len(running)):
                running[pool.schedule(_fed, args=(work, task), timeout=timeout)] = number, task
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                number, task = running.pop(future)
                done[number] = outcome(task, future, timeout, memory)
            while turn in done:
                yield done.pop(turn)
                turn += 1
    finally:
        pool.stop()  # at the end there is nothing left to stop
        pool.join()


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
