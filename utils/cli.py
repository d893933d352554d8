"""What every entry script does around its work: parse the command line, speak UTF-8, end with an honest exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

import tyro

from config.errors import UserError

Config = TypeVar("Config")


def parse_config(config_class: type[Config], args: list[str] | None = None) -> Config:
    """The command line as a config; a wrong option ends the program with status 2 and a hint."""
    return tyro.cli(config_class, args=args, use_underscores=True)


def run_script(config_class: type[Config], main: Callable[[Config], int | None]) -> None:
    """Parse, run, exit: 0 or what ``main`` returns, 1 for a :class:`UserError`, 130 for Ctrl-C.

    Any other exception is a bug or a failed run and keeps its traceback (exit status 1).
    """
    for output in (sys.stdout, sys.stderr):  # Windows consoles default to a code page without full-width brackets
        output.reconfigure(encoding="utf-8", errors="backslashreplace")
    config = parse_config(config_class)
    try:
        status = main(config)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    sys.exit(status or 0)
