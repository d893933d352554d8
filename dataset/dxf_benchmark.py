"""Make a set of drawings on which to measure likeness, with the right answers.

    python dataset/dxf_benchmark.py --benchmark families --output families --size 400 --seed 0
    python dataset/dxf_benchmark.py --benchmark revisions --output edited --from DRAWINGS

families   Parts of one shape are alike: other sizes, other numbers of pins or holes, other views, another office.
           Every office draws every family, so that a style says nothing of the part.
symbols    Symbols of furniture, circuits, pipes and buildings: another trade, a few entities each and hardly a word.
           Those of a class are alike, whoever drew them, at whatever size and turned whichever way.
revisions  One drawing in five comes with what a designer made of it: parts moved, resized, added, cut out, words and
           title block replaced, blocks opened, the sheet turned. Find the original among all others, many of them of
           the same shape.
saveas     One drawing in five comes with what another program made of it: other handles and order, another version,
           blocks and dimensions opened, polylines cut or joined, other units, the sheet turned. Find the original.

Beside the drawings it writes groups.json, the files that are alike, and truth.json: what each file is, what it was
made from, by which edits and where. EvalDXF.py reads both. Shapes and classes are dealt to --split train and --split
test by the seed: no family of the one is in the other.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

if __package__ in (None, ""):  # started as a file: make the repository root importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from config.errors import UserError
from dataset.generator.archive import OutputNotEmptyError
from dataset.generator.benchmark import build, generated_jobs, given_jobs
from dataset.pool import fair_share
from dataset.worker import FileReport
from utils.cli import run_script
from utils.progress import progress

EXIT_COMPLETE, EXIT_INCOMPLETE = 0, 3


@dataclass(frozen=True)
class BenchmarkConfig:
    """Which set to make, and where to put it."""

    benchmark: Literal["families", "symbols", "revisions", "saveas"]
    """What is alike in it, see above."""
    output: Path
    """Folder for the drawings; made if it is missing. It must be empty or hold an earlier run, which is replaced."""
    size: int = 0
    """Drawings in a generated set, edited ones included (0: 400). With --from: how many of the drawings are edited
    (0: all)."""
    seed: int = 0
    """The same seed gives the same files, byte for byte (on a machine with the same fonts: they set text widths)."""
    split: Literal["train", "test"] = "test"
    """Which half of the shapes to draw; with the same seed the other half is never seen."""
    given: Annotated[Path | None, tyro.conf.arg(name="from")] = None
    """Folder of .dxf drawings to make revisions or save-as of, instead of generated ones; they are copied."""
    workers: int = 0
    """Processes that draw side by side; 0 means one per core. The files do not depend on it."""
    timeout: float = 300.0
    """Seconds after which a drawing is given up and named."""
    overwrite: bool = False
    """Write into a folder that holds other files too; those are left alone unless they have the same name."""

    def __post_init__(self) -> None:
        if self.size < 0 or self.workers < 0:
            raise ValueError("--size and --workers must not be negative")
        if self.given is not None and self.benchmark in ("families", "symbols"):
            raise ValueError("--from makes revisions or saveas: nobody has said which of the given drawings are alike")


def main(config: BenchmarkConfig) -> int:
    if config.given is None:
        jobs = generated_jobs(config.output, config.benchmark, config.size or 400, config.seed, config.split)
    else:
        if config.output.resolve() == config.given.resolve():
            raise UserError("--output must be another folder than --from")
        jobs = given_jobs(config.output, config.benchmark, config.size, config.seed, config.given)
    if not jobs:
        raise UserError(f"no .dxf drawings in {config.given}")
    workers = config.workers or os.cpu_count() or 1
    about = {"benchmark": config.benchmark, "seed": config.seed, "split": config.split if not config.given else None}
    work = build(config.output, jobs, about, config.overwrite, workers, config.timeout, fair_share(workers))
    written, skipped = 0, []
    try:
        for done in progress(work, total=len(jobs), desc="drawings"):
            if isinstance(done, FileReport):
                skipped.append(done)
            else:
                written += len(done)
    except (OutputNotEmptyError, OSError) as error:
        raise UserError(str(error)) from error
    print(f"{written} drawings: {config.output}")
    for report in skipped:
        print(f"skipped {report.source}: {report.reason}", file=sys.stderr)
    return EXIT_INCOMPLETE if skipped else EXIT_COMPLETE


if __name__ == "__main__":
    run_script(BenchmarkConfig, main, description=__doc__)
