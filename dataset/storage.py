"""Drawings on disk: one HDF5 file a drawing and encoder, written whole or not at all.

The layout of both kinds of file is what :func:`write_sequence` and :func:`write_graph` say; nothing is pickled.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np

from config.errors import UserError
from dataset.appearance import NOTHING_SEEN, Appearance
from dataset.dxf_process_GF import N_CLASSES
from dataset.entities import ROW_LENGTH, SCHEMA_VERSION, Extents

SEQUENCE_KIND = "DeepDXF sequence"
GRAPH_KIND = "GF graph"
TEMPORARY_SUFFIX = ".partial"  # never .h5, so that what a killed run leaves behind is not taken for an output


APPEARANCE = {"strokes": np.float32, "ink": np.uint8, "stroke_owner": np.int32, "text_owner": np.int32}

Content = TypeVar("Content")


class StorageError(UserError, ValueError):
    """A file is not what it should be; the message names it, the reason and the way out."""


@dataclass(frozen=True)
class SequenceRecord:
    """One drawing's sequence, and its raw graph so that one file serves both encoders.

    ``dxf_vec`` ``[L, ROW_LENGTH]`` int32; ``gf_counts`` ``[10, 11]`` and ``gf_edge_counts`` ``[10, 10]`` int64, both
    None for a drawing without GF class entities; ``source`` is the drawing's id, its path relative to the input folder.
    """

    dxf_vec: np.ndarray
    source: str
    extents: Extents
    opened_blocks: tuple[str, ...]
    overlap: str
    gf_counts: np.ndarray | None = None
    gf_edge_counts: np.ndarray | None = None
    visible_only: bool = False
    appearance: Appearance = NOTHING_SEEN

    @property
    def entity_count(self) -> int:
        return len(self.dxf_vec)


@dataclass(frozen=True)
class GraphRecord:
    """One drawing's graph: ``features`` ``[10, 11]`` float32, ``adjacency`` ``[10, 10]`` uint8 without self loops,
    and the raw ``counts`` and ``edge_counts`` (int64) that both can be computed from again."""

    features: np.ndarray
    adjacency: np.ndarray
    counts: np.ndarray
    edge_counts: np.ndarray
    source: str
    overlap: str
    visible_only: bool = False


def write_sequence(path: Path, record: SequenceRecord, notes: Mapping[str, Any] | None = None) -> None:
    """Write a sequence file; an existing one is replaced. Raises OSError if that fails.

    Args:
        notes: further attributes, see :mod:`dataset.resume`.
    """
    with whole_file(path) as file:
        attributes = {
            **(notes or {}),
            "kind": SEQUENCE_KIND,
            "schema_version": SCHEMA_VERSION,
            "source": record.source,
            "extents": np.array(astuple(record.extents), dtype=np.float64),  # min_x, min_y, width, height
            "entity_count": record.entity_count,
            "opened_blocks": json.dumps(record.opened_blocks),
            "overlap": record.overlap,
            "visible_only": record.visible_only,
            "stroke_share": record.appearance.share,
        }
        set_attributes(file, attributes)
        packing = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
        file.create_dataset("dxf_vec", data=record.dxf_vec, dtype=np.int32, **packing)
        for name, dtype in APPEARANCE.items():
            file.create_dataset(name, data=getattr(record.appearance, name), dtype=dtype, **packing)
        texts = [text.encode("utf-8", "surrogateescape") for text in record.appearance.texts]
        file.create_dataset("texts", data=texts, dtype=h5py.string_dtype())
        if record.gf_counts is not None:
            file.create_dataset("gf_counts", data=record.gf_counts, dtype=np.int64)
            file.create_dataset("gf_edge_counts", data=record.gf_edge_counts, dtype=np.int64)


def read_sequence(path: Path) -> SequenceRecord:
    """Read a sequence file.

    Raises:
        FileNotFoundError: there is no such file.
        StorageError: it is no sequence file, is damaged, or was written under another schema.
    """
    return _read(path, SEQUENCE_KIND, _sequence)


def read_sequence_and_hash(path: Path) -> tuple[SequenceRecord, str]:
    """As :func:`read_sequence`, and the hash of the drawing's bytes as preprocessing noted it, empty if it did not."""
    return _read(path, SEQUENCE_KIND, lambda file: (_sequence(file), str(file.attrs.get("content_hash", ""))))


def _sequence(file: h5py.File) -> SequenceRecord:
    return SequenceRecord(
        dxf_vec=_array(file, "dxf_vec", (file.attrs["entity_count"], ROW_LENGTH), np.int32),
        source=str(file.attrs["source"]),
        extents=Extents(*map(float, file.attrs["extents"])),
        opened_blocks=tuple(json.loads(file.attrs["opened_blocks"])),
        overlap=str(file.attrs["overlap"]),
        gf_counts=_array(file, "gf_counts", (N_CLASSES, N_CLASSES + 1), np.int64) if "gf_counts" in file else None,
        gf_edge_counts=_array(file, "gf_edge_counts", (N_CLASSES, N_CLASSES), np.int64)
        if "gf_counts" in file
        else None,
        visible_only=bool(file.attrs.get("visible_only", False)),
        appearance=Appearance(
            **{name: file[name][()] for name in APPEARANCE},
            share=float(file.attrs["stroke_share"]),
            texts=tuple(text.decode("utf-8", "surrogateescape") for text in file["texts"][()]),
        ),
    )


def write_graph(path: Path, record: GraphRecord, notes: Mapping[str, Any] | None = None) -> None:
    """Write a graph file; an existing one is replaced. Raises OSError if that fails. ``notes`` as above."""
    with whole_file(path) as file:
        attributes = {
            **(notes or {}),
            "kind": GRAPH_KIND,
            "schema_version": SCHEMA_VERSION,
            "source": record.source,
            "overlap": record.overlap,
            "visible_only": record.visible_only,
        }
        set_attributes(file, attributes)
        file.create_dataset("features", data=record.features, dtype=np.float32)
        file.create_dataset("adjacency", data=record.adjacency, dtype=np.uint8)
        file.create_dataset("counts", data=record.counts, dtype=np.int64)
        file.create_dataset("edge_counts", data=record.edge_counts, dtype=np.int64)


def read_graph(path: Path) -> GraphRecord:
    """Read a graph file. Raises as :func:`read_sequence` does."""
    return _read(path, GRAPH_KIND, _graph)


def _graph(file: h5py.File) -> GraphRecord:
    return GraphRecord(
        features=_array(file, "features", (N_CLASSES, N_CLASSES + 1), np.float32),
        adjacency=_array(file, "adjacency", (N_CLASSES, N_CLASSES), np.uint8),
        counts=_array(file, "counts", (N_CLASSES, N_CLASSES + 1), np.int64),
        edge_counts=_array(file, "edge_counts", (N_CLASSES, N_CLASSES), np.int64),
        source=str(file.attrs["source"]),
        overlap=str(file.attrs["overlap"]),
        visible_only=bool(file.attrs.get("visible_only", False)),
    )


def set_attributes(file: h5py.File, attributes: Mapping[str, Any]) -> None:
    """Names that are no UTF-8 hold lone surrogates: they are written as the bytes they are, as h5py reads them."""
    for name, value in attributes.items():
        if isinstance(value, str):
            file.attrs.create(name, value.encode("utf-8", "surrogateescape"), dtype=h5py.string_dtype())
        else:
            file.attrs[name] = value


def read_attributes(path: Path) -> dict[str, Any] | None:
    """All attributes of an output, of whatever schema version; None if there is no such file or it is damaged."""
    try:
        with h5py.File(path, "r") as file:
            return dict(file.attrs)
    except (OSError, RuntimeError):
        return None


def checked_attributes(path: Path, kind: str) -> dict[str, Any]:
    """All attributes of an output of this kind. Raises as :func:`read_sequence` does."""
    return _read(path, kind, lambda file: dict(file.attrs))


@contextmanager
def whole_file(path: Path) -> Iterator[h5py.File]:
    """A new HDF5 file that gets its name only when it is complete. Raises OSError if that fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # the name is short whatever the drawing's is: some names are as long as the file system allows
    temporary = path.parent / f".{uuid.uuid4().hex}{TEMPORARY_SUFFIX}"
    try:
        # made in memory: on a full disk HDF5 fails in ways of its own, with tracebacks that nobody can catch
        with h5py.File(temporary.name, "w", driver="core", backing_store=False) as file:
            yield file
            file.flush()
            content = file.id.get_file_image()
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _read(path: Path, kind: str, build: Callable[[h5py.File], Content]) -> Content:
    path = Path(path)
    again = "run dataset/dxf_process.py on the drawing again"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        with h5py.File(path, "r") as file:
            found = file.attrs.get("kind")
            if found != kind:
                raise StorageError(f"{path}: is not a {kind} file but {found or 'something foreign'}; {again}")
            version = int(file.attrs["schema_version"])
            if version != SCHEMA_VERSION:
                raise StorageError(f"{path}: has schema version {version}, this program {SCHEMA_VERSION}; {again}")
            return build(file)
    except (OSError, KeyError, TypeError) as error:
        raise StorageError(f"{path}: is damaged or not HDF5 ({error}); {again}") from error


def _array(file: h5py.File, name: str, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    array = file[name][()]
    if array.shape != shape or array.dtype != dtype:
        raise KeyError(f"{name} is {array.dtype} {array.shape}, not {np.dtype(dtype)} {shape}")
    return array
