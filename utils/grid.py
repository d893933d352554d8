"""The settings that a grid compares."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from config.errors import UserError
from config.run_config import RunConfig, to_dict
from utils.cli import parse

# what a setting may not change: where things lie, who tests, how a run goes on
FIXED = {
    *("recipe", "data_dir", "checkpoint_dir", "log_dir", "run_name", "resume", "discard", "save_every", "keep_last"),
    *("n_folds", "grid", "test_fraction", "val_fraction", "group_by", "seed", "device", "gpus", "nproc", "folds"),
    *("wandb", "wandb_project", "wandb_entity"),
}


@dataclass(frozen=True)
class Setting:
    """One of the options' combinations.

    Attributes:
        name: as on a command line, such as ``lr=1e-4 gf.tau=0.5``; empty without a grid.
    """

    name: str
    config: Any


def settings_of(config: RunConfig) -> list[Setting]:
    """All combinations of ``config.grid``, the last option varying fastest; without a grid the config alone.

    Raises:
        UserError: no such option, several that end so, or none that a setting may change.
        SystemExit: a value that the option does not take (status 2).
    """
    axes = [_axis(config, text) for text in config.grid]
    names = [name for name, _ in axes]
    if len(set(names)) < len(names):
        raise UserError(f"--grid names an option twice: {' '.join(names)}")
    settings = []
    for values in itertools.product(*(values for _, values in axes)):
        chosen = list(zip(names, values, strict=True))
        arguments = [item for name, value in chosen for item in (f"--{name}", value)]
        name = " ".join(f"{name}={value}" for name, value in chosen)
        settings.append(Setting(name, parse(type(config), arguments, default=config) if arguments else config))
    return settings


def _axis(config: RunConfig, text: str) -> tuple[str, Sequence[str]]:
    """``tau=0.5,0.7`` to the option's full name and its values."""
    name, _, values = text.partition("=")
    chosen = values.split(",")
    if not name or not all(chosen) or len(set(chosen)) < len(chosen):
        raise UserError(f"--grid takes option=value,value with different values, such as lr=1e-4,1e-3, not {text!r}")
    return _full_name(config, name), chosen


def _full_name(config: RunConfig, name: str) -> str:
    options = [
        inner
        for key, value in to_dict(config).items()
        if key not in FIXED
        for inner in ([f"{key}.{part}" for part in value] if isinstance(value, dict) else [key])
    ]
    if name in options:
        return name
    found = [option for option in options if option.endswith(f".{name}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"--grid {name}: say which one is meant, {' or '.join(found)}")
    why = "says where or how a run works and is the same for all settings" if name in FIXED else "no such option"
    raise UserError(f"--grid {name}: {why}; possible are {', '.join(options)}")
