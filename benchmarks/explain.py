"""Does an explanation light up where a drawing was edited?

    python benchmarks/explain.py --model_path checkpoints/best_model.pth --output /path/to/scratch

Revisions of the generator, whose edits and their places are known. For every edit with a place: is one of the edited
entities among the K % of its drawing that the explanation calls most different from the other one? Beside it what
chance gives: the same with entities in random order. Edits that change most of a sheet, and those of spelling, have no
place and do not count. 95 % intervals by bootstrap over revisions.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.changes import REACH, SPELLING, inside
from compare.changes import compare
from compare.explain import explain
from compare.figure import Figure, load
from dataset.generator.archive import generate
from model.embedding import Embedder
from utils.cli import run_script
from utils.engine.device import choose_device

CHANCES = 200


@dataclass(frozen=True)
class Config:
    """Which model to ask, and about how many revisions."""

    model_path: Path
    """A trained model."""
    output: Path
    """Empty folder for the drawings, or one of an earlier run, whose drawings are used again."""
    families: int = 12
    """Families of three revisions each."""
    parts: int = 64
    """As --explain_parts of SimDeepDXF.py."""
    encoder: str = "joint"
    """Whose score is explained."""
    seed: int = 12


def main(config: Config) -> None:
    if not (config.output / "truth.json").exists():
        generate(config.output, config.families, 6, config.seed)
    records = json.loads((config.output / "truth.json").read_text(encoding="utf-8"))["files"]
    embedder = Embedder(config.model_path, choose_device("cpu"))
    shares = (0.02, 0.05, 0.1)
    rows: list[list[list[bool]]] = []  # of each revision, of each edit: hits at each share, then chance at each share
    for record in records:
        if record["original"]:
            rows.append(edits_of(record, config, embedder, shares))
            print(f"\r{len(rows)} revisions", end="", file=sys.stderr, flush=True)
    rows = [edits for edits in rows if edits]
    generator = np.random.default_rng(0)
    print(
        f"\n{sum(map(len, rows))} edits with a place in {len(rows)} revisions; {config.encoder}, {config.parts} parts"
    )
    for k, share in enumerate(shares):
        for name, column in (("explanation", k), ("chance", len(shares) + k)):
            sums = np.array([[sum(edit[column] for edit in edits), len(edits)] for edits in rows], dtype=float)
            draws = sums[generator.integers(0, len(sums), (1000, len(sums)))].sum(axis=1)
            low, high = np.percentile(draws[:, 0] / draws[:, 1], (2.5, 97.5))
            rate = sums[:, 0].sum() / sums[:, 1].sum()
            print(f"among the top {share:4.0%}: {name:<12} {rate:.3f} [{low:.3f}, {high:.3f}]")


def edits_of(record: dict, config: Config, embedder: Embedder, shares) -> list[list[float]]:
    left, right = (load(config.output / record[key], **embedder.reading) for key in ("original", "file"))
    found = compare(left.figure, right.figure)
    told = explain(embedder, left, right, config.encoder, parts=config.parts)
    generator = np.random.default_rng(0)
    rows = []
    for edit in record["edits"]:
        edited = [
            where(left.figure, ~found.common_left, edit["before"]),
            where(right.figure, ~found.common_right, edit["places"]),
        ]
        if edit["name"] in SPELLING or not any(each.any() for each in edited):
            continue
        sides = [(side.differs, each) for side, each in zip((told.left, told.right), edited, strict=True)]
        hits = [any(is_hit(values, each, share) for values, each in sides) for share in shares]
        chances = [
            np.mean([
                any(is_hit(generator.random(len(values)), each, share) for values, each in sides)
                for _ in range(CHANCES)
            ])
            for share in shares
        ]  # fmt: skip
        rows.append([*map(float, hits), *chances])
    return rows


def where(figure: Figure, changed: np.ndarray, boxes: list) -> np.ndarray:
    """The changed entities whose middle lies in one of the boxes: bool ``[N]``."""
    middles = np.nan_to_num((figure.boxes[:, :2] + figure.boxes[:, 2:]) / 2, nan=1e300)
    return changed & inside(middles, boxes, REACH * figure.side)


def is_hit(values: np.ndarray, edited: np.ndarray, share: float) -> bool:
    """Whether an edited entity is among the largest ``share`` of the values."""
    most = max(1, int(share * len(values)))
    return bool(edited[np.argsort(-values, kind="stable")[:most]].any())


if __name__ == "__main__":
    run_script(Config, main, description=__doc__)
