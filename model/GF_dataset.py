"""GF's graphs in memory, and batches of them: an index into tensors, no per-item work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from config.GF_config import GFConfig
from dataset.sources import GraphSource
from model.data_folder import FoldedData, epoch_batches, require_drawings, require_set
from utils.distributed.dealing import deal, members, partner_groups
from utils.distributed.world import world
from utils.GF_utils import draw_partners
from utils.protocol import Batch
from utils.seeding import stream


class GFDataset:
    """All graphs of a folder, in memory: 16,000 of them are 15 MB.

    Attributes:
        names: N drawing names.
        features: ``[N, 10, 11]`` float32.
        adjacency: ``[N, 10, 10]`` float32, no self loops.
        reading: the options that preprocessing read all of them with.

    Raises:
        UserError: some graphs were made with other options than others.
    """

    def __init__(self, source: GraphSource) -> None:
        self.names = list(source)
        graphs = source.read()
        self.features = torch.from_numpy(graphs.features)
        self.adjacency = torch.from_numpy(graphs.adjacency).float()
        self.reading = graphs.reading
        self._name_array = np.array(self.names, dtype=object)
        self._index = {name: i for i, name in enumerate(self.names)}

    def indices(self, names: Sequence[str]) -> np.ndarray:
        """Positions of those of ``names`` that have a graph, in the order of ``names``."""
        return np.array([self._index[name] for name in names if name in self._index], dtype=np.int64)

    def names_at(self, indices: np.ndarray) -> np.ndarray:
        """Names of the graphs at ``indices``."""
        return self._name_array[indices]

    def to(self, device: torch.device) -> None:
        """Keep all graphs there, so that a batch costs an index."""
        self.features, self.adjacency = self.features.to(device), self.adjacency.to(device)

    def batch(self, indices: np.ndarray, partner: Tensor) -> dict[str, Tensor]:
        """Graphs of a step, each with its partner among the others."""
        return {**self.plain(indices), "partner": partner}

    def share(self, indices: np.ndarray, partner: Tensor, places: np.ndarray) -> dict[str, Any]:
        """One process's graphs of a step: those at ``places``, which ascend and hold their partners too."""
        if len(places) == len(indices):
            return self.batch(indices, partner)
        own_partner = torch.from_numpy(np.searchsorted(places, partner.numpy()[places]))
        batch = self.batch(indices[places], own_partner)
        return {**batch, "share": torch.from_numpy(places), "step_size": len(indices)}

    def plain(self, indices: np.ndarray) -> dict[str, Tensor]:
        """Graphs as they are, for search."""
        chosen = torch.from_numpy(indices).to(self.features.device)
        return {"features": self.features[chosen], "adjacency": self.adjacency[chosen]}


class GFLoader:
    """Batches of paired graphs: every graph once an epoch, none left over.

    Training deals them out anew every epoch, and every process has its share of each batch. Validation and test deal
    always alike, but not by name: neighbours in an archive are sheets of one drawing and would be each other's
    negatives.
    """

    def __init__(self, dataset: GFDataset, indices: np.ndarray, batch_size: int, seed: int, train: bool) -> None:
        self.dataset = dataset
        self.indices = indices
        self.seed = seed
        self.train = train
        self._n_batches = max(1, len(indices) // batch_size)

    def __len__(self) -> int:
        return self._n_batches

    @property
    def most_processes(self) -> int:
        """A step's pairs, see :attr:`utils.protocol.Loader.most_processes`."""
        return max(1, len(self.indices) // len(self) // 2)

    def epoch(self, epoch: int, first_step: int = 0) -> Iterator[Batch | None]:
        epoch = epoch if self.train else 0
        blocks = epoch_batches(len(self.indices), len(self), self.seed, epoch)
        for step, block in islice(enumerate(blocks), first_step, None):
            if not self.train and not world().takes(step):
                yield None
                continue
            chosen = self.indices[block]
            partner = draw_partners(len(chosen), stream(self.seed, epoch, step))
            batch = self.dataset.batch(chosen, partner)
            if self.train and world().size > 1:
                groups = partner_groups(partner)
                own = members(groups, deal([len(group) for group in groups], world()))
                batch = self.dataset.share(chosen, partner, own)
            yield {**batch, "names": self.dataset.names_at(chosen)}


class GFData(FoldedData):
    """The loaders of a GF run."""

    def __init__(self, config: GFConfig) -> None:
        super().__init__(config)
        require_set(self.folder.gf, "GF", "DeepDXF_train.py")
        self.dataset = GFDataset(self.folder.gf)
        self.facts = self.dataset.reading

    def to(self, device: torch.device) -> None:
        self.dataset.to(device)

    def archive(self, fold: int | None) -> Iterator[dict[str, Any]]:
        yield self.dataset.plain(self.dataset.indices(self.split.training(fold)))

    def _loader(self, names: tuple[str, ...], what: str, train: bool) -> GFLoader:
        indices = self.dataset.indices(names)
        require_drawings(len(indices), what)
        return GFLoader(self.dataset, indices, self.config.batch_size, self.config.seed, train)
