"""What does each ingredient of the default recipe bring? Each removed in turn, several seeds, beside the whole.

Trained anew without: views that lose entities, views with other dimensions, all other views, all views in drawing space
(dropout alone), the cross-modal term, the projection heads; and the plain recipe of the specification. Removed from the
vectors of the whole model, whose parts are learned apart: text, joints, pairs, ink, how it was drawn, what is
learned, what is measured, the centring, what the archive says is rare, and what it says a look is worth. Beside them
the untrained networks and the baselines of EvalDXF.py.

    python benchmarks/ablation.py --seeds 0 1 2                              # generated, families never trained on
    python benchmarks/ablation.py --train SHEETS --archive OTHERS --groups kinds.json styles.json
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import torch

if __package__ in (None, ""):  # started as a file: make the repository root importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import utils.views
from benchmarks.scripts import print_columns, run
from config.frame import ASKED
from config.joint_config import JointConfig
from config.recipes import from_recipe
from config.run_config import to_dict
from evaluation.archive import Archive, load_archive
from evaluation.encoders import encoder_vectors
from evaluation.evaluation import baseline_vectors, score_groups, score_originals
from evaluation.queries import (
    NameBook,
    find_edits,
    find_groups,
    group_queries,
    original_queries,
    read_groups,
    read_truth,
)
from evaluation.scoring import Vectors
from model.embedding import Embedder
from model.joint_dataset import JointDataLoader
from model.joint_task import JointTask
from model.looks import usual_weights
from model.sheet_encoder import LEARNED, MEASURED
from utils.checkpoint import save_checkpoint
from utils.cli import run_script
from utils.engine.device import Precision
from utils.engine.learner import Learner
from utils.engine.trainer import Trainer
from utils.run_log import RunLog
from utils.seeding import seed_everything

CPU = torch.device("cpu")
READING = {"overlap": "cross", "visible_only": False}
Set = Literal["families", "revisions", "saveas"]
METRICS = {"families": "mAP@10", "revisions": "Recall@1", "saveas": "Recall@1"}  # and what of them is scored
LOSSES = ("drop_entities", "drop_class", "crop_window")  # views that lose entities
CHANGES = ("explode", "change_words", "shear", "shift_and_scale", "change_unit")


@dataclass(frozen=True)
class Trial:
    """A recipe with something missing.

    Attributes:
        options: of the joint run, ``deepdxf`` those of the encoder.
        without_views: functions of ``utils.views`` that leave the drawing as it is.
        heads: False compares vectors in the losses as they are.
    """

    options: dict = field(default_factory=dict)
    without_views: tuple[str, ...] = ()
    heads: bool = True


TRIALS = {
    "whole": Trial(),
    "reference": Trial(options={"recipe": "reference"}),
    "no other dimensions": Trial(without_views=("redimension",)),
    "no loss of entities": Trial(without_views=LOSSES),
    "dropout alone": Trial(without_views=("redimension", *LOSSES, *CHANGES)),
    "no cross-modal term": Trial(options={"cross_modal_weight": 0.0}),
    "no heads": Trial(heads=False),
    "no other views": Trial(without_views=CHANGES),
}
PARTS = {  # of the whole model's vector, and what is left out of it
    "no text": ("letters", "words"),
    "no joints": ("joints", "joint_counts"),
    "no pairs of points": ("pair_histogram", "pair_deviations"),
    "no ink": ("image", "coarse_image", "statistics", "stroke_statistics"),
    "no sequence, counts, GF": ("sequence", "type_counts", "gf"),
    "nothing measured": MEASURED,
    "nothing learned": ("sequence", *LEARNED, "gf"),
}


@dataclass
class AblationConfig:
    """Retrieval without each ingredient of the recipe."""

    seeds: tuple[int, ...] = (0, 1, 2)
    """Of weights, order and views; of generated drawings too."""
    trials: tuple[str, ...] = tuple(TRIALS)
    """What is trained."""
    steps: int = 60
    """Training steps."""
    step_drawings: int = 36
    """Drawings of a step."""
    max_view_entities: int = 32
    """Entities that a view reads at most, in all trials."""
    sets: tuple[Set, ...] = ("families", "revisions", "saveas")
    """What is asked of generated drawings."""
    size: int = 120
    """Drawings in each generated set."""
    folder: Path = Path("ablation")
    """Where generated sets and preprocessed drawings are kept; a later run finds them."""
    train: Path | None = None
    """Train on the drawings of this folder, not on generated ones."""
    archive: Path | None = None
    """And measure on those of this one."""
    groups: tuple[Path, ...] = ()
    """With what is alike in it: one score for each file, see docs/evaluation.md."""
    json: Path | None = None
    """Also write the scores here."""

    def __post_init__(self) -> None:
        if unknown := set(self.trials) - set(TRIALS):
            raise ValueError(f"no such trial: {', '.join(sorted(unknown))}; known are {', '.join(TRIALS)}")
        if (self.train is None) != (self.archive is None) or (self.archive is None) != (not self.groups):
            raise ValueError("--train, --archive and --groups go together")


@dataclass(frozen=True)
class Measure:
    """An archive and what is asked of it."""

    archive: Archive
    asked: dict[str, tuple[list, str]]  # queries and the metric, by name

    def scores(self, vectors: dict[str, Vectors]) -> dict[str, dict[str, float]]:
        """By name of what is asked and by method."""
        found = {}
        for name, (queries, metric) in self.asked.items():
            score = score_groups if metric.startswith("mAP") else score_originals
            means = score(vectors, queries, 10).means()
            found[name] = {method: values[metric] for method, values in means.items()}
        return found


def generated(seed: int, config: AblationConfig) -> tuple[Path, list[Measure]]:
    """The training data, and the sets to measure on, of other shapes."""
    measures = []
    for name in ("train", *config.sets):
        folder, split = config.folder / str(seed) / name, "train" if name == "train" else "test"
        if not (folder / "truth.json").exists():
            what = ("--benchmark", "families" if name == "train" else name, "--split", split)
            run("dataset/dxf_benchmark.py", *what, "--seed", seed, "--size", config.size, "--output", folder)
        if name != "train":
            measures.append(measure_of(folder, config, name))
    return preprocessed(config.folder / str(seed) / "train", config), measures


def measure_of(folder: Path, config: AblationConfig, name: str) -> Measure:
    """Of a generated set."""
    archive = load_archive(folder, config.folder / "cache", workers=1, **READING)
    book = NameBook(archive.names, archive.skipped)
    groups = find_groups(read_groups(folder / "groups.json"), book)
    edits = find_edits(read_truth(folder / "truth.json"), book)
    queries = group_queries(groups) if name == "families" else original_queries(edits, groups)
    return Measure(archive, {name: (queries, METRICS[name])})


def given(config: AblationConfig) -> tuple[Path, list[Measure]]:
    """The same of folders of drawings."""
    archive = load_archive(config.archive, config.folder / "cache", workers=1, **READING)
    asked = {}
    for path in config.groups:
        groups = find_groups(read_groups(path), NameBook(archive.names, archive.skipped))
        asked[path.stem] = (group_queries(groups), "mAP@10")
    return preprocessed(config.train, config), [Measure(archive, asked)]


def preprocessed(folder: Path, config: AblationConfig) -> Path:
    output = config.folder / "data" / f"{folder.resolve().parent.name}-{folder.resolve().name}"
    run("dataset/dxf_process.py", "--input", folder, "--output", output, "--workers", 1)
    return output


def run_config(trial: Trial, seed: int, data: Path, config: AblationConfig) -> JointConfig:
    """The options of a trial; a few drawings are held out because a run must, and never asked."""
    options = dict(trial.options)
    base = from_recipe(JointConfig, options.pop("recipe", "best"))
    deepdxf = replace(base.deepdxf, max_view_entities=config.max_view_entities)
    common = {"data_dir": data, "seed": seed, "n_folds": 1, "test_fraction": 0.01, "schedule": "cosine"}
    pairs = config.step_drawings // 2
    return replace(base, deepdxf=deepdxf, gf_batch_pairs=pairs, log_dir=config.folder / "logs", **common, **options)


def trained(trial: Trial, options: JointConfig, steps: int) -> tuple[JointTask, float]:
    """A settled model, and the processor's seconds that training took."""
    data = JointDataLoader(options)
    loader = data.get_final_loader()
    options = replace(options, epochs=max(1, round(steps / len(loader))))
    task = untrained(options, data)
    if not trial.heads:
        task.deepdxf.projections = same_size(task)
    start = time.process_time()
    with without(trial.without_views), RunLog("ablation", options) as log:
        learner = Learner(0, task, loader, None, None, options, Precision.choose("fp32", CPU))
        Trainer([learner], options, CPU, log).fit(lambda learner: None)
    seconds = time.process_time() - start
    task.settle(data.archive(None))
    return task, seconds


def same_size(task: JointTask) -> torch.nn.ModuleDict:
    """In place of each head zeros behind a learned part, up to the size of the largest: that changes no cosine."""
    sizes = {name: task.deepdxf.part_sizes[name] for name in task.deepdxf.projections}
    most = max(sizes.values())
    return torch.nn.ModuleDict({name: torch.nn.ConstantPad1d((0, most - size), 0.0) for name, size in sizes.items()})


def untrained(options: JointConfig, data: JointDataLoader) -> JointTask:
    seed_everything(options.seed)
    task = JointTask(options)
    data.prepare(task, None)
    return task


@contextmanager
def without(views: tuple[str, ...]) -> Iterator[None]:
    """These functions of ``utils.views`` leave a drawing as it is."""
    kept = {name: getattr(utils.views, name) for name in views}
    for name in views:
        setattr(utils.views, name, lambda drawing, *_: drawing)
    try:
        yield
    finally:
        for name, function in kept.items():
            setattr(utils.views, name, function)


def embedder_of(task: JointTask, options: JointConfig, path: Path) -> Embedder:
    """The model as it ships. Heads, which no vector needs, are fresh ones."""
    state = JointTask(options).state_dict() | {
        name: value for name, value in task.state_dict().items() if ".projections." not in name
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_checkpoint(path, kind="joint", config=to_dict(options), model=state, metrics={}, info={"data": READING})
    return Embedder(path, CPU)


def left_out(task: JointTask, vectors: dict[str, Vectors]) -> dict[str, Vectors]:
    """The joint vector of the whole model without some of its parts, by what is missing."""
    gf = task.gf_share**0.5 * _unit(vectors["gf"])
    deepdxf = (1 - task.gf_share) ** 0.5 * _unit(vectors["deepdxf"])
    starts = np.cumsum([0, *task.deepdxf.part_sizes.values()])
    columns = {
        part: deepdxf[:, start:end]
        for part, (start, end) in zip(task.deepdxf.part_sizes, pairwise(starts), strict=True)
    }
    columns["gf"] = gf
    return {
        name: np.concatenate([rows for part, rows in columns.items() if part not in parts], axis=1)
        for name, parts in PARTS.items()
    }


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def uncentred(embedder: Embedder) -> None:
    for name, buffer in embedder.task.deepdxf.named_buffers():
        if name.startswith("centre_"):
            buffer.zero_()


def usual(embedder: Embedder) -> None:
    embedder.task.deepdxf.look_weights.copy_(usual_weights())


def vectors_of(
    archive: Archive, embedder: Embedder, then: Callable[[Embedder], None] = lambda _: None
) -> dict[str, Vectors]:
    """As a search has them: of a model that was shown the archive, ``then`` changed."""
    embedder.settle(archive.sample(ASKED))
    then(embedder)
    return encoder_vectors(archive, embedder)


def one_seed(seed: int, config: AblationConfig) -> dict[str, dict[str, float]]:
    """By row and by column: what is asked, and what training cost."""
    data, measures = generated(seed, config) if config.archive is None else given(config)
    rows: dict[str, dict[str, float]] = {}

    def add(found: list[dict[str, Vectors]], **more: float) -> None:
        for measure, vectors in zip(measures, found, strict=True):
            for column, by_row in measure.scores(vectors).items():
                for row, value in by_row.items():
                    rows.setdefault(row, {})[column] = value
        for row in found[0] if more else ():
            rows[row] |= more
        print(f"seed {seed}: {[f'{row} {rows[row]}' for row in found[0]]}", file=sys.stderr, flush=True)

    path = config.folder / f"model-{seed}-{'-'.join(config.trials)[:40].replace(' ', '_')}.pth"
    for name in config.trials:
        options = run_config(TRIALS[name], seed, data, config)
        task, seconds = trained(TRIALS[name], options, config.steps)
        embedder = embedder_of(task, options, path)
        unshown = [encoder_vectors(each.archive, embedder)["joint"] for each in measures] if name == "whole" else []
        found = [vectors_of(measure.archive, embedder) for measure in measures]
        add([{name: vectors["joint"]} for vectors in found], seconds=seconds)
        if name == "whole":
            add([{"not shown the archive": rows} for rows in unshown])
            add([left_out(embedder.task, vectors) for vectors in found])
            for row, then in (("no centring", uncentred), ("looks as usual", usual)):
                found = [vectors_of(measure.archive, embedder, then) for measure in measures]
                add([{row: vectors["joint"]} for vectors in found])
            embedder = embedder_of(untrained(options, JointDataLoader(options)), options, path)
            found = [vectors_of(measure.archive, embedder) for measure in measures]
            add([{"untrained": vectors["joint"]} for vectors in found])
            add([baseline_vectors(measure.archive)[0] for measure in measures])
    return rows


def main(config: AblationConfig) -> None:
    runs = [one_seed(seed, config) for seed in config.seeds]
    print(f"{config.steps} steps of {config.step_drawings} drawings, {len(runs)} seed(s), mean (standard deviation)\n")
    print_columns(runs)
    if config.json:
        config.json.write_text(json.dumps({"seeds": list(config.seeds), "rows": runs}, indent=2), encoding="utf-8")


if __name__ == "__main__":
    run_script(AblationConfig, main, description=__doc__)
