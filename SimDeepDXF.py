"""Compare two drawings with a trained model.

python SimDeepDXF.py --model_path checkpoints/best_model.pth --file1 A.dxf --file2 B.h5 --method cosine
"""

from __future__ import annotations

import sys

from config.compare_config import CompareConfig
from config.errors import UserError
from dataset.dxf_process import load_drawing
from model.embedding import Embedder, similarity
from utils.cli import run_script
from utils.engine.device import choose_device


def main(config: CompareConfig) -> None:
    embedder = Embedder(config.model_path, choose_device(config.device))
    drawings = [load_drawing(path, **embedder.reading) for path in (config.file1, config.file2)]
    first, second = (embedder(drawing) for drawing in drawings)
    for path, vectors in ((config.file1, first), (config.file2, second)):
        if embedder.kind != "deepdxf" and "gf" not in vectors:
            print(f"{path} holds none of GF's ten entity classes: no gf and no joint score", file=sys.stderr)
    shared = [name for name in first if name in second]
    if not shared:
        raise UserError("the model cannot compare these drawings")
    shared.sort(key=("joint", "gf", "deepdxf").index)
    # the joint score first, alone on its line: what most people and scripts came for
    for name in shared:
        score = similarity(first[name], second[name], config.method)
        print(f"{name:<8} {config.method} similarity {score:.6f}")
    for name in shared:
        share = embedder.share_below(name, similarity(first[name], second[name], "cosine"))
        if share is not None:
            print(f"{name:<8} more alike than {100 * share:.1f} % of pairs of training drawings")


if __name__ == "__main__":
    run_script(CompareConfig, main)
