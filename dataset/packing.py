"""Write the drawings of a data folder into few files, see :mod:`dataset.packed` for what becomes of them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from config.errors import UserError
from dataset.dxf_process_GF import N_CLASSES
from dataset.entities import SCHEMA_VERSION
from dataset.packed import MANIFEST, PACKED_KIND, PACKED_ROW, PACKED_VERSION, changed_since, last_changes, pack_rows
from dataset.sources import Reading, one_reading, output_files
from dataset.storage import (
    GRAPH_KIND,
    SEQUENCE_KIND,
    GraphRecord,
    checked_attributes,
    read_graph,
    read_sequence,
    whole_file,
)
from utils.files import write_json
from utils.progress import progress

GRAPH_ARRAYS = {"features": np.float32, "adjacency": np.uint8, "counts": np.int64, "edge_counts": np.int64}


@dataclass
class Share:
    """The drawings of one shard, by name: those with a graph, and those with a sequence and its number of rows."""

    graphs: list[str] = field(default_factory=list)
    sequences: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Packed:
    """What was packed."""

    graphs: int
    sequences: int
    rows: int
    shards: int


def pack(folder: Path, output: Path, shard_rows: int) -> Packed:
    """Pack the drawings of ``folder`` into ``output``, in place of what was packed there before.

    The manifest is written last and names the new shards: until then the folder is what it was.

    Args:
        shard_rows: most rows of a shard, if no single drawing has more.

    Raises:
        UserError: there are no drawings, they were made with different options or are of another schema, a file is
            damaged, or the folder changes meanwhile.
        OSError: the output cannot be written.
    """
    if any((output / name).exists() for name in ("GF", "DeepDXF")):
        raise UserError(f"{output.resolve()} holds a file for each drawing: name another --output for packed ones")
    changes = last_changes(folder)
    graphs, sequences = output_files(folder / "GF"), output_files(folder / "DeepDXF")
    if not graphs and not sequences:
        raise UserError(
            f"{folder.resolve()} holds no preprocessed drawings: run dataset/dxf_process.py, or correct --input"
        )
    readings, lengths = _survey(graphs, sequences)
    shares = list(_shares(graphs, lengths, shard_rows))
    run = uuid.uuid4().hex[:8]
    names = [f"shard-{run}-{number:05}.h5" for number in range(1, len(shares) + 1)]
    try:
        with progress(None, "packing", total=len(graphs) + len(sequences), unit="file") as bar:
            for name, share in zip(names, shares, strict=True):
                _write_shard(output / name, share, graphs, sequences, bar.update)
        if changed_since(folder, changes):
            raise UserError(f"{folder.resolve()} has changed while it was packed: run this again")
        _write_manifest(output, folder, changes, readings, names)
    finally:
        _remove_unnamed(output)
    return Packed(len(graphs), len(sequences), sum(lengths.values()), len(shares))


def _survey(graphs: dict[str, Path], sequences: dict[str, Path]) -> tuple[dict[str, Reading], dict[str, int]]:
    """The options that each set was made with, and the rows of each sequence. Raises UserError as :func:`pack` does."""
    lengths: dict[str, int] = {}
    found: dict[str, set[tuple[tuple[str, Any], ...]]] = {"GF": set(), "DeepDXF": set()}
    for path in progress(graphs.values(), "looking at graphs", unit="file", leave=False):
        attributes = checked_attributes(path, GRAPH_KIND)
        found["GF"].add((("overlap", str(attributes["overlap"])), _visible_only(attributes)))
    for name, path in progress(sequences.items(), "looking at sequences", unit="file", leave=False):
        attributes = checked_attributes(path, SEQUENCE_KIND)
        found["DeepDXF"].add((_visible_only(attributes),))
        lengths[name] = int(attributes["entity_count"])
    return {group: one_reading(readings) for group, readings in found.items()}, lengths


def _visible_only(attributes: dict[str, Any]) -> tuple[str, bool]:
    return "visible_only", bool(attributes.get("visible_only", False))


def _shares(graphs: dict[str, Path], lengths: dict[str, int], shard_rows: int) -> Iterator[Share]:
    """Deal the drawings out in their order, as many to a share as fit into ``shard_rows``; one at least."""
    share, room = Share(), shard_rows
    for name in sorted({*graphs, *lengths}, key=lambda name: Path(f"{name}.h5")):  # as the files are
        rows = max(lengths.get(name, 0), 1)  # a graph alone takes some room too
        if rows > room and room < shard_rows:
            yield share
            share, room = Share(), shard_rows
        room -= rows
        if name in graphs:
            share.graphs.append(name)
        if name in lengths:
            share.sequences[name] = lengths[name]
    yield share


def _write_shard(
    path: Path, share: Share, graphs: dict[str, Path], sequences: dict[str, Path], tick: Callable[[], Any]
) -> None:
    with whole_file(path) as file:
        file.attrs.update({"kind": PACKED_KIND, "schema_version": SCHEMA_VERSION, "packed_version": PACKED_VERSION})
        _write_graphs(file.create_group("GF"), {name: graphs[name] for name in share.graphs}, tick)
        _write_sequences(file.create_group("DeepDXF"), share, sequences, tick)


def _write_graphs(group: h5py.Group, paths: dict[str, Path], tick: Callable[[], Any]) -> None:
    shapes = dict.fromkeys(GRAPH_ARRAYS, (N_CLASSES, N_CLASSES)) | dict.fromkeys(
        ("features", "counts"), (N_CLASSES, N_CLASSES + 1)
    )
    arrays = {name: np.zeros((len(paths), *shapes[name]), dtype) for name, dtype in GRAPH_ARRAYS.items()}
    origins = []
    for i, path in enumerate(paths.values()):
        record: GraphRecord = read_graph(path)
        for name, array in arrays.items():
            array[i] = getattr(record, name)
        origins.append(_origin(path, GRAPH_KIND))
        tick()
    for name, array in arrays.items():
        group.create_dataset(name, data=array)
    _write_names(group, list(paths), origins)


def _write_sequences(group: h5py.Group, share: Share, sequences: dict[str, Path], tick: Callable[[], Any]) -> None:
    offsets = np.cumsum([0, *share.sequences.values()], dtype=np.int64)
    extents = np.zeros((len(share.sequences), 4))
    rows = group.create_dataset("rows", (offsets[-1],), PACKED_ROW)  # contiguous: see docs/experiments.md
    origins = []
    for i, (name, length) in enumerate(share.sequences.items()):
        record = read_sequence(sequences[name])
        if len(record.dxf_vec) != length:
            raise UserError(f"{sequences[name]} has changed while it was packed: run this again")
        if length:
            rows[offsets[i] : offsets[i + 1]] = pack_rows(record.dxf_vec)
        extents[i] = astuple(record.extents)
        origins.append(_origin(sequences[name], SEQUENCE_KIND))
        tick()
    group.create_dataset("offsets", data=offsets)
    group.create_dataset("extents", data=extents)
    _write_names(group, list(share.sequences), origins)


def _origin(path: Path, kind: str) -> tuple[str, str]:
    """The id of the drawing, and the hash of its bytes where it is known."""
    attributes = checked_attributes(path, kind)
    return str(attributes["source"]), str(attributes.get("content_hash", ""))


def _write_names(group: h5py.Group, names: list[str], origins: list[tuple[str, str]]) -> None:
    columns = {
        "name": names,
        "source": [source for source, _ in origins],
        "content_hash": [content_hash for _, content_hash in origins],
    }
    for column, texts in columns.items():
        # names that are no UTF-8 hold lone surrogates: they are written as the bytes they are
        encoded = [text.encode("utf-8", "surrogateescape") for text in texts]
        group.create_dataset(column, data=encoded, dtype=h5py.string_dtype(), shape=(len(encoded),))


def _write_manifest(
    output: Path, folder: Path, changes: dict[str, int], readings: dict[str, Reading], shards: list[str]
) -> None:
    try:
        origin = os.path.relpath(folder.resolve(), output.resolve())
    except ValueError:  # on another drive
        origin = str(folder.resolve())
    content = {
        "kind": PACKED_KIND,
        "packed_version": PACKED_VERSION,
        "schema_version": SCHEMA_VERSION,
        "readings": readings,
        "made_of": {"folder": origin, "changed": changes},
        "shards": shards,
    }
    write_json(output / MANIFEST, content)


def _remove_unnamed(output: Path) -> None:
    """Remove shards that the manifest does not name: of a run that failed, or of one before this."""
    manifest = output / MANIFEST
    named = manifest.read_text(encoding="utf-8") if manifest.is_file() else ""
    for path in output.glob("shard-????????-?????.h5"):
        if path.name not in named:
            with suppress(OSError):  # Windows keeps what is being read
                path.unlink()
