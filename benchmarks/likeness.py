"""How hard are the sets of dataset/dxf_benchmark.py, and does a model find in them what hand-made vectors do not?

Per seed: make a training set (families, the training half of the shapes; symbols for the set of symbols) and the test
sets (the other half), train jointly, and measure the model on each test set beside the baselines and the untrained
networks (EvalDXF.py). Families and symbols are scored by mAP@10, revisions and save-as by how often the original is the
first answer.

    python benchmarks/likeness.py --seeds 3 --epochs 10
    python benchmarks/likeness.py --seeds 3 --epochs 0                          # baselines and untrained networks only
    python benchmarks/likeness.py --model_path checkpoints/best_model.pth --from DRAWINGS
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro

if __package__ in (None, ""):  # started as a file: make the repository root importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.scripts import by_method, print_table, run
from config.joint_config import JointConfig
from config.run_config import to_dict
from model.joint_dataset import JointDataLoader
from model.joint_task import JointTask
from utils.checkpoint import save_checkpoint
from utils.cli import run_script

Benchmark = Literal["families", "symbols", "revisions", "saveas"]
GROUPED = ("families", "symbols")  # who is like whom, instead of which is the original
ENCODERS = ("joint", "gf", "deepdxf")


@dataclass
class LikenessConfig:
    """Retrieval on generated sets whose right answers are known."""

    seeds: int = 3
    """Independent repetitions: other shapes, other drawings, other weights."""
    benchmarks: tuple[Benchmark, ...] = ("families", "symbols", "revisions", "saveas")
    """The sets to measure on."""
    size: int = 400
    """Drawings in each set, training set included."""
    epochs: int = 10
    """Epochs of the joint run; 0 measures the baselines and the untrained networks alone."""
    model_path: Path | None = None
    """Measure this model instead of training one."""
    given: Annotated[Path | None, tyro.conf.arg(name="from")] = None
    """Make revisions and save-as of the drawings in this folder instead of generated ones, and nothing else."""
    json: Path | None = None
    """Also write the scores here."""


def one_seed(seed: int, config: LikenessConfig, folder: Path) -> dict[str, dict[str, float]]:
    """Scores by benchmark and method."""
    models: dict[str, Path] = {}
    found = {}
    for name in chosen(config):
        trade = "symbols" if name == "symbols" else "families"
        if trade not in models:
            make_model = trained if config.epochs else untrained
            models[trade] = config.model_path or make_model(trade, seed, config, folder / f"model_{trade}")
        found[name] = scores(name, seed, models[trade], config, folder)
    return found


def chosen(config: LikenessConfig) -> list[str]:
    return [name for name in config.benchmarks if config.given is None or name not in GROUPED]


def trained(trade: str, seed: int, config: LikenessConfig, folder: Path) -> Path:
    """A model that has seen the training half of the shapes, or of the classes of symbols."""
    data = training_data(trade, seed, config, folder)
    where = ("--checkpoint_dir", folder / "trained", "--log_dir", folder / "logs")
    run(
        "joint_main.py", "--data_dir", data, *where, "--epochs", config.epochs,
        "--n_folds", 1, "--seed", seed,
    )  # fmt: skip
    return folder / "trained" / "best_model.pth"


def untrained(trade: str, seed: int, config: LikenessConfig, folder: Path) -> Path:
    """A model that knows how rare letters and joints are in the same drawings, and nothing else."""
    joint, path = JointConfig(data_dir=training_data(trade, seed, config, folder), n_folds=1), folder / "untrained.pth"
    torch.manual_seed(seed)
    task, data = JointTask(joint), JointDataLoader(joint)
    data.prepare(task, None)
    contents = {"model": task.state_dict(), "metrics": {}, "info": {"data": data.facts}}
    save_checkpoint(path, kind="joint", config=to_dict(joint), **contents)
    return path


def training_data(trade: str, seed: int, config: LikenessConfig, folder: Path) -> Path:
    make(trade, "train", seed, config.size, folder / "train")
    run("dataset/dxf_process.py", "--input", folder / "train", "--output", folder / "train_data")
    return folder / "train_data"


def make(benchmark: str, split: str, seed: int, size: int, output: Path, *more: object) -> None:
    run(
        "dataset/dxf_benchmark.py", "--benchmark", benchmark, "--split", split, "--seed", seed, "--size", size,
        "--output", output, *more,
    )  # fmt: skip


def scores(benchmark: str, seed: int, model: Path, config: LikenessConfig, folder: Path) -> dict[str, float]:
    test, result = folder / benchmark, folder / f"{benchmark}.json"
    make(benchmark, "test", seed, config.size, test, *(("--from", config.given) if config.given else ()))
    truth = () if benchmark in GROUPED else ("--truth", test / "truth.json")
    run(
        "EvalDXF.py", "--archive", test, "--groups", test / "groups.json", *truth, "--model_path", model,
        "--cache", folder / "cache", "--json", result,
    )  # fmt: skip
    found = json.loads(result.read_text(encoding="utf-8"))
    table, metric = (found["scores"], "mAP@10") if not truth else (found["originals"]["scores"], "Recall@1")
    hidden = () if config.epochs or config.model_path else ENCODERS  # nothing was trained
    return {method: metrics[metric] for method, metrics in table.items() if method not in hidden}


def main(config: LikenessConfig) -> None:
    runs = []
    for seed in range(config.seeds):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(one_seed(seed, config, Path(folder)))
    tables = {name: by_method([found[name] for found in runs]) for name in runs[0]}
    for name, table in tables.items():
        metric = "mAP@10" if name in GROUPED else "Recall@1 of the original"
        print(f"\n{name}: {metric}, sets of {config.size}, {config.seeds} seed(s)\n")
        print_table(table)
    if config.json:
        config.json.write_text(json.dumps({"scores": tables}, indent=2), encoding="utf-8")


if __name__ == "__main__":
    run_script(LikenessConfig, main, description=__doc__)
