"""The folder that preprocessing wrote: which drawings it holds, and how they are split."""

from __future__ import annotations

import copy
import hashlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import nn

from config.errors import UserError
from config.run_config import RunConfig
from dataset.packed import PackedFolder, is_packed
from dataset.sources import GraphFiles, GraphSource, SequenceFiles, SequenceSource, output_files
from utils.protocol import Loader
from utils.seeding import stream
from utils.splits import Split, split_drawings

logger = logging.getLogger("likeness")


class DataFolder:
    """The drawings under ``GF/`` and ``DeepDXF/`` by name, or packed ones; a name is the path inside, without ``.h5``.

    The two sets may differ. A split is drawn over their union, so that GF alone, DeepDXF alone and joint training
    hold out the same drawings.

    Raises:
        UserError: the folder holds no preprocessed drawing, or is packed and damaged or of another schema.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.gf: GraphSource
        self.deepdxf: SequenceSource
        if is_packed(path):
            packed = PackedFolder(path)
            self.gf, self.deepdxf = packed.graphs, packed.sequences
            if packed.is_outdated:
                logger.warning(
                    f"{packed.origin} has changed since {path} was packed: dataset/dxf_pack.py packs it again"
                )
        else:
            self.gf, self.deepdxf = GraphFiles(output_files(path / "GF")), SequenceFiles(output_files(path / "DeepDXF"))
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


class FoldedData:
    """The loaders of a cross-validation; a subclass says in :meth:`_loader` what a loader is.

    Attributes:
        split: the held-out drawings and the folds, by name.
        facts: what a model must know of the data it was trained on; goes into its checkpoints.
    """

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self.folder = DataFolder(config.data_dir)
        self.split = self.folder.split(config)
        self.n_folds = len(self.split.folds)
        self.facts: dict[str, Any] = {}

    @property
    def fingerprint(self) -> str:
        """Of the drawings' names, how they are split and how they were read."""
        content = [sorted(self.folder.gf), sorted(self.folder.deepdxf), self.split.test, self.split.folds, self.facts]
        text = json.dumps(content, default=lambda fold: [fold.train, fold.val], sort_keys=True)
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    def with_options(self, config: RunConfig) -> Self:
        """The same drawings and split under another setting of a grid."""
        other = copy.copy(self)
        other.config = config
        return other

    def to(self, device: torch.device) -> None:
        """Batches come from main memory; a subclass whose tensors are small keeps them on the device."""

    def prepare(self, task: nn.Module, fold: int | None) -> None:
        """Show a fresh task the fold's training drawings, which some tasks standardise by; ``None``: all but the
        test's."""

    def archive(self, fold: int | None) -> Iterator[dict[str, Any]]:
        """The same drawings as they are, in batches that the task's ``embed`` takes."""
        raise NotImplementedError

    def get_fold_loaders(self, fold: int) -> tuple[Loader, Loader]:
        """Training and validation of a fold. Raises UserError when either is too small to contrast anything."""
        names = self.split.folds[fold]
        return self._loader(names.train, "training", train=True), self._loader(names.val, "validation", train=False)

    def get_final_loader(self) -> Loader:
        """All drawings but the test's, to train on."""
        return self._loader(self.split.training(None), "training", train=True)

    def get_test_loaders(self) -> Loader:
        """The held-out drawings. Raises UserError when they are too few to contrast anything."""
        return self._loader(self.split.test, "the test", train=False)

    def _loader(self, names: tuple[str, ...], what: str, train: bool) -> Loader:
        raise NotImplementedError


def epoch_batches(size: int, n_batches: int, seed: int, epoch: int) -> Iterator[np.ndarray]:
    """Deal ``0 .. size-1`` out at random into ``n_batches`` parts whose sizes differ by one at most."""
    yield from np.array_split(stream(seed, epoch).permutation(size), n_batches)


def require_set(members: GraphSource | SequenceSource, name: str, other: str) -> None:
    """Raise :class:`UserError` when one of the two sets is missing altogether."""
    if not members:
        raise UserError(f"the data folder has nothing in {name}/: run dataset/dxf_process.py, or train with {other}")


def require_drawings(count: int, what: str) -> None:
    """Raise :class:`UserError` when a part of the split is too small: one drawing has nothing to be contrasted with."""
    if count < 2:
        raise UserError(
            f"only {count} drawing(s) for {what}, at least 2 are needed: "
            "use fewer folds (--n_folds), a larger --test_fraction or --val_fraction, or more drawings"
        )
