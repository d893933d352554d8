"""DeepDXF's drawings in memory, and batches of two views of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from config.DeepDXF_config import DeepDXFConfig, DeepDXFModelConfig
from dataset.drawing import Drawing
from dataset.sources import SequenceSource
from model.data_folder import FoldedData, epoch_batches, require_drawings, require_set
from model.DeepDXF_task import DeepDXFTask
from utils.DeepDXF_utils import Chunk, collate, cut_chunks, sample_chunks
from utils.distributed.dealing import deal
from utils.distributed.world import world
from utils.evenly import evenly
from utils.progress import progress
from utils.protocol import Batch
from utils.seeding import stream
from utils.sheet_features import FEATURE_SHAPES, sheet_features
from utils.views import make_view

MOST_STACKED = 4_000  # drawings: what is common and rare in them, so many say; 82 kB each
SHEET_COST = 40  # what a drawing's ink, letters and statistics cost beside its entities, in entities; measured


View = tuple[Drawing, list[Chunk]]


class DeepDXFDataset:
    """All sequences of a folder, in memory if they were read from a file for each drawing, on the disk if packed.

    Attributes:
        names: N drawing names.
        reading: the options that preprocessing read all of them with, as far as they change a sequence.
    """

    def __init__(self, source: SequenceSource) -> None:
        self.names = list(source)
        self._sequences = source.open()
        self.reading = self._sequences.reading
        self._index = {name: i for i, name in enumerate(self.names)}

    def indices(self, names: Sequence[str]) -> np.ndarray:
        """Positions of those of ``names`` that have a sequence, in the order of ``names``."""
        return np.array([self._index[name] for name in names if name in self._index], dtype=np.int64)

    def drawing(self, index: int) -> Drawing:
        """One drawing, upright."""
        return self._sequences.drawing(index)

    def costs(self, indices: np.ndarray, limit: int) -> np.ndarray:
        """What training on each drawing costs, in entities; a view has at most ``limit``, 0 for all. Shape: ``[n]``."""
        lengths = self._lengths[indices]
        return SHEET_COST + (np.minimum(lengths, limit) if limit else lengths)

    @cached_property
    def _lengths(self) -> np.ndarray:
        return self._sequences.lengths()

    def two_views(
        self, indices: np.ndarray, config: DeepDXFModelConfig, rngs: Sequence[np.random.Generator], limit: int
    ) -> dict[str, Any]:
        """What :meth:`view_pairs` gives as one batch."""
        return views_batch(self.view_pairs(indices, config, rngs, limit), config)

    def view_pairs(
        self, indices: np.ndarray, config: DeepDXFModelConfig, rngs: Sequence[np.random.Generator], limit: int
    ) -> list[tuple[View, View]]:
        """Two views of each drawing.

        Args:
            rngs: what is random in the views of each drawing.
            limit: most entities of a view, 0 for all.
        """
        drawings = (self.drawing(index) for index in indices)
        return [_views_of_one(drawing, config, rng, limit) for drawing, rng in zip(drawings, rngs, strict=True)]

    def plain_batches(
        self, indices: np.ndarray, config: DeepDXFModelConfig, size: int = 16
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """Drawings as they are, a few at a time, and the place in ``indices`` of each batch's first."""
        for first in progress(range(0, len(indices), size), "embedding", leave=False):
            yield first, plain_batch([self.drawing(index) for index in indices[first : first + size]], config)

    def features(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """The stacked sheet features of drawings as they are; of very many, of ``MOST_STACKED`` evenly chosen ones."""
        return _stacked([self.drawing(index) for index in evenly(indices, MOST_STACKED)])


def assemble(views: Sequence[View], config: DeepDXFModelConfig) -> dict[str, Any]:
    """A batch for :class:`model.DeepDXF_task.DeepDXFTask`."""
    batch = collate([chunks for _, chunks in views])
    return batch if config.reads == "sequence" else batch | _stacked([drawing for drawing, _ in views])


def views_batch(pairs: Sequence[tuple[View, View]], config: DeepDXFModelConfig) -> dict[str, Any]:
    """Two views of each drawing as one batch: all first views, then all second views in the same order."""
    return assemble([view for views in zip(*pairs, strict=True) for view in views], config)


def plain_batch(drawings: Sequence[Drawing], config: DeepDXFModelConfig) -> dict[str, Any]:
    """Drawings as they are, as one batch."""
    return assemble([(drawing, cut_chunks(drawing.rows, config.chunk_size)) for drawing in drawings], config)


def _stacked(drawings: Sequence[Drawing]) -> dict[str, Tensor]:
    features = [sheet_features(drawing) for drawing in drawings]
    return {
        name: torch.from_numpy(np.stack([each[name] for each in features])) if features else torch.zeros(0, *shape)
        for name, shape in FEATURE_SHAPES.items()
    }


def _views_of_one(
    drawing: Drawing, config: DeepDXFModelConfig, rng: np.random.Generator, limit: int
) -> tuple[View, View]:
    chunk_size = min(config.chunk_size, limit or config.chunk_size)

    def chunked(view: Drawing) -> View:
        return view, sample_chunks(cut_chunks(view.rows, chunk_size), limit, rng)

    if config.views == "dropout":  # the same rows twice; the two dropout masks make the difference
        same = chunked(drawing)
        return same, same
    return chunked(make_view(drawing, rng)), chunked(make_view(drawing, rng))


class DeepDXFLoader:
    """Batches of two views: every drawing once an epoch. Training views are new every epoch, others always equal.

    A drawing's views follow from its place in the step, so that they are the same whichever process has it.
    """

    def __init__(
        self, dataset: DeepDXFDataset, indices: np.ndarray, batch_size: int, config: DeepDXFConfig, train: bool
    ) -> None:
        self.dataset = dataset
        self.indices = indices
        self.config = config
        self.train = train
        # a drawing needs another to differ from: batches of one are spread over the others
        self._n_batches = max(1, min(-(-len(indices) // batch_size), len(indices) // 2))

    def __len__(self) -> int:
        return self._n_batches

    @property
    def most_processes(self) -> int:
        """A step's drawings, see :attr:`utils.protocol.Loader.most_processes`."""
        return max(1, len(self.indices) // len(self))

    def epoch(self, epoch: int, first_step: int = 0) -> Iterator[Batch | None]:
        epoch = epoch if self.train else 0
        blocks = epoch_batches(len(self.indices), len(self), self.config.seed, epoch)
        limit, shared = self.config.max_view_entities, self.train and world().size > 1
        for step, block in islice(enumerate(blocks), first_step, None):
            if not self.train and not world().takes(step):
                yield None
                continue
            chosen = self.indices[block]
            places = deal(self.dataset.costs(chosen, limit), world()) if shared else np.arange(len(chosen))
            rngs = [stream(self.config.seed, epoch, step, place) for place in places.tolist()]
            batch = self.dataset.two_views(chosen[places], self.config, rngs, limit)
            yield {**batch, "names": [self.dataset.names[i] for i in chosen]}


class DeepDXFData(FoldedData):
    """The loaders of a DeepDXF run."""

    def __init__(self, config: DeepDXFConfig) -> None:
        super().__init__(config)
        require_set(self.folder.deepdxf, "DeepDXF", "GF_main.py")
        self.dataset = DeepDXFDataset(self.folder.deepdxf)
        self.facts = self.dataset.reading

    def prepare(self, task: DeepDXFTask, fold: int | None) -> None:
        task.fit(self.dataset.features(self._training(fold)))

    def archive(self, fold: int | None) -> Iterator[dict[str, Any]]:
        return (batch for _, batch in self.dataset.plain_batches(self._training(fold), self.config))

    def _training(self, fold: int | None) -> np.ndarray:
        return self.dataset.indices(self.split.training(fold))

    def _loader(self, names: tuple[str, ...], what: str, train: bool) -> DeepDXFLoader:
        indices = self.dataset.indices(names)
        require_drawings(len(indices), what)
        return DeepDXFLoader(self.dataset, indices, self.config.batch_size, self.config, train)
