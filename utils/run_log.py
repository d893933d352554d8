"""What a run leaves behind under logs/<run>/: a log, machine-readable metrics, its config, curves, a summary."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tqdm import tqdm

from config.errors import UserError
from config.run_config import RunConfig, to_dict
from utils.files import write_json, write_text
from utils.folder_lock import FolderLock
from utils.plots import plot_curves
from utils.summary import in_markdown

logger = logging.getLogger("likeness")

WANDB_TIMEOUT = 30.0  # seconds for its server to answer before the run goes on without
DRAW_EVERY = 10.0  # seconds between two pictures of the curves, which cost as much as many small epochs
METRICS, STEPS = "metrics.jsonl", "steps.jsonl"


class _BarFriendlyHandler(logging.Handler):
    """Print above a progress bar instead of through it."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record))


class RunLog:
    """Collects and writes everything one run reports; use it as a context manager.

    Args:
        kind: name of the task, the default start of the run's name.
        config: the merged config; saved as ``config.json``.
        continued: what :meth:`state` said when the run that is continued was saved; what it logged later is cut off.

    Attributes:
        history: the records of all epochs so far.

    Raises:
        UserError: the name is taken by an earlier run, another run writes there, or wandb is to be online without a
            key.
    """

    def __init__(self, kind: str, config: RunConfig, continued: Mapping[str, Any] | None = None) -> None:
        if config.wandb == "online":
            _require_wandb_key()
        self.folder = _new_folder(config, kind) if continued is None else config.log_dir / continued["run"]
        self._alone = FolderLock(self.folder, "start one of your own without --resume")
        self._alone.acquire()
        self.kind = kind
        self.config = config
        self.history: list[dict[str, Any]] = []
        self._continued = continued
        self._wandb: Any = None
        self._wandb_id: str | None = continued and continued["wandb_id"]
        self._wandb_step: int = continued["wandb_step"] if continued else 0
        self._drawn = time.perf_counter()
        self._lines: dict[str, IO[bytes]] = {}
        self._handlers: list[logging.Handler] = []

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / "config.json", {"kind": self.kind, **to_dict(self.config)})
        to_file = logging.FileHandler(self.folder / "train.log", mode="a", encoding="utf-8")
        to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self._handlers = [to_file, _BarFriendlyHandler()]
        for handler in self._handlers:
            logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.info("run folder: %s", self.folder)
        sizes = self._continued["sizes"] if self._continued else {METRICS: 0, STEPS: 0}
        self._lines = {name: _open_lines(self.folder / name, size) for name, size in sizes.items()}
        if self._continued:
            self.history = [record for record in _read_lines(self.folder / METRICS) if record["event"] == "epoch"]
        if self.config.wandb != "off":
            self._wandb = self._start_wandb()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        # where the disk is full nothing can be written, and the first error is the one to tell
        with contextlib.suppress(*([OSError] if isinstance(error, OSError | UserError) else [])):
            if isinstance(error, KeyboardInterrupt | SystemExit):
                logger.info("interrupted after %d epoch(s); --resume continues from the last saved", len(self.history))
                self.draw_curves(at_last=True)
            elif error is not None:
                self._log_to_file_only("run failed", error)
            if self._wandb is not None:
                self._wandb.finish(exit_code=0 if error is None else 1)
            for lines in self._lines.values():
                lines.close()
        for handler in self._handlers:
            logger.removeHandler(handler)
            handler.close()
        self._alone.release()

    def state(self) -> dict[str, Any]:
        """How far the log has got, for a run that continues it; what it holds until then is on the disk."""
        for lines in self._lines.values():
            lines.flush()
            os.fsync(lines.fileno())
        return {
            "run": self.folder.name,
            "sizes": {name: os.fstat(lines.fileno()).st_size for name, lines in self._lines.items()},
            "wandb_id": self._wandb_id,
            "wandb_step": self._wandb_step,
        }

    def step(self, record: dict[str, Any]) -> None:
        """Take in one training step of one fold."""
        self._write_line(STEPS, record)
        self._send(record, "step")

    def epoch(self, record: dict[str, Any]) -> None:
        """Take in one epoch of one fold."""
        self.history.append(record)
        self._write_line(METRICS, {"event": "epoch", **record})
        for lines in self._lines.values():
            lines.flush()
        self._send(record, "epoch")

    def draw_curves(self, at_last: bool = False) -> None:
        """Draw what has been seen so far: after every fold, unless it was only seconds ago, and ``at_last``."""
        if not self.history or (not at_last and time.perf_counter() - self._drawn < DRAW_EVERY):
            return
        self._drawn = time.perf_counter()
        path = self.folder / "curves.png"
        plot_curves(path, self.history, self.folder.name)
        if self._wandb is not None:
            import wandb

            self._wandb.log({"curves": wandb.Image(str(path))}, step=self._wandb_step)

    def summary(self, content: dict[str, Any]) -> None:
        """Write what the run came to."""
        self.draw_curves(at_last=True)
        write_json(self.folder / "summary.json", content)
        write_text(self.folder / "summary.md", in_markdown(self.folder.name, content))
        self._write_line(METRICS, {"event": "summary", **content})
        if self._wandb is not None:
            self._wandb.summary.update(_flat(content))

    def failure(self, content: dict[str, Any]) -> Path:
        """Write down what is needed to understand why a run had to stop."""
        path = self.folder / "failure.json"
        write_json(path, content)
        return path

    def _write_line(self, name: str, record: dict[str, Any]) -> None:
        self._lines[name].write((json.dumps(record) + "\n").encode())

    def _log_to_file_only(self, message: str, error: BaseException) -> None:
        for handler in self._handlers:
            if isinstance(handler, logging.FileHandler):
                info = (type(error), error, error.__traceback__)
                handler.handle(logger.makeRecord(logger.name, logging.ERROR, __file__, 0, message, None, info))

    def _send(self, record: dict[str, Any], event: str) -> None:
        """To Weights & Biases. Steps are counted here: those that a continued run repeats it has, and passes over."""
        if self._wandb is None:
            return
        numbers = _flat(record, f"{series(record)}/{event}/")
        self._wandb.log({name: value for name, value in numbers.items() if value is not None}, step=self._wandb_step)
        self._wandb_step += 1

    def _start_wandb(self) -> Any:
        """A Weights & Biases run; where its server cannot be reached, an offline one, since training must go on."""
        import wandb  # seconds of import that only those who ask for it should pay

        self._wandb_id = self._wandb_id or secrets.token_hex(4)
        options = {
            "project": self.config.wandb_project or os.environ.get("WANDB_PROJECT") or "drawing-likeness",
            "entity": self.config.wandb_entity or os.environ.get("WANDB_ENTITY"),
            "name": self.folder.name,
            "id": self._wandb_id,
            "dir": self.folder,
            "config": to_dict(self.config),
            "settings": wandb.Settings(init_timeout=WANDB_TIMEOUT),
        }
        if self.config.wandb == "online" and self._continued:
            options["resume"] = "allow"
        try:
            return wandb.init(mode=self.config.wandb, **options)
        except wandb.errors.CommError as error:
            logger.warning("Weights & Biases cannot be reached (%s): logging offline", error)
            wandb.teardown()  # its service still holds the run's id
            return wandb.init(mode="offline", **{name: value for name, value in options.items() if name != "resume"})


def series(record: Mapping[str, Any]) -> str:
    """What a record is of: ``fold_1``, ``setting_2/fold_1``, ``final``."""
    fold = record["fold"]
    name = f"fold_{fold + 1}" if isinstance(fold, int) else fold
    return f"setting_{record['setting'] + 1}/{name}" if "setting" in record and isinstance(fold, int) else name


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


def _open_lines(path: Path, size: int) -> IO[bytes]:
    """Open a file of lines to write behind its first ``size`` bytes; what lies behind them is cut off."""
    lines = path.open("ab")  # whatever is written goes to the end, wherever a cut has moved it
    if os.fstat(lines.fileno()).st_size < size:
        logger.warning("%s has lost lines of the run that is continued", path)
    else:
        lines.truncate(size)
    return lines


def _read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _flat(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in record.items():
        flat.update(_flat(value, f"{prefix}{key}/") if isinstance(value, dict) else {f"{prefix}{key}": value})
    return flat
