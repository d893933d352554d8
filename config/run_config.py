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
    """Where the best model of each fold, best_model.pth and what --resume needs go."""
    log_dir: Path = Path("logs")
    """A folder named after the run appears here: log, metrics, curves, config."""
    run_name: str = ""
    """Name of this run's folder under log_dir; empty: the script's name and the time."""

    resume: bool = False
    """Continue the unfinished run in checkpoint_dir where it stood, to the same numbers."""
    discard: bool = False
    """Throw away an unfinished run in checkpoint_dir and start anew."""
    save_every: float = 300.0
    """Seconds between two states that --resume can continue from; one is also saved behind an epoch. 0: every step."""
    keep_last: int = 2
    """How many such states are kept."""

    epochs: int = 50
    """Most epochs of one fold; early stopping may end it sooner."""
    n_folds: int = 10
    """Folds of the cross-validation, which choose settings and the number of epochs; the model that ships is then
    trained on all but the test drawings. 1: one train/validation split, whose best model ships."""
    grid: tuple[str, ...] = ()
    """Compare settings by their mean validation loss over the folds: --grid lr=1e-4,1e-3 gf.tau=0.5,0.7 tries all four
    combinations. An option is named as on the command line; its last part (tau) is enough where only one ends so."""
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

    optimizer: Literal["adamw", "sgd", "lamb"] = "adamw"
    """sgd has Nesterov momentum 0.9. lamb, for very large batches, needs requirements-lamb.txt."""
    lr: float = 1e-4
    """Learning rate."""
    schedule: Literal["plateau", "cosine", "constant"] = "plateau"
    """What the learning rate does behind the warm-up. plateau: halves when the validation loss rests. cosine: falls to
    0 over all epochs, step by step."""
    warmup_epochs: int = 0
    """Epochs in which the learning rate rises to its full height, step by step."""
    weight_decay: float = 1e-4
    """Weight decay; norms, biases, embeddings and learned loss weights are exempt."""
    accumulation_steps: int = 1
    """Batches whose gradients are averaged into one optimizer step."""
    clip_norm: float = 1.0
    """Largest gradient norm of a step; 0 switches clipping off."""
    lr_patience: int = 5
    """Epochs without a better validation loss before schedule=plateau halves the learning rate."""
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
        require(self.warmup_epochs >= 0, "warmup_epochs must not be negative")
        require(
            self.warmup_epochs < self.epochs or self.schedule != "cosine",
            "warmup_epochs must be less than epochs: schedule=cosine needs some of them",
        )
        require(self.save_every >= 0, "save_every must not be negative (0 saves behind every step)")
        require(self.keep_last >= 1, "keep_last must be at least 1")
        require(not (self.resume and self.discard), "resume continues the run that discard throws away: choose one")
        require(self.weight_decay >= 0, "weight_decay must not be negative")
        require(self.clip_norm >= 0, "clip_norm must not be negative (0 switches clipping off)")
        require(self.patience >= 1, "patience must be at least 1")
        require(self.lr_patience >= 1, "lr_patience must be at least 1 (--schedule constant keeps the learning rate)")
        require(self.min_delta >= 0, "min_delta must not be negative")

    @property
    def gpu_numbers(self) -> tuple[int, ...]:
        """``gpus`` as numbers."""
        return tuple(int(number) for number in self.gpus.split(",") if number.isdecimal())

    def lr_of(self, parameter: str) -> float:
        """The learning rate of a task's parameter, by its name."""
        return self.lr

    def clip_group_of(self, parameter: str) -> str:
        """Parameters of one group are clipped together."""
        return ""


def to_dict(config: Any) -> dict[str, Any]:
    """A config as plain Python (paths as text), as it is saved beside the weights."""
    return {key: _plain(value) for key, value in asdict(config).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return list(value)
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
        elif isinstance(default, tuple):
            value = tuple(value)
        rebuilt[name] = value
    return cls(**rebuilt)
