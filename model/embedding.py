"""Drawings to vectors with a trained model: what comparison and search stand on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from config.errors import UserError
from dataset.dxf_process_GF import gf_adjacency, gf_features
from dataset.entities import model_rows
from dataset.storage import SequenceRecord
from model.registry import rebuild
from utils.checkpoint import load_checkpoint
from utils.DeepDXF_utils import collate, cut_chunks


class Embedder:
    """A trained task behind one method.

    Attributes:
        kind: ``gf``, ``deepdxf`` or ``joint``.
        reading: the options that its training drawings were read with; others must be read the same way.

    Raises:
        UserError: the checkpoint is missing, damaged, foreign or of another version.
    """

    def __init__(self, model_path: Path, device: torch.device) -> None:
        checkpoint = load_checkpoint(model_path)
        self.kind = checkpoint.kind
        self.device = device
        self.task = rebuild(checkpoint).to(device)
        encoder = checkpoint.config.get("deepdxf", checkpoint.config)
        self._chunk_size = encoder.get("chunk_size")
        self.reading = {"overlap": "cross", "visible_only": False, **checkpoint.info["data"]}

    @torch.no_grad()
    def __call__(self, drawing: SequenceRecord) -> dict[str, np.ndarray]:
        """The drawing's vectors by encoder (``gf``, ``deepdxf``, ``joint``), float64 ``[dim]``.

        An encoder that cannot read the drawing (GF, when it holds none of the ten classes) is left out, and so is
        ``joint`` then. One drawing at a time, so that equal drawings get equal vectors to the last bit.

        Raises:
            UserError: the drawing was preprocessed with other options than the training drawings.
        """
        self._require_same_reading(drawing)
        if self.kind == "gf":
            graph = self._graph(drawing)
            vectors = self.task.embed(graph) if graph else {}
        elif self.kind == "deepdxf":
            vectors = self.task.embed(self._sequence(drawing))
        else:
            graph = self._graph(drawing)
            batch = {"deepdxf": self._sequence(drawing), **({"gf": graph} if graph else {})}
            vectors = self.task.embed(batch)
        return {name: vector[0].double().cpu().numpy() for name, vector in vectors.items()}

    def _require_same_reading(self, drawing: SequenceRecord) -> None:
        for name, wanted in self.reading.items():
            found = getattr(drawing, name)
            if found != wanted and not (name == "overlap" and self.kind == "deepdxf"):
                raise UserError(
                    f"{drawing.source} was preprocessed with {name} {found}, the model's drawings with {wanted}: "
                    "preprocess it again, or compare the .dxf itself"
                )

    def _graph(self, drawing: SequenceRecord) -> dict[str, torch.Tensor] | None:
        if drawing.gf_counts is None:
            return None
        features = torch.from_numpy(gf_features(drawing.gf_counts))
        adjacency = torch.from_numpy(gf_adjacency(drawing.gf_edge_counts)).float()
        return {"features": features[None].to(self.device), "adjacency": adjacency[None].to(self.device)}

    def _sequence(self, drawing: SequenceRecord) -> dict[str, torch.Tensor | int]:
        batch = collate([cut_chunks(model_rows(drawing.dxf_vec), self._chunk_size)])
        return {key: value.to(self.device) if torch.is_tensor(value) else value for key, value in batch.items()}


def similarity(first: np.ndarray, second: np.ndarray, method: str) -> float:
    """How alike two vectors are; symmetric, and exactly 1 for equal ones.

    ``cosine`` is the cosine of the angle, -1..1. ``euclidean`` is ``1 / (1 + distance)`` of the vectors scaled to
    length 1, 1/3..1. A zero vector is like nothing but itself (0).
    """
    if np.array_equal(first, second):
        return 1.0
    lengths = np.linalg.norm(first), np.linalg.norm(second)
    if min(lengths) == 0:
        return 0.0
    a, b = first / lengths[0], second / lengths[1]
    if method == "cosine":
        return float(np.clip(a @ b, -1.0, 1.0))
    return float(1.0 / (1.0 + np.linalg.norm(a - b)))
