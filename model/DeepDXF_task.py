"""Training DeepDXF: batch in, loss out."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from config.DeepDXF_config import DeepDXFModelConfig
from model.contrastive import hits
from model.DeepDXF_loss import cross_entropy, nt_xent_logits
from model.DeepDXF_model import DeepDXFModel


class DeepDXFTask(nn.Module):
    """The DeepDXF network with its projection head and loss.

    A batch is what :func:`utils.DeepDXF_utils.collate` makes. To train, the first half of its drawings is view 1 of N
    drawings and the second half view 2 of the same ones: one pass over a doubled batch, in which every view has
    dropout masks of its own.
    """

    def __init__(self, config: DeepDXFModelConfig) -> None:
        super().__init__()
        self.model = DeepDXFModel(config)
        self.temperature = config.temperature
        latent = config.latent_size
        self.projection = nn.Sequential(nn.Linear(latent, latent), nn.ReLU(), nn.Linear(latent, config.projection_size))

    def forward(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Scalars: ``loss`` to backpropagate, ``accuracy``."""
        return self.forward_with_vectors(batch)[0]

    def forward_with_vectors(self, batch: dict[str, Any]) -> tuple[dict[str, Tensor], Tensor]:
        """What :meth:`forward` returns, and each drawing's vector ``[N, latent_size]`` of the same pass.

        The vector is the mean of the two views': both passes learn from what is asked of it, and it lies closer than
        either view to the vector without views that a search uses.
        """
        vectors = self._vectors(batch)  # [2N, latent]
        logits = nt_xent_logits(*self.projection(vectors).chunk(2), self.temperature)  # [2N, 2N - 1]
        scalars = {"loss": cross_entropy(logits), "accuracy": hits(logits.detach()).float().mean()}
        return scalars, vectors.unflatten(0, (2, -1)).mean(dim=0)

    def embed(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Vectors for search: ``deepdxf [n_drawings, latent_size]``. The caller sets ``eval()`` and ``no_grad()``."""
        return {"deepdxf": self._vectors(batch)}

    def last_layer(self) -> list[nn.Parameter]:
        """The encoder's last layer, on whose gradient GradNorm looks."""
        return list(self.model.to_latent.parameters())

    def on_epoch_end(self, train_means: dict[str, float]) -> None:
        """Nothing of this task depends on the epoch."""

    def _vectors(self, batch: dict[str, Any]) -> Tensor:
        return self.model(batch["rows"], batch["position"], batch["lengths"], batch["drawing"], batch["n_drawings"])
