"""Options of SimDeepDXF.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass
class CompareConfig:
    """How alike are two drawings? Each may be a .dxf or a preprocessed .h5.

    A score for each encoder, the joint one first, and what it is worth: than how many pairs of training drawings the
    two are more alike.
    """

    file1: Path
    """First drawing."""
    file2: Path
    """Second drawing."""
    model_path: Path = Path("checkpoints/best_model.pth")
    """A trained model; joint_main.py, GF_main.py and DeepDXF_train.py write one."""
    method: Literal["cosine", "euclidean"] = "cosine"
    """cosine: of the angle between the two vectors, -1 to 1. euclidean: 1 / (1 + distance) of the vectors scaled to
    length 1. Both are 1 for equal vectors, and higher is more alike."""
    device: str = "cpu"
    """cpu, cuda, cuda:N or auto."""
