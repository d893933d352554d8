"""Does training help? mAP@10 on families of drawings never trained on, beside what a person would try first.

Per seed: generate a training archive and, from another seed, a test archive; train jointly; rank every test drawing's
archive and score against its family. Printed beside the trained vectors, from the same drawings: the same networks
untrained and every baseline of EvalDXF.py.

    python benchmarks/retrieval.py --seeds 3 --epochs 10
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

if __package__ in (None, ""):  # started as a file: make the repository root importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.scripts import by_method, print_table, run
from utils.cli import run_script


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


def one_seed(seed: int, config: BenchmarkConfig, folder: Path) -> dict[str, float]:
    for name, data_seed in (("train", seed), ("test", 1000 + seed)):
        size = ("--families", config.families, "--per_family", config.per_family)
        run("dataset/dxf_generate.py", "--output", folder / name, *size, "--seed", data_seed)
    run("dataset/dxf_process.py", "--input", folder / "train", "--output", folder / "train_data")
    where = ("--checkpoint_dir", folder / "trained", "--log_dir", folder / "logs")
    run(
        "joint_main.py", "--data_dir", folder / "train_data", *where, "--epochs", config.epochs,
        "--n_folds", 1, "--gf_batch_pairs", 8, "--seed", seed,
    )  # fmt: skip
    scores = folder / "scores.json"
    test = folder / "test"
    run(
        "EvalDXF.py", "--archive", test, "--groups", test / "groups.json", "--cache", folder / "cache",
        "--model_path", folder / "trained" / "best_model.pth", "--json", scores,
    )  # fmt: skip
    found = json.loads(scores.read_text(encoding="utf-8"))["scores"]
    return {method: metrics["mAP@10"] for method, metrics in found.items()}


def main(config: BenchmarkConfig) -> None:
    runs = []
    for seed in range(config.seeds):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(one_seed(seed, config, Path(folder)))
    table = by_method(runs)
    print(f"mAP@10 on {config.families} unseen families of {config.per_family}, {config.seeds} seed(s)\n")
    print_table(table)
    if config.json:
        config.json.write_text(json.dumps({"scores": table}, indent=2), encoding="utf-8")


if __name__ == "__main__":
    run_script(BenchmarkConfig, main)
