"""Options of joint training (SPEC section 4): the encoders' own are theirs, what is common is stated here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from config.DeepDXF_config import DeepDXFModelConfig
from config.GF_config import GFModelConfig
from config.run_config import RunConfig, require


@dataclass
class JointConfig(RunConfig):
    """Train both encoders with one optimizer; what ties them is the cross-modal term."""

    gf: GFModelConfig = field(default_factory=GFModelConfig)
    """The graph encoder."""
    deepdxf: DeepDXFModelConfig = field(default_factory=DeepDXFModelConfig)
    """The sequence encoder."""

    lr: float = 5e-4
    schedule: Literal["plateau", "cosine", "constant"] = "cosine"

    gf_batch_pairs: int = 45
    """Most pairs of graphs in a step; the number of steps in an epoch follows from it. A set of few hundred drawings
    gets smaller steps, so that an epoch has five of them."""
    deepdxf_batch: int = 0
    """Most drawings that a training step passes through DeepDXF; 0: all of the step's, that is the train drawings
    divided by the steps of an epoch. Validation and test always take all."""
    gf_lr: float = 0.0
    """Learning rate of the graph encoder; 0: lr."""
    deepdxf_lr: float = 0.0
    """Learning rate of the sequence encoder; 0: lr."""
    clip_per: Literal["model", "encoder"] = "model"
    """Whose gradient norm clip_norm limits: of the whole model, or of each encoder (and of what belongs to neither)."""
    weighting: Literal["uncertainty", "grad_norm", "loss_ratio", "fixed"] = "uncertainty"
    """How the two encoders' losses are weighted: learned variances (Kendall 2018), balanced gradient norms
    (GradNorm 2018), relative speed of descent (DWA 2019), or constant."""
    gf_weight: float = 1.0
    """Weight of GF's loss with weighting=fixed."""
    deepdxf_weight: float = 1.0
    """Weight of DeepDXF's loss with weighting=fixed."""
    cross_modal_weight: float = 1.0
    """Weight of the term that pulls the two encoders' vectors of one drawing together; 0 gives the plain recipe."""
    cross_modal_temperature: float = 0.07
    """Temperature of the cross-modal InfoNCE."""
    shared_size: int = 128
    """Size of the space in which the two encoders' vectors meet."""

    MEMORY_OPTIONS: ClassVar = ("--gf_batch_pairs", "--deepdxf.tokens_at_once", "--deepdxf.max_view_entities")

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.gf_batch_pairs >= 1, "gf_batch_pairs must be at least 1")
        require(self.deepdxf_batch >= 0, "deepdxf_batch must not be negative (0: computed)")
        require(self.deepdxf_batch != 1, "deepdxf_batch must be at least 2: a drawing needs others to differ from")
        for name in ("gf_lr", "deepdxf_lr", "gf_weight", "deepdxf_weight", "cross_modal_weight"):
            require(getattr(self, name) >= 0, f"{name} must not be negative")
        require(self.cross_modal_temperature > 0, "cross_modal_temperature must be positive")
        require(self.shared_size >= 1, "shared_size must be at least 1")

    def lr_of(self, parameter: str) -> float:
        rates = {"gf": self.gf_lr, "deepdxf": self.deepdxf_lr}
        return rates.get(_owner(parameter), 0.0) or self.lr

    def clip_group_of(self, parameter: str) -> str:
        return "" if self.clip_per == "model" else _owner(parameter)


def _owner(parameter: str) -> str:
    """The encoder that a parameter of the joint task belongs to, by its name; empty for what ties them."""
    encoder = parameter.partition(".")[0]
    return encoder if encoder in ("gf", "deepdxf") else ""
