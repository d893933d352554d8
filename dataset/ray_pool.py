"""Many files side by side on a Ray cluster: one Ray task a file.

A Ray worker reads its file in a process of its own, as the local pool does, so that time, memory and crashes are
limited and named alike. What kills the Ray worker itself, or its node, costs the files that it was reading.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from config.errors import UserError
from dataset.in_order import in_order
from dataset.pool import AHEAD, LocalPool, fair_share
from dataset.storage import TEMPORARY_SUFFIX
from dataset.worker import FileReport, Task, run_task

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("config", "dataset", "utils")  # what a worker imports; Ray takes it to every node
OBJECT_STORE = 100_000_000  # bytes; what goes through it is a report of some kB
ANSWER = 10.0  # seconds that a cluster may take to answer
REFRESH = 10.0  # seconds between two looks at how large the cluster is

Work = Callable[[Task], FileReport]


def run_on_ray(
    tasks: Iterable[Task],
    address: str,
    shared: Path,
    workers: int,
    timeout: float,
    memory: int,
    work: Work = run_task,
) -> Iterator[FileReport]:
    """Run the tasks on a Ray cluster and give their reports in task order, see :func:`dataset.in_order.in_order`.

    Args:
        address: ``auto`` for the cluster that this machine belongs to, ``local`` for one that is started here and ends
            with the run, or ``host:port`` or ``ray://host:port`` of another.
        shared: the folder of the outputs, which every node must see under this path.
        workers: most files side by side, 0 for all cores of the cluster.
        timeout: seconds for one file.
        memory: bytes that a process may take for one file, 0 for an even share of its machine's.

    Raises:
        UserError: Ray is not installed, the cluster does not answer or cannot run this program, or a node does not see
            the folder.
        OSError: an output cannot be written.
    """
    shared.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=shared.absolute(), prefix=".", suffix=TEMPORARY_SUFFIX) as mark:
        yield from in_order(tasks, RayPool(address, workers, Job(Path(mark.name), timeout, memory, work)))


@dataclass(frozen=True)
class Job:
    """What is the same for all files of a run; ``mark`` is a file that is seen wherever the outputs are."""

    mark: Path
    timeout: float
    memory: int
    work: Work


class RayPool:
    """A Ray cluster, as a :class:`dataset.in_order.Pool`."""

    def __init__(self, address: str, workers: int, job: Job) -> None:
        self._ray = ray = _connected(address, workers)
        self._workers, self._job = workers, job
        self._capacity, self._looked = 0, -REFRESH
        self._running: dict[object, tuple[int, Task]] = {}
        self._read = ray.remote(num_cpus=1, max_retries=0)(read_in_own_process).remote

    @property
    def capacity(self) -> int:
        """Follows a cluster that grows with the tasks that wait for it."""
        if self._workers:
            return self._workers
        if time.monotonic() - self._looked > REFRESH:
            self._capacity = AHEAD * int(self._ray.cluster_resources().get("CPU", 0))
            self._looked = time.monotonic()
        return self._capacity

    def start(self, number: int, task: Task) -> None:
        paths = {name: getattr(task, name).absolute() for name in ("path", "sequence_path", "graph_path")}
        self._running[self._read(replace(task, **paths), self._job)] = number, task

    def finished(self) -> Iterator[tuple[int, FileReport]]:
        waiting = list(self._running)
        self._ray.wait(waiting, num_returns=1)
        done, _ = self._ray.wait(waiting, num_returns=len(waiting), timeout=0)
        for reference in done:
            number, task = self._running.pop(reference)
            yield number, self._outcome(task, reference)

    def close(self) -> None:
        self._ray.shutdown()

    def _outcome(self, task: Task, reference: object) -> FileReport:
        errors = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except errors.OutOfMemoryError:
            reason = "the Ray worker reading it was killed because its machine ran out of memory"
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.ObjectLostError) as error:
            reason = f"the Ray worker reading it was lost ({_first_line(error)})"
        except errors.RayTaskError as error:
            raise error.cause if isinstance(error.cause, OSError | UserError) else _unfit(error.cause) from error
        except errors.RayError as error:  # every file would meet it: that is the run's failure
            raise _unfit(error) from error
        return FileReport(task.source, "skipped", reason)


_own: list[tuple[Job, LocalPool]] = []  # at most one


def read_in_own_process(task: Task, job: Job) -> FileReport:
    """What a Ray worker does: it hands the file to a process that it keeps for this."""
    if not _own or _own[0][0] != job:
        _own[:] = [(job, _process(job))]
    pool = _own[0][1]
    pool.start(0, task)
    ((_, report),) = pool.finished()
    return report


def _process(job: Job) -> LocalPool:
    if not job.mark.exists():
        raise UserError(
            f"{platform.node()} does not see {job.mark.parent} as this machine does: --input and --output must lie on "
            "storage that all nodes of the Ray cluster share, under the same path"
        )
    return LocalPool(1, job.timeout, job.memory or fair_share(os.cpu_count() or 1), job.work)


def _connected(address: str, workers: int) -> ModuleType:
    """Ray, connected, and quiet: no usage statistics, no dashboard, nothing of the workers' output in ours."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault(
        "RAY_NUM_REDIS_GET_RETRIES", "2"
    )  # of 30 s; else "auto" asks a cluster that has ended 20 times
    try:
        import ray
    except ImportError as error:
        raise UserError('--ray needs Ray: install it with "python -m pip install -r requirements-ray.txt"') from error
    _require_answer(address)
    options = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == "local":
        options |= {"num_cpus": workers or None, "include_dashboard": False, "object_store_memory": OBJECT_STORE}
    with tempfile.TemporaryDirectory() as code, _signals_kept():
        for package in PACKAGES:  # a copy, because Ray would take the whole repository with its data
            shutil.copytree(ROOT / package, Path(code, package), ignore=shutil.ignore_patterns("__pycache__"))
        try:
            ray.init(address=address, runtime_env={"working_dir": code}, **options)
        except (ConnectionError, ImportError, RuntimeError, ValueError) as error:
            hint = "; of a cluster that asks for a token it needs to be told (RAY_AUTH_MODE=token, see Ray's manual)"
            raise UserError(f"cannot use the Ray cluster at --ray {address}: {_first_line(error)}{hint}") from error
    return ray


def _require_answer(address: str) -> None:
    """Ray itself would ask a machine that does not answer for ten minutes."""
    if address in ("auto", "local"):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER).close()
    except ValueError as error:
        raise UserError(f"--ray takes auto, local, host:port or ray://host:port, not {address}") from error
    except OSError as error:
        raise UserError(f"no Ray cluster answers at --ray {address}: {error.strerror or error}") from error


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray sets a SIGTERM handler of its own, where it can: in the main thread."""
    handler = signal.getsignal(signal.SIGTERM)
    yield
    if signal.getsignal(signal.SIGTERM) is not handler:
        signal.signal(signal.SIGTERM, handler)


def _unfit(error: BaseException) -> UserError:
    return UserError(
        f"the Ray cluster cannot run this program ({type(error).__name__}: {_first_line(error)}): its nodes need the "
        "same Python and packages as this machine (requirements.txt, requirements-ray.txt)"
    )


def _first_line(error: BaseException) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
