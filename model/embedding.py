"""Drawings to vectors with a trained model: what comparison and search stand on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from config.errors import UserError
from dataset.drawing import Drawing
from dataset.dxf_process_GF import gf_adjacency, gf_features
from dataset.storage import SequenceRecord
from model.DeepDXF_dataset import plain_batch
from model.registry import rebuild
from model.sheet_encoder import RARITIES
from utils.checkpoint import load_checkpoint
from utils.progress import progress

WINDOW = 256  # drawings in memory at once, among which those of similar length are put together
BATCH_ENTITIES = 4096  # of one pass
SETTLED_TOGETHER = 16  # drawings


class Embedder:
    """A trained task behind one method.

    Args:
        untrained_seed: if given, not the trained weights but fresh ones by this seed: what training is measured by.
            Their vectors have no common origin before :meth:`settle`.

    Attributes:
        kind: ``gf``, ``deepdxf`` or ``joint``.
        trained_frame: the :attr:`frame` that it came with.
        config: the merged options of the run that trained it.
        reading: the options that its training drawings were read with; others must be read the same way.

    Raises:
        UserError: the checkpoint is missing, damaged, foreign or of another version.
    """

    def __init__(self, model_path: Path, device: torch.device, untrained_seed: int | None = None) -> None:
        checkpoint = load_checkpoint(model_path)
        self.kind, self.config = checkpoint.kind, checkpoint.config
        self.device = device
        self.task = rebuild(checkpoint, untrained_seed).to(device)
        self._deepdxf = getattr(self.task, "deepdxf", self.task)
        self.reading = {"overlap": "cross", "visible_only": False, **checkpoint.info["data"]}
        self.trained_frame = self.frame

    def __call__(self, drawing: SequenceRecord) -> dict[str, np.ndarray]:
        """The drawing's vectors by encoder (``gf``, ``deepdxf``, ``joint``), float64 ``[dim]``.

        An encoder that cannot read the drawing (GF, when it holds none of the ten classes) is left out, and so is
        ``joint`` then. One drawing at a time, so that equal drawings get equal vectors to the last bit.

        Raises:
            UserError: the drawing was preprocessed with other options than the training drawings.
        """
        return self._embed([drawing])[0]

    def many(self, drawings: Iterable[SequenceRecord]) -> Iterator[dict[str, np.ndarray]]:
        """The vectors of many drawings, in their order: the same as one by one up to rounding, in less time.

        Drawings of similar length share a pass of at most ``BATCH_ENTITIES`` entities, padding included; a longer one
        has a pass of its own. Raises as :meth:`__call__` does.
        """
        for window in _windows(drawings, WINDOW):
            vectors: list[dict[str, np.ndarray]] = [{} for _ in window]
            for batch in _batches(window):
                for index, found in zip(batch, self._embed([window[index] for index in batch]), strict=True):
                    vectors[index] = found
            yield from vectors

    def settle(self, drawings: Iterable[SequenceRecord], fewest: int = 1) -> bool:
        """Let these drawings, instead of those of the training, say what any two drawings have in common.

        What is rare in them counts more, as in every search engine; so does a way to look at them that agrees with the
        others (:mod:`model.looks`). Their mean becomes the origin of the vectors, their pairs what :meth:`share_below`
        compares with. No weight changes. A drawing that one of the model's encoders cannot read has no say; if fewer
        than ``fewest`` have one, nothing changes, and the answer is False. All are in memory at once: of an archive
        some are enough (:mod:`config.frame`). Raises as :meth:`__call__` does.
        """
        readable = (drawing for drawing in drawings if self.kind == "deepdxf" or drawing.gf_counts is not None)
        count, batches = 0, []
        for window in _windows(readable, SETTLED_TOGETHER):
            count += len(window)
            batches.append(self.inputs(window))
        if count < max(fewest, 1):
            return False
        if (sheet := getattr(self._deepdxf, "sheet", None)) is not None:
            seen = [batch.get("deepdxf", batch) for batch in batches]
            sheet.weigh({name: torch.cat([each[name] for each in seen]) for name in ("grams", "joints")})
        self.task.settle(progress(batches, "what is common", unit="batch"))
        return True

    @property
    def frame(self) -> dict[str, np.ndarray]:
        """All that :meth:`settle` sets, by name, each as one row: what an index keeps, so that queries are seen as its
        drawings were."""
        buffers = self.task.named_buffers()
        return {name: buffer.flatten().cpu().numpy().copy() for name, buffer in buffers if _is_settled(name)}

    @frame.setter
    def frame(self, arrays: Mapping[str, np.ndarray]) -> None:
        buffers = dict(self.task.named_buffers())
        for name, array in arrays.items():
            buffers[name].copy_(torch.from_numpy(array).view_as(buffers[name]))

    def share_below(self, encoder: str, cosine: float) -> float | None:
        """The share, 0..1, of pairs of drawings whose ``encoder`` vectors are less alike than this cosine: of training
        drawings, or of those of :meth:`settle`.

        None if that was never measured: two drawings have one pair.
        """
        return self.task.pairs.share_below(encoder, cosine)

    @torch.no_grad()
    def _embed(self, drawings: list[SequenceRecord]) -> list[dict[str, np.ndarray]]:
        """One pass over drawings that either all have a graph or none of them has."""
        if self.kind == "gf" and drawings[0].gf_counts is None:
            return [{} for _ in drawings]
        arrays = {name: rows.double().cpu().numpy() for name, rows in self.task.embed(self.inputs(drawings)).items()}
        return [{name: rows[i] for name, rows in arrays.items()} for i in range(len(drawings))]

    def inputs(self, drawings: list[SequenceRecord]) -> dict[str, Any]:
        """What the task's ``embed`` takes, of drawings that either all have a graph or none of them has."""
        for drawing in drawings:
            self.require_same_reading(drawing)
        if self.kind == "gf":
            return self._graphs(drawings)
        if self.kind == "deepdxf":
            return self._sequences(drawings)
        graphs = {"gf": self._graphs(drawings)} if drawings[0].gf_counts is not None else {}
        return {"deepdxf": self._sequences(drawings), **graphs}

    def require_same_reading(self, drawing: SequenceRecord) -> None:
        """Raises UserError if the drawing was preprocessed with other options than the training drawings."""
        for name, wanted in self.reading.items():
            found = getattr(drawing, name)
            if found != wanted and not (name == "overlap" and self.kind == "deepdxf"):
                raise UserError(
                    f"{drawing.source} was preprocessed with {name} {found}, the model's drawings with {wanted}: "
                    "preprocess it again, or compare the .dxf itself"
                )

    def _graphs(self, drawings: list[SequenceRecord]) -> dict[str, torch.Tensor]:
        features = torch.from_numpy(np.stack([gf_features(drawing.gf_counts) for drawing in drawings]))
        adjacency = torch.from_numpy(np.stack([gf_adjacency(drawing.gf_edge_counts) for drawing in drawings]))
        return {"features": features.to(self.device), "adjacency": adjacency.float().to(self.device)}

    def _sequences(self, drawings: list[SequenceRecord]) -> dict[str, Any]:
        batch = plain_batch([Drawing.of(drawing) for drawing in drawings], self._deepdxf.config)
        return {key: value.to(self.device) if torch.is_tensor(value) else value for key, value in batch.items()}


def _is_settled(name: str) -> bool:
    """Whether a task's buffer of this name is set by settling."""
    path, _, last = name.rpartition(".")
    set_by_name = last in (*RARITIES, "look_weights") or last.startswith("centre_")
    return set_by_name or path.rpartition(".")[2] == "pairs"


def _windows(drawings: Iterable[SequenceRecord], size: int) -> Iterator[list[SequenceRecord]]:
    """The drawings in their order, a few at a time."""
    waiting = iter(drawings)
    while window := list(islice(waiting, size)):
        yield window


def _batches(drawings: list[SequenceRecord]) -> Iterator[list[int]]:
    """Indices of the drawings to embed together: with graph or without, of similar length, not too many entities."""
    order = sorted(range(len(drawings)), key=lambda i: (drawings[i].gf_counts is None, drawings[i].entity_count))
    batch: list[int] = []
    for index in order:
        drawing = drawings[index]
        alike = not batch or (drawings[batch[0]].gf_counts is None) == (drawing.gf_counts is None)
        if batch and not (alike and (len(batch) + 1) * drawing.entity_count <= BATCH_ENTITIES):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


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
