"""Options of SimDeepDXF.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from config.errors import UserError
from config.limits import Limits

PICTURES = (".png", ".svg")


@dataclass
class CompareConfig:
    """How alike are two drawings, and what changed from one to the other? Each may be a .dxf or a preprocessed .h5.

    Two drawings: a score for each encoder, the joint one first, and what it is worth: than how many pairs of training
    drawings the two are more alike. --changes and --picture say what changed; they need no model.
    One against many (--file2 A B C, or a folder): a line for each, the most alike first.
    A folder against itself (--file1 FOLDER alone): its most alike pairs; --matrix and --heatmap have all.

    Exit status: 0; 1 for a failure; 3 if some of several drawings could not be read, each named; with --exit_code 4 if
    the two drawings differ.
    """

    file1: Path
    """First drawing; or a folder, to compare every drawing in it with every other."""
    file2: tuple[Path, ...] = ()
    """Second drawing, several of them, or a folder."""
    model_path: Path = Path("checkpoints/best_model.pth")
    """A trained model; joint_main.py, GF_main.py and DeepDXF_train.py write one."""
    encoder: Literal["all", "joint", "gf", "deepdxf"] = "all"
    """Whose scores to give. `all`: those of every encoder that the model has; lists are then sorted by the first of
    joint, gf, deepdxf."""
    method: Literal["cosine", "euclidean"] = "cosine"
    """cosine: of the angle between the two vectors, -1 to 1. euclidean: 1 / (1 + distance) of the vectors scaled to
    length 1. Both are 1 for equal vectors, and higher is more alike."""
    changes: bool = False
    """List what changed from the first drawing to the second, without a model: entities in common, added, removed,
    moved, resized, dimensions and texts that say something else. Wherever, whichever way up and in whatever unit the
    second lies, and whatever entities draw it."""
    picture: Path | None = None
    """A .png or .svg of both drawings side by side and laid on each other, with the list of changes. Scores are given
    beside it where there is a model."""
    tolerance: float = 1e-4
    """How far apart what is equal may lie, for changes and pictures, as a share of the drawing's larger side."""
    exit_code: bool = False
    """With --changes or --picture: end with exit status 4 if something changed, as `diff` does with 1."""
    explain: Path | None = None
    """A .png or .svg of both drawings, coloured by how much each part of them adds to the score or takes from it."""
    explain_parts: int = 96
    """Parts of each drawing that --explain leaves out one by one; drawings with fewer entities are shown entity by
    entity. More is finer and takes longer."""
    matrix: Path | None = None
    """A folder against itself: all scores of the first encoder as a table (.csv)."""
    heatmap: Path | None = None
    """A folder against itself: the same as a picture (.png or .svg), like drawings beside each other."""
    json: Path | None = None
    """Write all numbers, and the changes if they were asked for, to this file; `-` is the output itself, alone."""
    visible_only: bool = False
    """For --changes and --picture without a model: leave out what is invisible or on a layer that is frozen or off. A
    model reads drawings as its training drawings were read."""
    workers: int = 0
    """Processes that read the drawings of a folder side by side; 0 means one per core."""
    timeout: float = 300.0
    """Seconds after which reading a drawing is given up; of several the others are still compared."""
    memory: float = 0.0
    """Gigabytes that a process may take for one drawing (on Linux); 0 means an even share of the machine's memory. A
    drawing that needs more is given up and named."""
    device: str = "cpu"
    """cpu, cuda, cuda:N or auto."""

    def __post_init__(self) -> None:
        for name in ("picture", "explain", "heatmap"):
            path = getattr(self, name)
            if path is not None and path.suffix.lower() not in PICTURES:
                raise ValueError(f"--{name} must end in {' or '.join(PICTURES)}, not {path.name!r}")
        if not 0 < self.tolerance < 0.1:
            raise ValueError(f"tolerance must be between 0 and 0.1, not {self.tolerance}")
        if self.explain_parts < 1:
            raise ValueError(f"explain_parts must be 1 or more, not {self.explain_parts}")
        self.limits()

    def limits(self) -> Limits:
        """What reading may take. Raises ValueError if that is nonsense."""
        return Limits(self.workers, self.timeout, self.memory)

    def require_sense(self, drawings: int, folder: bool) -> None:
        """Refuse options that say nothing about what is compared.

        Args:
            drawings: how many there are to compare the first one with.
            folder: whether it is a folder with itself.

        Raises:
            UserError: an option would have no effect.
        """
        for name in ("changes", "picture", "explain", "exit_code"):
            if getattr(self, name) and (folder or drawings != 1):
                raise UserError(f"--{name} is about two drawings: give one --file1 and one --file2")
        for name in ("matrix", "heatmap"):
            if getattr(self, name) and not folder:
                raise UserError(f"--{name} compares the drawings of a folder: give the folder as --file1, no --file2")
        if self.exit_code and not (self.changes or self.picture):
            raise UserError("--exit_code is about what changed: give --changes or --picture too")
        if self.changes and self.explain:
            raise UserError(
                "--changes needs no model and --explain does: give one of them, or --picture with --explain"
            )
