"""Files on disk are whole or not there, and say what is wrong with them."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from dataset import storage
from dataset.appearance import Appearance, appearance
from dataset.dxf_process_GF import gf_adjacency, gf_features
from dataset.entities import ROW_LENGTH, SCHEMA_VERSION, Extents
from dataset.storage import (
    GraphRecord,
    SequenceRecord,
    StorageError,
    read_graph,
    read_sequence,
    write_graph,
    write_sequence,
)

NAME = "DFN6LCG(NiPdAu)（321）-517  Rev1_4 [1].h5"


def sequence(rows=5, graph=True):
    rng = np.random.default_rng(0)
    vec = rng.integers(-1, 256, (rows, ROW_LENGTH)).astype(np.int32)
    counts = rng.integers(0, 9, (10, 11)) if graph else None
    edges = rng.integers(0, 9, (10, 10)) if graph else None
    strokes = [rng.random((3, 5)) for _ in range(rows)]
    texts = [["Lötfläche", "铜 0.5"], *[[]] * (rows - 1)] if graph else [[]] * rows
    seen = appearance(strokes, texts, Extents(-1.5, 2, 3, 4))
    return SequenceRecord(
        vec, "sub/图纸 1.DXF", Extents(-1.5, 2, 3, 4), ("SH1", "块"), "cross", counts, edges, appearance=seen
    )


def graph():
    record = sequence()
    counts, edges = record.gf_counts, record.gf_edge_counts
    return GraphRecord(gf_features(counts), gf_adjacency(edges), counts, edges, "a.dxf", "intersects")


def assert_equal(left, right):
    for name, value in vars(left).items():
        if isinstance(value, Appearance):
            assert_equal(value, getattr(right, name))
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, getattr(right, name))
            assert value.dtype == getattr(right, name).dtype
        else:
            assert value == getattr(right, name)


@pytest.mark.parametrize("record", [sequence(), sequence(1), sequence(3000, graph=False)])
def test_sequence_comes_back(tmp_path, record):
    write_sequence(tmp_path / "sub" / NAME, record)
    assert_equal(record, read_sequence(tmp_path / "sub" / NAME))
    with h5py.File(tmp_path / "sub" / NAME) as file:
        assert file["dxf_vec"].dtype == np.int32 and file["dxf_vec"].shape == (record.entity_count, ROW_LENGTH)
        assert file.attrs["source"] == record.source and file.attrs["schema_version"] == SCHEMA_VERSION
        assert file.attrs["entity_count"] == record.entity_count and file.attrs["extents"].tolist() == [-1.5, 2, 3, 4]


def test_graph_comes_back(tmp_path):
    write_graph(tmp_path / NAME, graph())
    assert_equal(graph(), read_graph(tmp_path / NAME))


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / NAME
    write_sequence(path, sequence(3))
    bad = sequence(4)
    monkeypatch.setitem(vars(bad), "gf_counts", "not an array")
    with pytest.raises((TypeError, ValueError)):
        write_sequence(path, bad)
    assert read_sequence(path).entity_count == 3
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("size", [0, 100])
def test_a_killed_write_is_not_taken_for_an_output(tmp_path, monkeypatch, size):
    def killed(path, content):
        with path.open("wb") as file:
            file.write(content[:size])
        assert not list(tmp_path.glob("*.h5")) and len(list(tmp_path.iterdir())) == 1
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", killed)
    with pytest.raises(KeyboardInterrupt), storage.whole_file(tmp_path / "a.h5"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_another_schema_is_a_clear_error(tmp_path, monkeypatch):
    path = tmp_path / NAME
    write_sequence(path, sequence())
    monkeypatch.setattr(storage, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    with pytest.raises(
        StorageError, match=rf"Rev1_4.*schema version {SCHEMA_VERSION}.*{SCHEMA_VERSION + 1}.*dxf_process"
    ):
        read_sequence(path)


def test_foreign_truncated_and_incomplete_files_are_clear_errors(tmp_path):
    good, path = tmp_path / "good.h5", tmp_path / NAME
    write_sequence(good, sequence(500))
    for content in (b"", b"no HDF5 at all", good.read_bytes()[:-100], good.read_bytes()[:600]):
        path.write_bytes(content)
        with pytest.raises(StorageError, match="Rev1_4"):
            read_sequence(path)
    with h5py.File(path, "w") as file:
        file["weights"] = [1, 2]
    with pytest.raises(StorageError, match="foreign"):
        read_sequence(path)
    write_graph(path, graph())
    with pytest.raises(StorageError, match="GF graph"):
        read_sequence(path)
    write_sequence(path, sequence())
    with h5py.File(path, "r+") as file:
        del file["dxf_vec"]
    with pytest.raises(StorageError, match="dxf_vec"):
        read_sequence(path)
    with h5py.File(path, "r+") as file:
        file["dxf_vec"] = np.zeros((5, 3), dtype=np.int32)
    with pytest.raises(StorageError, match="dxf_vec"):
        read_sequence(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        read_graph(tmp_path / "absent.h5")
