"""Training on a packed folder is training on the folder it was made of, bit for bit."""

import logging
import multiprocessing
import os
import pickle
import tracemalloc

import numpy as np
import pytest

from config.DeepDXF_config import DeepDXFConfig
from config.errors import UserError
from config.GF_config import GFConfig
from config.joint_config import JointConfig
from dataset.entities import Extents, make_row
from dataset.packed import PackedFolder, opened_shard
from dataset.packing import pack
from dataset.storage import SequenceRecord, write_sequence
from model.data_folder import DataFolder
from model.DeepDXF_dataset import DeepDXFData, DeepDXFDataset
from model.GF_dataset import GFData
from model.joint_dataset import JointDataLoader
from tests.model.batches import assert_same
from tests.model.test_loaders import data_dir  # noqa: F401 - a fixture

LOADERS = {
    "gf": lambda folder: GFData(GFConfig(data_dir=folder, n_folds=3, batch_size=6)),
    "deepdxf": lambda folder: DeepDXFData(DeepDXFConfig(data_dir=folder, n_folds=3, batch_size=4, chunk_size=8)),
    "joint": lambda folder: JointDataLoader(JointConfig(data_dir=folder, n_folds=3, gf_batch_pairs=3)),
}


@pytest.fixture(scope="module")
def packed_dir(data_dir, tmp_path_factory):  # noqa: F811
    output = tmp_path_factory.mktemp("packed (2)")
    assert pack(data_dir, output, shard_bytes=50_000).shards > 3
    return output


@pytest.mark.parametrize("kind", LOADERS)
def test_same_split_and_same_batches_as_from_the_files(data_dir, packed_dir, kind):  # noqa: F811
    files, packed = LOADERS[kind](data_dir), LOADERS[kind](packed_dir)
    assert packed.split == files.split
    assert packed.facts == files.facts
    pairs = [(packed.get_test_loaders(), files.get_test_loaders())]
    for fold in range(3):
        pairs += zip(packed.get_fold_loaders(fold), files.get_fold_loaders(fold), strict=True)
    for mine, theirs in pairs:
        for epoch in range(2):
            batches = list(zip(mine.epoch(epoch), theirs.epoch(epoch), strict=True))
            assert batches
            for batch, other in batches:
                assert_same(batch, other)


def test_names_come_in_the_order_of_the_files(data_dir, packed_dir):  # noqa: F811
    files, packed = DataFolder(data_dir), DataFolder(packed_dir)
    assert list(packed.gf) == list(files.gf)
    assert list(packed.deepdxf) == list(files.deepdxf)


def test_lengths_are_known_without_reading(data_dir, packed_dir):  # noqa: F811
    files, packed = (DataFolder(folder).deepdxf.open() for folder in (data_dir, packed_dir))
    lengths = [len(files.drawing(index).rows) for index in range(len(files.lengths()))]
    assert files.lengths().tolist() == packed.lengths().tolist() == lengths


def long_drawings(folder, count, length):
    line = make_row("LINE", {"x0": 1, "y0": 2, "x1": 50, "y1": 50}, Extents(0, 0, 100, 100))
    rows = np.tile(line, (length, 1))
    for i in range(count):
        rows[:, 1] = np.arange(length) % 200
        record = SequenceRecord(rows, f"{i}.dxf", Extents(0, 0, 100, 100), (), "cross")
        write_sequence(folder / "DeepDXF" / f"{i:03}.h5", record)


def test_sequences_stay_on_the_disk(tmp_path):
    long_drawings(tmp_path / "data", 40, 2000)
    pack(tmp_path / "data", tmp_path / "packed", 5_000_000)
    size = 40 * 2000 * 142

    def held(folder):
        source = DataFolder(folder).deepdxf
        tracemalloc.start()
        dataset = DeepDXFDataset(source)
        for i in range(40):
            assert dataset.drawing(i).rows.shape == (2000, 71)
        bytes_held, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return bytes_held, most

    assert held(tmp_path / "data")[0] > size, "the measure sees what is in memory"
    assert max(held(tmp_path / "packed")) < size / 5


def first_rows(sequences, queue):
    opened = opened_shard.cache_info().misses
    rows = sequences.drawing(0).rows
    queue.put((os.getpid(), rows, opened_shard.cache_info().misses - opened))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes_read_too(packed_dir, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"the platform has no {method}")
    sequences = PackedFolder(packed_dir).sequences.open()
    here = sequences.drawing(0).rows  # the shard is open in this process
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    process = context.Process(target=first_rows, args=(sequences, queue))
    process.start()
    other, there, opened = queue.get(timeout=60)
    process.join()
    assert other != os.getpid() and np.array_equal(here, there)
    assert opened == 1, "a forked process does not go on with its parent's file"
    assert len(pickle.dumps(sequences)) < 10_000, "what travels is paths, not drawings"


def test_a_folder_that_changed_since_is_named(tmp_path, caplog):
    long_drawings(tmp_path / "data", 12, 3)
    pack(tmp_path / "data", tmp_path / "packed", 10**6)
    with caplog.at_level(logging.WARNING):
        DataFolder(tmp_path / "packed")
        assert not caplog.records
        long_drawings(tmp_path / "data", 1, 4)  # one is renewed
        DataFolder(tmp_path / "packed")
        (record,) = caplog.records
        assert "has changed since" in record.message and str(tmp_path / "data") in record.message
        pack(tmp_path / "data", tmp_path / "packed", 10**6)
        DataFolder(tmp_path / "packed")
        assert len(caplog.records) == 1


def test_a_shard_that_was_lost_is_named(tmp_path):
    long_drawings(tmp_path / "data", 12, 3)
    pack(tmp_path / "data", tmp_path / "packed", 10**6)
    (shard,) = (tmp_path / "packed").glob("*.h5")
    shard.unlink()
    with pytest.raises(UserError, match=r"shard-.*dxf_pack"):
        DeepDXFData(DeepDXFConfig(data_dir=tmp_path / "packed", n_folds=1))
