"""Training DeepDXF: batch in, loss out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from config.DeepDXF_config import DeepDXFModelConfig
from config.frame import ASKED
from model.calibration import PairQuantiles
from model.contrastive import hits, unit
from model.DeepDXF_loss import cross_entropy, nt_xent_logits
from model.DeepDXF_model import DeepDXFModel
from model.looks import LOOKS, TEXT, usual_weights, weights_in
from model.sheet_encoder import LEARNED, SheetEncoder, measured_sizes
from model.stand_in import StandIn
from utils.distributed.exchange import shared_mean

STRANGERS = 5  # as if so many more drawings had shown a part, each something else: one alone is no middle


class DeepDXFTask(nn.Module):
    """The DeepDXF network with its projection heads and loss.

    A batch is what :func:`utils.DeepDXF_utils.collate` makes and, with ``reads="sheet"``, the drawings' stacked
    :func:`utils.sheet_features.sheet_features`. To train, the first half of its drawings is view 1 of N drawings and
    the second half view 2 of the same ones: one pass over a doubled batch, in which every view has dropout masks of its
    own.

    With ``reads="sheet"`` a drawing's vector has parts: the sequence, and what :class:`SheetEncoder` learns and
    measures. Each learned part has a head and an NT-Xent of its own. How much each part counts in a vector does not
    depend on how many numbers it has: parts of a look share its weight, see :mod:`model.looks`.
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
            for name, size in sizes.items():
                self.register_buffer(f"centre_{name}", torch.zeros(size))
            self.register_buffer("look_weights", usual_weights())
            rest = sum(size for name, size in sizes.items() if name not in TEXT.parts)
            self.stand_in = StandIn(rest, sizes["words"])
        self.part_sizes = sizes  # in the order in which they lie in a vector
        self.vector_size = sum(sizes.values())
        self.pairs = PairQuantiles(["deepdxf"])

    def forward(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Scalars: ``loss`` to backpropagate, ``accuracy``."""
        return self.forward_with_vectors(batch)[0]

    def forward_with_vectors(self, batch: dict[str, Any]) -> tuple[dict[str, Tensor], Tensor]:
        """What :meth:`forward` returns, and each drawing's vector ``[N, vector_size]`` of the same pass.

        The vector is the mean of the two views': both passes learn from what is asked of it, and it lies closer than
        either view to the vector without views that a search uses.
        """
        parts = self._learned(batch)  # each [2N, .]
        projected = torch.stack([head(parts[name]) for name, head in self.projections.items()])  # [parts, 2N, .]
        logits = nt_xent_logits(*projected.chunk(2, dim=1), self.temperature)  # [parts, 2N, 2N - 1]
        scalars = {
            "loss": cross_entropy(logits).mean(),
            "accuracy": shared_mean(hits(logits.detach()).float()).mean(),
        }
        return scalars, self._joined(self._parts(batch, parts)).unflatten(0, (2, -1)).mean(dim=0)

    def embed(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Vectors for search: ``deepdxf [n_drawings, vector_size]``. The caller sets ``eval()`` and ``no_grad()``."""
        return {"deepdxf": self._joined(self._parts(batch, self._learned(batch)))}

    def fit(self, features: Mapping[str, Tensor]) -> None:
        """Before training: standardise what is measured by the training drawings, see :meth:`SheetEncoder.fit`."""
        if self.sheet is not None:
            self.sheet.fit(features)

    def settle(self, batches: Iterable[dict[str, Any]]) -> None:
        """After training: let drawings, those of the training or of an archive, say what any two have in common."""
        self.pairs.fit({"deepdxf": self.centred_vectors(batches)})

    @torch.no_grad()
    def centred_vectors(self, batches: Iterable[dict[str, Any]]) -> Tensor:
        """Put the origin of every part where the mean of these drawings is, weigh the looks by how far they agree about
        them, and give their vectors.

        Raw vectors lie in a narrow cone, so that any two drawings look alike; about their centre they do not. What few
        of the drawings show moves the origin little: at the only one's own place that would be nothing, made of
        rounding. Without any drawing all stays as it is. Shape: ``[N, vector_size]``.
        """
        self.eval()
        seen = [self._parts(batch, self._learned(batch)) for batch in batches]
        if not seen:
            return next(self.parameters()).new_zeros(0, self.vector_size)
        parts = {name: torch.cat([each[name] for each in seen]) for name in seen[0]}
        if self.sheet is not None:
            for name, rows in parts.items():
                seen_rows = unit(rows[_seen(rows)])
                self._centre(name).copy_(seen_rows.sum(dim=0) / (len(seen_rows) + STRANGERS))
            if (weights := weights_in(self._cosines(parts))) is not None:
                self.look_weights.copy_(weights)
        return self._joined(parts)

    def last_layer(self) -> list[nn.Parameter]:
        """The encoder's last layer, on whose gradient GradNorm looks."""
        return list(self.model.to_latent.parameters())

    def on_epoch_end(self, train_means: dict[str, float]) -> None:
        """Nothing of this task depends on the epoch."""

    def _learned(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        model_inputs = (batch[name] for name in ("rows", "position", "lengths", "drawing", "n_drawings"))
        return {"sequence": self.model(*model_inputs), **(self.sheet(batch) if self.sheet is not None else {})}

    def _parts(self, batch: dict[str, Any], learned: dict[str, Tensor]) -> dict[str, Tensor]:
        return learned if self.sheet is None else learned | self.sheet.measured(batch)

    def _joined(self, parts: dict[str, Tensor]) -> Tensor:
        """One vector of all parts; its cosine is the weighted mean of theirs.

        A part that saw nothing has no say: about the origin it would point away from whatever has words, and two sheets
        without words would be the same to it. For words, which weigh most, there is a stand-in.
        """
        if self.sheet is None:
            return parts["sequence"]
        rows = self._centred(parts)
        wordless = ~(_seen(rows["letters"]) | _seen(rows["words"]))
        weights = self.look_weights[wordless.long()]  # [N, looks]
        for look, weight in zip(LOOKS, weights.unbind(dim=1), strict=True):
            rows |= {name: (weight / len(look.parts)).sqrt()[:, None] * rows[name] for name in look.parts}
        rest = unit(torch.cat([part for name, part in rows.items() if name not in TEXT.parts], dim=-1))
        stand_in = (weights[:, -1] * wordless * _seen(rest)).sqrt()[:, None] * self.stand_in(rest)
        rows["words"] = rows["words"] + stand_in
        return torch.cat(list(rows.values()), dim=-1)

    def _centred(self, parts: dict[str, Tensor]) -> dict[str, Tensor]:
        """Each part about its origin, at length 1; zero where it saw nothing."""
        return {name: unit(unit(rows) - self._centre(name)) * _seen(rows)[:, None] for name, rows in parts.items()}

    def _cosines(self, parts: dict[str, Tensor]) -> Tensor:
        """Of all pairs of some of the drawings in each look: ``[len(LOOKS), n, n]``."""
        count = len(parts["sequence"])
        some = torch.linspace(0, count - 1, min(ASKED, count)).long()
        rows = self._centred({name: part[some] for name, part in parts.items()})
        return torch.stack([sum(rows[name] @ rows[name].T for name in look.parts) / len(look.parts) for look in LOOKS])

    def _centre(self, name: str) -> Tensor:
        return getattr(self, f"centre_{name}")


def _seen(rows: Tensor) -> Tensor:
    """In which rows ``[N, D]`` a part saw anything: bool ``[N]``."""
    return (rows != 0).any(dim=-1)


def _head(size_in: int, size_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(size_in, size_in), nn.ReLU(), nn.Linear(size_in, size_out))
