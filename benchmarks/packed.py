"""What does packing bring? Packed drawings against a file for each, reading the same drawings in one run.

    python benchmarks/packed.py --data_dir data

Both ways take turns. Printed, as ratios with their spread: drawings read per second, in random order, one at a time;
how much sooner joint training has its data (names, graphs and, from files, all sequences); and how much memory the data
then holds. Files are in the page cache, so a network drive only widens the gap.

Last comes what a shard gains by lying in one piece over HDF5's chunked layout, whatever the size of the chunks. Without
--data_dir it generates drawings and preprocesses them.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

if __package__ in (None, ""):  # started as a file: make the repository root importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import h5py
import numpy as np

from dataset.drawing import Drawing
from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.generator import generate
from dataset.packed import opened_shard
from dataset.packing import pack
from dataset.storage import read_sequence
from model.data_folder import DataFolder
from model.DeepDXF_dataset import DeepDXFDataset
from model.GF_dataset import GFDataset
from utils.cli import run_script
from utils.files import write_json


@dataclass(frozen=True)
class BenchmarkConfig:
    """Packed drawings against a file for each."""

    data_dir: Path | None = None
    """Folder that dataset/dxf_process.py wrote; generated drawings if left out."""
    shard_mb: int = 256
    """Most megabytes of a shard."""
    repeats: int = 5
    """How often the two ways take turns."""
    json: Path | None = None
    """Also write the figures here."""


def main(config: BenchmarkConfig) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = config.data_dir or _generated(Path(folder))
        packed = Path(folder, "packed")
        started = time.perf_counter()
        size = pack(data, packed, config.shard_mb * 1_000_000)
        seconds = time.perf_counter() - started
        print(f"{size.sequences} sequences, {size.rows:,} entities, {size.shards} shard(s), packed in {seconds:.1f} s")
        reads = _turns(config, lambda seed: _reads_from_files(data, seed), lambda seed: _reads_packed(packed, seed))
        starts = _turns(config, lambda _: _starts(data), lambda _: _starts(packed))
        memory = _held(data) / _held(packed)
        layouts = {
            rows: [_layout(packed, seed, rows) for seed in range(config.repeats)] for rows in (64, 256, 1024, 4096)
        }
    _print("drawings read per second", "packed / files", reads)
    _print("starts per second", "packed / files", starts)
    print(f"{'memory held':<28} {'files / packed':<28} {memory:.1f}")
    for rows, ratios in layouts.items():
        _print("rows read per second", f"contiguous / chunks of {rows}", ratios)
    if config.json:
        write_json(config.json, {"ratio": statistics.median(reads), "reads": reads, "starts": starts, "memory": memory})


def _generated(folder: Path) -> Path:
    generate(folder / "drawings", 10, 6, 0)
    process_drawings(ProcessConfig(folder / "drawings", folder / "data"))
    return folder / "data"


def _turns(config: BenchmarkConfig, files: Callable[[int], float], packed: Callable[[int], float]) -> list[float]:
    """The rates of both ways by turns, packed over files; the first turn warms up and does not count."""
    ratios = [packed(seed) / files(seed) for seed in range(config.repeats + 1)]
    return ratios[1:]


def _reads_from_files(data: Path, seed: int) -> float:
    paths = list(DataFolder(data).deepdxf.values())
    order = np.random.default_rng(seed).permutation(len(paths))
    started = time.perf_counter()
    for i in order:
        Drawing.of(read_sequence(paths[i]))
    return len(order) / (time.perf_counter() - started)


def _reads_packed(packed: Path, seed: int) -> float:
    sequences = DataFolder(packed).deepdxf.open()
    order = np.random.default_rng(seed).permutation(len(DataFolder(packed).deepdxf))
    started = time.perf_counter()
    for i in order:
        sequences.drawing(i)
    return len(order) / (time.perf_counter() - started)


def _starts(folder: Path) -> float:
    opened_shard.cache_clear()
    started = time.perf_counter()
    data = DataFolder(folder)
    GFDataset(data.gf), DeepDXFDataset(data.deepdxf)
    return 1 / (time.perf_counter() - started)


def _held(folder: Path) -> int:
    """Bytes that both data sets hold, after every drawing was read once."""
    tracemalloc.start()
    data = DataFolder(folder)
    kept = GFDataset(data.gf), DeepDXFDataset(data.deepdxf)
    for i in range(len(kept[1].names)):
        kept[1].drawing(i)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held + kept[0].adjacency.nbytes  # which is torch's own memory


def _layout(packed: Path, seed: int, chunk: int) -> float:
    """Reads per second of the first shard's drawings as they lie, over those from chunks of so many rows."""
    with h5py.File(next(packed.glob("*.h5"))) as shard, h5py.File(packed / "chunked", "w") as other:
        contiguous, offsets = shard["DeepDXF/rows"], shard["DeepDXF/offsets"][:, 0]
        chunked = other.create_dataset("rows", data=contiguous[()], chunks=(chunk,))
        other.flush()
        order = np.random.default_rng(seed).permutation(len(offsets) - 1)
        seconds = []
        for rows in (contiguous, chunked):
            started = time.perf_counter()
            for i in order:
                rows[offsets[i] : offsets[i + 1]]
            seconds.append(time.perf_counter() - started)
    return seconds[1] / seconds[0]


def _print(what: str, ratio: str, ratios: list[float]) -> None:
    spread = f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
    print(f"{what:<28} {ratio:<28} {spread}")


if __name__ == "__main__":
    run_script(BenchmarkConfig, main, description=__doc__)
