"""Which model an index's vectors are of, so that vectors of two models are never compared."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from config import frame as rules
from config.errors import UserError
from dataset.entities import SCHEMA_VERSION
from dataset.resume import READING_VERSION

if TYPE_CHECKING:
    from model.embedding import Embedder

PARTS = {"joint": ("gf", "deepdxf"), "gf": ("gf",), "deepdxf": ("deepdxf",)}


@dataclass(frozen=True, eq=False)
class ModelCard:
    """What an index keeps of the model.

    Attributes:
        fingerprint: hash of the weights, the options and how the model's drawings are read.
        kind: ``joint``, ``gf`` or ``deepdxf``: the encoder a search asks unless told otherwise.
        name: of the checkpoint's file, to say which model it was.
        reading: how drawings are read for it.
        sizes: of each part of a stored row, in their order.
        weights: the length of each part in a row; that of the whole row is 1.
        settled_on: how many drawings the archive had when it was asked what its drawings have in common; 0 while the
            training drawings say so.
        frame: the answer, see :attr:`model.embedding.Embedder.frame`.
    """

    fingerprint: str
    kind: str
    name: str
    reading: dict[str, Any]
    sizes: dict[str, int]
    weights: dict[str, float]
    settled_on: int
    frame: dict[str, np.ndarray]

    @classmethod
    def of(cls, embedder: Embedder, name: str, settled_on: int = 0) -> ModelCard:
        task, frame = embedder.task, embedder.frame if settled_on else embedder.trained_frame
        facts = [embedder.kind, embedder.config, embedder.reading, SCHEMA_VERSION]
        head = json.dumps(facts, sort_keys=True, default=str)
        weights = ((key, tensor.cpu().numpy()) for key, tensor in task.state_dict().items() if key not in frame)
        fingerprint = _hash(head, weights)
        own = {"gf": getattr(task, "gf", task), "deepdxf": getattr(task, "deepdxf", task)}
        sizes = {
            part: int(own[part].model.vector_size if part == "gf" else own[part].vector_size)
            for part in PARTS[embedder.kind]
        }
        share = getattr(task, "gf_share", None)
        weights = dict.fromkeys(sizes, 1.0) if share is None else {"gf": share**0.5, "deepdxf": (1 - share) ** 0.5}
        reading = dict(embedder.reading)
        return cls(fingerprint, embedder.kind, name, reading, sizes, weights, settled_on, frame)

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> ModelCard:
        frame = {name: np.frombuffer(base64.b64decode(text), "<f4").copy() for name, text in found["frame"].items()}
        return cls(**{**found, "frame": frame})

    def as_dict(self) -> dict[str, Any]:
        frame = {name: base64.b64encode(array.astype("<f4").tobytes()).decode() for name, array in self.frame.items()}
        return {**asdict(self), "frame": frame}

    def is_outgrown(self, count: int) -> bool:
        """Whether an archive of so many drawings is to be asked anew what they have in common."""
        fits = self.settled_on / rules.GROWTH <= count <= self.settled_on * rules.GROWTH
        return count >= rules.FEWEST and not fits

    @property
    def encoders(self) -> tuple[str, ...]:
        """The encoders that can be asked, the first by default."""
        return ("joint", "gf", "deepdxf") if self.kind == "joint" else (self.kind,)

    @property
    def stamp(self) -> str:
        """Of everything besides a drawing's bytes that decides its vectors."""
        return f"{self.fingerprint} {self.frame_stamp} schema {SCHEMA_VERSION} reading {READING_VERSION}"

    @cached_property
    def frame_stamp(self) -> str:
        """Of what decides vectors in the frame: all but the pairs, by which scores are only judged."""
        seen = ((name, array) for name, array in self.frame.items() if not name.startswith("pairs."))
        return f"frame {_hash('', seen)}"

    def chosen(self, encoder: str | None) -> str:
        """The encoder asked for. Raises UserError if the model has none such."""
        if encoder is None:
            return self.kind
        if encoder not in self.encoders:
            raise UserError(f"the index has no {encoder} vectors, only {', '.join(self.encoders)}: correct --encoder")
        return encoder

    def columns(self, encoder: str) -> slice:
        """Where the encoder's numbers lie in a stored row."""
        if encoder == self.kind:
            return slice(0, sum(self.sizes.values()))
        start = 0 if encoder == "gf" else self.sizes["gf"]
        return slice(start, start + self.sizes[encoder])

    def share_below(self, encoder: str, cosine: float) -> float | None:
        """As :meth:`model.calibration.PairQuantiles.share_below`, without the model."""
        table = self.frame[f"pairs.{encoder}"].astype(np.float64)
        return float(np.searchsorted(table, cosine)) / len(table) if np.isfinite(table).all() else None

    def row(self, vectors: dict[str, np.ndarray]) -> np.ndarray:
        """A stored row ``[D]`` float32 of what :class:`model.embedding.Embedder` gives: each part at the length of its
        weight, as in ``joint``; zeros for a part that cannot read the drawing."""
        row = np.zeros(sum(self.sizes.values()), np.float32)
        for part, weight in self.weights.items():
            if part in vectors:
                if not np.isfinite(vectors[part]).all():
                    raise UserError(f"the model's {part} vector of a drawing is not finite: train it again")
                row[self.columns(part)] = weight * unit(vectors[part])
        return row

    def weight(self, encoder: str) -> float:
        """The length of the encoder's numbers in a stored row."""
        return 1.0 if encoder == self.kind else self.weights[encoder]


def _hash(head: str, arrays: Iterable[tuple[str, np.ndarray]]) -> str:
    digest = hashlib.blake2b(head.encode("utf-8", "surrogatepass"), digest_size=16)
    for key, array in sorted(arrays, key=lambda each: each[0]):
        digest.update(f"{key} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def unit(vector: np.ndarray) -> np.ndarray:
    """At length 1, ``[..., D]``; zeros stay."""
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    return np.divide(vector, length, out=np.zeros_like(vector), where=length > 0)
