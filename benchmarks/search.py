"""How fast is search? A query on many vectors, indexing, a cold start, and what a drawing takes.

    python benchmarks/search.py --data data --model_path checkpoints/best_model.pth
    python benchmarks/search.py --data data --model_path checkpoints/best_model.pth --vectors 20000 --query_file A.dxf
    python benchmarks/search.py --data data --model_path checkpoints/best_model.pth --vectors 1000000 --faiss

The many vectors are made of those of the given drawings: each is a mixture of two of them and of noise that points
anywhere (``--noise``, as a share of its length), which is what the search's bound cannot foresee; 1 leaves nothing but
noise, the worst case. scikit-learn's brute force answers the same queries in the same run; with ``--faiss`` faiss and
the exact search do. Times are medians with the quartiles.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

if __package__ in (None, ""):  # started as a file: make the repository root importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from dataset.storage import read_sequence
from model.embedding import Embedder
from search.entries import Entry
from search.folder import FolderWriter, folder_writer
from search.index import Index
from search.indexing import update
from search.model_card import ModelCard, unit
from utils.cli import run_script

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("gf", "deepdxf")


@dataclass
class SearchBenchmarkConfig:
    """The speed of search."""

    data: Path
    """Folder of preprocessed drawings (dataset/dxf_process.py)."""
    model_path: Path = Path("checkpoints/best_model.pth")
    """A joint model."""
    drawings: int = 200
    """Drawings to index and to make vectors of."""
    vectors: int = 200_000
    """Vectors to search among."""
    noise: float = 0.1
    """Share of a vector's length that is noise."""
    faiss: bool = False
    """Instead, compare a search through faiss (requirements-faiss.txt) with the exact one: time, and the share of the
    ten nearest that it finds."""
    queries: int = 30
    """Searches to time."""
    repeats: int = 3
    """Indexing runs and cold starts to time."""
    query_file: Path | None = None
    """Also time a cold process that answers to this drawing."""
    json: Path | None = None
    """Also write the figures here."""


def spread(seconds: list[float]) -> dict[str, float]:
    low, middle, high = np.percentile(seconds, [25, 50, 75]).tolist()
    return {"median": middle, "quartile_1": low, "quartile_3": high}


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def indexing(config: SearchBenchmarkConfig, embedder: Embedder, files: list[Path], folder: Path) -> dict:
    """Indexing preprocessed drawings beside the encoder alone, on drawings that are in memory; in turn."""
    archive = folder / "some"
    archive.mkdir()
    for number, path in enumerate(files):
        (archive / f"{number}.h5").write_bytes(path.read_bytes())
    records = [read_sequence(path) for path in files]
    settling = timed(lambda: embedder.settle(records))  # once, and when an archive has doubled
    alone, whole = [], []
    for repeat in range(config.repeats):
        alone.append(len(files) / timed(lambda: list(embedder.many(records))))
        with folder_writer(folder / f"{repeat}.idx", archive, ModelCard.of(embedder, "", len(files))) as writer:
            whole.append(len(files) / timed(lambda writer=writer: update(writer, archive, embedder)))
    ratios = [index / encoder for index, encoder in zip(whole, alone, strict=True)]
    return {
        "encoder_per_s": spread(alone),
        "indexing_per_s": spread(whole),
        "ratio": spread(ratios),
        "settling_s": settling,
    }


def many_vectors(base: np.ndarray, card: ModelCard, count: int, noise: float, rng: np.random.Generator):
    """``[count, D]``, a block at a time."""
    for first in range(0, count, 8192):
        size = min(8192, count - first)
        one, other = (base[rng.integers(len(base), size=size)] for _ in range(2))
        share = rng.random((size, 1), dtype=np.float32)
        rows = share * one + (1 - share) * other
        for part in card.sizes:
            columns = card.columns(part)
            clean, random = unit(rows[:, columns]), unit(rng.standard_normal(rows[:, columns].shape, np.float32))
            rows[:, columns] = card.weights[part] * unit((1 - noise**2) ** 0.5 * clean + noise * random)
        yield first, rows


def filled(path: Path, card: ModelCard, blocks) -> Index:
    writer: FolderWriter
    mark = f"made-up {card.stamp}"
    with folder_writer(path, path.parent, card) as writer:
        for first, rows in blocks:
            entries = (
                Entry(f"{first + i:07d}.dxf", str(first + i), f"{first + i}.h5", mark, 1.0, 1.0, {"LINE": 1})
                for i in range(len(rows))
            )
            writer.add([(row, list(card.sizes), entry) for row, entry in zip(rows, entries, strict=True)])
        writer.tidy()
    return Index.open(path)


def querying(config: SearchBenchmarkConfig, card: ModelCard, base: np.ndarray, folder: Path) -> dict:
    """A query on many vectors beside scikit-learn's brute force, and beside our own scan without a sketch."""
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng(0)
    index = filled(folder / "many.idx", card, many_vectors(base, card, config.vectors, config.noise, rng))
    (_, queries) = next(many_vectors(base, card, config.queries, config.noise, rng))
    on_disk = sum(file.stat().st_size for file in index.path.iterdir() if file.is_file())
    opening = timed(lambda: index.query([queries[0]]))  # reads the sketch and the slots
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found, ours = [], []
    for query in queries:
        ours.append(timed(lambda query=query: found.append(index.query([query])[0])))
    sketch, index.sketch = index.sketch, None
    scanned = [timed(lambda query=query: index.query([query])) for query in queries[:10]]
    index.sketch = sketch
    rows = np.concatenate([np.array(block) for _, block in index.vectors.blocks()])
    brute = NearestNeighbors(n_neighbors=10, algorithm="brute", metric="cosine").fit(rows)
    theirs, agreed = [], []
    for query, hits in list(zip(queries, found, strict=True))[:10]:
        theirs.append(timed(lambda query=query: agreed.append(brute.kneighbors(query[None])[1][0])))
        same = {f"{slot:07d}.dxf" for slot in agreed[-1]} == {hit.id for hit in hits}
        agreed[-1] = same
    return {
        "vectors": config.vectors,
        "numbers_a_vector": int(rows.shape[1]),
        "noise": config.noise,
        "query_s": spread(ours),
        "full_scan_s": spread(scanned),
        "scikit_learn_s": spread(theirs),
        "times_faster_than_scikit_learn": float(np.median(theirs) / np.median(ours)),
        "same_answers_as_scikit_learn": float(np.mean(agreed)),
        "first_query_s": opening,
        "bytes_on_disk_a_drawing": on_disk / config.vectors,
        "sketch_bytes_a_drawing": sum(each.nbytes for each in (*sketch.places, *sketch.rests)) / config.vectors
        if sketch
        else 0.0,
        "peak_memory_mb_of_the_process_by_then": memory / 1024,
    }


def through_faiss(config: SearchBenchmarkConfig, card: ModelCard, base: np.ndarray, folder: Path) -> dict:
    """Queries answered by faiss and exactly, in turn."""
    rng = np.random.default_rng(0)
    where = folder / "many.idx"
    filled(where, card, many_vectors(base, card, config.vectors, config.noise, rng)).close()
    (_, queries) = next(many_vectors(base, card, config.queries, config.noise, rng))
    with folder_writer(where, where.parent, card, wants_faiss=True) as writer:
        making = timed(writer.tidy)
    near, exact = Index.open(where), Index.open(where, exact=True)
    opening = {"faiss": timed(lambda: near.query([queries[0]])), "exact": timed(lambda: exact.query([queries[0]]))}
    seconds: dict[str, list[float]] = {"faiss": [], "exact": []}
    shares = []
    for query in queries:
        ids = []
        for name, index in (("faiss", near), ("exact", exact)):
            started = time.perf_counter()
            (hits,) = index.query([query])
            seconds[name].append(time.perf_counter() - started)
            ids.append({hit.id for hit in hits})
        shares.append(len(ids[0] & ids[1]) / len(ids[1]))
    return {
        "vectors": config.vectors,
        "lists": near.approximate.index.nlist,
        "recall_at_10": float(np.mean(shares)),
        "recall_at_10_of_the_worst_query": min(shares),
        "faiss_s": spread(seconds["faiss"]),
        "exact_s": spread(seconds["exact"]),
        "times_faster_than_exact": spread([b / a for a, b in zip(seconds["faiss"], seconds["exact"], strict=True)]),
        "first_query_s": opening,
        "making_it_s": making,
        "bytes_on_disk_a_drawing": next(where.glob("faiss-*")).stat().st_size / config.vectors,
    }


def cold_start(config: SearchBenchmarkConfig, index: Path) -> dict:
    """From nothing to the first answer: time on the wall, and of the processor, which a busy machine leaves alone."""
    command = [sys.executable, "SearchDXF.py", "query", config.query_file.resolve(), "--index", index.resolve()]
    command += ["--model_path", config.model_path.resolve(), "--top", "5"]
    wall, processor = [], []
    for _ in range(config.repeats):
        before = os.times()
        wall.append(
            timed(lambda: subprocess.run([*map(str, command)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL))
        )
        after = os.times()
        processor.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return {"wall_s": spread(wall), "processor_s": spread(processor)}


def main(config: SearchBenchmarkConfig) -> None:
    torch.set_num_threads(1)
    embedder = Embedder(config.model_path, torch.device("cpu"))
    card = ModelCard.of(embedder, config.model_path.name)
    files = sorted((config.data / "DeepDXF").rglob("*.h5"))
    files = [files[i] for i in np.linspace(0, len(files) - 1, min(config.drawings, len(files))).astype(int)]
    figures = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures["indexing"] = indexing(config, embedder, files, folder)  # also makes the index that vectors come from
        print(json.dumps(figures["indexing"], indent=2), flush=True)
        if config.query_file:
            figures["cold_start"] = cold_start(config, folder / "0.idx")
            print(json.dumps(figures["cold_start"], indent=2), flush=True)
        small = Index.open(folder / "0.idx")
        base = small.vectors.take(small.slots(card.kind))
        name, work = ("faiss", through_faiss) if config.faiss else ("query", querying)
        figures[name] = work(config, card, base, folder)
        print(json.dumps(figures[name], indent=2))
    if config.json:
        config.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    run_script(SearchBenchmarkConfig, main, description=__doc__)
