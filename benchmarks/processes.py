"""Several processes of one run, forked: what is imported and loaded once serves all of them."""

from __future__ import annotations

import os
import pickle
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch.distributed as dist

T = TypeVar("T")


def on_processes(size: int, work: Callable[[], T]) -> list[T]:
    """What ``work`` returns on each of ``size`` new processes, in the order of their ranks; several are joined by gloo.

    To be called before anything has a backward pass here: its threads do not survive a fork.

    Raises:
        RuntimeError: one of them failed; its traceback stands on standard error.
    """
    with tempfile.TemporaryDirectory() as folder:
        children = [_fork(rank, size, work, Path(folder)) for rank in range(size)]
        statuses = [os.waitpid(child, 0)[1] for child in children]
        if any(statuses):
            raise RuntimeError("a process failed, see above")
        return [pickle.loads((Path(folder) / f"{rank}").read_bytes()) for rank in range(size)]


def _fork(rank: int, size: int, work: Callable[[], T], folder: Path) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        if size > 1:
            os.environ.update(RANK=str(rank), WORLD_SIZE=str(size), LOCAL_RANK=str(rank))
            store = dist.FileStore(str(folder / "store"), size)
            dist.init_process_group("gloo", store=store, rank=rank, world_size=size)
        (folder / f"{rank}").write_bytes(pickle.dumps(work()))
        if size > 1:
            dist.barrier()  # nobody leaves while another still reads
        status = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
