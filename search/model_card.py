"""Which model an index's vectors are of, so that vectors of two models are never compared."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from config.errors import UserError
from dataset.entities import SCHEMA_VERSION
from dataset.resume import READING_VERSION

if TYPE_CHECKING:
    from model.embedding import Embedder

PARTS = {"joint": ("gf", "deepdxf"), "gf": ("gf",), "deepdxf": ("deepdxf",)}


@dataclass(frozen=True)
class ModelCard:
    """What an index keeps of the model.

    Attributes:
        fingerprint: hash of the weights, the options and how the model's drawings are read.
        kind: ``joint``, ``gf`` or ``deepdxf``: the encoder a search asks unless told otherwise.
        name: of the checkpoint's file, to say which model it was.
        reading: how drawings are read for it.
        sizes: of each part of a stored row, in their order.
        weights: the length of each part in a row; that of the whole row is 1.
        quantiles: for each encoder those of the cosines of pairs of training drawings, see
            :class:`model.calibration.PairQuantiles`; none where never measured.
    """

    fingerprint: str
    kind: str
    name: str
    reading: dict[str, Any]
    sizes: dict[str, int]
    weights: dict[str, float]
    quantiles: dict[str, list[float]]

    @classmethod
    def of(cls, embedder: Embedder, name: str) -> ModelCard:
        task = embedder.task
        digest = hashlib.blake2b(digest_size=16)
        facts = [embedder.kind, embedder.config, embedder.reading, SCHEMA_VERSION]
        digest.update(json.dumps(facts, sort_keys=True, default=str).encode("utf-8", "surrogatepass"))
        for key, tensor in sorted(task.state_dict().items()):
            array = np.ascontiguousarray(tensor.cpu().numpy())
            digest.update(f"{key} {array.dtype} {array.shape}".encode())
            digest.update(array.tobytes())
        own = {"gf": getattr(task, "gf", task), "deepdxf": getattr(task, "deepdxf", task)}
        sizes = {
            part: int(own[part].model.vector_size if part == "gf" else own[part].vector_size)
            for part in PARTS[embedder.kind]
        }
        share = getattr(task, "gf_share", None)
        weights = dict.fromkeys(sizes, 1.0) if share is None else {"gf": share**0.5, "deepdxf": (1 - share) ** 0.5}
        tables = {encoder: table.double().cpu().numpy() for encoder, table in task.pairs.named_buffers()}
        quantiles = {encoder: table.tolist() for encoder, table in tables.items() if np.isfinite(table).all()}
        return cls(digest.hexdigest(), embedder.kind, name, dict(embedder.reading), sizes, weights, quantiles)

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> ModelCard:
        return cls(**found)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def encoders(self) -> tuple[str, ...]:
        """The encoders that can be asked, the first by default."""
        return ("joint", "gf", "deepdxf") if self.kind == "joint" else (self.kind,)

    @property
    def stamp(self) -> str:
        """Of everything besides a drawing's bytes that decides its vectors."""
        return f"{self.fingerprint} schema {SCHEMA_VERSION} reading {READING_VERSION}"

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
        table = self.quantiles.get(encoder)
        return None if table is None else float(np.searchsorted(table, cosine)) / len(table)

    def row(self, vectors: dict[str, np.ndarray]) -> np.ndarray:
        """A stored row ``[D]`` float32 of what :class:`model.embedding.Embedder` gives: each part at the length of its
        weight, as in ``joint``; zeros for a part that cannot read the drawing."""
        row = np.zeros(sum(self.sizes.values()), np.float32)
        for part, weight in self.weights.items():
            if part in vectors:
                row[self.columns(part)] = weight * unit(vectors[part])
        return row

    def weight(self, encoder: str) -> float:
        """The length of the encoder's numbers in a stored row."""
        return 1.0 if encoder == self.kind else self.weights[encoder]


def unit(vector: np.ndarray) -> np.ndarray:
    """At length 1, ``[..., D]``; zeros stay."""
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    return np.divide(vector, length, out=np.zeros_like(vector), where=length > 0)
