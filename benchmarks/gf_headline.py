"""What would the published run cost here? 16,035 drawings, 10 folds, 50 epochs, 128 graphs a batch; published: 3 hours
on three RTX 2080 Ti.

    python benchmarks/gf_headline.py --data_dir data --json figures.json

Real or generated graphs are drawn with replacement up to that number. The loop that GF_main.py uses trains all folds
for a few epochs, validation included, on all cores; the median epoch is multiplied. No fold stops early here. That is
what the published run did; a run of ours then trains a final model on all of them, which is the second figure. Reading
the graphs, writing checkpoints and the test come on top: a minute or less.

The clock says what a run costs now. Where other programs share the cores, the processor's time says what it would cost,
at the least, if they were idle: that of the folds over the cores that train one each. The published 3 hours are the
baseline; ``--folds both`` adds folds in turn, on one core.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Literal

if __package__ in (None, ""):  # started as a file: make the repository root importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
import torch

from benchmarks.gf_graphs import GraphSource
from config.GF_config import GFConfig
from model.GF_dataset import GFDataset, GFLoader
from model.GF_task import GFTask
from utils.cli import run_script
from utils.early_stopping import EarlyStopping
from utils.engine.cross_validation import CrossValidation
from utils.splits import split_drawings

PUBLISHED_SECONDS = 3 * 3600
EPOCHS, FOLDS, BATCH_SIZE = 50, 10, 128


@dataclass
class BenchmarkConfig(GraphSource):
    """Time of the published GF run on this machine, extrapolated from measured epochs."""

    drawings: int = 16_035
    """Drawings in the set."""
    epochs: int = 3
    """Epochs to measure."""
    folds: Literal["together", "one_by_one", "both"] = "together"
    """How the folds are trained; both ways are compared in one run."""
    device: str = "auto"
    """auto, cpu, cuda."""
    threads: int = 0
    """Of torch; 0: its default, all cores."""
    json: Path | None = None
    """Also write the figures here."""


class Resampled:
    """The data of a run: graphs drawn with replacement, split as :class:`model.GF_dataset.GFData` splits."""

    facts: dict[str, Any]
    fingerprint = ""

    def __init__(self, dataset: GFDataset, count: int, config: GFConfig) -> None:
        self.dataset, self.config, self.facts = dataset, config, dataset.reading
        self.graph = np.random.default_rng(config.seed).integers(0, len(dataset.names), count)
        self.split = split_drawings(
            [str(i) for i in range(count)],
            n_folds=config.n_folds,
            test_fraction=config.test_fraction,
            val_fraction=config.val_fraction,
            seed=config.seed,
        )
        self.n_folds = len(self.split.folds)

    def to(self, device: torch.device) -> None:
        self.dataset.to(device)

    def prepare(self, task: GFTask, fold: int | None) -> None:
        """GF standardises by nothing."""

    def archive(self, fold: int | None) -> Iterator[dict[str, Any]]:
        yield self.dataset.plain(self._graphs(self.split.training(fold)))

    def get_fold_loaders(self, fold: int) -> tuple[GFLoader, GFLoader]:
        members = self.split.folds[fold]
        return self._loader(members.train, train=True), self._loader(members.val, train=False)

    def get_final_loader(self) -> GFLoader:
        return self._loader(self.split.training(None), train=True)

    def get_test_loaders(self) -> GFLoader:
        return self._loader(self.split.test, train=False)

    def _loader(self, names: tuple[str, ...], train: bool) -> GFLoader:
        return GFLoader(self.dataset, self._graphs(names), self.config.batch_size, self.config.seed, train)

    def _graphs(self, names: tuple[str, ...]) -> np.ndarray:
        return self.graph[[int(name) for name in names]]


class TimedTask(GFTask):
    """Notes the processor's time when a task is made and when an epoch of it ends."""

    marks: ClassVar[list[tuple[str, float]]] = []

    def __init__(self, config: GFConfig) -> None:
        super().__init__(config)
        self.marks.append(("made", time.process_time()))

    def on_epoch_end(self, train_means: dict[str, float]) -> None:
        self.marks.append(("epoch", time.process_time()))

    @classmethod
    def trained(cls) -> tuple[float, float]:
        """Processor's seconds in epochs of folds and of the final training, the last one made."""
        final = max(i for i, (what, _) in enumerate(cls.marks) if what == "made")
        steps = [
            (i >= final, end - start)
            for i, ((_, start), (what, end)) in enumerate(pairwise(cls.marks))
            if what == "epoch"
        ]
        return sum(spent for last, spent in steps if not last), sum(spent for last, spent in steps if last)


def epoch_seconds(
    dataset: GFDataset, config: BenchmarkConfig, folds: str
) -> tuple[list[float], list[float], tuple[float, float]]:
    """Seconds by the clock of each epoch of all folds, and of the final training; the processor's of an epoch of
    both."""
    TimedTask.marks.clear()
    with tempfile.TemporaryDirectory() as folder:
        run = GFConfig(
            checkpoint_dir=Path(folder) / "checkpoints", log_dir=Path(folder) / "logs", run_name="run",
            epochs=config.epochs, n_folds=FOLDS, batch_size=BATCH_SIZE, seed=config.seed, device=config.device,
        )  # fmt: skip
        CrossValidation(
            kind="gf",
            config=run,
            data=Resampled(dataset, config.drawings, run),
            build_task=TimedTask,
            build_early_stopping=lambda setting: EarlyStopping(setting.patience),
            together=folds == "together",
        ).run()
        lines = (Path(folder) / "logs" / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    records = [record for record in map(json.loads, lines) if record["event"] == "epoch"]
    of_folds, of_final = (spent / run.epochs for spent in TimedTask.trained())
    final = [each["seconds"] for each in records if each["fold"] == "final"]
    return [_epoch_seconds(records, epoch, folds) for epoch in range(run.epochs)], final, (of_folds, of_final)


def _epoch_seconds(records: list[dict[str, Any]], epoch: int, folds: str) -> float:
    """Of one epoch of all folds; where they train side by side each says the seconds of all."""
    of_folds = [each["seconds"] for each in records if each["epoch"] == epoch and each["fold"] != "final"]
    return of_folds[0] if folds == "together" else sum(of_folds)


def main(config: BenchmarkConfig) -> None:
    if config.threads:
        torch.set_num_threads(config.threads)
    dataset = config.load()
    ways = ["together", "one_by_one"] if config.folds == "both" else [config.folds]
    figures = {}
    for way in ways:
        seconds, final, (of_folds, of_final) = epoch_seconds(dataset, config, way)
        cores = min(torch.get_num_threads(), FOLDS) if way == "together" else 1
        whole, idle = EPOCHS * statistics.median(seconds), EPOCHS * of_folds / cores
        figures[way] = {
            "epoch_seconds": seconds,
            "processor_seconds": of_folds,
            "final_processor_seconds": of_final,
            "run_seconds": whole,
            "run_seconds_with_final": whole + EPOCHS * statistics.median(final),
            "idle_run_seconds": idle,
            "ratio": PUBLISHED_SECONDS / whole,
            "idle_ratio": PUBLISHED_SECONDS / idle,
        }
    print(
        f"\n{config.drawings} drawings, {FOLDS} folds, {EPOCHS} epochs; {torch.get_num_threads()} thread(s), device"
        f" {config.device}, load {os.getloadavg()[0]:.1f}\n\n"
        "| folds | an epoch, s: median (least, most) | run, minutes | published / this | processor, s |"
        " on idle cores, minutes | published / this | and with final training, minutes |\n" + "|---" * 8 + "|"
    )
    for way, figure in figures.items():
        epochs = figure["epoch_seconds"]
        print(
            f"| {way} | {statistics.median(epochs):.1f} ({min(epochs):.1f}, {max(epochs):.1f}) |"
            f" {figure['run_seconds'] / 60:.1f} | {figure['ratio']:.1f} | {figure['processor_seconds']:.1f} |"
            f" {figure['idle_run_seconds'] / 60:.1f} | {figure['idle_ratio']:.1f} |"
            f" {figure['run_seconds_with_final'] / 60:.1f} |"
        )
    if config.json:
        config.json.write_text(json.dumps({**figures[ways[0]], "ways": figures}, indent=2), encoding="utf-8")


if __name__ == "__main__":
    run_script(BenchmarkConfig, main)
