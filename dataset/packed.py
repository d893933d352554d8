"""Many drawings in few files, for training: what :mod:`dataset.packing` writes, read without a file for each drawing.

A packed folder holds shards and ``packed.json``, which names them. A shard holds the rows, the strokes and the hashed
words of its drawings, each of the three flat with offsets, neither compressed nor cut into HDF5 chunks, so that one
drawing is three reads of exactly its bytes, and their graphs beside them. Names stay in memory, and graphs once read;
drawings stay on the disk.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from dataset.appearance import Appearance
from dataset.drawing import Drawing, hashed_grams
from dataset.dxf_process_GF import N_CLASSES
from dataset.entities import MEASUREMENT_COLUMN, ROW_LENGTH, SCHEMA_VERSION, Extents, measurement_bins
from dataset.sources import Graphs, Reading
from dataset.storage import StorageError

PACKED_KIND = "packed drawings"
PACKED_VERSION = 3  # of the layout and of what the numbers say; raise it when one changes
MANIFEST = "packed.json"
MOST_OPEN = 256  # shards at once in a process

assert MEASUREMENT_COLUMN == ROW_LENGTH - 1
# a stored row without loss in half the bytes: only the measurement exceeds 16 bits
PACKED_ROW = np.dtype([("type_and_slots", "<i2", (ROW_LENGTH - 1,)), ("measurement", "<i4")])
PACKED_STROKE = np.dtype([("ends", "<f4", (4,)), ("owner", "<i4"), ("ink", "u1")])
PACKED_GRAM = np.dtype([("owner", "<i4"), ("bucket", "<u2")])
FLAT = {"rows": PACKED_ROW, "strokes": PACKED_STROKE, "grams": PACKED_GRAM}  # in the order of the offsets' columns


def pack_rows(dxf_vec: np.ndarray) -> np.ndarray:
    """``[L, ROW_LENGTH]`` int32, as in a sequence file, to ``[L]`` of ``PACKED_ROW``."""
    packed = np.empty(len(dxf_vec), PACKED_ROW)
    packed["type_and_slots"] = dxf_vec[:, :-1]
    packed["measurement"] = dxf_vec[:, -1]
    return packed


def unpack_rows(packed: np.ndarray) -> np.ndarray:
    """The opposite of :func:`pack_rows`."""
    dxf_vec = np.empty((len(packed), ROW_LENGTH), np.int32)
    dxf_vec[:, :-1] = packed["type_and_slots"]
    dxf_vec[:, -1] = packed["measurement"]
    return dxf_vec


def pack_strokes(seen: Appearance) -> np.ndarray:
    """``[S]`` of ``PACKED_STROKE``."""
    packed = np.empty(len(seen.strokes), PACKED_STROKE)
    packed["ends"], packed["owner"], packed["ink"] = seen.strokes, seen.stroke_owner, seen.ink
    return packed


def pack_grams(seen: Appearance) -> np.ndarray:
    """The hashed n-grams of the texts, ``[K]`` of ``PACKED_GRAM``."""
    buckets, owner = hashed_grams(seen.texts, seen.text_owner)
    packed = np.empty(len(buckets), PACKED_GRAM)
    packed["bucket"], packed["owner"] = buckets, owner
    return packed


class PackedFolder:
    """What a packed folder holds.

    Attributes:
        graphs: names and graphs, see :class:`dataset.sources.GraphSource`.
        sequences: names and sequences, see :class:`dataset.sources.SequenceSource`.

    Raises:
        StorageError: it is damaged, or was packed under another schema.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._manifest = _read_manifest(path)
        shards = [path / name for name in self._manifest["shards"]]
        self.graphs = PackedGraphs(shards, self._manifest["readings"]["GF"])
        self.sequences = PackedSequences(shards, self._manifest["readings"]["DeepDXF"])

    @property
    def is_outdated(self) -> bool:
        """Whether the folder it was made of has changed since. One that is not there, or not any more, has not."""
        made_of = self._manifest["made_of"]
        origin = self._path / made_of["folder"]
        return origin.is_dir() and changed_since(origin, made_of["changed"])

    @property
    def origin(self) -> Path:
        """The folder it was made of."""
        return Path(os.path.normpath(self._path / self._manifest["made_of"]["folder"]))


def is_packed(folder: Path) -> bool:
    return (folder / MANIFEST).is_file()


def last_changes(folder: Path) -> dict[str, int]:
    """When each sub-folder of a data folder has last changed, in nanoseconds.

    An output is written under another name and renamed, so writing it, renewing it or removing it changes its folder.
    """
    roots = (folder / "GF", folder / "DeepDXF")
    folders = [Path(path) for root in roots if root.is_dir() for path, _, _ in os.walk(root)]
    return {path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in folders}


def changed_since(folder: Path, changes: dict[str, int]) -> bool:
    """Whether anything was written or removed since :func:`last_changes`; asks for known folders only, not for files.

    A new folder has changed the one it lies in.
    """
    try:
        return any((folder / name).stat().st_mtime_ns != changed for name, changed in changes.items())
    except FileNotFoundError:
        return True


class _Packed:
    """The names of one set, over all shards, in the order of packing."""

    def __init__(self, shards: list[Path], reading: Reading, group: str) -> None:
        self._shards, self._reading = shards, reading
        self._names: list[str] = []
        self._starts = [0]  # of each shard's drawings, and the end
        for path in shards:
            self._names += [name.decode("utf-8", "surrogateescape") for name in _shard(path)[group]["name"]]
            self._starts.append(len(self._names))

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)


class PackedGraphs(_Packed):
    """Names of packed graphs, and the graphs."""

    def __init__(self, shards: list[Path], reading: Reading) -> None:
        super().__init__(shards, reading, "GF")

    def read(self) -> Graphs:
        """All of them. Raises StorageError if a shard is damaged."""
        features = np.zeros((len(self), N_CLASSES, N_CLASSES + 1), np.float32)
        adjacency = np.zeros((len(self), N_CLASSES, N_CLASSES), np.uint8)
        for i, path in enumerate(self._shards):
            part = slice(self._starts[i], self._starts[i + 1])
            features[part], adjacency[part] = _shard(path)["GF"]["features"], _shard(path)["GF"]["adjacency"]
        return Graphs(features, adjacency, self._reading)


class PackedSequences(_Packed):
    """Names of packed sequences, and the sequences; a drawing is read when it is asked for."""

    def __init__(self, shards: list[Path], reading: Reading) -> None:
        super().__init__(shards, reading, "DeepDXF")

    def open(self) -> DrawingsOnDisk:
        return DrawingsOnDisk(tuple(self._shards), np.array(self._starts), self._reading)


@dataclass(frozen=True)
class DrawingsOnDisk:
    """Sequences in shards, see :class:`dataset.sources.Sequences`.

    It holds no open file, so that it can be pickled and goes to other processes, forked or not: each opens a shard when
    it first reads from it.
    """

    shards: tuple[Path, ...]
    starts: np.ndarray
    reading: Reading

    def drawing(self, index: int) -> Drawing:
        """One drawing, upright. Raises IndexError if there is none."""
        if not 0 <= index < self.starts[-1]:
            raise IndexError(f"there are {self.starts[-1]} sequences, no number {index}")
        number = int(np.searchsorted(self.starts, index, side="right")) - 1
        group = _shard(self.shards[number])["DeepDXF"]
        position = index - self.starts[number]
        first, end = group["offsets"][position : position + 2]
        rows, strokes, grams = (group[name][first[i] : end[i]] for i, name in enumerate(FLAT))
        extents = Extents(*group["extents"][position].tolist())
        return Drawing(
            rows=_model_rows(rows),
            strokes=np.ascontiguousarray(strokes["ends"]),
            ink=np.ascontiguousarray(strokes["ink"]),
            stroke_owner=np.ascontiguousarray(strokes["owner"]),
            share=float(group["stroke_share"][position]),
            grams=np.ascontiguousarray(grams["bucket"]),
            gram_owner=np.ascontiguousarray(grams["owner"]),
            side=extents.side,
        ).upright(extents)

    def lengths(self) -> np.ndarray:
        return np.concatenate([np.diff(_shard(path)["DeepDXF"]["offsets"][:, 0]) for path in self.shards])


def _model_rows(packed: np.ndarray) -> np.ndarray:
    """``model_rows(unpack_rows(packed))`` without the way round."""
    rows = np.empty((len(packed), ROW_LENGTH), np.int16)
    rows[:, :-1] = packed["type_and_slots"]
    rows[:, -1] = measurement_bins(packed["measurement"])
    return rows


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    again = "run dataset/dxf_pack.py again"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        versions = {"schema_version": SCHEMA_VERSION, "packed_version": PACKED_VERSION}
        if manifest["kind"] != PACKED_KIND:
            raise StorageError(f"{path}: is not of {PACKED_KIND} but of {manifest['kind']}")
        for name, version in versions.items():
            if manifest[name] != version:
                raise StorageError(f"{path}: has {name} {manifest[name]}, this program {version}; {again}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"{path}: is damaged ({error!r}); {again}") from error
    return manifest


def _shard(path: Path) -> dict[str, dict[str, Any]]:
    return opened_shard(path, os.getpid())


@lru_cache(maxsize=MOST_OPEN)
def opened_shard(path: Path, process: int) -> dict[str, dict[str, Any]]:
    """A shard's data sets, small and often needed ones in memory. HDF5's state does not survive a fork, so every
    ``process`` opens its own."""
    try:
        file = h5py.File(path, "r")
        if file.attrs["kind"] != PACKED_KIND:
            raise KeyError("kind")
        sequences, graphs = dict(file["DeepDXF"]), dict(file["GF"])
        for name in ("offsets", "extents", "stroke_share"):
            sequences[name] = sequences[name][()]
        for name, end in zip(FLAT, sequences["offsets"][-1], strict=True):
            if sequences[name].dtype != FLAT[name] or len(sequences[name]) != end:
                raise KeyError(name)
        return {"DeepDXF": sequences, "GF": graphs}
    except (OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise StorageError(f"{path}: is damaged or missing ({error}); run dataset/dxf_pack.py again") from error
