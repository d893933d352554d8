"""Does it matter how the two losses are weighted, with and without the term that ties the encoders?

Per weighting, weight of the cross-modal term and seed: joint training for a given number of steps, then retrieval among
drawings that were not trained on, beside the same networks with fresh weights. Seeds change weights, order and views;
the drawings stay.

    python benchmarks/weighting.py                                                         # generated families
    python benchmarks/weighting.py --data_dir TRAIN_DATA --archive OTHER_DRAWINGS --groups kinds.json fine.json
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch

if __package__ in (None, ""):  # started as a file: make the repository root importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.scripts import run
from config.joint_config import JointConfig
from config.run_config import require, to_dict
from evaluation.archive import Archive, load_archive
from evaluation.evaluation import score_groups, score_originals
from evaluation.queries import (
    NameBook,
    Query,
    find_edits,
    find_groups,
    group_queries,
    original_queries,
    read_groups,
    read_truth,
)
from evaluation.scoring import Vectors
from model.embedding import SETTLED_TOGETHER, Embedder
from model.joint_dataset import JointDataLoader
from model.joint_task import JointTask
from utils.checkpoint import save_checkpoint
from utils.cli import run_script
from utils.engine.device import Precision, keep_freed_memory
from utils.engine.learner import Learner
from utils.engine.trainer import Trainer
from utils.run_log import RunLog
from utils.seeding import seed_everything

CPU = torch.device("cpu")
Weighting = Literal["fixed", "uncertainty", "loss_ratio", "grad_norm"]
UNTRAINED = "untrained"
SHOWN = ("gf", "deepdxf", "joint")


@dataclass
class WeightingConfig:
    """Retrieval after joint training under every weighting of the losses."""

    data_dir: Path | None = None
    """Folder that dataset/dxf_process.py wrote, to train on; generated families if left out."""
    archive: Path | None = None
    """Drawings to rank, none of them trained on; with --data_dir."""
    groups: tuple[Path, ...] = ()
    """Which drawings of the archive are alike, each file a question of its own (see EvalDXF.py); mAP@10."""
    edited: Path | None = None
    """A set of dataset/dxf_benchmark.py: also find the originals of its edited drawings; Recall@1."""
    weightings: tuple[Weighting, ...] = ("fixed", "uncertainty", "loss_ratio", "grad_norm")
    """The weightings to compare."""
    cross_modal: tuple[float, ...] = (0.0, 1.0)
    """The weights of the cross-modal term to compare."""
    seeds: int = 3
    """Trainings of each."""
    steps: int = 100
    """Of a training, rounded to whole epochs."""
    pairs: int = 45
    """Most pairs of graphs in a step."""
    max_view_entities: int = 16
    """Entities of a view; few of them cost little time."""
    size: int = 300
    """Drawings in each generated set."""
    models: Path | None = None
    """Keep the trained models, and what was read of drawings, here; what is there is not done again. The models must be
    of the same options."""
    json: Path | None = None
    """Also write the scores here."""

    def __post_init__(self) -> None:
        require((self.data_dir is None) == (self.archive is None), "data_dir and archive belong together")
        require(self.archive is not None or not self.groups, "groups are of an archive: give it too")


class Question(NamedTuple):
    """What is asked of a set of drawings."""

    name: str
    queries: list[Query]
    about_originals: bool

    def score(self, vectors: dict[str, Vectors]) -> dict[str, float]:
        score, metric = (score_originals, "Recall@1") if self.about_originals else (score_groups, "mAP@10")
        return {encoder: means[metric] for encoder, means in score(vectors, self.queries, 10).means().items()}


def train(data_dir: Path, weighting: str, cross_modal: float, seed: int, options: WeightingConfig, path: Path) -> None:
    """Train for the steps on all drawings, without validation, and keep the last weights."""
    config = JointConfig(
        data_dir=data_dir, n_folds=1, test_fraction=0.001, seed=seed, device="cpu", weighting=weighting,
        cross_modal_weight=cross_modal, gf_batch_pairs=options.pairs,
    )  # fmt: skip
    config.deepdxf.max_view_entities = options.max_view_entities
    data = JointDataLoader(config)
    seed_everything(seed)
    task = JointTask(config)
    data.prepare(task, None)
    loader = data.get_final_loader()
    config.epochs = max(1, round(options.steps / len(loader)))
    learner = Learner(0, task, loader, None, None, config, Precision.choose("fp32", CPU))
    with tempfile.TemporaryDirectory() as folder:
        config.log_dir = Path(folder)
        with RunLog("joint", config) as log:
            Trainer([learner], config, CPU, log).fit(lambda learner: None)
    save_checkpoint(
        path, kind="joint", config=to_dict(config), model=task.state_dict(), metrics={}, info={"data": data.facts}
    )


def centred_vectors(archive: Archive, embedder: Embedder) -> dict[str, Vectors]:
    """By encoder ``[N, D]``, centred on what is ranked, in one pass; NaN where a drawing has no graph."""
    records = list(archive.sequences())
    known = [i for i, record in enumerate(records) if record.gf_counts is not None]
    batches = (known[i : i + SETTLED_TOGETHER] for i in range(0, len(known), SETTLED_TOGETHER))
    found = embedder.task.centred_vectors(embedder.inputs([records[i] for i in batch]) for batch in batches)
    vectors = {name: np.full((len(records), rows.shape[1]), np.nan) for name, rows in found.items()}
    for name, rows in found.items():
        vectors[name][known] = rows.double().numpy()
    return vectors


def questions(options: WeightingConfig, cache: Path, reading: dict) -> list[tuple[Archive, list[Question]]]:
    """All that is to be asked, by archive; read as the model's drawings were."""
    asked = []
    if options.groups:
        archive = load_archive(options.archive, cache, workers=1, **reading)
        book = NameBook(archive.names)  # of names that are elsewhere nothing is asked
        groups = {path.stem: find_groups(read_groups(path), book) for path in options.groups}
        asked.append((archive, [Question(name, group_queries(each), False) for name, each in groups.items()]))
    if options.edited is not None:
        archive = load_archive(options.edited, cache, workers=1, **reading)
        edits = find_edits(read_truth(options.edited / "truth.json"), NameBook(archive.names))
        asked.append((archive, [Question("originals", original_queries(edits, []), True)]))
    return asked


@contextmanager
def generated(options: WeightingConfig) -> Iterator[WeightingConfig]:
    """The same with generated families where no drawings were given: those of one half of the shapes to train on, those
    of the other half to rank."""
    if options.data_dir is not None:
        yield options
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for split in ("train", "test"):
            run(
                "dataset/dxf_benchmark.py", "--benchmark", "families", "--split", split, "--size", options.size,
                "--output", folder / split,
            )  # fmt: skip
        run("dataset/dxf_process.py", "--input", folder / "train", "--output", folder / "data")
        given = {"data_dir": folder / "data", "archive": folder / "test", "groups": (folder / "test" / "groups.json",)}
        yield WeightingConfig(**{**vars(options), **given})


Scores = dict[str, dict[str, list[dict[str, float]]]]
"""By setting and question the scores of every encoder, one entry a seed."""


def measure(options: WeightingConfig, folder: Path) -> Scores:
    settings = {f"{each}, {weight:g}": (each, weight) for weight in options.cross_modal for each in options.weightings}
    found: Scores = defaultdict(lambda: defaultdict(list))
    asked = None

    def ask(name: str, embedder: Embedder) -> None:
        for archive, about in asked:
            vectors = centred_vectors(archive, embedder)
            for question in about:
                found[name][question.name].append(question.score(vectors))

    for seed in range(options.seeds):
        for name, setting in settings.items():
            path = (options.models or folder) / f"{'-'.join(map(str, setting))}-{seed}.pth"
            if not path.exists():
                train(options.data_dir, *setting, seed, options, path)
            embedder = Embedder(path, CPU)
            asked = (
                questions(options, (options.models or folder) / "cache", embedder.reading) if asked is None else asked
            )
            ask(name, embedder)
        ask(UNTRAINED, Embedder(path, CPU, untrained_seed=seed))
    return found


def report(found: Scores, options: WeightingConfig) -> None:
    names = list(found[UNTRAINED])
    protocol = f"{options.steps} steps of at most {options.pairs} pairs, {options.max_view_entities} entities a view"
    print(f"{protocol}, {options.seeds} seed(s)\n")
    print("GF / DeepDXF / joint, mean ± standard deviation over seeds; mAP@10, of originals Recall@1\n")
    print(f"| weighting, cross-modal | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    for setting, by_question in found.items():
        print(f"| {setting} | {' | '.join(_in_words(by_question[name]) for name in names)} |")


def _in_words(scores: list[dict[str, float]]) -> str:
    by_encoder = ([each[encoder] for each in scores] for encoder in SHOWN)
    return " / ".join(f"{statistics.fmean(values):.3f} ± {_deviation(values):.3f}" for values in by_encoder)


def _deviation(values: list[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


def main(options: WeightingConfig) -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    with generated(options) as options, tempfile.TemporaryDirectory() as folder:
        found = measure(options, Path(folder))
    if not found:
        return  # models only
    report(found, options)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    run_script(WeightingConfig, main, description=__doc__)
