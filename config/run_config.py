"""What every training run has in common: where things lie, how the data is split, how the optimizer steps."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal


def require(condition: bool, message: str) -> None:
    """Raise ``ValueError`` with a sentence for the user; the command line shows it without a traceback."""
    if not condition:
        raise ValueError(message)


Recipe = Literal["best", "reference"]


@dataclass
class RunConfig:
    """Options shared by GF_main.py, DeepDXF_train.py and joint_main.py."""

    recipe: Recipe = "best"
    """Where all other options start from; each can still be changed. best: what has measured best. reference: the plain
    way of the specification, which for GF is the same. --recipe reference --help shows its values."""
    data_dir: Path = Path("data")
    """Folder that dataset/dxf_process.py wrote (holds GF/ and DeepDXF/)."""
    checkpoint_dir: Path = Path("checkpoints")
    """Where the best model of each fold and best_model.pth go."""
    log_dir: Path = Path("logs")
    """A folder named after the run appears here: log, metrics, curves, config."""
    run_name: str = ""
    """Name of this run's folder under log_dir; empty: the script's name and the time."""

    epochs: int = 50
    """Most epochs of one fold; early stopping may end it sooner."""
    n_folds: int = 10
    """Folds of the cross-validation; 1 means one train/validation split."""
    test_fraction: float = 0.2
    """Share of the drawings held out for the final test."""
    val_fraction: float = 0.1
    """Share of the rest used for validation when n_folds is 1."""
    group_by: Literal["drawing", "sheets", "folder"] = "drawing"
    """What may not be torn apart by a split: each drawing by itself, the sheets X_1 .. X_5 cut from one drawing,
    or all drawings of a folder."""
    seed: int = 0
    """Fixes the split, the initial weights, the order of the data and the views."""

    device: str = "auto"
    """auto (every GPU, else the CPU), cpu, cuda (every GPU) or cuda:N (that one)."""
    gpus: str = ""
    """Numbers of the GPUs to use, such as 0,2, counted among those that CUDA shows; empty: all."""
    nproc: int = 0
    """Processes on this machine, which share every step; 0: one for each GPU, one on a CPU. Started by torchrun, a
    script joins the processes that torchrun started, on this machine and others, and this number does not count."""
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    """Arithmetic of the forward pass. auto: fp16 with a gradient scaler on a GPU, fp32 on a CPU."""

    lr: float = 1e-4
    """Learning rate of AdamW."""
    weight_decay: float = 1e-4
    """Weight decay of AdamW; norms, biases, type embeddings and learned loss weights are exempt."""
    accumulation_steps: int = 1
    """Batches whose gradients are averaged into one optimizer step."""
    clip_norm: float = 1.0
    """Largest gradient norm of a step; 0 switches clipping off."""
    lr_patience: int = 5
    """Epochs without a better validation loss before the learning rate is halved; 0 keeps it constant."""
    patience: int = 20
    """Epochs without a better validation loss before a fold stops."""
    min_delta: float = 0.0
    """How much lower a validation loss must be to count as better."""

    wandb: Literal["off", "offline", "online"] = "off"
    """Weights & Biases. offline needs neither a login nor a network."""
    wandb_project: str | None = None
    """Defaults to the environment variable WANDB_PROJECT."""
    wandb_entity: str | None = None
    """Defaults to the environment variable WANDB_ENTITY."""

    MEMORY_OPTIONS: ClassVar[tuple[str, ...]] = ("--batch_size",)
    """What to lower where memory runs out."""

    def __post_init__(self) -> None:
        gpus = self.gpu_numbers
        require(
            re.fullmatch(r"(\d+(,\d+)*)?", self.gpus) is not None and len(set(gpus)) == len(gpus),
            f"gpus must be different numbers separated by commas, such as 0,2, not {self.gpus!r}",
        )
        require(not gpus or self.device in ("auto", "cuda"), f"gpus and device={self.device} contradict each other")
        require(self.nproc >= 0, "nproc must not be negative (0: one for each GPU, one on a CPU)")
        require(self.nproc < 2 or ":" not in self.device, f"device={self.device} is one GPU, nproc asks for more")
        require(
            not re.search(r'[/\\:*?"<>|]|^\.', self.run_name),
            f'run_name becomes a folder: no leading dot and none of / \\ : * ? " < > |, not {self.run_name!r}',
        )
        require(self.epochs >= 1, "epochs must be at least 1")
        require(self.n_folds >= 1, "n_folds must be at least 1 (1 means one train/validation split)")
        require(0 < self.test_fraction < 1, "test_fraction must lie between 0 and 1")
        require(0 < self.val_fraction < 1, "val_fraction must lie between 0 and 1")
        require(self.accumulation_steps >= 1, "accumulation_steps must be at least 1")
        require(self.lr > 0, "lr must be positive")
        require(self.weight_decay >= 0, "weight_decay must not be negative")
        require(self.clip_norm >= 0, "clip_norm must not be negative (0 switches clipping off)")
        require(self.patience >= 1, "patience must be at least 1")
        require(self.lr_patience >= 0, "lr_patience must not be negative (0 keeps the learning rate)")
        require(self.min_delta >= 0, "min_delta must not be negative")

    @property
    def gpu_numbers(self) -> tuple[int, ...]:
        """``gpus`` as numbers."""
        return tuple(int(number) for number in self.gpus.split(",") if number.isdecimal())


def to_dict(config: Any) -> dict[str, Any]:
    """A config as plain Python (paths as text), as it is saved beside the weights."""
    return {key: _plain(value) for key, value in asdict(config).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return str(value) if isinstance(value, Path) else value


def from_dict(cls: type, values: dict[str, Any]) -> Any:
    """Rebuild a config dataclass from :func:`to_dict`.

    Raises:
        ValueError: a key that ``cls`` does not have.
    """
    known = {field.name: field for field in fields(cls)}
    unknown = sorted(set(values) - set(known))
    require(not unknown, f"{cls.__name__} has no option {', '.join(unknown)}")
    defaults = cls()
    rebuilt = {}
    for name, value in values.items():
        default = getattr(defaults, name)
        if is_dataclass(default):
            value = from_dict(type(default), value)
        elif isinstance(default, Path):
            value = Path(value)
        rebuilt[name] = value
    return cls(**rebuilt)
