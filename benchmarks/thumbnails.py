"""What do the thumbnails of a page of results cost, in seconds and kilobytes?

    python benchmarks/thumbnails.py --drawings /path/to/drawings

Ours, of the strokes that preprocessing keeps or that are read again, against ezdxf's SVG backend (hatches as outlines,
as many entities at most as we draw strokes, the same size), which needs the DXF in memory. Reading is timed apart for
both: a page of results has the strokes already. Processor's time; a drawing's two turns follow each other.
"""

from __future__ import annotations

import json
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from compare.drawings import find
from compare.figure import load
from compare.panel import MOST_STROKES
from compare.svg import svg
from compare.thumbnail import HEIGHT, WIDTH, thumbnail_page
from config.errors import UserError
from utils.cli import run_script
from utils.progress import progress


@dataclass(frozen=True)
class Config:
    """Which drawings."""

    drawings: Path
    """A folder of DXF drawings."""
    sample: int = 0
    """So many of them, at random; 0 means all."""
    ezdxf: bool = True
    """Time ezdxf's backend too; it may take minutes for one drawing."""
    json: Path | None = None
    """Write the numbers to this file."""


def main(config: Config) -> None:
    paths = [path for path in find(config.drawings) if path.suffix.lower() == ".dxf"]
    if config.sample:
        random.Random(0).shuffle(paths)
        paths = paths[: config.sample]
    ours, theirs, failed = [], [], 0
    for path in progress(paths, "thumbnails", unit="file"):
        try:
            ours.append(of_strokes(path))
        except UserError as error:
            print(f"skipped {path.name}: {error}", file=sys.stderr)
            continue
        if config.ezdxf:
            try:
                theirs.append(by_ezdxf(path))
            except Exception:  # whatever its backend does not stand: counted
                failed += 1
    print(f"{len(ours)} drawings; median / 90 % / largest")
    numbers = {"strokes": table("strokes", ours)}
    if theirs:
        numbers["ezdxf"] = table(f"ezdxf ({failed} failed)", theirs)
        ratio = np.median([row[1] for row in theirs]) / np.median([row[1] for row in ours])
        print(f"ezdxf's take {ratio:.3g} times as long as ours at the median")
    if config.json:
        config.json.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")


def of_strokes(path: Path) -> tuple[float, float, float]:
    """Seconds to read and to draw, kilobytes."""
    start = time.process_time()
    figure = load(path).figure
    read = time.process_time()
    picture = svg(thumbnail_page(figure))
    return read - start, time.process_time() - read, len(picture.encode()) / 1e3


def by_ezdxf(path: Path) -> tuple[float, float, float]:
    """As :func:`of_strokes`."""
    import ezdxf
    from ezdxf.addons.drawing import Frontend, RenderContext, layout
    from ezdxf.addons.drawing.config import Configuration, HatchPolicy
    from ezdxf.addons.drawing.svg import SVGBackend

    start = time.process_time()
    document = ezdxf.readfile(path)
    read = time.process_time()
    backend, left = SVGBackend(), iter(range(MOST_STROKES))
    frontend = Frontend(RenderContext(document), backend, config=Configuration(hatch_policy=HatchPolicy.SHOW_OUTLINE))
    frontend.draw_layout(document.modelspace(), filter_func=lambda entity: next(left, None) is not None)
    picture = backend.get_string(layout.Page(0, 0, max_width=WIDTH, max_height=HEIGHT))
    return read - start, time.process_time() - read, len(picture.encode()) / 1e3


def table(name: str, rows: list[tuple[float, float, float]]) -> dict[str, list[float]]:
    found = {}
    for label, unit, column in zip(("read", "draw", "size"), ("s", "s", "kB"), zip(*rows, strict=True), strict=True):
        found[label] = np.percentile(column, (50, 90, 100)).round(4).tolist()
        print(f"{name:>20} {label}: " + " / ".join(f"{value:.3g}" for value in found[label]) + f" {unit}")
    return found


if __name__ == "__main__":
    run_script(Config, main)
