"""What a run leaves behind under logs/<run>/: a log, machine-readable metrics, its config, curves, a summary."""

from __future__ import annotations

import json
import logging
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from config.errors import UserError
from config.run_config import RunConfig, to_dict
from utils.files import write_json
from utils.plots import plot_curves

logger = logging.getLogger("likeness")

WANDB_TIMEOUT = 30.0  # seconds for its server to answer before the run goes on without


class _BarFriendlyHandler(logging.Handler):
    """Print above a progress bar instead of through it."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record))


class RunLog:
    """Collects and writes everything one run reports; use it as a context manager.

    Args:
        kind: name of the task, the default start of the run's name.
        config: the merged config; saved as ``config.json``.

    Raises:
        UserError: the name is taken by an earlier run, or wandb is to be online without a key.
    """

    def __init__(self, kind: str, config: RunConfig) -> None:
        if config.wandb == "online":
            _require_wandb_key()
        self.folder = _new_folder(config, kind)
        self.kind = kind
        self.config = config
        self.history: list[dict[str, Any]] = []
        self._wandb: Any = None
        self._handlers: list[logging.Handler] = []

    def __enter__(self) -> Self:
        write_json(self.folder / "config.json", {"kind": self.kind, **to_dict(self.config)})
        self._metrics = (self.folder / "metrics.jsonl").open("w", encoding="utf-8")
        to_file = logging.FileHandler(self.folder / "train.log", mode="w", encoding="utf-8")
        to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self._handlers = [to_file, _BarFriendlyHandler()]
        for handler in self._handlers:
            logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.info("run folder: %s", self.folder)
        if self.config.wandb != "off":
            self._wandb = self._start_wandb()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            logger.info("interrupted after %d epoch(s); the best models so far are kept", len(self.history))
            self.draw_curves()
        elif error is not None:
            self._log_to_file_only("run failed", error)
        if self._wandb is not None:
            self._wandb.finish(exit_code=0 if error is None else 1)
        self._metrics.close()
        for handler in self._handlers:
            logger.removeHandler(handler)
            handler.close()

    def epoch(self, record: dict[str, Any]) -> None:
        """Take in one epoch of one fold."""
        self.history.append(record)
        self._write_line({"event": "epoch", **record})
        if self._wandb is not None:
            self._wandb.log(_flat(record))

    def draw_curves(self) -> None:
        """Draw what has been seen so far; once a fold, since a picture costs as much as many small epochs."""
        if self.history:
            plot_curves(self.folder / "curves.png", self.history, self.folder.name)

    def summary(self, content: dict[str, Any]) -> None:
        """Write what the run came to."""
        write_json(self.folder / "summary.json", content)
        self._write_line({"event": "summary", **content})
        if self._wandb is not None:
            self._wandb.summary.update(_flat(content))

    def failure(self, content: dict[str, Any]) -> Path:
        """Write down what is needed to understand why a run had to stop."""
        path = self.folder / "failure.json"
        write_json(path, content)
        return path

    def _write_line(self, record: dict[str, Any]) -> None:
        self._metrics.write(json.dumps(record) + "\n")
        self._metrics.flush()

    def _log_to_file_only(self, message: str, error: BaseException) -> None:
        for handler in self._handlers:
            if isinstance(handler, logging.FileHandler):
                info = (type(error), error, error.__traceback__)
                handler.handle(logger.makeRecord(logger.name, logging.ERROR, __file__, 0, message, None, info))

    def _start_wandb(self) -> Any:
        """A Weights & Biases run; where its server cannot be reached, an offline one, since training must go on."""
        import wandb  # seconds of import that only those who ask for it should pay

        options = {
            "project": self.config.wandb_project or os.environ.get("WANDB_PROJECT") or "drawing-likeness",
            "entity": self.config.wandb_entity or os.environ.get("WANDB_ENTITY"),
            "name": self.folder.name,
            "dir": self.folder,
            "config": to_dict(self.config),
            "settings": wandb.Settings(init_timeout=WANDB_TIMEOUT),
        }
        try:
            return wandb.init(mode=self.config.wandb, **options)
        except wandb.errors.CommError as error:
            logger.warning("Weights & Biases cannot be reached (%s): logging offline", error)
            return wandb.init(mode="offline", **options)


def _require_wandb_key() -> None:
    import wandb

    if not wandb.api.api_key:  # wandb would ask for it, and wait
        raise UserError("--wandb online needs WANDB_API_KEY or an earlier `wandb login`; --wandb offline needs neither")


def _new_folder(config: RunConfig, kind: str) -> Path:
    """A folder of its own for every run; none writes into an older one."""
    if config.run_name:
        folder = config.log_dir / config.run_name
        if (folder / "train.log").exists():
            raise UserError(f"{folder} holds the log of an earlier run: choose another --run_name")
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    stem = f"{kind}-{time.strftime('%Y%m%d-%H%M%S')}"
    for number in range(1000):
        folder = config.log_dir / (stem if number == 0 else f"{stem}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"no free run folder {stem} under {config.log_dir}")


def _flat(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in record.items():
        flat.update(_flat(value, f"{prefix}{key}/") if isinstance(value, dict) else {f"{prefix}{key}": value})
    return flat
