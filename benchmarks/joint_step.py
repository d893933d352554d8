"""What joint training costs: a step against the two single ones, two processes against one, checkpoints, the log.

    python benchmarks/joint_step.py --data_dir data --json figures.json

A joint step is set against a step of GF and one of DeepDXF alone on the same drawings: drawing GF's views, forward,
backward, clipping, AdamW; the batches lie ready. Both ways take turns. Two gloo processes share the steps that one does
in its turn, loading included; drawings are dealt out to them by length, as always, and by number. One thread each;
what counts is the processor's time, which other programs on the machine lengthen less than the clock's. The clock is
printed beside it where processes wait for each other.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # before numpy is imported
    os.environ[threads] = "1"

if __package__ in (None, ""):  # started as a file: make the repository root importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
import torch
from torch import nn

from benchmarks.processes import on_processes
from benchmarks.scripts import run
from config.joint_config import JointConfig
from config.run_config import to_dict
from model.joint_dataset import JointDataLoader, JointLoader
from model.joint_task import JointTask
from utils.checkpoint import save_checkpoint
from utils.cli import run_script
from utils.early_stopping import EarlyStopping
from utils.engine.device import Precision, keep_freed_memory
from utils.engine.learner import Learner
from utils.engine.program import make_program
from utils.engine.trainer import Trainer
from utils.run_log import RunLog

CPU = torch.device("cpu")


@dataclass
class BenchmarkConfig:
    """What joint training costs beside its parts."""

    data_dir: Path | None = None
    """Folder that dataset/dxf_process.py wrote; generated drawings if left out."""
    pairs: int = 8
    """Pairs of graphs in a step."""
    steps: int = 1
    """Steps of a turn."""
    repeats: int = 3
    """Turns."""
    max_view_entities: int = 128
    """Entities of a view; 0 reads all of a drawing, where lengths differ most."""
    processes_only: bool = False
    """Compare one process with two, and nothing else."""
    seed: int = 0
    """Of the drawings, their split and what is random in a step."""
    json: Path | None = None
    """Also write the figures here."""


@dataclass
class Figures:
    """One entry a turn. Seconds are those of a step, of processor time where nothing else is said."""

    joint: list[float] = field(default_factory=list)
    singles: list[float] = field(default_factory=list)
    one_process: list[float] = field(default_factory=list)
    two_processes: list[list[float]] = field(default_factory=list)
    """Of each of the two."""
    two_by_number: list[list[float]] = field(default_factory=list)
    """Where drawings are dealt out as if they were of one length."""
    two_by_number_clock: list[float] = field(default_factory=list)
    one_process_clock: list[float] = field(default_factory=list)
    two_processes_clock: list[float] = field(default_factory=list)
    checkpoint: list[float] = field(default_factory=list)
    """By the clock: it is the disk's time too."""
    logging: list[float] = field(default_factory=list)
    """The log's share of an epoch."""

    @property
    def ratios(self) -> list[float]:
        """A joint step over the sum of the two single ones."""
        return [joint / singles for joint, singles in zip(self.joint, self.singles, strict=True)]

    @property
    def efficiency(self) -> list[float]:
        """One process's time over twice that of the busier one of two: 1 if sharing cost nothing and were even."""
        return _shares(self.one_process, map(max, self.two_processes))

    @property
    def efficiency_by_number(self) -> list[float]:
        return _shares(self.one_process, map(max, self.two_by_number))

    @property
    def efficiency_clock(self) -> list[float]:
        """The same by the clock, waiting included; other programs on the same cores spoil it."""
        return _shares(self.one_process_clock, self.two_processes_clock)

    @property
    def efficiency_by_number_clock(self) -> list[float]:
        return _shares(self.one_process_clock, self.two_by_number_clock)


def _shares(one: Iterable[float], two: Iterable[float]) -> list[float]:
    return [alone / (2 * shared) for alone, shared in zip(one, two, strict=True)]


class Stepper:
    """The loop's own step, without its log."""

    def __init__(self, task: nn.Module, loader: JointLoader, config: JointConfig) -> None:
        precision = Precision.choose("fp32", CPU)
        self.learner = Learner(0, task, loader, loader, EarlyStopping(1), config, precision)
        self.program = make_program([task], precision)
        self.program.train()

    def step(self, batch: dict[str, Any], seed: int) -> None:
        self.program([batch], [seed], torch.ones(1))
        self.learner.clip()
        self.learner.step()
        self.program.zero_grad(0)


def compare_steps(data: JointDataLoader, config: JointConfig, options: BenchmarkConfig, figures: Figures) -> None:
    loader = data.get_fold_loaders(0)[0]
    batches = [batch for batch, _ in zip(loader.epoch(0), range(options.steps), strict=False)]
    joint, alone = JointTask(config), JointTask(config)
    for task in (joint, alone):
        data.prepare(task, 0)
    together = Stepper(joint, loader, config)
    gf, deepdxf = Stepper(alone.gf, loader, config), Stepper(alone.deepdxf, loader, config)

    def joint_turn() -> None:
        for seed, batch in enumerate(batches):
            together.step(batch, seed)

    def single_turn() -> None:
        for seed, batch in enumerate(batches):
            gf.step(batch["gf"], seed)
            deepdxf.step(batch["deepdxf"], seed)

    for turn in range(options.repeats + 1):
        seconds = [_processor_seconds(way) / len(batches) for way in (joint_turn, single_turn)]
        if turn > 0:  # the first warms up
            figures.joint.append(seconds[0])
            figures.singles.append(seconds[1])
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.repeats):
            started = time.perf_counter()
            path = Path(folder) / "model.pth"
            save_checkpoint(
                path, kind="joint", config=to_dict(config), model=joint.state_dict(), metrics={}, info={"epoch": 0}
            )
            figures.checkpoint.append(time.perf_counter() - started)


def compare_processes(data: JointDataLoader, config: JointConfig, options: BenchmarkConfig, figures: Figures) -> None:
    """Must come first, see :func:`benchmarks.processes.on_processes`."""
    for _ in range(options.repeats):
        ((seconds, clock),) = on_processes(1, lambda: share_steps(data, config, options))
        figures.one_process.append(seconds)
        figures.one_process_clock.append(clock)
        shares = on_processes(2, lambda: share_steps(data, config, options))
        figures.two_processes.append([seconds for seconds, _ in shares])
        figures.two_processes_clock.append(max(clock for _, clock in shares))
        shares = on_processes(2, lambda: share_steps(data, config, options, by_length=False))
        figures.two_by_number.append([seconds for seconds, _ in shares])
        figures.two_by_number_clock.append(max(clock for _, clock in shares))


def share_steps(
    data: JointDataLoader, config: JointConfig, options: BenchmarkConfig, by_length: bool = True
) -> tuple[float, float]:
    """This process's part of the steps: seconds of each, of the processor and by the clock."""
    if not by_length:
        data.deepdxf.costs = lambda indices, limit: np.ones(len(indices))
    torch.manual_seed(options.seed)
    task = JointTask(config)
    data.prepare(task, 0)
    loader = data.get_fold_loaders(0)[0]
    stepper = Stepper(task, loader, config)
    steps = min(options.steps, len(loader))

    def turn() -> None:
        for step, batch in zip(range(steps), loader.epoch(0), strict=False):
            stepper.step(batch, step)

    turn()  # warms up
    started = time.perf_counter()
    seconds = _processor_seconds(turn)
    return seconds / steps, (time.perf_counter() - started) / steps


class TimedLog(RunLog):
    """Adds up what its calls in the loop cost."""

    seconds = 0.0

    def step(self, record: dict[str, Any]) -> None:
        self.seconds += _processor_seconds(lambda: super(TimedLog, self).step(record))

    def epoch(self, record: dict[str, Any]) -> None:
        self.seconds += _processor_seconds(lambda: super(TimedLog, self).epoch(record))


def measure_logging(data: JointDataLoader, config: JointConfig, options: BenchmarkConfig, figures: Figures) -> None:
    for _ in range(options.repeats):
        with tempfile.TemporaryDirectory() as folder:
            config.log_dir, config.epochs = Path(folder), 1
            with TimedLog("joint", config) as log:
                epoch = _seconds_of_an_epoch(data, config, log)
            figures.logging.append(log.seconds / epoch)


def _seconds_of_an_epoch(data: JointDataLoader, config: JointConfig, log: RunLog) -> float:
    task = JointTask(config)
    data.prepare(task, 0)
    loaders = data.get_fold_loaders(0)
    learner = Learner(0, task, *loaders, EarlyStopping(9), config, Precision.choose("fp32", CPU))
    return _processor_seconds(lambda: Trainer([learner], config, CPU, log).fit(lambda learner: None))


def _processor_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


@contextmanager
def preprocessed(options: BenchmarkConfig) -> Iterator[Path]:
    if options.data_dir is not None:
        yield options.data_dir
        return
    with tempfile.TemporaryDirectory() as folder:
        drawings, data = Path(folder) / "drawings", Path(folder) / "data"
        run("dataset/dxf_generate.py", "--output", drawings, "--families", 8, "--per_family", 5, "--seed", options.seed)
        run("dataset/dxf_process.py", "--input", drawings, "--output", data)
        yield data


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.3f} ({min(values):.3f}, {max(values):.3f})"


def report(figures: Figures, drawings: int, options: BenchmarkConfig) -> None:
    print(
        f"{drawings} drawings, {options.pairs} pairs a step; median (least, most) of {options.repeats} turns;"
        f" load {os.getloadavg()[0]:.1f}\n"
    )
    print("| | |\n|---|---|")
    print(f"| efficiency of two processes, by the processor | {spread(figures.efficiency)} |")
    print(f"| where drawings are dealt out by number | {spread(figures.efficiency_by_number)} |")
    print(f"| by the clock | {spread(figures.efficiency_clock)} |")
    print(f"| by number, by the clock | {spread(figures.efficiency_by_number_clock)} |")
    if options.processes_only:
        return
    print(f"| joint step, s | {spread(figures.joint)} |")
    print(f"| GF's and DeepDXF's steps, s | {spread(figures.singles)} |")
    print(f"| joint step over their sum (at most 1.1) | {spread(figures.ratios)} |")
    print(f"| writing a checkpoint, s | {spread(figures.checkpoint)} |")
    print(f"| the log's share of an epoch, % (under 2) | {spread([100 * share for share in figures.logging])} |")


def main(options: BenchmarkConfig) -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    figures = Figures()
    with preprocessed(options) as folder:
        config = JointConfig(data_dir=folder, n_folds=1, gf_batch_pairs=options.pairs, device="cpu", seed=options.seed)
        config.deepdxf.max_view_entities = options.max_view_entities
        data = JointDataLoader(config)
        compare_processes(data, config, options, figures)
        if not options.processes_only:
            compare_steps(data, config, options, figures)
            measure_logging(data, config, options, figures)
    report(figures, len(data.deepdxf.names), options)
    if options.json:
        names = ("ratios", "efficiency", "efficiency_clock", "efficiency_by_number", "efficiency_by_number_clock")
        found = {name: getattr(figures, name) for name in names} | vars(figures)
        options.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    run_script(BenchmarkConfig, main, description=__doc__)
