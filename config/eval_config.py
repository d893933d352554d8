"""Options of EvalDXF.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from config.run_config import require


@dataclass
class EvalConfig:
    """How well does a model find what experts call alike? Every score stands beside what a person would try first and
    beside the same networks untrained.

    Exit status: 0; 3 if a drawing could not be read or a name in groups.json (or truth.json) was not found, each named;
    1 if nothing could be measured.
    """

    archive: Path
    """Folder of drawings (*.dxf, *.dwg), searched with its sub-folders. Those in no group are in the way of all."""
    groups: Path
    """groups.json: a list of groups, each a list of file names that belong together. A name is a path below the
    archive, or a file name with or without extension where only one drawing has it."""
    model_path: Path = Path("checkpoints/best_model.pth")
    """A trained model; joint_main.py, GF_main.py and DeepDXF_train.py write one."""
    truth: Path | None = None
    """truth.json of dataset/dxf_generate.py: also find the original of every edited drawing, by kind of edit."""
    k: int = 10
    """How many answers mAP@k, Recall@k and NDCG@k look at."""
    json: Path | None = None
    """Write all scores, intervals and what was skipped here."""
    html: Path | None = None
    """Write a contact sheet here, one file to open in a browser: queries with their first ten answers, right ones
    framed, by the model and by the best baseline."""
    png: Path | None = None
    """The same contact sheet as a picture."""
    sheet_queries: int = 24
    """Queries on the contact sheet, dealt evenly over the groups."""
    cache: Path = Path("eval_cache")
    """What was read of drawings is kept here, by their content; a second run starts from it."""
    workers: int = 0
    """Processes that read drawings side by side; 0 means one per core."""
    timeout: float = 300.0
    """Seconds after which a drawing is given up and named."""
    device: str = "cpu"
    """cpu, cuda, cuda:N or auto."""

    def __post_init__(self) -> None:
        require(self.k >= 1, f"k must be at least 1, not {self.k}")
        require(self.sheet_queries >= 1, f"sheet_queries must be at least 1, not {self.sheet_queries}")
        require(self.workers >= 0, f"workers must be 0 or more, not {self.workers}")
        require(self.timeout > 0, f"timeout must be more than 0 seconds, not {self.timeout}")
