"""Where training reads its drawings from: a file for each, as preprocessing writes them, or packed ones.

Both say which drawings there are by name, and both give the same arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from config.errors import UserError
from dataset.drawing import Drawing
from dataset.dxf_process_GF import N_CLASSES
from dataset.storage import read_graph, read_sequence
from utils.progress import progress

Reading = dict[str, Any]  # the options that preprocessing read drawings with, as far as they change what is asked for


@dataclass(frozen=True)
class Graphs:
    """N graphs: ``features`` ``[N, 10, 11]`` float32, ``adjacency`` ``[N, 10, 10]`` uint8 without self loops."""

    features: np.ndarray
    adjacency: np.ndarray
    reading: Reading


class Sequences(Protocol):
    """N sequences, each to be asked for."""

    reading: Reading

    def drawing(self, index: int) -> Drawing:
        """One drawing, upright."""

    def lengths(self) -> np.ndarray:
        """How many entities each has, ``[N]``, without reading them."""


class GraphSource(Protocol):
    """The names of drawings that have a graph, and the graphs in the same order."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[str]: ...
    def read(self) -> Graphs:
        """Raises UserError when a file is damaged or they were made with different options."""


class SequenceSource(Protocol):
    """The names of drawings that have a sequence, and the sequences in the same order."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[str]: ...
    def open(self) -> Sequences:
        """Raises UserError as :meth:`GraphSource.read` does."""


class GraphFiles(dict[str, Path]):
    """A graph file for each name."""

    def read(self) -> Graphs:
        features = np.zeros((len(self), N_CLASSES, N_CLASSES + 1), np.float32)
        adjacency = np.zeros((len(self), N_CLASSES, N_CLASSES), np.uint8)
        readings = set()
        for i, path in enumerate(progress(self.values(), "reading graphs", unit="file", leave=False)):
            graph = read_graph(path)
            features[i], adjacency[i] = graph.features, graph.adjacency
            readings.add((("overlap", graph.overlap), ("visible_only", graph.visible_only)))
        return Graphs(features, adjacency, one_reading(readings))


class SequenceFiles(dict[str, Path]):
    """A sequence file for each name."""

    def open(self) -> SequencesInMemory:
        """Every file is opened once, here."""
        drawings, readings = [], set()
        for path in progress(self.values(), "reading sequences", unit="file", leave=False):
            record = read_sequence(path)
            drawings.append(Drawing.of(record))
            readings.add((("visible_only", record.visible_only),))
        return SequencesInMemory(drawings, one_reading(readings))


class SequencesInMemory:
    """Drawings of any length, never padded."""

    def __init__(self, drawings: list[Drawing], reading: Reading) -> None:
        self.reading = reading
        self._drawings = drawings

    def drawing(self, index: int) -> Drawing:
        return self._drawings[index]

    def lengths(self) -> np.ndarray:
        return np.array([len(drawing.rows) for drawing in self._drawings], dtype=np.int64)


def output_files(folder: Path) -> dict[str, Path]:
    """The ``.h5`` files below a folder in a fixed order, by drawing: the path in there without extension."""
    paths = sorted(folder.rglob("*.h5"))
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in paths}


def one_reading(readings: Iterable[tuple[tuple[str, Any], ...]]) -> Reading:
    """The options that all files of a set were made with. Raises :class:`UserError` when there are several."""
    different = set(readings)
    if len(different) > 1:
        options = " and ".join(sorted(", ".join(f"{key} {value}" for key, value in reading) for reading in different))
        raise UserError(
            f"the data was made with different options ({options}): run dataset/dxf_process.py on all drawings again"
        )
    return dict(*different)
