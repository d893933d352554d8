"""DeepDXF's sequences, and batches of two views of each drawing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from config.DeepDXF_config import DeepDXFConfig, DeepDXFModelConfig
from dataset.sources import SequenceSource
from model.data_folder import FoldedData, epoch_batches, require_drawings, require_set
from utils.DeepDXF_utils import Chunk, collate, cut_chunks, drawing_view, sample_chunks
from utils.seeding import stream


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

    def sequence(self, index: int) -> np.ndarray:
        """Rows ``[L, ROW_LENGTH]`` int16 of one drawing, at its own length, see :func:`dataset.entities.model_rows`."""
        return self._sequences.rows(index)

    def two_views(
        self, indices: np.ndarray, config: DeepDXFModelConfig, rng: np.random.Generator, limit: int
    ) -> dict[str, Any]:
        """Two views of each drawing as one batch: all first views, then all second views in the same order.

        Args:
            limit: most entities of a view, 0 for all.
        """
        first, second = [], []
        for index in indices:
            views = _views_of_one(self.sequence(index), config, rng, limit)
            first.append(views[0])
            second.append(views[1])
        return collate([*first, *second])


def _views_of_one(
    rows: np.ndarray, config: DeepDXFModelConfig, rng: np.random.Generator, limit: int
) -> tuple[list[Chunk], list[Chunk]]:
    chunk_size = min(config.chunk_size, limit or config.chunk_size)
    if config.views == "dropout":  # the same rows twice; the two dropout masks make the difference
        chunks = sample_chunks(cut_chunks(rows, chunk_size), limit, rng)
        return chunks, chunks
    views = (sample_chunks(cut_chunks(drawing_view(rows, rng), chunk_size), limit, rng) for _ in range(2))
    return next(views), next(views)


class DeepDXFLoader:
    """Batches of two views: every drawing once an epoch. Training views are new every epoch, others always equal."""

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

    def epoch(self, epoch: int) -> Iterator[dict[str, Any]]:
        epoch = epoch if self.train else 0
        blocks = epoch_batches(len(self.indices), len(self), self.config.seed, epoch)
        limit = self.config.max_train_entities if self.train else 0
        for step, block in enumerate(blocks):
            chosen = self.indices[block]
            batch = self.dataset.two_views(chosen, self.config, stream(self.config.seed, epoch, step), limit)
            yield {**batch, "names": [self.dataset.names[i] for i in chosen]}


class DeepDXFData(FoldedData):
    """The loaders of a DeepDXF run."""

    def __init__(self, config: DeepDXFConfig) -> None:
        super().__init__(config)
        require_set(self.folder.deepdxf, "DeepDXF", "GF_main.py")
        self.dataset = DeepDXFDataset(self.folder.deepdxf)
        self.facts = self.dataset.reading

    def _loader(self, names: tuple[str, ...], what: str, train: bool) -> DeepDXFLoader:
        indices = self.dataset.indices(names)
        require_drawings(len(indices), what)
        return DeepDXFLoader(self.dataset, indices, self.config.batch_size, self.config, train)
