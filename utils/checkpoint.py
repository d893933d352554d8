"""Checkpoint files: everything needed to rebuild a model, and nothing that could run code.

A checkpoint is a dict of tensors and plain Python, see docs/formats.md. Loading goes through ``weights_only``.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from config.errors import UserError
from dataset.entities import SCHEMA_VERSION
from utils.distributed.world import world
from utils.files import atomic_path

FORMAT = 4  # of the file, and of the vectors that its model gives
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # of errors that mean: no more room
_PACKAGES = ("torch", "torch_geometric", "ezdxf", "h5py", "numpy", "scikit-learn")


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint.

    Attributes:
        kind: which task wrote it: ``gf``, ``deepdxf`` or ``joint``.
        config: the merged config as plain Python.
        model: the task's ``state_dict``.
        metrics: validation numbers of the epoch it was taken from, and the test's where it was measured.
        info: fold, epoch, versions, git revision.
    """

    kind: str
    config: dict[str, Any]
    model: dict[str, Any]
    metrics: dict[str, Any]
    info: dict[str, Any]


FIELDS = tuple(field.name for field in fields(Checkpoint))


def save_checkpoint(
    path: Path,
    *,
    kind: str,
    config: Mapping[str, Any],
    model: Mapping[str, Any],
    metrics: Mapping[str, Any],
    info: Mapping[str, Any],
) -> None:
    """Write a checkpoint whole or not at all; of several processes the first does."""
    if not world().is_first:
        return
    content = {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "kind": kind,
        "config": dict(config),
        "model": dict(model),
        "metrics": dict(metrics),
        "info": {**info, **environment()},
    }
    write_torch(path, content)


def write_torch(path: Path, content: Any) -> None:
    """``torch.save``, whole or not at all, and on the disk when this returns.

    Raises:
        UserError: no room. What was there before is there still.
    """
    whole = io.BytesIO()  # torch's own writer would report a full disk as a RuntimeError without the reason
    torch.save(content, whole)
    with no_room_explained(path), atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write(whole.getbuffer())
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def no_room_explained(path: Path) -> Iterator[None]:
    """Turn the errors of a full disk into a sentence on what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise UserError(
            f"cannot write {error.filename or path}: {error.strerror}. What was saved before is whole: make room, then "
            "continue with --resume"
        ) from error


def read_torch(path: Path) -> Any:
    """What :func:`write_torch` wrote, on the CPU; nothing in the file can run code.

    Raises:
        UserError: truncated, damaged or foreign.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    # torch reports a damaged or foreign file as any of several built-in errors
    except Exception as error:
        reason = type(error).__name__
        raise UserError(f"{path} is not a checkpoint of this program, or is damaged ({reason})") from error


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint onto the CPU.

    Raises:
        UserError: missing, truncated, foreign, or made for another entity table.
    """
    if not path.is_file():
        raise UserError(f"no checkpoint at {path}: train one with joint_main.py, or correct --model_path")
    content = read_torch(path)
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise UserError(f"{path} is not a checkpoint of this program")
    if content["format"] != FORMAT:
        raise UserError(
            f"{path} has format {content['format']}, this program's checkpoints have {FORMAT}: train it again, or "
            "use the program's release that wrote it"
        )
    missing = [key for key in (*FIELDS, "schema_version") if key not in content]
    if missing:
        raise UserError(f"{path} is a checkpoint without {', '.join(missing)}: it is incomplete")
    require_schema(path, content["schema_version"])
    return Checkpoint(**{key: content[key] for key in FIELDS})


def require_schema(path: Path, version: int) -> None:
    """Raise :class:`UserError` for a file of another entity table."""
    if version != SCHEMA_VERSION:
        raise UserError(
            f"{path} was trained on entity table version {version}, this program has version {SCHEMA_VERSION}: "
            "preprocess the drawings again and train anew, or use the program's older release"
        )


@functools.cache
def environment() -> dict[str, Any]:
    """Library versions and the code's git revision, for the record; as they were when the run first asked."""
    versions = {name: metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), "versions": versions, "git": _git_revision()}


def _git_revision() -> str:
    root = Path(__file__).resolve().parents[1]
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=root, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):  # not a checkout, or no git: a fact, not a failure
        return "unknown"
    return done.stdout.strip()
