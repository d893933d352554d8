"""Files are written whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.errors import UserError


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path`` to write to; it takes the real name only when the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)  # noqa: PTH105 - Path.replace, said the way that promises atomicity
    finally:
        temporary.unlink(missing_ok=True)


def require_writable(folder: Path, option: str) -> None:
    """Make a folder and see that files can be made in it. Raises UserError, naming the option, if not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f"cannot write to {folder.resolve()} ({option}): {error.strerror or error}") from error


def write_json(path: Path, content: Any) -> None:
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        # names that are no UTF-8 hold lone surrogates: JSON has an escape for them, the encoding has not
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
