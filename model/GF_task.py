"""Training GF: batch in, loss out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from config.GF_config import GFModelConfig
from model.calibration import PairQuantiles
from model.GF_loss import node_infonce
from model.GF_model import GFModel, GFOutput


class GFTask(nn.Module):
    """The GF network with its projection head and loss.

    A batch holds ``features`` float32 ``[B, 10, 11]``, ``adjacency`` float32 ``[B, 10, 10]`` (0/1, symmetric, no self
    loops) and, to train, ``partner`` int64 ``[B]``: the other graph that each graph meets. Its views are made of the
    graph or, where the batch has them, of two graphs of the drawing edited: ``view_features [B, 2, 10, 11]`` and
    ``view_adjacency [B, 2, 10, 10]``. Graphs that are all zero change neither the loss nor a gradient, so that batches
    can be filled up with them. A process's share of a step has ``share`` int64 ``[B]``: the places of its graphs in the
    step's batch, and ``step_size``, how many that has.
    """

    def __init__(self, config: GFModelConfig) -> None:
        super().__init__()
        self.model = GFModel(config)
        self.tau = config.tau
        self.pairs = PairQuantiles(["gf"])
        # GRACE's head (Zhu et al. 2020, section 4.2)
        size = config.perspectives
        self.projection = nn.Sequential(nn.Linear(size, size), nn.ELU(), nn.Linear(size, size))

    def draw(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """What is random in a forward of ``batch``, from torch's generator. A forward that finds it under ``noise``
        draws nothing itself.

        Of a share it is drawn for the whole step: a graph's views are the same, whichever process has it."""
        features = batch["features"]
        if "share" not in batch:
            return self.model.draw(len(features), features.device)
        noise = self.model.draw(batch["step_size"], features.device)
        return {name: rows[batch["share"]] for name, rows in noise.items()}

    def batched(self) -> None:
        """See :class:`utils.protocol.StackableTask`."""
        self.model.packs = False

    def forward(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Scalars: ``loss`` to backpropagate, ``accuracy``."""
        return self._forward(batch)[0]

    def forward_with_vectors(self, batch: dict[str, Any]) -> tuple[dict[str, Tensor], Tensor]:
        """What :meth:`forward` returns, and the plain graphs' vectors ``[B, vector_size]`` of the same pass."""
        numbers, output = self._forward(batch)
        return numbers, output.vectors

    def _forward(self, batch: dict[str, Any]) -> tuple[dict[str, Tensor], GFOutput]:
        first, activation, last = self.projection
        views = (batch["view_features"], batch["view_adjacency"]) if "view_features" in batch else None
        output = self.model(batch["features"], batch["adjacency"], batch["partner"], batch.get("noise"), first, views)
        z = output.layout.side_by_side(last(activation(output.matched)), 2)  # [B, 20, P]
        loss, accuracy = node_infonce(z, output.present, self.tau)
        return {"loss": loss, "accuracy": accuracy}, output

    def embed(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Vectors for search: ``gf [B, vector_size]``. The caller sets ``eval()`` and ``no_grad()``."""
        return {"gf": self.model.vectors(batch["features"], batch["adjacency"])}

    @torch.no_grad()
    def settle(self, batches: Iterable[dict[str, Any]]) -> None:
        """After training: let drawings, those of the training or of an archive, say what any two have in common."""
        self.eval()
        self.pairs.fit({"gf": torch.cat([self.embed(batch)["gf"] for batch in batches])})

    def last_layer(self) -> list[nn.Parameter]:
        """The encoder's last convolution, on whose gradient GradNorm looks."""
        return list(self.model.encoder.convs[-1].parameters())

    def on_epoch_end(self, train_means: dict[str, float]) -> None:
        """Nothing of this task depends on the epoch."""
