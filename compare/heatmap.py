"""A table of scores as a picture."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform

from compare.page import clipped
from compare.png import families
from utils.files import atomic_path

MOST_NAMED = 60  # drawings whose names can be read beside the picture
MOST_ORDERED = 2000  # drawings that are sorted: time grows with the square of their number


def write_heatmap(path: Path, names: list[str], scores: np.ndarray, title: str) -> None:
    """The scores ``[N, N]`` in colours, drawings that are alike beside each other.

    The colours are those of cividis, which is read alike with every kind of colour vision (Nuñez et al. 2018).

    Raises:
        OSError: it cannot be written.
    """
    order = like_beside_like(scores)
    count = len(names)
    size = float(np.clip(2.5 + 0.16 * count, 5.0, 12.0))
    figure = Figure(figsize=(size + 1.5, size), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    off = scores[~np.eye(count, dtype=bool)]
    low = float(off.min()) if len(off) else 0.0
    image = axes.imshow(scores[np.ix_(order, order)], cmap="cividis", vmin=low, vmax=1.0, interpolation="nearest")
    figure.colorbar(image, ax=axes, label="similarity", shrink=0.8)
    axes.set_title(title, fontsize=10)
    if count <= MOST_NAMED:
        shown = [clipped(names[i], 22.0) for i in order]
        text = {"fontsize": 7, "family": families(), "parse_math": False}
        axes.set_xticks(range(count), shown, rotation=90, **text)
        axes.set_yticks(range(count), shown, **text)
    else:
        axes.set_xlabel(f"{count} drawings, alike ones beside each other")
    with atomic_path(path) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that no font of this machine has is shown as a box
        figure.savefig(temporary, format=path.suffix.lower().lstrip("."))


def like_beside_like(scores: np.ndarray) -> np.ndarray:
    """An order of the drawings by average linkage, its branches turned so that neighbours are alike (Bar-Joseph et al.
    2001). Shape: ``[N, N] -> [N]``."""
    count = len(scores)
    if not 2 < count <= MOST_ORDERED:
        return np.arange(count)
    distances = squareform(1.0 - scores, checks=False).clip(min=0.0)
    tree = linkage(distances, "average")
    return leaves_list(optimal_leaf_ordering(tree, distances) if count <= 300 else tree)
