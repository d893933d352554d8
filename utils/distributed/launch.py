"""Starting a training script on every device, and ending all of its processes when one fails."""

from __future__ import annotations

import ctypes
import functools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import torch
import torch.distributed as dist
from torch.distributed import run as torchrun
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

from config.errors import UserError
from config.run_config import RunConfig
from utils.distributed.world import world
from utils.engine.device import training_device

PR_SET_PDEATHSIG = 1  # of prctl.h

Main = Callable[[RunConfig], int | None]


def across_processes(main: Main) -> Main:
    """``main`` on as many processes as the config asks for.

    Started plainly, a script for several processes starts itself once for each of them; started by torchrun, it joins
    the processes that its environment names. Memory that runs out becomes a sentence that says which option to lower.
    """

    @functools.wraps(main)
    def run(config: RunConfig) -> int | None:
        started_by_torchrun = "RANK" in os.environ
        count = 1 if started_by_torchrun else count_processes(config)
        if count > 1:
            return _start(count)
        with _naming_what_to_lower(config):
            if world().size == 1:
                return main(config)
            with _joined(config):
                return main(config)

    return run


def count_processes(config: RunConfig) -> int:
    """``--nproc``, else one for each GPU, else one.

    Raises:
        UserError: more processes than GPUs, or a GPU that is not there.
    """
    present = torch.cuda.device_count() if config.device in ("auto", "cuda") else 0
    missing = [gpu for gpu in config.gpu_numbers if gpu >= present]
    if missing:
        raise UserError(f"--gpus {config.gpus}: there is no GPU {missing[0]}; {present} can be used here")
    gpus = len(config.gpu_numbers) or present
    if gpus and config.nproc > gpus:
        raise UserError(f"--nproc {config.nproc}: only {gpus} GPU(s) to put them on; --device cpu does without")
    if config.nproc:
        return config.nproc
    return max(gpus, 1)


def _start(count: int) -> int:
    """This script again, ``count`` times; returns the exit status."""
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // count)))
    try:
        torchrun.main(["--standalone", f"--nproc-per-node={count}", "--", *sys.argv])
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        how = f"was ended by {failure.signal_name()}" if failure.exitcode < 0 else "failed, and says above why"
        print(f"error: process {rank} of the {count} {how}; the others were stopped", file=sys.stderr)
        return 1
    except SignalException as stopped:
        return 128 + stopped.sigval
    return 0


@contextmanager
def _joined(config: RunConfig) -> Iterator[None]:
    """Meet the other processes. What all of them fail with is said by one."""
    _end_with_parent()
    device = training_device(config)
    backend = "gloo"
    if device.type == "cuda":
        torch.cuda.set_device(device)
        backend = "cpu:gloo,cuda:nccl"
    store, rank, size = next(dist.rendezvous("env://"))
    dist.init_process_group(backend, store=store, rank=rank, world_size=size)
    said = dist.PrefixStore("said", store)
    try:
        yield
    except Exception as error:
        sentence = f"{type(error).__name__}: {error}"
        first = str(rank)
        with suppress(RuntimeError):  # the store's process is gone: nobody to agree with
            first = said.compare_set("first", "", f"{rank} {sentence}").decode()
        teller, _, told = first.partition(" ")
        if teller == str(rank):
            raise
        if told != sentence:  # most likely a consequence: the connection to the one that failed is closed
            print(f"process {rank} stopped: {sentence}", file=sys.stderr)
        sys.exit(1)
    dist.destroy_process_group()


def _end_with_parent() -> None:
    """Have Linux end this process with the one that started it, even if that is killed: nobody else would."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None) if sys.platform == "linux" else None
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@contextmanager
def _naming_what_to_lower(config: RunConfig) -> Iterator[None]:
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _is_out_of_memory(error):
            raise
        options = " or ".join(config.MEMORY_OPTIONS)
        raise UserError(f"out of memory: lower {options}, or use more GPUs ({error})") from error


def _is_out_of_memory(error: RuntimeError) -> bool:
    """Torch has a type of its own for a GPU's memory, but not for the machine's."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
