"""What the other processes of a run have where the first has its :class:`utils.run_log.RunLog`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from config.run_config import RunConfig
from utils.distributed.exchange import from_first
from utils.distributed.world import world
from utils.run_log import RunLog, logger


class FollowerLog:
    """Takes in what a :class:`RunLog` does and writes none of it: all processes have the same numbers.

    What a process warns of or fails with may be its own, so that is kept: on standard error, marked with its rank, and
    in ``rank_<k>.log`` in the run's folder, which appears when there is something in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.history: list[dict[str, Any]] = []
        self._handlers: list[logging.Handler] = []

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)  # another machine may not share the first one's disk
        rank = world().rank
        to_file = logging.FileHandler(self.folder / f"rank_{rank}.log", delay=True, encoding="utf-8")
        to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        to_screen = _Screen()
        to_screen.setFormatter(logging.Formatter(f"process {rank}: %(message)s"))
        self._handlers = [to_file, to_screen]
        for handler in self._handlers:
            handler.setLevel(logging.WARNING)
            logger.addHandler(handler)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is not None and not isinstance(error, KeyboardInterrupt | SystemExit):
            info = (type(error), error, error.__traceback__)
            record = logger.makeRecord(logger.name, logging.ERROR, __file__, 0, "run failed", None, info)
            self._handlers[0].handle(record)
        for handler in self._handlers:
            logger.removeHandler(handler)
            handler.close()

    def step(self, record: dict[str, Any]) -> None: ...

    def epoch(self, record: dict[str, Any]) -> None:
        self.history.append(record)

    def draw_curves(self, at_last: bool = False) -> None: ...

    def summary(self, content: dict[str, Any]) -> None: ...

    def failure(self, content: dict[str, Any]) -> Path:
        """Where the first process writes it."""
        return self.folder / "failure.json"


class _Screen(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record))


def open_log(kind: str, config: RunConfig, continued: Mapping[str, Any] | None = None) -> RunLog | FollowerLog:
    """The log of this process. Raises UserError as :class:`RunLog` does, on every process."""
    if world().size == 1:
        return RunLog(kind, config, continued)
    own: list[RunLog] = []

    def open_first() -> Path:
        own.append(RunLog(kind, config, continued))
        return own[0].folder

    folder = from_first(open_first)
    return own[0] if own else FollowerLog(folder)
