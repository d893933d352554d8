"""What a run came to, for people to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def in_markdown(run: str, summary: Mapping[str, Any]) -> str:
    """``summary.md`` of what ``summary.json`` holds."""
    blocks = [f"# {run}", _outcome(summary), _numbers(summary)]
    if "settings" in summary:
        blocks += ["## Settings", settings_table(summary["settings"])]
    blocks += ["## Folds", _folds(summary), "## Cost and environment", _cost(summary)]
    return "\n\n".join(blocks) + "\n"


def settings_table(settings: Sequence[Mapping[str, Any]]) -> str:
    """Settings by their mean validation loss over the folds; the chosen one is marked."""
    rows = (
        [
            ("**" if setting["chosen"] else "") + setting["name"] + ("**" if setting["chosen"] else ""),
            _with_spread(setting["val"]["loss"]),
            str(setting["final_epochs"]),
        ]
        for setting in settings
    )
    return _table(["setting", "validation loss, mean ± deviation over folds", "median best epoch"], rows)


def _outcome(summary: Mapping[str, Any]) -> str:
    model = summary["model"]
    if summary["final"] is None:
        return f"`{model}` is the best epoch of the one train/validation split. Validation and test met no training."
    return (
        f"`{model}` was trained on all but the test drawings for {summary['final']['epochs']} epoch(s), the median "
        f"best epoch of the {len(summary['folds'])} folds, and then met the test drawings once."
    )


def _numbers(summary: Mapping[str, Any]) -> str:
    rows = ([name, _with_spread(value), f"{summary['test'][name]:.4f}"] for name, value in summary["val"].items())
    over = "validation" if summary["final"] is None else "validation, mean ± deviation over folds"
    return _table(["", over, "held-out test"], rows)


def _folds(summary: Mapping[str, Any]) -> str:
    names = list(summary["val"])
    rows = (
        [str(number), str(fold["best_epoch"] + 1), *(f"{fold['val'][name]:.4f}" for name in names)]
        for number, fold in enumerate(summary["folds"], 1)
    )
    skipped = summary["skipped_steps"]
    note = f"\n\nSteps skipped by the gradient scaler: {skipped}." if skipped else ""
    return _table(["fold", "best epoch", *names], rows) + note


def _cost(summary: Mapping[str, Any]) -> str:
    cost, environment = summary["cost"], summary["environment"]
    memory = [f"- peak memory: {value:,.0f} MB ({name})" for name, value in cost["peak_memory_mb"].items()]
    versions = ", ".join(f"{name} {version}" for name, version in environment["versions"].items())
    lines = [
        f"- time: {_duration(summary['seconds'])} on {cost['device']}",
        *memory,
        f"- code: {environment['git']}; Python {environment['python']}; {versions}",
    ]
    return "\n".join(lines)


def _with_spread(number: Mapping[str, float]) -> str:
    return f"{number['mean']:.4f} ± {number['std']:.4f}" if number["std"] else f"{number['mean']:.4f}"


def _duration(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
