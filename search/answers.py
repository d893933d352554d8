"""What a person gets for the drawings they ask about: data, ready to print, to draw or to write as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.entries import Hit
from search.filters import NO_FILTERS, Filters

if TYPE_CHECKING:
    from compare.drawings import Reader
    from dataset.storage import SequenceRecord
    from model.embedding import Embedder
    from search.index import BaseIndex


@dataclass(frozen=True)
class Answer:
    """One query and what the archive holds that is like it.

    Attributes:
        query: the drawing asked about, as it was given.
        encoder: by whom; ``joint``, ``gf`` or ``deepdxf``.
        hits: the most alike first; ties by id.
        error: one sentence on why there are no hits; None if it could be read.
        record: the query as it was read, to draw it; None if it could not be read.
    """

    query: Path
    encoder: str
    hits: list[Hit] = field(default_factory=list)
    error: str | None = None
    record: SequenceRecord | None = field(default=None, repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        hits = [{"rank": rank, **hit.as_dict()} for rank, hit in enumerate(self.hits, start=1)]
        return {"query": str(self.query), "encoder": self.encoder, "error": self.error, "hits": hits}


def answers(
    index: BaseIndex,
    embedder: Embedder,
    reader: Reader[SequenceRecord],
    k: int = 10,
    filters: Filters = NO_FILTERS,
    encoder: str | None = None,
) -> Iterator[Answer]:
    """An answer for each of the reader's drawings, in their order; one that cannot be read has an error.

    Raises:
        UserError: the index is of another model, or has no such encoder.
    """
    index.prepare(embedder)
    encoder = index.model.chosen(encoder)
    records = reader.read(embedder.reading["overlap"], embedder.reading["visible_only"])
    for path, record in zip(reader.paths, records, strict=True):
        yield answer(index, embedder, path, record, k, filters, encoder)


def answer(
    index: BaseIndex,
    embedder: Embedder,
    path: Path,
    record: SequenceRecord | str,
    k: int = 10,
    filters: Filters = NO_FILTERS,
    encoder: str | None = None,
) -> Answer:
    """The answer to one drawing that has been read; ``record`` is the reason if it could not be.

    Raises:
        UserError: the index has no such encoder, or was written to meanwhile.
    """
    from config.errors import UserError
    from dataset.resume import content_hash

    if index.refresh():
        index.prepare(embedder)
    encoder = index.model.chosen(encoder)
    if isinstance(record, str):
        return Answer(path, encoder, error=record)
    try:
        vectors = embedder(record)
        own = content_hash(path)
    except UserError as error:  # an .h5 that was read with other options
        return Answer(path, encoder, error=str(error), record=record)
    except OSError as error:
        return Answer(path, encoder, error=f"cannot read {path}: {error.strerror or error}", record=record)
    if encoder not in vectors:
        has = f"--encoder {next(iter(vectors))} can search for it" if vectors else "the model cannot read it"
        reason = f"{path} holds none of GF's ten entity classes, so it has no {encoder} vector: {has}"
        return Answer(path, encoder, error=reason, record=record)
    (hits,) = index.query([vectors[encoder]], k, filters, encoder, own_hashes=[own])
    return Answer(path, encoder, hits, record=record)
