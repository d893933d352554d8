"""The GF network: a graph encoder over the ten entity classes, and the matching that its training needs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.nn.dense import DenseGCNConv, DenseGINConv, DenseSAGEConv

from config.GF_config import GFModelConfig
from dataset.entities import GF_CLASSES
from model.layers.DenseGGNN import DenseGGNN
from model.layers.DenseGraphMatching import DenseGraphMatching, fuse
from utils.GF_utils import draw_kept, make_view, present_nodes

N_NODES = len(GF_CLASSES)
N_FEATURES = 1 + N_NODES


def make_conv(conv: str, width_in: int, width_out: int) -> nn.Module:
    """One graph convolution, called as ``conv(x [B, N, in], adj [B, N, N], mask [B, N]) -> [B, N, out]``.

    Self loops are the convolution's own affair: ``gcn`` adds them, the others treat the node itself apart.
    """
    match conv:
        case "gcn":
            return DenseGCNConv(width_in, width_out)
        case "graphsage":
            return DenseSAGEConv(width_in, width_out)
        case "gin":
            return DenseGINConv(
                nn.Sequential(nn.Linear(width_in, width_out), nn.ReLU(), nn.Linear(width_out, width_out))
            )
        case "ggnn":
            return DenseGGNN(width_out)
    raise ValueError(f"unknown conv {conv!r}")


class GFEncoder(nn.Module):
    """Convolutions with ReLU and dropout behind each; absent nodes are zero behind each, too."""

    def __init__(self, config: GFModelConfig) -> None:
        super().__init__()
        widths = (N_FEATURES, *config.widths)
        self.convs = nn.ModuleList(make_conv(config.conv, *pair) for pair in pairwise(widths))
        self.dropout = config.dropout
        self.width = widths[-1]

    def forward(self, features: Tensor, adjacency: Tensor, present: Tensor, kept: Sequence[Tensor] = ()) -> Tensor:
        """Shape: ``[B, 10, 11]``, ``[B, 10, 10]``, ``[B, 10]`` -> node vectors ``[B, 10, width]``, none negative.

        ``kept``: dropout's bool mask ``[B, 10, width]`` behind each convolution; none, no dropout.
        """
        nodes = features
        there = present[..., None].to(features.dtype)  # [B, 10, 1]
        for i, conv in enumerate(self.convs):
            factor = kept[i].to(features.dtype) * (there / (1 - self.dropout)) if kept else there
            nodes = F.relu(conv(nodes, adjacency) * factor)  # no factor is negative: it may as well come first
        return nodes


def pool(nodes: Tensor) -> Tensor:
    """A graph's vector: its ten node vectors side by side, zeros where a class is absent.

    The nodes are the same ten named classes in every graph, so nothing calls for a symmetric pooling; mean and maximum
    over nodes would forget which class said what (docs/experiments.md has the difference in mAP).
    Shape: ``[B, N, D]`` -> ``[B, N * D]``.
    """
    return nodes.flatten(1)


class GFOutput(NamedTuple):
    """One forward of a batch of graphs."""

    matched_1: Tensor  # [B, 10, perspectives], nodes of view 1 after both fusions
    matched_2: Tensor  # [B, 10, perspectives], of view 2
    present: Tensor  # [B, 10] bool
    vectors: Tensor  # [B, vector_size], of the plain graphs


class GFModel(nn.Module):
    """Encoder, views, fusion of the views, matching with another graph (SPEC section 2).

    A node is present when its (plain) feature row is not all zero. Absent nodes take no part in attention, loss,
    pooling or new edges, and stay present or absent in the views, whatever feature dropout leaves of their rows.
    """

    def __init__(self, config: GFModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = GFEncoder(config)
        self.matching = DenseGraphMatching(self.encoder.width, config.perspectives, config.match)
        self.vector_size = N_NODES * self.encoder.width

    def vectors(self, features: Tensor, adjacency: Tensor) -> Tensor:
        """Vectors for search: nothing random (in eval mode), nothing from another graph.

        Shape: ``[B, 10, 11]``, ``[B, 10, 10]`` -> ``[B, vector_size]``.
        """
        present = present_nodes(features)
        return pool(self.encoder(features, adjacency, present))

    def draw(self, batch: int, device: torch.device) -> dict[str, Tensor]:
        """What is random in a forward of ``batch`` graphs, from torch's generator: a row of each tensor is a graph's.

        Shape: uniform in [0, 1) for each view, ``columns [B, 2, 11]`` and ``edges [B, 2, 10, 10]``; in training mode
        for each layer ``i`` dropout's mask of the plain graph and both views, ``kept_i [B, 3, 10, width]``.
        """
        noise = {
            "columns": torch.rand(batch, 2, N_FEATURES, device=device),
            "edges": torch.rand(batch, 2, N_NODES, N_NODES, device=device),
        }
        if self.training and self.config.dropout > 0:
            for i, width in enumerate(self.config.widths):
                noise[f"kept_{i}"] = draw_kept((batch, 3, N_NODES, width), self.config.dropout, device)
        return noise

    def _masks(self, noise: dict[str, Tensor]) -> list[Tensor]:
        return [noise[name] for i in range(len(self.config.widths)) if (name := f"kept_{i}") in noise]

    def forward(
        self, features: Tensor, adjacency: Tensor, partner: Tensor, noise: dict[str, Tensor] | None = None
    ) -> GFOutput:
        """Shape: ``features [B, 10, 11]``, ``adjacency [B, 10, 10]``, ``partner [B]``; ``noise`` as :meth:`draw`
        gives it, which it does if left out."""
        config, present = self.config, present_nodes(features)
        noise = self.draw(len(features), features.device) if noise is None else noise
        columns, edges = noise["columns"], noise["edges"]
        graphs = features, adjacency, present
        view_1 = make_view(*graphs, config.feature_drop_1, config.edge_drop_1, columns[:, 0], edges[:, 0])
        view_2 = make_view(*graphs, config.feature_drop_2, config.edge_drop_2, columns[:, 1], edges[:, 1])
        nodes = self.encoder(  # plain, view 1 and view 2 in one pass: [3B, 10, D]
            torch.cat([features, view_1[0], view_2[0]]),
            torch.cat([adjacency, view_1[1], view_2[1]]),
            present.repeat(3, 1),
            [kept.transpose(0, 1).flatten(0, 1) for kept in self._masks(noise)],
        )
        plain, views = nodes[: len(features)], nodes[len(features) :]  # [B, 10, D], [2B, 10, D]
        views = fuse(views, views.roll(len(features), dims=0), present.repeat(2, 1))  # with the other view
        views = self.matching(views, plain[partner].repeat(2, 1, 1), present[partner].repeat(2, 1))  # [2B, 10, P]
        return GFOutput(*views.chunk(2), present, pool(plain))
