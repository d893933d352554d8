"""Both data sets in step: one split by drawing, and steps whose two halves hold the same drawings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from config.joint_config import JointConfig
from dataset.dxf_process_GF import Overlap
from model.data_folder import FoldedData, epoch_batches, require_drawings, require_set
from model.DeepDXF_dataset import DeepDXFDataset, View, views_batch
from model.GF_dataset import GFDataset
from model.joint_task import JointTask
from utils.distributed.dealing import deal, members, partner_groups
from utils.distributed.world import World, world
from utils.GF_utils import draw_partners
from utils.protocol import Batch
from utils.seeding import stream
from utils.view_graphs import view_graph


class StepShare(NamedTuple):
    """One process's part of a step: places of its graphs and of its sequences in the step, both ascending, and the
    pairs ``[M, 2]`` of (graph, sequence) of the same drawing, counted within the share."""

    graphs: np.ndarray
    sequences: np.ndarray
    pairs: np.ndarray


GRAPH_COST = 2  # of a graph, in entities of a sequence; measured


def share_of_step(partner: Tensor, pairs: np.ndarray, costs: np.ndarray, world: World) -> StepShare:
    """Partners stay together, and a drawing's sequence is where its graph is; what these cost is dealt out evenly.

    Shape: ``partner [B]``, ``pairs [M, 2]`` of the whole step, ``costs [N]`` of its sequences.
    """
    groups = partner_groups(partner)
    alone = np.setdiff1d(np.arange(len(costs)), pairs[:, 1])
    of_graph = np.full(len(partner), float(GRAPH_COST))
    of_graph[pairs[:, 0]] += costs[pairs[:, 1]]
    own = deal([*(of_graph[group].sum() for group in groups), *costs[alone]], world)
    graphs = members(groups, own[own < len(groups)])
    own_pairs = pairs[np.isin(pairs[:, 0], graphs)]
    sequences = np.sort(np.concatenate([own_pairs[:, 1], alone[own[own >= len(groups)] - len(groups)]]))
    places = [np.searchsorted(graphs, own_pairs[:, 0]), np.searchsorted(sequences, own_pairs[:, 1])]
    return StepShare(graphs, sequences, np.stack(places, axis=1))


# An epoch of a few hundred drawings would otherwise be a step or two, and fifty of them too few to learn from.
SMALL_SET_STEPS = 5  # at least, in an epoch
SMALL_STEP_DRAWINGS = 16  # at least, in a step that is made smaller for it


class JointLoader:
    """Steps of ``{"gf": batch, "deepdxf": batch, "pairs": [M, 2], "names": [...]}``.

    GF fixes the number of steps. What both sets hold is dealt out together, so that a step's graphs and sequences are
    of the same drawings; what only one set holds is spread evenly. ``pairs`` names the common drawings as (graph in the
    batch, drawing in the batch). Validation and test are dealt out alike every time.
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
        graph_names, sequence_names = set(gf.names), set(deepdxf.names)
        self._parts = [
            [name for name in names if name in graph_names and name in sequence_names],
            [name for name in names if name in graph_names and name not in sequence_names],
            [name for name in names if name not in graph_names and name in sequence_names],
        ]
        self._n_steps = self._count_steps()

    def __len__(self) -> int:
        return self._n_steps

    @property
    def most_processes(self) -> int:
        """A step's pairs of graphs, see :attr:`utils.protocol.Loader.most_processes`."""
        both, graphs_only, _ = map(len, self._parts)
        return max(1, (both + graphs_only) // len(self) // 2)

    def _count_steps(self) -> int:
        """As many as GF's batch size asks for and every step still has two of each: one has nothing to differ from.

        A training set that is small for that batch size gets more and smaller steps, see ``SMALL_SET_STEPS``.
        """
        both, graphs_only, sequences_only = map(len, self._parts)
        graphs = both + graphs_only
        steps = max(1, graphs // (2 * self.config.gf_batch_pairs))
        if self.train:
            steps = max(steps, min(SMALL_SET_STEPS, graphs // SMALL_STEP_DRAWINGS))
        while steps > 1 and min(both // steps + only // steps for only in (graphs_only, sequences_only)) < 2:
            steps -= 1
        return steps

    def epoch(self, epoch: int, first_step: int = 0) -> Iterator[Batch | None]:
        seed, epoch = self.config.seed, epoch if self.train else 0
        limit = self.config.deepdxf.max_view_entities
        dealt = [epoch_batches(len(part), len(self), seed, epoch) for part in self._parts]
        for step, blocks in islice(enumerate(zip(*dealt, strict=True)), first_step, None):
            if not self.train and not world().takes(step):
                yield None
                continue
            names = [part[i] for part, block in zip(self._parts, blocks, strict=True) for i in block]
            graphs, sequences = self.gf.indices(names), self.deepdxf.indices(names)
            if self.config.deepdxf_batch and self.train:
                sequences = sequences[: self.config.deepdxf_batch]
            partner = draw_partners(len(graphs), stream(seed, epoch, step))
            graph_names = [self.gf.names[i] for i in graphs]
            sequence_names = [self.deepdxf.names[i] for i in sequences]
            pairs = _pairs(graph_names, sequence_names)
            costs = self.deepdxf.costs(sequences, limit)
            share = share_of_step(partner, pairs, costs, world() if self.train else World())
            rngs = [stream(seed, epoch, step, place) for place in share.sequences.tolist()]
            views = self.deepdxf.view_pairs(sequences[share.sequences], self.config.deepdxf, rngs, limit)
            gf = self.gf.share(graphs, partner, share.graphs)
            if self.config.deepdxf.views != "dropout":
                gf |= _edited(gf, views, share.pairs, self.gf.reading["overlap"])
            yield {
                "gf": gf,
                "deepdxf": views_batch(views, self.config.deepdxf),
                "pairs": torch.from_numpy(share.pairs),
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
        self.facts = {**self.deepdxf.reading, **self.gf.reading}

    def prepare(self, task: JointTask, fold: int | None) -> None:
        task.deepdxf.fit(self.deepdxf.features(self.deepdxf.indices(self.split.training(fold))))

    def archive(self, fold: int | None) -> Iterator[dict[str, Any]]:
        graph_names = set(self.gf.names)
        names = [name for name in self.split.training(fold) if name in graph_names]
        sequences = self.deepdxf.indices(names)
        graphs = self.gf.indices([self.deepdxf.names[i] for i in sequences])
        for first, batch in self.deepdxf.plain_batches(sequences, self.config.deepdxf):
            yield {"gf": self.gf.plain(graphs[first : first + batch["n_drawings"]]), "deepdxf": batch}

    def _loader(self, names: tuple[str, ...], what: str, train: bool) -> JointLoader:
        require_drawings(len(self.gf.indices(names)), f"{what} (graphs)")
        require_drawings(len(self.deepdxf.indices(names)), f"{what} (sequences)")
        return JointLoader(self.gf, self.deepdxf, names, self.config, train)


def _edited(
    batch: dict[str, Any], views: Sequence[tuple[View, View]], pairs: np.ndarray, overlap: Overlap
) -> dict[str, Tensor]:
    """The graphs of the drawings' views, so that both encoders see the same edit; a graph that has no drawing here
    stays as it is. ``view_features [B, 2, 10, 11]``, ``view_adjacency [B, 2, 10, 10]``."""
    graphs = [view_graph(view, overlap) for place in pairs[:, 1] for view, _ in views[place]]
    edited = {}
    for i, name in enumerate(("features", "adjacency")):
        rows = edited[f"view_{name}"] = batch[name][:, None].repeat(1, 2, 1, 1)
        if graphs:
            found = torch.from_numpy(np.stack([graph[i] for graph in graphs])).to(rows)
            rows[torch.from_numpy(pairs[:, 0]).to(rows.device)] = found.unflatten(0, (-1, 2))
    return edited


def _pairs(graph_names: list[str], sequence_names: list[str]) -> np.ndarray:
    """``[M, 2]``: positions of every drawing that is in both halves of a step."""
    position = {name: i for i, name in enumerate(sequence_names)}
    pairs = [(i, position[name]) for i, name in enumerate(graph_names) if name in position]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
