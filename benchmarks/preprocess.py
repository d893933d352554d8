"""How fast is preprocessing? Against the straightforward way, drawing by drawing, on the same drawings in one run.

    python benchmarks/preprocess.py --input "/path to/drawings" --limit 60

The straightforward way reads each file with ezdxf.readfile, once for each encoder; takes each entity's box from
ezdxf.bbox, finds overlaps by asking an R-tree for each box in a Python loop, and makes one row at a time. It writes the
same files. It opens no wrapper, so it sees one INSERT where we see a sheet, and it fails on sheets whose model space is
empty; those are not compared. Both ways take turns on each drawing, in one process and one thread. Printed: the ratio
(of the whole time and drawing by drawing), where our time goes, and what a second worker brings, for which two cores
must be idle.

Without --input it generates drawings. They are small and plain: only real ones tell what a reader is worth.
"""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

# before numpy is imported: one drawing must not use two cores
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"

if __package__ in (None, ""):  # started as a file: make the repository root importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import ezdxf
import numpy as np
import shapely
from ezdxf import bbox
from ezdxf.entities import DXFGraphic

from config.errors import UserError
from dataset.content import measure
from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.dxf_process_DeepDXF import sequence_rows
from dataset.dxf_process_GF import N_CLASSES, gf_adjacency, gf_features, gf_graph
from dataset.entities import TYPE_INDEX, Extents, make_row
from dataset.extents import drawing_extents
from dataset.generator import generate
from dataset.naming import find_drawings
from dataset.parameters import parameters
from dataset.reading import DAMAGE, in_drawing_order, read_sheet, type_of
from dataset.storage import GraphRecord, SequenceRecord, write_graph, write_sequence
from dataset.worker import Task, run_task
from utils.cli import run_script
from utils.progress import progress


@dataclass(frozen=True)
class BenchmarkConfig:
    """Speed of preprocessing against the straightforward way."""

    input: Path | None = None
    """Folder of drawings; generated ones if left out."""
    limit: int | None = None
    """Take only so many of them, drawn by seed."""
    seed: int = 0
    """Which ones --limit takes, and which are generated."""
    repeats: int = 2
    """How often one worker and two workers take turns on the whole; 0 leaves that part out."""
    json: Path | None = None
    """Also write the figures here."""


def straightforward(path: Path, folder: Path) -> None:
    """Both encoders' files of one drawing, as one would write it on the first day."""
    entities = _entities(path)
    boxes = _generic_boxes(entities)
    counts, edges = _looped_counts(entities, boxes)
    graph = GraphRecord(gf_features(counts), gf_adjacency(edges), counts, edges, path.name, "cross")
    write_graph(folder / "graph.h5", graph)

    entities = _entities(path)
    extents = drawing_extents(boxes)
    rows = _rows_one_by_one(entities, boxes, extents)
    write_sequence(folder / "sequence.h5", SequenceRecord(rows, path.name, extents, (), "cross", counts, edges))


def _entities(path: Path) -> list[DXFGraphic]:
    entities = ezdxf.readfile(path).modelspace()
    return in_drawing_order(entity for entity in entities if type_of(entity) is not None)


def _generic_boxes(entities: list[DXFGraphic]) -> np.ndarray:
    cache = bbox.Cache()
    boxes = np.full((len(entities), 4), np.nan)
    for i, entity in enumerate(entities):
        try:
            box = bbox.extents([entity], cache=cache)
        except DAMAGE:
            continue
        if box.has_data:
            boxes[i] = (*box.extmin.vec2, *box.extmax.vec2)
    return boxes


def _looped_counts(entities: list[DXFGraphic], boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    types = [TYPE_INDEX[type_of(entity)] for entity in entities]
    shapes = [shapely.box(*box) for box in boxes]
    tree = shapely.STRtree(shapes)
    pairs = np.zeros((N_CLASSES, N_CLASSES), dtype=np.int64)
    free = np.zeros(N_CLASSES, dtype=np.int64)
    for i, shape in enumerate(shapes):
        is_free = True
        for j in tree.query(shape):
            if i == j or max(types[i], types[j]) >= N_CLASSES or _nested(boxes[i], boxes[j]):
                continue
            is_free = False
            if i < j:
                pairs[types[i], types[j]] += 1
                pairs[types[j], types[i]] += 1
        if is_free and types[i] < N_CLASSES:
            free[types[i]] += 1
    counts = np.zeros((N_CLASSES, N_CLASSES + 1), dtype=np.int64)
    counts[:, 0] = free
    for i in range(N_CLASSES):
        counts[i, 2:] = np.delete(pairs[i], i)
    edges = np.zeros((N_CLASSES, N_CLASSES), dtype=np.int64)
    known = [kind for kind in types if kind < N_CLASSES]
    for first, second in pairwise(known):
        if first != second:
            edges[first, second] += 1
            edges[second, first] += 1
    return counts, edges


def _nested(a: np.ndarray, b: np.ndarray) -> bool:
    ax0, ay0, ax1, ay1 = a
    bx0, by0, bx1, by1 = b
    inside = ax0 <= bx0 and ay0 <= by0 and ax1 >= bx1 and ay1 >= by1
    return inside or (bx0 <= ax0 and by0 <= ay0 and bx1 >= ax1 and by1 >= ay1)


def _rows_one_by_one(entities: list[DXFGraphic], boxes: np.ndarray, extents: Extents) -> np.ndarray:
    rows = []
    for entity, box in zip(entities, boxes.tolist(), strict=True):
        name = type_of(entity)
        try:
            rows.append(make_row(name, parameters(entity, name, None if np.isnan(box[0]) else tuple(box)), extents))
        except DAMAGE:
            continue
    return np.stack(rows)


def ours(path: Path, folder: Path) -> None:
    report = run_task(Task(path, path.name, folder / "our_sequence.h5", folder / "our_graph.h5", "cross"))
    if report.status == "skipped":
        raise ValueError(report.reason)


def stages(path: Path, folder: Path) -> dict[str, float]:
    """Seconds of each stage of our way."""
    spent: dict[str, float] = {}

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        spent[name] = time.perf_counter() - started

    with stage("read"):
        sheet = read_sheet(path)
    with stage("measure"):
        content = measure(sheet)
        extents = drawing_extents(content.boxes)
    with stage("overlaps"):
        counts, edges = gf_graph(content) or (None, None)
    with stage("rows"):
        rows = sequence_rows(content, extents)
    with stage("write"):
        write_sequence(folder / "s.h5", SequenceRecord(rows, path.name, extents, (), "cross", counts, edges))
        if counts is not None:
            features, adjacency = gf_features(counts), gf_adjacency(edges)
            write_graph(folder / "g.h5", GraphRecord(features, adjacency, counts, edges, path.name, "cross"))
    return spent


def seconds(way: Callable[[Path, Path], None], path: Path, folder: Path) -> float | None:
    """How long it takes, or None if the drawing cannot be processed that way."""
    started = time.perf_counter()
    try:
        way(path, folder)
    except Exception:  # the straightforward way knows neither damaged files nor odd ones
        return None
    return time.perf_counter() - started


def compare(drawings: list[Path], folder: Path) -> list[tuple[Path, float, float]]:
    """Drawing, seconds of the straightforward way, seconds of ours; only drawings that both can process."""
    seconds(ours, drawings[0], folder), seconds(straightforward, drawings[0], folder)  # imports and caches
    found = []
    for number, path in enumerate(progress(drawings, "compare", unit="file")):
        ways = [straightforward, ours]
        order = ways if number % 2 else ways[::-1]
        taken = {way: seconds(way, path, folder) for way in order}
        if None not in taken.values():
            found.append((path, taken[straightforward], taken[ours]))
    return found


def compare_workers(input: Path, folder: Path, repeats: int) -> list[float]:
    """Seconds with one worker over seconds with two, a figure a repeat; starting and ending the workers included."""
    ratios = []
    for repeat in range(repeats):
        taken = {}
        for workers in (1, 2) if repeat % 2 else (2, 1):
            output = folder / f"repeat {repeat}, {workers} workers"  # its own: what is there would not be done again
            started = time.perf_counter()
            process_drawings(ProcessConfig(input=input, output=output, workers=workers))
            taken[workers] = time.perf_counter() - started
        ratios.append(taken[1] / taken[2])
    return ratios


def _chosen(config: BenchmarkConfig, folder: Path) -> tuple[Path, list[Path]]:
    """The folder and the drawings; a selection is copied into a folder of its own."""
    source = config.input
    if source is None:
        source = folder / "generated"
        generate(source, 10, 6, config.seed)
    drawings = find_drawings(source).paths()
    if not drawings:
        raise UserError(f"no drawings (*.dxf) in {source.resolve()}: correct --input")
    if config.limit is None or config.limit >= len(drawings):
        return source, drawings
    selection = folder / "selection"
    selection.mkdir()
    for number, path in enumerate(sorted(random.Random(config.seed).sample(drawings, config.limit))):
        shutil.copyfile(path, selection / f"{number}.dxf")
    return selection, find_drawings(selection).paths()


def _spread(values: list[float]) -> str:
    low, middle, high = np.percentile(values, (10, 50, 90))
    return f"median {middle:.2f}, 10 % below {low:.2f}, 10 % above {high:.2f}"


def main(config: BenchmarkConfig) -> None:
    logging.getLogger("ezdxf").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, drawings = _chosen(config, folder)
        compared = compare(drawings, folder)
        if not compared:
            raise UserError("no drawing could be processed both ways")
        paths, theirs, mine = zip(*compared, strict=True)
        spent = [stages(path, folder) for path in progress(paths, "stages", unit="file")]
        workers = compare_workers(source, folder, config.repeats)
        megabytes = sum(path.stat().st_size for path in paths) / 1e6

    ratios = [a / b for a, b in zip(theirs, mine, strict=True)]
    print(f"{len(paths)} of {len(drawings)} drawings, {megabytes:.1f} MB, one process, one thread\n")
    print("| way | s | drawings/s | MB/s |\n|---|---|---|---|")
    for label, taken in (("straightforward", sum(theirs)), ("ours", sum(mine))):
        print(f"| {label} | {taken:.2f} | {len(paths) / taken:.1f} | {megabytes / taken:.2f} |")
    print(f"\nratio {sum(theirs) / sum(mine):.2f} of the whole; by drawing {_spread(ratios)}\n")
    print("| stage of ours | share |\n|---|---|")
    totals = {stage: sum(each[stage] for each in spent) for stage in spent[0]}
    for stage, taken in totals.items():
        print(f"| {stage} | {taken / sum(totals.values()):.0%} |")
    if workers:
        print(f"\n2 workers against 1: {np.median(workers):.2f} ({', '.join(f'{ratio:.2f}' for ratio in workers)})")
    if config.json:
        figures = {
            "drawings": len(paths),
            "megabytes": megabytes,
            "ratio": sum(theirs) / sum(mine),
            "ratio_by_drawing": {
                "p10": np.percentile(ratios, 10),
                "median": np.median(ratios),
                "p90": np.percentile(ratios, 90),
            },
            "seconds": {"straightforward": sum(theirs), "ours": sum(mine)},
            "stages": totals,
            "workers_ratio": float(np.median(workers)) if workers else None,
        }
        config.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    run_script(BenchmarkConfig, main)
