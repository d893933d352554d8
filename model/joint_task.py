"""Training both encoders as one: batch in, loss out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from config.joint_config import JointConfig
from model.calibration import PairQuantiles
from model.contrastive import unit
from model.DeepDXF_task import DeepDXFTask
from model.GF_task import GFTask
from model.joint_loss import CrossModalLoss
from utils.dynamic_weight import make_weighting


class JointTask(nn.Module):
    """Both tasks, the weighting of their losses and the term that ties them.

    ``loss = weighting(gf, deepdxf) + cross_modal_weight * cross_modal``. Each encoder runs once a step: the cross-modal
    term reads the vectors of the passes that the encoders' own losses made.

    A batch holds ``gf`` (see :class:`GFTask`), ``deepdxf`` (see :class:`DeepDXFTask`) and ``pairs`` int64 ``[M, 2]``:
    which graph and which of the N drawings are the same drawing.
    """

    def __init__(self, config: JointConfig) -> None:
        super().__init__()
        self.gf = GFTask(config.gf)
        self.deepdxf = DeepDXFTask(config.deepdxf)
        # with a sheet GF counts as little as what DeepDXF says of how a drawing was drawn, else as much as DeepDXF
        self.gf_share = 1 / 2 if self.deepdxf.sheet is None else 1 / 50
        self.pairs = PairQuantiles(["gf", "deepdxf", "joint"])
        self.weighting = make_weighting(config)
        self.cross_modal_weight = config.cross_modal_weight
        self.cross_modal = None  # with weight 0 its heads would be parameters without a gradient
        if config.cross_modal_weight > 0:
            self.cross_modal = CrossModalLoss(
                self.gf.model.vector_size,
                self.deepdxf.vector_size,
                config.shared_size,
                config.cross_modal_temperature,
            )

    def draw(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """See :meth:`GFTask.draw`; DeepDXF's views come with the batch."""
        return self.gf.draw(batch["gf"])

    def forward(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Scalars: ``loss`` to backpropagate; detached, its parts and the weights they had."""
        noise = {"noise": batch["noise"]} if "noise" in batch else {}
        gf, gf_vectors = self.gf.forward_with_vectors({**batch["gf"], **noise})
        deepdxf, deepdxf_vectors = self.deepdxf.forward_with_vectors(batch["deepdxf"])
        loss, weights = self.weighting({"gf": gf["loss"], "deepdxf": deepdxf["loss"]}, self._compared_parameters())
        cross_modal = loss.new_zeros(())
        if self.cross_modal is not None:
            cross_modal = self.cross_modal(gf_vectors, deepdxf_vectors, batch["pairs"])
            loss = loss + self.cross_modal_weight * cross_modal
        return {
            "loss": loss,
            "gf": gf["loss"].detach(),
            "deepdxf": deepdxf["loss"].detach(),
            "cross_modal": cross_modal.detach(),
            "gf_weight": weights["gf"],
            "deepdxf_weight": weights["deepdxf"],
            "gf_accuracy": gf["accuracy"],
            "deepdxf_accuracy": deepdxf["accuracy"],
        }

    def embed(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Vectors for search of the drawings in the batch; the caller sets ``eval()`` and ``no_grad()``.

        ``gf`` and ``deepdxf`` as the encoders give them, for each sub-batch that is there. With both, which must hold
        the same drawings in the same order, also ``joint``: the two side by side at length 1, so that its cosine is the
        weighted mean of the two cosines.
        """
        vectors = {}
        if "gf" in batch:
            vectors |= self.gf.embed(batch["gf"])
        if "deepdxf" in batch:
            vectors |= self.deepdxf.embed(batch["deepdxf"])
        if len(vectors) == 2:
            vectors["joint"] = self._joined(vectors["gf"], vectors["deepdxf"])
        return vectors

    def settle(self, batches: Iterable[dict[str, Any]]) -> None:
        """After training: let drawings that both encoders know, of the training or an archive, say what any two have in
        common."""
        vectors = self.centred_vectors(batches)
        if vectors:  # else no drawing is in both sets
            self.pairs.fit(vectors)

    @torch.no_grad()
    def centred_vectors(self, batches: Iterable[dict[str, Any]]) -> dict[str, Tensor]:
        """Put the origin of every part where the mean of these drawings is, and give what :meth:`embed` now would, in
        one pass; nothing if there are none."""
        self.eval()
        graphs = []

        def sequences() -> Iterator[dict[str, Any]]:
            for batch in batches:
                graphs.append(self.gf.embed(batch["gf"])["gf"])
                yield batch["deepdxf"]

        deepdxf = self.deepdxf.centred_vectors(sequences())
        if not graphs:
            return {}
        gf = torch.cat(graphs)
        return {"gf": gf, "deepdxf": deepdxf, "joint": self._joined(gf, deepdxf)}

    def _joined(self, gf: Tensor, deepdxf: Tensor) -> Tensor:
        return torch.cat([self.gf_share**0.5 * unit(gf), (1 - self.gf_share) ** 0.5 * unit(deepdxf)], dim=-1)

    def on_epoch_end(self, train_means: dict[str, float]) -> None:
        """Let the weighting see the epoch's mean losses (``gf`` and ``deepdxf``)."""
        self.weighting.on_epoch_end(train_means)

    def _compared_parameters(self) -> list[nn.Parameter]:
        """Where GradNorm compares: it asks for the last shared layer; nothing is shared, so each encoder's last."""
        return [*self.gf.last_layer(), *self.deepdxf.last_layer()]
