"""Both data sets in step: one split by drawing, and steps whose two halves hold the same drawings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from config.joint_config import JointConfig
from model.data_folder import FoldedData, require_drawings, require_set
from model.DeepDXF_dataset import DeepDXFDataset
from model.GF_dataset import GFDataset
from utils.seeding import stream


class JointLoader:
    """Steps of ``{"gf": batch, "deepdxf": batch, "pairs": [M, 2], "names": [...]}``.

    GF fixes the number of steps. Both sets are dealt out in one order, so that a step's graphs and sequences are of
    the same drawings as far as the two sets agree; ``pairs`` names them as (graph in the batch, drawing in the batch).
    """

    def __init__(
        self,
        gf: GFDataset,
        deepdxf: DeepDXFDataset,
        names: tuple[str, ...],
        config: JointConfig,
        train: bool,
    ) -> None:
        self.gf = gf
        self.deepdxf = deepdxf
        self.names = names
        self.config = config
        self.train = train
        n_graphs, n_sequences = len(gf.indices(names)), len(deepdxf.indices(names))
        wanted = n_graphs // (2 * config.gf_batch_pairs)
        # a step needs two graphs and two sequences: one drawing has nothing to differ from
        self._n_steps = max(1, min(wanted, n_graphs // 2, n_sequences // 2))

    def __len__(self) -> int:
        return self._n_steps

    def epoch(self, epoch: int) -> Iterator[dict[str, Any]]:
        seed = self.config.seed
        names = list(self.names)
        if self.train:
            names = [names[i] for i in stream(seed, epoch).permutation(len(names))]
        graph_steps = np.array_split(self.gf.indices(names), len(self))
        sequence_steps = np.array_split(self.deepdxf.indices(names), len(self))
        limit = self.config.deepdxf.max_train_entities if self.train else 0
        for step, (graphs, sequences) in enumerate(zip(graph_steps, sequence_steps, strict=True)):
            if self.config.deepdxf_batch:
                sequences = sequences[: self.config.deepdxf_batch]
            rng = stream(seed, epoch, step)
            graph_names = [self.gf.names[i] for i in graphs]
            sequence_names = [self.deepdxf.names[i] for i in sequences]
            yield {
                "gf": self.gf.batch(graphs, rng),
                "deepdxf": self.deepdxf.two_views(sequences, self.config.deepdxf, rng, limit),
                "pairs": _pairs(graph_names, sequence_names),
                "names": list(dict.fromkeys([*graph_names, *sequence_names])),
            }


class JointDataLoader(FoldedData):
    """The loaders of a joint run. A drawing that tests or validates one encoder never trains the other."""

    def __init__(self, config: JointConfig) -> None:
        super().__init__(config)
        require_set(self.folder.gf, "GF", "DeepDXF_train.py")
        require_set(self.folder.deepdxf, "DeepDXF", "GF_main.py")
        self.gf = GFDataset(self.folder.gf)
        self.deepdxf = DeepDXFDataset(self.folder.deepdxf)
        self.facts = {"overlap": self.gf.overlap}

    def _loader(self, names: tuple[str, ...], what: str, train: bool) -> JointLoader:
        require_drawings(len(self.gf.indices(names)), f"{what} (graphs)")
        require_drawings(len(self.deepdxf.indices(names)), f"{what} (sequences)")
        return JointLoader(self.gf, self.deepdxf, names, self.config, train)


def _pairs(graph_names: list[str], sequence_names: list[str]) -> Tensor:
    """``[M, 2]``: positions of every drawing that is in both halves of a step."""
    position = {name: i for i, name in enumerate(sequence_names)}
    pairs = [(i, position[name]) for i, name in enumerate(graph_names) if name in position]
    return torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2)
