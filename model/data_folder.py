"""The folder that preprocessing wrote: which drawings it holds, and how they are split."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from config.errors import UserError
from config.run_config import RunConfig
from utils.seeding import stream
from utils.splits import Split, split_drawings


class DataFolder:
    """Names of the drawings under ``GF/`` and ``DeepDXF/``; a name is the path inside, without ``.h5``.

    The two sets may differ. A split is drawn over their union, so that GF alone, DeepDXF alone and joint training
    hold out the same drawings.

    Raises:
        UserError: the folder holds no preprocessed drawing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.gf = _names(path / "GF")
        self.deepdxf = _names(path / "DeepDXF")
        if not self.gf and not self.deepdxf:
            raise UserError(
                f"{path.resolve()} holds no preprocessed drawings: run "
                f'"python dataset/dxf_process.py --input DRAWINGS --output {path}" first, or correct --data_dir'
            )

    def split(self, config: RunConfig) -> Split:
        """The run's split.

        Raises:
            UserError: too few drawings for the folds.
        """
        try:
            return split_drawings(
                [*self.gf, *self.deepdxf],
                n_folds=config.n_folds,
                test_fraction=config.test_fraction,
                val_fraction=config.val_fraction,
                seed=config.seed,
                group_by=config.group_by,
            )
        except ValueError as error:
            raise UserError(str(error)) from error


def _names(folder: Path) -> dict[str, Path]:
    paths = sorted(folder.rglob("*.h5"))
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in paths}


def epoch_batches(size: int, n_batches: int, seed: int, epoch: int, shuffle: bool) -> Iterator[np.ndarray]:
    """Cut ``0 .. size-1`` into ``n_batches`` parts whose sizes differ by one at most; every index comes once."""
    order = stream(seed, epoch).permutation(size) if shuffle else np.arange(size)
    yield from np.array_split(order, n_batches)


def require_drawings(names: list[str] | tuple[str, ...], needed: int, what: str) -> None:
    """Raise :class:`UserError` when a part of the split is too small to contrast anything."""
    if len(names) < needed:
        raise UserError(
            f"only {len(names)} drawing(s) for {what}, at least {needed} are needed: "
            "use fewer folds (--n_folds), a larger --test_fraction or --val_fraction, or more drawings"
        )
