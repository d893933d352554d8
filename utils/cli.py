"""What every entry script does around its work: parse the command line, speak UTF-8, end with an honest exit code."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import tyro

from config.errors import UserError
from config.recipes import asked_for
from config.run_config import RunConfig
from utils.files import write_json

Config = TypeVar("Config")

STDOUT = Path("-")  # where an option asks for a file


def run_script(
    config_class: type[Config], main: Callable[[Config], int | None], description: str | None = None
) -> None:
    """Parse, run, exit: 0 or what ``main`` returns, 1 for a :class:`UserError`, 2 for a wrong option, 130 for Ctrl-C,
    141 where nobody reads the output any more (``| head``), 143 for SIGTERM.

    Any other exception is a bug or a failed run and keeps its traceback (exit status 1).

    Args:
        description: what ``--help`` says above the options; the config's docstring if left out.
    """
    for output in (sys.stdout, sys.stderr):  # Windows consoles default to a code page without full-width brackets
        output.reconfigure(encoding="utf-8", errors="backslashreplace")
    config = parse(config_class, sys.argv[1:], description)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        status = main(config)
        sys.stdout.flush()
    except BrokenPipeError:
        if not _nobody_reads():
            raise
        sys.exit(141)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    sys.exit(status or 0)


def parse(
    config_class: type[Config],
    arguments: Sequence[str],
    description: str | None = None,
    default: Config | None = None,
) -> Config:
    """A config from a command line; for a training run the options start from its ``--recipe``, or from ``default``.

    Raises:
        SystemExit: a wrong option (status 2), or ``--help`` was asked for (0).
    """
    if default is None and issubclass(config_class, RunConfig):
        default = asked_for(config_class, arguments)
    start = {} if default is None else {"default": default}
    return tyro.cli(config_class, args=arguments, description=description, use_underscores=True, **start)


def tell(json_path: Path | None, lines: Sequence[str], data: dict[str, Any]) -> None:
    """A command's answer: ``lines`` for a person, and ``data`` for a program in the file it asked for.

    Args:
        json_path: ``-`` for the standard output, which then has nothing else on it.
    """
    if json_path == STDOUT:
        print(json.dumps(data, indent=2))
        return
    if json_path:
        write_json(json_path, data)
    print("\n".join(lines))


def _nobody_reads() -> bool:
    """Whether it is our own output that has lost its reader; what is left of it then goes nowhere, and in silence."""
    if not hasattr(select, "poll"):
        return False
    reader = select.poll()
    reader.register(sys.stdout.fileno(), 0)  # errors are told without being asked for
    if not reader.poll(0):
        return False
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def _terminate(*_: object) -> None:
    """Turn a batch system's SIGTERM into an exception, so that logs and pools are closed."""
    sys.exit(143)
