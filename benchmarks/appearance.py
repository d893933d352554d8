"""What do strokes and texts cost in preprocessing? The time of a drawing with them over that without, in one run.

    python benchmarks/appearance.py --input DRAWINGS

Of every drawing: reading it, measuring all of it, and by themselves the walk for boxes, the walk for boxes and strokes,
and the texts. What strokes and texts add is the difference. Processor time, the best of several turns. Without --input
it generates drawings.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

if __package__ in (None, ""):  # started as a file: make the repository root importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
from ezdxf.entities import DXFGraphic

from dataset.content import measure
from dataset.generator import generate
from dataset.geometry import Geometry
from dataset.naming import find_drawings
from dataset.reading import DAMAGE, Sheet, read_sheet, type_of
from dataset.texts import Texts
from dataset.trace import Trace
from utils.cli import run_script
from utils.files import write_json
from utils.progress import progress


@dataclass(frozen=True)
class BenchmarkConfig:
    """What strokes and texts cost in preprocessing."""

    input: Path | None = None
    """Folder of drawings; generated ones if left out."""
    drawings: int = 40
    """How many of them, taken at random (seed 0)."""
    repeats: int = 3
    """Turns a drawing."""
    json: Path | None = None
    """Also write the figures here."""


def main(config: BenchmarkConfig) -> None:
    with tempfile.TemporaryDirectory() as folder:
        drawings = config.input or Path(folder)
        if config.input is None:
            generate(drawings, 10, 4, 0)
        paths = sorted(drawings / source for source in find_drawings(drawings).sources)
        chosen = np.random.default_rng(0).permutation(len(paths))[: config.drawings]
        costs = [_cost(paths[i], config.repeats) for i in progress(chosen.tolist(), "measuring", unit="file")]
    read, measured, strokes, texts = np.array(costs).T
    figures = {}
    for what, added, base in (
        ("strokes, of a drawing", strokes, read + measured - strokes - texts),
        ("texts, of a drawing", texts, read + measured - strokes - texts),
        ("both, of a drawing", strokes + texts, read + measured - strokes - texts),
        ("both, of measuring alone", strokes + texts, measured - strokes - texts),
    ):
        ratios = sorted((1 + added / base).tolist())
        figures[what] = {"sum": 1 + added.sum() / base.sum(), "each": ratios}
        low, high = np.quantile(ratios, [0.1, 0.9])
        print(
            f"{what:<26} with / without  {figures[what]['sum']:.2f} in sum, median {statistics.median(ratios):.2f} "
            f"({low:.2f} to {high:.2f} for 80 % of {len(ratios)})"
        )
    if config.json:
        write_json(config.json, figures)


def _cost(path: Path, repeats: int) -> tuple[float, float, float, float]:
    """Seconds of reading, of measuring all, and what strokes and texts are of the latter."""
    sheets: list[Sheet] = []
    read = _best(repeats, lambda: sheets.append(read_sheet(path)))
    sheet = sheets[-1]
    measure(sheet)  # what ezdxf works out once and keeps
    boxes, traces = _best(repeats, lambda: _boxes(sheet)), _best(repeats, lambda: _traces(sheet))
    return read, _best(repeats, lambda: measure(sheet)), traces - boxes, _best(repeats, lambda: _texts(sheet))


def _boxes(sheet: Sheet) -> None:
    _walk(sheet, Geometry(sheet.document, sheet.sight).box)


def _traces(sheet: Sheet) -> None:
    geometry = Geometry(sheet.document, sheet.sight, Trace)

    def box_and_strokes(entity: DXFGraphic) -> None:
        trace = geometry.trace(entity)
        trace.box()
        trace.strokes.array()

    _walk(sheet, box_and_strokes)


def _texts(sheet: Sheet) -> None:
    _walk(sheet, Texts(sheet.document, sheet.sight).of)


def _walk(sheet: Sheet, look: Callable[[DXFGraphic], object]) -> None:
    for entity in sheet.entities:
        if type_of(entity) is not None:
            with suppress(*DAMAGE):
                look(entity)


def _best(repeats: int, work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    return min(seconds)


if __name__ == "__main__":
    run_script(BenchmarkConfig, main, description=__doc__)
