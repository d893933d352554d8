"""Training DeepDXF: batch in, loss out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from config.DeepDXF_config import DeepDXFModelConfig
from model.contrastive import hits, unit
from model.DeepDXF_loss import cross_entropy, nt_xent_logits
from model.DeepDXF_model import DeepDXFModel
from model.sheet_encoder import LEARNED, SheetEncoder, measured_sizes


class DeepDXFTask(nn.Module):
    """The DeepDXF network with its projection heads and loss.

    A batch is what :func:`utils.DeepDXF_utils.collate` makes and, with ``reads="sheet"``, the drawings' stacked
    :func:`utils.sheet_features.sheet_features`. To train, the first half of its drawings is view 1 of N drawings and
    the second half view 2 of the same ones: one pass over a doubled batch, in which every view has dropout masks of its
    own.

    With ``reads="sheet"`` a drawing's vector has parts: the sequence, and what :class:`SheetEncoder` learns and measures.
    Each learned part has a head and an NT-Xent of its own. The parts count alike in a vector, however long they are.
    """

    def __init__(self, config: DeepDXFModelConfig) -> None:
        super().__init__()
        self.config = config
        self.model = DeepDXFModel(config)
        self.sheet = SheetEncoder(config.sheet_size) if config.reads == "sheet" else None
        self.temperature = config.temperature
        sizes = {"sequence": config.latent_size}
        if self.sheet is not None:
            sizes |= dict.fromkeys(LEARNED, config.sheet_size)
        self.projections = nn.ModuleDict({name: _head(size, config.projection_size) for name, size in sizes.items()})
        if self.sheet is not None:
            sizes |= measured_sizes()
            self.centres = nn.ParameterDict(
                {name: nn.Parameter(torch.zeros(size), requires_grad=False) for name, size in sizes.items()}
            )
        self.vector_size = sum(sizes.values())

    def forward(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Scalars: ``loss`` to backpropagate, ``accuracy``."""
        return self.forward_with_vectors(batch)[0]

    def forward_with_vectors(self, batch: dict[str, Any]) -> tuple[dict[str, Tensor], Tensor]:
        """What :meth:`forward` returns, and each drawing's vector ``[N, vector_size]`` of the same pass.

        The vector is the mean of the two views': both passes learn from what is asked of it, and it lies closer than
        either view to the vector without views that a search uses.
        """
        parts = self._learned(batch)  # each [2N, .]
        logits = {
            name: nt_xent_logits(*head(parts[name]).chunk(2), self.temperature)  # [2N, 2N - 1]
            for name, head in self.projections.items()
        }
        scalars = {
            "loss": torch.stack([cross_entropy(value) for value in logits.values()]).mean(),
            "accuracy": torch.stack([hits(value.detach()).float().mean() for value in logits.values()]).mean(),
        }
        return scalars, self._joined(batch, parts).unflatten(0, (2, -1)).mean(dim=0)

    def embed(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Vectors for search: ``deepdxf [n_drawings, vector_size]``. The caller sets ``eval()`` and ``no_grad()``."""
        return {"deepdxf": self._joined(batch, self._learned(batch))}

    def fit(self, features: Mapping[str, Tensor]) -> None:
        """Before training: standardise what is measured by the training drawings, see :meth:`SheetEncoder.fit`."""
        if self.sheet is not None:
            self.sheet.fit(features)

    @torch.no_grad()
    def settle(self, batches: Iterable[dict[str, Any]]) -> None:
        """After training: put the origin of every part where the mean training drawing is.

        Raw vectors lie in a narrow cone, so that any two drawings look alike; about their centre they do not.
        """
        if self.sheet is None:
            return
        self.eval()
        seen = [self._parts(batch, self._learned(batch)) for batch in batches]
        for name, centre in self.centres.items():
            centre.copy_(torch.cat([unit(parts[name]) for parts in seen]).mean(dim=0))

    def last_layer(self) -> list[nn.Parameter]:
        """The encoder's last layer, on whose gradient GradNorm looks."""
        return list(self.model.to_latent.parameters())

    def on_epoch_end(self, train_means: dict[str, float]) -> None:
        """Nothing of this task depends on the epoch."""

    def _learned(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        model_inputs = (batch[name] for name in ("rows", "position", "lengths", "drawing", "n_drawings"))
        return {"sequence": self.model(*model_inputs), **(self.sheet(batch) if self.sheet is not None else {})}

    def _parts(self, batch: dict[str, Any], learned: dict[str, Tensor]) -> dict[str, Tensor]:
        return learned | self.sheet.measured(batch)

    def _joined(self, batch: dict[str, Any], learned: dict[str, Tensor]) -> Tensor:
        if self.sheet is None:
            return learned["sequence"]
        parts = self._parts(batch, learned)
        centred = [unit(unit(parts[name]) - centre) for name, centre in self.centres.items()]
        return torch.cat(centred, dim=-1) / len(centred) ** 0.5  # of length 1


def _head(size_in: int, size_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(size_in, size_in), nn.ReLU(), nn.Linear(size_in, size_out))
