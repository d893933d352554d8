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
from dataset.packed import (
    FLAT,
    MANIFEST,
    PACKED_KIND,
    PACKED_VERSION,
    changed_since,
    last_changes,
    pack_grams,
    pack_rows,
    pack_strokes,
)
from dataset.sources import Reading, one_reading, output_files
from dataset.storage import (
    GRAPH_KIND,
    SEQUENCE_KIND,
    checked_attributes,
    read_graph,
    read_sequence,
    whole_file,
)
from utils.files import write_json
from utils.progress import progress

# what a set of which a shard has no drawing consists of
NO_GRAPHS = {
    "features": np.zeros((0, N_CLASSES, N_CLASSES + 1), np.float32),
    "adjacency": np.zeros((0, N_CLASSES, N_CLASSES), np.uint8),
    "counts": np.zeros((0, N_CLASSES, N_CLASSES + 1), np.int64),
    "edge_counts": np.zeros((0, N_CLASSES, N_CLASSES), np.int64),
}
NO_SEQUENCES = {
    **{name: np.zeros(0, dtype) for name, dtype in FLAT.items()},
    "extents": np.zeros((0, 4)),
    "stroke_share": np.zeros(0),
}


@dataclass(frozen=True)
class Entry:
    """One drawing of one set: its name, where it came from, and what it adds to each data set of the shard."""

    name: str
    origin: tuple[str, str]  # the id of the drawing, and the hash of its bytes where it is known
    arrays: dict[str, np.ndarray]

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(array.nbytes for array in self.arrays.values())


@dataclass
class Share:
    """The drawings of one shard."""

    graphs: list[Entry] = field(default_factory=list)
    sequences: list[Entry] = field(default_factory=list)


@dataclass(frozen=True)
class Packed:
    """What was packed."""

    graphs: int
    sequences: int
    rows: int
    shards: int


def pack(folder: Path, output: Path, shard_bytes: int) -> Packed:
    """Pack the drawings of ``folder`` into ``output``, in place of what was packed there before.

    The manifest is written last and names the new shards: until then the folder is what it was.

    Args:
        shard_bytes: most bytes of a shard's drawings, if no single one has more; a few times as much memory is needed.

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
    readings = _survey(graphs, sequences)
    run = uuid.uuid4().hex[:8]
    shards: list[str] = []
    rows = 0
    try:
        with progress(None, "packing", total=len(graphs) + len(sequences), unit="file") as bar:
            for share in _shares(graphs, sequences, shard_bytes, bar.update):
                shards.append(f"shard-{run}-{len(shards) + 1:05}.h5")
                _write_shard(output / shards[-1], share)
                rows += sum(len(entry.arrays["rows"]) for entry in share.sequences)
        if changed_since(folder, changes):
            raise UserError(f"{folder.resolve()} has changed while it was packed: run this again")
        _write_manifest(output, folder, changes, readings, shards)
    finally:
        _remove_unnamed(output)
    return Packed(len(graphs), len(sequences), rows, len(shards))


def _survey(graphs: dict[str, Path], sequences: dict[str, Path]) -> dict[str, Reading]:
    """The options that each set was made with. Raises UserError as :func:`pack` does."""
    found: dict[str, set[tuple[tuple[str, Any], ...]]] = {"GF": set(), "DeepDXF": set()}
    for path in progress(graphs.values(), "looking at graphs", unit="file", leave=False):
        attributes = checked_attributes(path, GRAPH_KIND)
        found["GF"].add((("overlap", str(attributes["overlap"])), _visible_only(attributes)))
    for path in progress(sequences.values(), "looking at sequences", unit="file", leave=False):
        found["DeepDXF"].add((_visible_only(checked_attributes(path, SEQUENCE_KIND)),))
    return {group: one_reading(readings) for group, readings in found.items()}


def _visible_only(attributes: dict[str, Any]) -> tuple[str, bool]:
    return "visible_only", bool(attributes.get("visible_only", False))


def _shares(
    graphs: dict[str, Path], sequences: dict[str, Path], shard_bytes: int, tick: Callable[[], Any]
) -> Iterator[Share]:
    """Deal the drawings out in their order, as many to a share as fit into ``shard_bytes``; one at least."""
    share, room = Share(), shard_bytes
    for name in sorted({*graphs, *sequences}, key=lambda name: Path(f"{name}.h5")):  # as the files are
        graph = [_graph(name, graphs[name])] if name in graphs else []
        sequence = [_sequence(name, sequences[name])] if name in sequences else []
        size = sum(entry.size for entry in (*graph, *sequence))
        if size > room and (share.graphs or share.sequences):
            yield share
            share, room = Share(), shard_bytes
        room -= size
        share.graphs += graph
        share.sequences += sequence
        for _ in (*graph, *sequence):
            tick()
    yield share


def _graph(name: str, path: Path) -> Entry:
    record = read_graph(path)
    return Entry(name, _origin(path, GRAPH_KIND), {array: getattr(record, array)[None] for array in NO_GRAPHS})


def _sequence(name: str, path: Path) -> Entry:
    record = read_sequence(path)
    arrays = {
        "rows": pack_rows(record.dxf_vec),
        "strokes": pack_strokes(record.appearance),
        "grams": pack_grams(record.appearance),
        "extents": np.array([astuple(record.extents)]),
        "stroke_share": np.array([record.appearance.share]),
    }
    return Entry(name, _origin(path, SEQUENCE_KIND), arrays)


def _write_shard(path: Path, share: Share) -> None:
    with whole_file(path) as file:
        file.attrs.update({"kind": PACKED_KIND, "schema_version": SCHEMA_VERSION, "packed_version": PACKED_VERSION})
        _write_entries(file.create_group("GF"), share.graphs, NO_GRAPHS)
        group = file.create_group("DeepDXF")
        _write_entries(group, share.sequences, NO_SEQUENCES)
        lengths = [[len(entry.arrays[name]) for name in FLAT] for entry in share.sequences]
        offsets = np.concatenate(
            [np.zeros((1, len(FLAT)), np.int64), np.array(lengths, np.int64).reshape(-1, len(FLAT))]
        )
        group.create_dataset("offsets", data=offsets.cumsum(axis=0))


def _write_entries(group: h5py.Group, entries: list[Entry], nothing: dict[str, np.ndarray]) -> None:
    for name, empty in nothing.items():  # contiguous and uncompressed: see docs/experiments.md
        group.create_dataset(name, data=np.concatenate([empty, *(entry.arrays[name] for entry in entries)]))
    columns = {
        "name": [entry.name for entry in entries],
        "source": [entry.origin[0] for entry in entries],
        "content_hash": [entry.origin[1] for entry in entries],
    }
    for column, texts in columns.items():
        # names that are no UTF-8 hold lone surrogates: they are written as the bytes they are
        encoded = [text.encode("utf-8", "surrogateescape") for text in texts]
        group.create_dataset(column, data=encoded, dtype=h5py.string_dtype(), shape=(len(encoded),))


def _origin(path: Path, kind: str) -> tuple[str, str]:
    attributes = checked_attributes(path, kind)
    return str(attributes["source"]), str(attributes.get("content_hash", ""))


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
