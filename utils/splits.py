"""Who trains, who validates, who tests: decided by drawing, once, for both encoders."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

import numpy as np

GroupBy = Literal["drawing", "sheets", "folder"]


@dataclass(frozen=True)
class Fold:
    """The drawings of one fold, by name."""

    train: tuple[str, ...]
    val: tuple[str, ...]


@dataclass(frozen=True)
class Split:
    """The held-out test drawings and the folds of the rest."""

    test: tuple[str, ...]
    folds: tuple[Fold, ...]

    def training(self, fold: int | None) -> tuple[str, ...]:
        """The drawings that train a fold; ``None``: all but the test's."""
        if fold is None:
            return tuple(sorted((*self.folds[0].train, *self.folds[0].val)))
        return self.folds[fold].train


def group_of(name: str, group_by: GroupBy) -> str:
    """The key of what must stay on one side: the drawing, its sheets ``X_1 .. X_5`` together, or its folder.

    Args:
        name: path of the drawing without extension; any dot in it is a part of the name.
    """
    path = PurePosixPath(name)
    if group_by == "folder":
        return str(path.parent)
    if group_by == "sheets":
        return str(path.parent / re.sub(r"_\d+$", "", path.name))
    return name


def split_drawings(
    names: Sequence[str],
    *,
    n_folds: int,
    test_fraction: float,
    val_fraction: float,
    seed: int,
    group_by: GroupBy = "drawing",
) -> Split:
    """Hold out a test set and cut the rest into folds.

    The outcome depends on the set of names and the seed only, not on their order. ``n_folds`` 1 gives one
    train/validation split with ``val_fraction`` of the rest.

    Raises:
        ValueError: too few drawings (or groups) for what is asked, with what would work.
    """
    from sklearn.model_selection import GroupKFold, GroupShuffleSplit  # a second that only training has to wait for

    ordered = np.array(sorted(set(names)))
    groups = np.array([group_of(name, group_by) for name in ordered])
    n_groups = len(set(groups))
    # every side needs two drawings: a contrastive loss has nothing to say about one
    least = 1 if min(Counter(groups.tolist()).values()) > 1 else 2
    needed = least * (1 + max(n_folds, 2))
    if n_groups < needed:
        raise ValueError(
            f"{len(ordered)} drawings in {n_groups} groups (group_by={group_by}) are too few for a test set and "
            f"{n_folds} folds: at least {needed} groups are needed; use more drawings or fewer folds "
            f"(--n_folds 1 needs {3 * least})"
        )
    n_test = min(max(round(test_fraction * n_groups), least), n_groups - least * max(n_folds, 2))
    rest, test = next(GroupShuffleSplit(1, test_size=n_test, random_state=seed).split(ordered, groups=groups))
    if n_folds == 1:
        n_val = max(least, round(val_fraction * len(set(groups[rest]))))
        splitter = GroupShuffleSplit(1, test_size=n_val, random_state=seed)
    else:
        splitter = GroupKFold(n_folds, shuffle=True, random_state=seed)
    folds = tuple(
        Fold(train=tuple(ordered[rest][train].tolist()), val=tuple(ordered[rest][val].tolist()))
        for train, val in splitter.split(ordered[rest], groups=groups[rest])
    )
    return Split(test=tuple(ordered[test].tolist()), folds=folds)
