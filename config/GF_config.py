"""Options of GF: the graph encoder over the ten entity classes (SPEC section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from config.run_config import RunConfig, require


@dataclass
class GFModelConfig:
    """The GF network, its views and its loss."""

    conv: Literal["gcn", "graphsage", "gin", "ggnn"] = "graphsage"
    """Graph convolution. On graphs of ten densely joined classes gcn and gin blur all nodes into one and hardly
    learn; graphsage and ggnn keep a node apart from its neighbours (docs/experiments.md)."""
    filters: str = "100_100_100"
    """Width of each convolution layer, separated by underscores."""
    dropout: float = 0.1
    """Dropout behind each convolution layer."""
    match: Literal["concat", "bilinear"] = "concat"
    """How a node and what it attends to in the other graph are compared."""
    perspectives: int = 100
    """Outputs of the matching per node."""
    feature_drop_1: float = 0.3
    """Share of feature columns set to zero in the first view."""
    feature_drop_2: float = 0.4
    """The same in the second view."""
    edge_drop_1: float = 0.2
    """Share of edges dropped in the first view; half as many new ones are added."""
    edge_drop_2: float = 0.2
    """The same in the second view."""
    tau: float = 0.7
    """Temperature of the node-level InfoNCE."""

    def __post_init__(self) -> None:
        require(
            all(part.isdecimal() and int(part) > 0 for part in self.filters.split("_")),
            f"filters must be positive whole numbers joined by underscores, such as 100_100_100, not {self.filters!r}",
        )
        for name in ("dropout", "feature_drop_1", "feature_drop_2", "edge_drop_1", "edge_drop_2"):
            require(0 <= getattr(self, name) < 1, f"{name} must be at least 0 and below 1")
        require(
            self.conv != "ggnn" or (self.widths[0] >= 11 and list(self.widths) == sorted(self.widths)),
            f"conv=ggnn cannot narrow a node: filters must start at 11 or more and not shrink, not {self.filters}",
        )
        require(self.perspectives >= 1, "perspectives must be at least 1")
        require(self.tau > 0, "tau must be positive")

    @property
    def widths(self) -> tuple[int, ...]:
        """Width of each convolution layer as numbers."""
        return tuple(int(part) for part in self.filters.split("_"))


@dataclass
class GFConfig(RunConfig, GFModelConfig):
    """A run of GF alone: learn graph vectors by contrasting two views of each drawing's graph."""

    checkpoint_dir: Path = Path("checkpoints/gf")
    batch_size: int = 128
    """Graphs in a batch; they are paired at random, so 128 graphs are 64 pairs."""
    patience: int = 20
    folds: Literal["together", "one_by_one"] = "together"
    """Train the folds side by side or one after the other. Side by side they are one batched program on a GPU; on a CPU
    each core trains one at a time, and OMP_NUM_THREADS says how many cores. Same numbers, up to rounding."""

    def __post_init__(self) -> None:
        RunConfig.__post_init__(self)
        GFModelConfig.__post_init__(self)
        require(self.batch_size >= 2, "batch_size must be at least 2: a graph needs a partner")
