"""Training curves as a picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from utils.files import atomic_path

Record = Mapping[str, Any]
OWN = ("lr", "grad_norm", "skipped_steps")  # numbers of an epoch that are neither training's nor validation's


def plot_curves(path: Path, history: Sequence[Record], title: str) -> None:
    """Draw every metric over the epochs, train dashed and validation solid, one colour a fold, black for the final
    training; where settings are compared, one colour a setting.

    Args:
        history: epoch records with ``fold``, ``epoch``, ``lr``, ``grad_norm``, perhaps ``setting`` and
            ``skipped_steps``, and the dicts of numbers ``train`` and (but for the final training) ``val``.
    """
    own = [name for name in OWN if name != "skipped_steps" or any(record.get(name) for record in history)]
    panels = [*dict.fromkeys(name for record in history for name in record["train"]), *own]
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    width, height = 4.6 * columns, 3.2 * rows + 0.6
    figure = Figure(figsize=(width, height))  # no pyplot: no screen, no global state
    # margins in inches, by hand: matplotlib's own layouts draw everything twice
    figure.subplots_adjust(
        left=0.6 / width, right=1 - 0.2 / width, bottom=1 / height, top=1 - 0.75 / height, wspace=0.22, hspace=0.45
    )
    axes = figure.subplots(rows, columns, squeeze=False)
    runs: dict[tuple[Any, ...], list[Record]] = defaultdict(list)
    for record in history:
        runs[record.get("setting"), record["fold"]].append(record)
    for axis, name in zip(axes.flat, panels, strict=False):
        _draw_panel(axis, name, runs.values())
    for axis in axes.flat[len(panels) :]:
        axis.set_axis_off()
    figure.suptitle(f"{title}  (solid: validation, dashed: train)")
    looks = dict(_look(records[0]) for records in runs.values())
    handles = [Line2D([], [], color=color, label=label) for label, color in looks.items()]
    figure.legend(handles=handles, loc="lower center", ncols=min(len(handles), 3 * columns), frameon=False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")


def _look(record: Record) -> tuple[str, str]:
    """Label and colour of a training."""
    if not isinstance(record["fold"], int):
        return "final", "black"
    what, number = ("setting", record["setting"]) if "setting" in record else ("fold", record["fold"])
    return f"{what} {number + 1}", f"C{number % 10}"


def _draw_panel(axis: Axes, name: str, runs: Sequence[Sequence[Record]]) -> None:
    axis.set_title(name.replace("_", " "), fontsize=10)
    axis.set_xlabel("epoch")
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.ticklabel_format(axis="y", style="sci", scilimits=(-3, 5), useOffset=False)
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
    for records in runs:
        epochs = [record["epoch"] + 1 for record in records]
        style = {"color": _look(records[0])[1], "marker": "." if len(epochs) < 3 else None}
        if name in OWN:
            axis.plot(epochs, [record[name] for record in records], **style)
            continue
        axis.plot(epochs, [record["train"][name] for record in records], linestyle="--", alpha=0.6, **style)
        if "val" in records[0]:
            axis.plot(epochs, [record["val"][name] for record in records], **style)
