"""DeepDXF's sequences in memory as flat rows and offsets, and batches of two views of each drawing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from config.DeepDXF_config import DeepDXFConfig, DeepDXFModelConfig
from dataset.entities import ROW_LENGTH, model_rows
from dataset.storage import read_sequence
from model.data_folder import FoldedData, epoch_batches, one_reading, require_drawings, require_set
from utils.DeepDXF_utils import Chunk, collate, cut_chunks, drawing_view, sample_chunks
from utils.progress import progress
from utils.seeding import stream


class DeepDXFDataset:
    """All sequences of a folder. Every file is opened once, at the start, and never padded in memory.

    Attributes:
        names: N drawing names.
        rows: ``[total, ROW_LENGTH]`` int16, see :func:`dataset.entities.model_rows`.
        offsets: ``[N + 1]``; drawing i owns ``rows[offsets[i]:offsets[i + 1]]``.
        reading: the options that preprocessing read all of them with, as far as they change a sequence.
    """

    def __init__(self, paths: dict[str, Path]) -> None:
        self.names = list(paths)
        bar = progress(paths.values(), "reading sequences", unit="file", leave=False)
        parts, readings = [], set()
        for path in bar:
            record = read_sequence(path)
            parts.append(model_rows(record.dxf_vec))
            readings.add((("visible_only", record.visible_only),))
        self.reading = one_reading(readings)
        self.offsets = np.cumsum([0, *(len(part) for part in parts)])
        self.rows = np.concatenate(parts) if parts else np.zeros((0, ROW_LENGTH), np.int16)
        self._index = {name: i for i, name in enumerate(self.names)}

    def indices(self, names: Sequence[str]) -> np.ndarray:
        """Positions of those of ``names`` that have a sequence, in the order of ``names``."""
        return np.array([self._index[name] for name in names if name in self._index], dtype=np.int64)

    def sequence(self, index: int) -> np.ndarray:
        """Rows ``[L, ROW_LENGTH]`` of one drawing, at its own length."""
        return self.rows[self.offsets[index] : self.offsets[index + 1]]

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
