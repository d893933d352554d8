"""Does training help? mAP@10 on families of drawings never trained on, beside what a person would try first.

Per seed: generate a training archive and, from another seed, a test archive; train jointly; rank every test drawing's
archive and score against its family. Printed beside the trained vectors, from the same drawings: the same networks
untrained, log entity counts with the aspect ratio (z-scored), and raw GF features.

    python benchmarks/retrieval.py --seeds 3 --epochs 10
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

if __package__ in (None, ""):  # started as a file: make the repository root importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from config.joint_config import JointConfig
from config.run_config import to_dict
from dataset.dxf_process_GF import gf_features
from dataset.entities import N_TYPES
from dataset.storage import SequenceRecord, read_sequence
from model.embedding import Embedder
from model.joint_task import JointTask
from utils.checkpoint import save_checkpoint
from utils.cli import run_script

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class BenchmarkConfig:
    """Retrieval quality of joint training on generated families."""

    seeds: int = 3
    """Independent repetitions: other drawings, other weights."""
    families: int = 20
    """Families in each archive."""
    per_family: int = 6
    """Drawings of a family."""
    epochs: int = 10
    """Epochs of the joint run."""
    json: Path | None = None
    """Also write the scores here."""


def mean_average_precision(vectors: np.ndarray, families: np.ndarray, k: int = 10) -> float:
    """mAP@k by cosine; every drawing queries all others. AP is divided by min(k, relevant)."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.maximum(lengths, 1e-12)
    scores = unit @ unit.T
    np.fill_diagonal(scores, -np.inf)
    precisions = []
    for i, order in enumerate(np.argsort(-scores, axis=1, kind="stable")[:, :-1]):
        hit = families[order] == families[i]
        gain = np.cumsum(hit[:k]) / np.arange(1, k + 1) * hit[:k]
        precisions.append(gain.sum() / min(k, hit.sum()))
    return float(np.mean(precisions))


def counts_and_aspect(drawings: list[SequenceRecord]) -> np.ndarray:
    """The ten-line heuristic: how many entities of each type, and the sheet's aspect ratio; z-scored."""
    counts = [np.bincount(drawing.dxf_vec[:, 0], minlength=N_TYPES) for drawing in drawings]
    aspects = [drawing.extents.width / max(drawing.extents.height, 1e-9) for drawing in drawings]
    table = np.column_stack([np.log1p(counts), np.log(np.maximum(aspects, 1e-9))])
    return (table - table.mean(axis=0)) / np.maximum(table.std(axis=0), 1e-9)


def run(script: str, *arguments: object) -> None:
    subprocess.run([sys.executable, str(ROOT / script), *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def one_seed(seed: int, config: BenchmarkConfig, folder: Path) -> dict[str, float]:
    for name, data_seed in (("train", seed), ("test", 1000 + seed)):
        size = ("--families", config.families, "--per_family", config.per_family)
        run("dataset/dxf_generate.py", "--output", folder / name, *size, "--seed", data_seed)
        run("dataset/dxf_process.py", "--input", folder / name, "--output", folder / f"{name}_data")
    where = ("--checkpoint_dir", folder / "trained", "--log_dir", folder / "logs")
    run(
        "joint_main.py", "--data_dir", folder / "train_data", *where, "--epochs", config.epochs,
        "--n_folds", 1, "--gf_batch_pairs", 8, "--seed", seed,
    )  # fmt: skip
    torch.manual_seed(seed)
    untrained = JointConfig()
    contents = {"model": JointTask(untrained).state_dict(), "metrics": {}, "info": {"data": {}}}
    save_checkpoint(folder / "untrained.pth", kind="joint", config=to_dict(untrained), **contents)

    drawings, families = _test_archive(folder)
    scores = {
        "counts + aspect": mean_average_precision(counts_and_aspect(drawings), families),
        "raw GF features": mean_average_precision(
            np.stack([gf_features(drawing.gf_counts).ravel() for drawing in drawings]), families
        ),
    }
    for label, path in (("untrained", folder / "untrained.pth"), ("trained", folder / "trained" / "best_model.pth")):
        embed = Embedder(path, torch.device("cpu"))
        vectors = [embed(drawing) for drawing in drawings]
        for encoder in ("gf", "deepdxf", "joint"):
            stacked = np.stack([vector[encoder] for vector in vectors])
            scores[f"{encoder}, {label}"] = mean_average_precision(stacked, families)
    return scores


def _test_archive(folder: Path) -> tuple[list[SequenceRecord], np.ndarray]:
    groups = json.loads((folder / "test" / "groups.json").read_text(encoding="utf-8"))
    family = {name: number for number, group in enumerate(groups) for name in group}
    drawings = [read_sequence(path) for path in sorted((folder / "test_data" / "DeepDXF").rglob("*.h5"))]
    return drawings, np.array([family[drawing.source] for drawing in drawings])


def main(config: BenchmarkConfig) -> None:
    runs = []
    for seed in range(config.seeds):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(one_seed(seed, config, Path(folder)))
    table = {name: [scores[name] for scores in runs] for name in runs[0]}
    print(f"mAP@10 on {config.families} unseen families of {config.per_family}, {config.seeds} seed(s)\n")
    print("| vectors | mean | standard deviation |\n|---|---|---|")
    for name, values in table.items():
        print(f"| {name} | {np.mean(values):.3f} | {np.std(values, ddof=min(1, len(values) - 1)):.3f} |")
    if config.json:
        config.json.write_text(json.dumps({"scores": table}, indent=2), encoding="utf-8")


if __name__ == "__main__":
    run_script(BenchmarkConfig, main)
