"""Training curves as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from utils.files import atomic_path


def plot_curves(path: Path, history: Sequence[dict[str, Any]], title: str) -> None:
    """Draw every metric over the epochs, train dashed and validation solid, one colour a fold.

    Args:
        history: epoch records with ``fold``, ``epoch``, ``lr``, ``grad_norm``, and the dicts of numbers ``train`` and
            ``val``.
    """
    panels = [*dict.fromkeys(name for record in history for name in record["train"]), "lr", "grad_norm"]
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(4.6 * columns, 3.2 * rows), layout="constrained")  # no pyplot: no screen, no global state
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis, name in zip(axes.flat, panels, strict=False):
        _draw_panel(axis, name, history)
    for axis in axes.flat[len(panels) :]:
        axis.set_axis_off()
    figure.suptitle(f"{title}  (solid: validation, dashed: train)")
    folds = sorted({record["fold"] for record in history})
    handles = [Line2D([], [], color=f"C{fold % 10}", label=f"fold {fold + 1}") for fold in folds]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(folds), 10), frameon=False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")


def _draw_panel(axis: Axes, name: str, history: Sequence[dict[str, Any]]) -> None:
    axis.set_title(name.replace("_", " "), fontsize=10)
    axis.set_xlabel("epoch")
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
    for fold in sorted({record["fold"] for record in history}):
        records = [record for record in history if record["fold"] == fold]
        epochs = [record["epoch"] + 1 for record in records]
        style = {"color": f"C{fold % 10}", "marker": "." if len(epochs) < 3 else None}
        if name in ("lr", "grad_norm"):
            axis.plot(epochs, [record[name] for record in records], **style)
        else:
            axis.plot(epochs, [record["train"][name] for record in records], linestyle="--", alpha=0.6, **style)
            axis.plot(epochs, [record["val"][name] for record in records], **style)
