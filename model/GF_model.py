"""The GF network: a graph encoder over the ten entity classes, and the matching that its training needs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from config.GF_config import GFModelConfig
from dataset.entities import GF_CLASSES
from model.layers.dense_convs import RowsGCN, RowsGIN, RowsSAGE
from model.layers.DenseGGNN import DenseGGNN
from model.layers.DenseGraphMatching import DenseGraphMatching, attention, fuse
from model.layers.node_rows import Layout, Packed, Padded
from model.precision import full_precision
from utils.GF_utils import draw_kept, make_view, present_nodes

N_NODES = len(GF_CLASSES)
N_FEATURES = 1 + N_NODES


def make_conv(conv: str, width_in: int, width_out: int) -> nn.Module:
    """One graph convolution, called as ``conv(x [B, N, in], adj [B, N, N], mask [B, N]) -> [B, N, out]``.

    Self loops are the convolution's own affair: ``gcn`` adds them, the others treat the node itself apart.
    """
    match conv:
        case "gcn":
            return RowsGCN(width_in, width_out)
        case "graphsage":
            return RowsSAGE(width_in, width_out)
        case "gin":
            return RowsGIN(nn.Sequential(nn.Linear(width_in, width_out), nn.ReLU(), nn.Linear(width_out, width_out)))
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

    def forward(
        self,
        features: Tensor,
        adjacency: Tensor,
        present: Tensor,
        kept: Sequence[Tensor] = (),
        layout: Layout | None = None,
    ) -> Tensor:
        """Shape: ``[G, 10, 11]``, ``[G, 10, 10]``, ``[G, 10]`` -> node vectors ``[G, 10, width]``, none negative.

        Args:
            kept: dropout's mask, bool ``[G, 10, width]`` behind each convolution; none, no dropout.
            layout: of the rows that are returned, and of ``kept``; the graphs may be several sets of its.
        """
        layout = layout or Padded(present)
        there = present.to(features.dtype)
        weights = self.convs[0].edge_weights(adjacency) * (there[:, :, None] * there[:, None, :])  # [G, 10, 10]

        def mix(rows: Tensor) -> Tensor:
            return layout.rows(weights.to(rows.dtype) @ layout.graphs(rows))

        nodes = layout.rows(features)
        for i, conv in enumerate(self.convs):
            factor = layout.there(present)
            if kept:
                factor = kept[i].view(torch.uint8).to(features.dtype) * (factor / (1 - self.dropout))
            nodes = conv.on_rows(nodes, mix).mul_(factor).relu_()  # no factor is negative: it may as well come first
        return nodes


def pool(nodes: Tensor) -> Tensor:
    """A graph's vector: its ten node vectors side by side, zeros where a class is absent.

    The nodes are the same ten named classes in every graph, so nothing calls for a symmetric pooling; mean and maximum
    over nodes would forget which class said what (docs/experiments.md has the difference in mAP).
    Shape: ``[B, N, D]`` -> ``[B, N * D]``.
    """
    return nodes.flatten(1)


class GFOutput(NamedTuple):
    """One forward of a batch of graphs: rows of nodes, and how they lie (:mod:`model.layers.node_rows`)."""

    matched: Tensor  # [..., perspectives], the nodes of view 1, then those of view 2, after both fusions
    plain: Tensor  # [..., width], the nodes of the plain graphs
    present: Tensor  # [B, 10] bool
    layout: Layout

    @property
    def vectors(self) -> Tensor:
        """The plain graphs' vectors ``[B, vector_size]``."""
        return pool(self.layout.graphs(self.plain) * self.present[..., None].to(self.plain.dtype))


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
        self.packs = True  # leaves absent nodes out where shapes may follow from values
        block = torch.ones(N_NODES, N_NODES)
        other_view = torch.block_diag(block, block) == 0
        self.register_buffer("_other_view", other_view.float(), persistent=False)  # [20, 20]

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

    def forward(
        self,
        features: Tensor,
        adjacency: Tensor,
        partner: Tensor,
        noise: dict[str, Tensor] | None = None,
        after: nn.Linear | None = None,
        edited: tuple[Tensor, Tensor] | None = None,
    ) -> GFOutput:
        """Shape: ``features [B, 10, 11]``, ``adjacency [B, 10, 10]``, ``partner [B]``; ``noise`` as :meth:`draw`
        gives it, which it does if left out; ``after``: a layer to apply to what is matched; ``edited``: what the two
        views are made of instead, features ``[B, 2, 10, 11]`` and adjacency ``[B, 2, 10, 10]``."""
        present = present_nodes(features)
        packs = self.packs and features.device.type == "cpu" and len(features) > 0
        layout = Packed(present) if packs else Padded(present)
        noise = self.draw(len(features), features.device) if noise is None else noise
        edited = (features[:, None], adjacency[:, None]) if edited is None else edited
        plain, views = self._encode(features, adjacency, present, edited, noise, layout)

        there = present.float()
        both = layout.side_by_side(views, 2)  # [B, 20, D]
        of_views = there.repeat(1, 2)[..., None]  # [B, 20, 1]
        fused = fuse(both, both, of_views * of_views.mT * self._other_view)  # with the other view
        partners = layout.graphs(plain).index_select(0, partner)  # [B, 10, D]
        weights = attention(fused, partners, of_views * there[partner][:, None])  # [B, 20, 10]

        def see(rows: Tensor) -> Tensor:
            with full_precision(rows):
                seen = weights @ layout.graphs(rows.float()).index_select(0, partner)  # [B, 20, D]
            return layout.apart(seen, 2).to(rows.dtype)

        nodes = layout.apart(fused, 2).to(views.dtype)
        return GFOutput(self.matching.on_rows(nodes, plain, see, after), plain, present, layout)

    def _encode(
        self,
        features: Tensor,
        adjacency: Tensor,
        present: Tensor,
        edited: tuple[Tensor, Tensor],
        noise: dict[str, Tensor],
        layout: Layout,
    ) -> Sequence[Tensor]:
        """Rows of the plain graphs, and of their two views, in one pass."""
        config, columns, edges = self.config, noise["columns"], noise["edges"]
        of_1, of_2 = ((*(each[:, i] for each in edited), present) for i in (0, -1))
        view_1 = make_view(*of_1, config.feature_drop_1, config.edge_drop_1, columns[:, 0], edges[:, 0])
        view_2 = make_view(*of_2, config.feature_drop_2, config.edge_drop_2, columns[:, 1], edges[:, 1])
        names = [f"kept_{i}" for i in range(len(config.widths))]
        rows = self.encoder(
            torch.cat([features, view_1[0], view_2[0]]),
            torch.cat([adjacency, view_1[1], view_2[1]]),
            present.repeat(3, 1),
            [layout.apart(noise[name].flatten(1, 2), 3) for name in names if name in noise],
            layout,
        )
        return rows.split([len(rows) // 3, len(rows) // 3 * 2])
