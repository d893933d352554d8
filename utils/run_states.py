"""The states that an unfinished run can be continued from: ``resume_<n>.pth``, the highest number the newest."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config.errors import UserError
from config.run_config import RunConfig, to_dict
from dataset.entities import SCHEMA_VERSION
from utils.checkpoint import environment, read_torch, require_schema, write_torch

logger = logging.getLogger("likeness")

FORMAT = 2  # of the file, and of the networks whose state it is
# options that may change on the way: they decide where, how long and under whose eyes a run works, not what it computes
FREE = {
    *("data_dir", "checkpoint_dir", "log_dir", "run_name", "resume", "discard", "save_every", "keep_last"),
    *("device", "gpus", "nproc", "epochs", "patience", "wandb", "wandb_project", "wandb_entity"),
}


class RunStates:
    """The states of the one unfinished run in a folder.

    Args:
        keep: how many to leave; the older ones go when a newer one is whole on the disk.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        self.folder = folder
        self.keep = keep

    def save(self, kind: str, config: RunConfig, content: Mapping[str, Any]) -> Path:
        """Write the next state, whole or not at all.

        Raises:
            UserError: no room; the states before are still there.
        """
        paths = self._paths()
        path = self.folder / f"resume_{_number(paths[-1]) + 1 if paths else 1}.pth"
        head = {"resume_format": FORMAT, "schema_version": SCHEMA_VERSION, "kind": kind, "config": to_dict(config)}
        write_torch(path, {**content, **head, **environment()})
        for old in [*paths, path][: -self.keep]:
            old.unlink(missing_ok=True)
        return path

    def __bool__(self) -> bool:
        return bool(self._paths())

    def newest(self) -> dict[str, Any]:
        """The newest state that is whole; one that is not is named in the log.

        Raises:
            UserError: there is none, or it is of another entity table.
        """
        paths = self._paths()
        if not paths:
            raise UserError(
                f"nothing to resume in {self.folder}: no unfinished run has saved a state there. Leave out --resume to "
                "start one, or correct --checkpoint_dir"
            )
        for path in reversed(paths):
            try:
                return _read(path)
            except UserError as error:
                logger.warning("%s; trying the one before", error)
        raise UserError(f"nothing to resume in {self.folder}: none of its {len(paths)} resume_<n>.pth can be read")

    def clear(self) -> None:
        """Remove all states, and what a run that was killed while saving has left."""
        self.remove_torn()
        for path in self._paths():
            path.unlink(missing_ok=True)

    def remove_torn(self) -> None:
        """Remove what a run that was killed while saving has left."""
        for path in self.folder.glob("resume_*.pth.*.tmp"):
            path.unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        return sorted((path for path in self.folder.glob("resume_*.pth") if _number(path)), key=_number)


def require_same_run(state: Mapping[str, Any], kind: str, config: RunConfig, fingerprint: str) -> None:
    """Raise :class:`UserError` when going on from a state by this config would not give the run's own numbers."""
    if state["kind"] != kind:
        raise UserError(f"the unfinished run in {config.checkpoint_dir} is of a {state['kind']} model, not {kind}")
    now, before = _flat(to_dict(config)), _flat(state["config"])
    free = FREE if config.schedule != "cosine" else FREE - {"epochs"}  # its learning rates follow from their number
    differences = [
        f"--{name} {_word(before[name])}, now {_word(value)}"
        for name, value in now.items()
        if name in before and value != before[name] and name not in free
    ]
    if differences:
        raise UserError(
            f"the unfinished run in {config.checkpoint_dir} had {'; '.join(differences)}. Repeat its options with "
            "--resume, or start anew with another --checkpoint_dir or --discard"
        )
    if state["fingerprint"] != fingerprint:
        raise UserError(
            f"{config.data_dir} holds other drawings, or read otherwise, than when the unfinished run in "
            f"{config.checkpoint_dir} began: bring those back, or start anew with --discard"
        )
    here = environment()
    for what in ("git", "python", "versions"):
        if state[what] != here[what]:
            logger.warning("the run began under another %s: numbers may differ in their last digits", what)


def _read(path: Path) -> dict[str, Any]:
    content = read_torch(path)
    if not isinstance(content, dict) or "resume_format" not in content:
        raise UserError(f"{path} is no state of an unfinished run of this program")
    if content["resume_format"] != FORMAT:
        raise UserError(
            f"{path} has resume_format {content['resume_format']}, this program {FORMAT}: finish the run with the "
            "version that began it, or start anew with --discard"
        )
    require_schema(path, content["schema_version"])
    return content


def _number(path: Path) -> int:
    match = re.fullmatch(r"resume_(\d+)\.pth", path.name)
    return int(match[1]) if match else 0


def _flat(options: Mapping[str, Any]) -> dict[str, Any]:
    """All options, those of an encoder by their path."""
    flat: dict[str, Any] = {}
    for key, value in options.items():
        flat |= {f"{key}.{name}": item for name, item in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def _word(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
