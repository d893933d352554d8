"""What is packed is what lay in the files, whole or not at all, in files of bounded size."""

import json
import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import UserError
from dataset import packing, storage
from dataset.drawing import Drawing
from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.entities import ROW_LENGTH, Extents, model_rows
from dataset.packed import FLAT, PACKED_ROW, PackedFolder, pack_rows, unpack_rows
from dataset.packing import pack
from dataset.storage import StorageError, read_attributes, read_graph, read_sequence, write_sequence
from tests.dataset.building import new_drawing, saved

ROOM = 16_500  # bytes
SCRIPT = Path(__file__).resolve().parents[2] / "dataset" / "dxf_pack.py"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Drawings of 1 to 27 entities in sub-folders, of two there is no graph, two lie on their side."""
    folder = tmp_path_factory.mktemp("data")
    for i in range(7):
        document, space = new_drawing()
        for x in range(i):
            space.add_linear_dim((x, 2), (0, 0), (x + 1234.5, 0)).render()
        space.add_solid([(0, 0), (i + 1, 0), (0, 1)])
        for y in range(20 if i > 4 else 0):
            space.add_text("NiPdAu（旧）", height=30, rotation=90 * (i - 4)).set_placement((30, 60 * y))
        saved(document, folder / "in", f"lot {i % 2}（旧）/QFN [{i}] Rev1.{i}.dxf")
    document, space = new_drawing()
    space.add_solid([(0, 0), (1, 0), (0, 3)])
    saved(document, folder / "in", "solid.dxf")
    process_drawings(ProcessConfig(folder / "in", folder / "data", workers=1))
    with h5py.File(folder / "data" / "DeepDXF" / "solid.h5", "r+") as file:
        file.attrs["stroke_share"] = 2.5  # as if it had more strokes than are kept
    return folder / "data"


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_same_drawing(mine, theirs):
    """All of both drawings, to the last bit."""
    for field in fields(Drawing):
        left, right = getattr(mine, field.name), getattr(theirs, field.name)
        assert type(left) is type(right), field.name
        if isinstance(left, np.ndarray):
            assert left.dtype == right.dtype and left.flags.c_contiguous, field.name
        assert np.array_equal(left, right), field.name


@pytest.mark.parametrize(("shard_bytes", "shards"), [(1, 8), (ROOM, 3), (10**9, 1)])
def test_everything_of_the_files_is_there_by_name(data, tmp_path, shard_bytes, shards):
    packed = pack(data, tmp_path, shard_bytes)
    assert packed.shards == shards
    files = {path.relative_to(data / "DeepDXF").with_suffix("").as_posix() for path in (data / "DeepDXF").rglob("*.h5")}
    folder = PackedFolder(tmp_path)
    assert set(folder.sequences) == files and len(folder.sequences) == packed.sequences == 8
    sequences = folder.sequences.open()
    turned = words = 0
    for i, name in enumerate(folder.sequences):
        record = read_sequence(data / "DeepDXF" / f"{name}.h5")
        drawing = sequences.drawing(i)
        assert_same_drawing(drawing, Drawing.of(record))
        turned += not np.array_equal(drawing.rows, model_rows(record.dxf_vec))
        words += len(drawing.grams)
    assert turned == 2 and words > 100, "the drawings show what may go wrong"
    graphs = folder.graphs.read()
    assert len(folder.graphs) == 6
    for i, name in enumerate(folder.graphs):
        record = read_graph(data / "GF" / f"{name}.h5")
        assert np.array_equal(graphs.features[i], record.features)
        assert np.array_equal(graphs.adjacency[i], record.adjacency)
    assert graphs.reading == {"overlap": "cross", "visible_only": False}
    assert sequences.reading == {"visible_only": False}
    for wrong in (-1, 8):
        with pytest.raises(IndexError):
            sequences.drawing(wrong)


def test_a_shard_says_what_its_drawings_are(data, tmp_path):
    pack(data, tmp_path, ROOM)
    for shard in tmp_path.glob("*.h5"):
        with h5py.File(shard) as file:
            sequences, graphs = file["DeepDXF"], file["GF"]
            offsets = sequences["offsets"][()]
            assert offsets[-1].tolist() == [len(sequences[name]) for name in FLAT]
            assert all(sequences[name].chunks is None and sequences[name].compression is None for name in FLAT)
            held = [data for group in (sequences, graphs) for data in group.values() if data.dtype != object]
            assert sum(data.nbytes for data in held) - offsets.nbytes <= ROOM or len(offsets) == 2
            for group in (sequences, graphs):
                for name, source, digest in zip(group["name"], group["source"], group["content_hash"], strict=True):
                    attributes = read_attributes(data / group.name.strip("/") / f"{name.decode()}.h5")
                    assert attributes["content_hash"] == digest.decode() and attributes["source"] == source.decode()
            for name, extents, share, first, end in zip(
                sequences["name"], sequences["extents"], sequences["stroke_share"], offsets, offsets[1:], strict=False
            ):
                record = read_sequence(data / "DeepDXF" / f"{name.decode()}.h5")
                assert Extents(*extents) == record.extents and share == record.appearance.share
                packed = sequences["rows"][first[0] : end[0]]
                assert np.array_equal(unpack_rows(packed), record.dxf_vec), "no bit is lost"


@given(st.lists(st.tuples(st.integers(-1, 255), st.integers(-1, 2**31 - 1)), max_size=5))
def test_rows_are_packed_without_loss(values):
    rows = np.array([[slot] * (ROW_LENGTH - 1) + [measurement] for slot, measurement in values], np.int32)
    rows = rows.reshape(-1, ROW_LENGTH)
    packed = pack_rows(rows)
    assert packed.dtype == PACKED_ROW and packed.dtype.itemsize == 144
    assert np.array_equal(unpack_rows(packed), rows)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name is Unicode")
def test_a_name_that_is_no_utf_8_stays_what_it_is(data, tmp_path):
    record = read_sequence(next((data / "DeepDXF").rglob("*.h5")))
    name = os.fsdecode(b"Fl\xe4che")
    write_sequence(tmp_path / "data" / "DeepDXF" / f"{name}.h5", replace(record, source=f"{name}.dxf"))
    pack(tmp_path / "data", tmp_path / "packed", 10**9)
    assert list(PackedFolder(tmp_path / "packed").sequences) == [name]


def test_what_was_packed_before_is_replaced_whole_or_not_at_all(data, tmp_path, monkeypatch):
    pack(data, tmp_path, ROOM)
    before = content(tmp_path)
    pack(data, tmp_path, 10**9)
    after = content(tmp_path)
    assert len(after) == 2 and not before.keys() & after.keys() - {"packed.json"}

    written = []

    def full(path, *rest):
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        written.append(path)
        return write_shard(path, *rest)

    write_shard = packing._write_shard
    monkeypatch.setattr(packing, "_write_shard", full)
    with pytest.raises(OSError, match="No space left"):
        pack(data, tmp_path, 1)
    assert content(tmp_path) == after


def test_a_folder_that_changes_meanwhile_is_not_packed(data, tmp_path, monkeypatch):
    def change(*arguments):
        write_shard(*arguments)
        (data / "GF" / "new").mkdir()

    write_shard = packing._write_shard
    monkeypatch.setattr(packing, "_write_shard", change)
    with pytest.raises(UserError, match="has changed while it was packed"):
        pack(data, tmp_path, 10**9)
    (data / "GF" / "new").rmdir()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("key", ["schema_version", "packed_version", "kind"])
def test_another_schema_or_layout_is_refused(data, tmp_path, key):
    pack(data, tmp_path, 10**9)
    manifest = json.loads((tmp_path / "packed.json").read_text())
    (tmp_path / "packed.json").write_text(json.dumps({**manifest, key: 99}))
    with pytest.raises(StorageError, match="99"):
        PackedFolder(tmp_path)
    (tmp_path / "packed.json").write_text(json.dumps(manifest)[:-20])
    with pytest.raises(StorageError, match=r"damaged.*dxf_pack"):
        PackedFolder(tmp_path)


def test_files_of_another_schema_are_refused(data, tmp_path, monkeypatch):
    record = read_sequence(next((data / "DeepDXF").rglob("*.h5")))
    monkeypatch.setattr(storage, "SCHEMA_VERSION", storage.SCHEMA_VERSION + 1)
    write_sequence(tmp_path / "data" / "DeepDXF" / "a.h5", record)
    monkeypatch.undo()
    with pytest.raises(StorageError, match="schema version"):
        pack(tmp_path / "data", tmp_path / "packed", 10**9)
    assert not (tmp_path / "packed").exists()


def test_the_command(data, tmp_path):
    def run(*arguments):
        command = [sys.executable, str(SCRIPT), *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8")

    done = run("--input", data)
    assert done.returncode == 0, done.stderr
    assert "6 graphs and 8 sequences" in done.stdout and "--data_dir packed" in done.stdout
    assert len(PackedFolder(tmp_path / "packed").sequences) == 8
    for wrong, reason in ((("--input", "nowhere"), "dxf_process"), (("--input", data, "--output", data), "--output")):
        failed = run(*wrong)
        assert failed.returncode == 1 and reason in failed.stderr
    assert run("--shard_mb", 0).returncode == 2
