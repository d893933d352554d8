"""Are the changes that a designer made found, and nothing else?

    python benchmarks/changes.py --output /path/to/scratch

The generator knows what it changed and where. For every revision: is the sheet laid on its original where the
generator put it, does a change lie where each planted edit was made (recall), and how many entities are called changed
where nothing was (false). `fine` are revisions of one to three edits (dataset/dxf_generate.py), `coarse` those of
dataset/dxf_benchmark.py, which move, resize or remove whole regions. Versions matter: R12 has neither HATCH nor MTEXT,
so that a file of that version draws them by other entities. 95 % intervals by bootstrap over revisions.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from compare.changes import Comparison, compare
from compare.figure import Figure, load
from dataset.generator.archive import generate
from dataset.generator.benchmark import build, generated_jobs
from dataset.pool import fair_share
from utils.cli import run_script

SPELLING = ("explode_block", "explode_polylines")  # with a place, but what is drawn there stays
REACH = 0.02  # of the sheet: how far from a planted place a change may lie to be that one
PLACED = 1e-3  # of the sheet: how well a sheet must be laid


@dataclass(frozen=True)
class Config:
    """How many revisions to look at, and where to draw them."""

    output: Path
    """Empty folder for the drawings, or one of an earlier run, whose drawings are used again."""
    families: int = 60
    """Families of fine revisions, three revisions each."""
    coarse: int = 500
    """Drawings of the coarse set, a fifth of them revisions."""
    seed: int = 11


@dataclass
class Tally:
    """Of each revision: whether it was laid right, edits planted and found, entities called changed and falsely so."""

    laid: list[bool]
    planted: list[int]
    found: list[int]
    changed: list[int]
    false: list[int]
    seconds: list[float]
    missed: Counter[str]


def main(config: Config) -> None:
    fine, coarse = config.output / "fine", config.output / "coarse"
    if not (fine / "truth.json").exists():
        generate(fine, config.families, 6, config.seed)
    if not (coarse / "truth.json").exists():
        jobs = generated_jobs(coarse, "revisions", config.coarse, config.seed, "test")
        list(build(coarse, jobs, {}, False, 1, 300.0, fair_share(1)))
    heads = ("revisions", 10), ("laid right", 12), ("edits found", 27), ("false a revision", 24), ("without", 9)
    print(f"{'set':<24}" + "".join(f"{head:>{width}}" for head, width in (*heads, ("s a pair", 10))))
    for name, folder in (("fine", fine), ("coarse", coarse)):
        tallies = measure(folder)
        for kind, tally in tallies.items():
            show(f"{name}, {kind}", tally)
        missed = sum((tally.missed for tally in tallies.values()), Counter())
        print(f"  not found: {', '.join(f'{count} {edit}' for edit, count in missed.most_common()) or 'none'}")


def measure(folder: Path) -> dict[str, Tally]:
    """Compare every revision with its original."""
    records = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["files"]
    versions = {record["file"]: record["version"] for record in records}
    tallies: dict[str, Tally] = defaultdict(lambda: Tally([], [], [], [], [], [], Counter()))
    for record in records:
        if not record["original"]:
            continue
        left, right = (load(folder / record[key]).figure for key in ("original", "file"))
        started = time.perf_counter()
        found = compare(left, right)
        seconds = time.perf_counter() - started
        r12 = "R12" in (versions[record["original"]], versions[record["file"]])
        tally = tallies["one of them R12" if r12 else "R2000 and later"]
        tally.seconds.append(seconds)
        tally.laid.append(is_laid(found, record["placed"]))
        places = [edit for edit in record["edits"] if edit["places"] or edit["before"]]
        places = [edit for edit in places if edit["name"] not in SPELLING]
        changed = [
            middles(figure, ~common) for figure, common in ((left, found.common_left), (right, found.common_right))
        ]
        hits = [touches(changed, edit, left, right) for edit in places]
        tally.planted.append(len(hits))
        tally.found.append(sum(hits))
        tally.missed.update(edit["name"] for edit, hit in zip(places, hits, strict=True) if not hit)
        tally.changed.append(sum(map(len, changed)))
        tally.false.append(outside(changed, places, left, right))
    return dict(sorted(tallies.items()))


def is_laid(found: Comparison, placed) -> bool:
    """Whether the right drawing comes to lie on the left one as the generator moved it away from there."""
    if isinstance(placed, dict):
        c, s = (placed["scale"] * f(math.radians(placed["angle"])) for f in (math.cos, math.sin))
        placed = (c, s, -s, c, *placed["shift"])
    points = found.left.strokes.reshape(-1, 2)
    moved = points @ np.array([placed[:2], placed[2:4]]) + placed[4:]
    return bool(np.abs(found.alignment(moved) - points).max() <= PLACED * found.left.side)


def middles(figure: Figure, chosen: np.ndarray) -> np.ndarray:
    boxes = figure.boxes[chosen]
    boxes = boxes[~np.isnan(boxes[:, 0])]
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def inside(points: np.ndarray, boxes: list, reach: float) -> np.ndarray:
    """Which points lie in one of the boxes, grown by reach: bool ``[n]``."""
    met = np.zeros(len(points), bool)
    for x0, y0, x1, y1 in boxes:
        met |= ((points >= (x0 - reach, y0 - reach)) & (points <= (x1 + reach, y1 + reach))).all(axis=1)
    return met


def touches(changed: list[np.ndarray], edit: dict, left: Figure, right: Figure) -> bool:
    """Whether something that changed has its middle where the edit was made."""
    return bool(
        inside(changed[0], edit["before"], REACH * left.side).any()
        or inside(changed[1], edit["places"], REACH * right.side).any()
    )


def outside(changed: list[np.ndarray], edits: list[dict], left: Figure, right: Figure) -> int:
    """How many changed entities lie where no edit was made."""
    before, places = ([box for edit in edits for box in edit[key]] for key in ("before", "places"))
    # what was removed has no place of its own in the revision, what was added none in the original
    met = (
        inside(changed[0], before, REACH * left.side),
        inside(changed[1], places, REACH * right.side),
    )
    return int(sum((~each).sum() for each in met))


def show(name: str, tally: Tally) -> None:
    count = len(tally.laid)
    generator = np.random.default_rng(0)
    draws = generator.integers(0, count, (1000, count))
    planted, found, false = (np.array(values) for values in (tally.planted, tally.found, tally.false))
    recall = np.percentile(found[draws].sum(axis=1) / np.maximum(planted[draws].sum(axis=1), 1), (2.5, 97.5))
    spread = np.percentile(false[draws].mean(axis=1), (2.5, 97.5))
    rate = found.sum() / max(planted.sum(), 1)
    cells = (
        (f"{count}", 10),
        (f"{np.mean(tally.laid):.3f}", 12),
        (f"{found.sum()}/{planted.sum()} {rate:.3f} [{recall[0]:.3f}, {recall[1]:.3f}]", 27),
        (f"{false.mean():.2f} [{spread[0]:.2f}, {spread[1]:.2f}]", 24),
        (f"{np.mean(false == 0):.3f}", 9),
        (f"{np.median(tally.seconds):.2f}", 10),
    )
    print(f"{name:<24}" + "".join(f"{cell:>{width}}" for cell, width in cells))


if __name__ == "__main__":
    run_script(Config, main, description=__doc__)
