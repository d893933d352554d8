"""An index in a Milvus database, for an archive that outgrows one machine (requirements-search.txt).

``milvus://HOST:PORT/COLLECTION`` is a server, ``milvus://FOLDER/FILE.db/COLLECTION`` Milvus Lite, which keeps its data
in that file. The environment variable ``MILVUS_TOKEN`` logs in. What an index knows of its model lies in a second
collection, ``COLLECTION_facts``; the preprocessed drawings stay in a folder. Milvus scores in float32 and leaves open
which of several equally alike drawings are the last answers.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from config.errors import UserError
from dataset.entities import DEEPDXF_TYPES
from search.entries import Entry
from search.exact import DECIMALS
from search.filters import Filters
from search.index import BaseIndex
from search.indexing import Row
from search.model_card import PARTS, ModelCard

if TYPE_CHECKING:
    from pymilvus import MilvusClient

SCHEME = "milvus://"
PIECE = 8_000  # characters of a fact in one row
FORMAT = 2  # of the facts
TOGETHER = 128  # rows of one message, which may hold some megabytes


class MilvusIndex(BaseIndex):
    """An index in a database, to ask.

    Raises:
        UserError: there is none, the database cannot be reached, or pymilvus is not installed.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._client, self._name = _connected(address)
        with honest(address):
            if not self._client.has_collection(self._name):
                raise UserError(f"there is no index at {address}: make it with SearchDXF.py index, or correct --index")
            facts = read_facts(self._client, self._name)
        if facts.get("format") != FORMAT:
            raise UserError(
                f"{address} is an index of another format than {FORMAT}, which this program has: drop the collections "
                f"{self._name} and {self._name}_facts, and make it again"
            )
        self.model = ModelCard.from_dict(facts["model"])
        self.root, self.sequences = Path(facts["root"]), Path(facts["sequences"])

    def __str__(self) -> str:
        return self.address

    def close(self) -> None:
        self._client.close()

    def __len__(self) -> int:
        with honest(self.address):
            return self._client.query(self._name, filter="", output_fields=["count(*)"])[0]["count(*)"]

    def _nearest(
        self, queries: list[np.ndarray], k: int, filters: Filters, encoder: str
    ) -> list[list[tuple[Entry, float]]]:
        rows = np.zeros((len(queries), sum(self.model.sizes.values())), np.float32)
        rows[:, self.model.columns(encoder)] = queries  # zeros elsewhere: the product is that of the encoder's part
        with honest(self.address):
            found = self._client.search(
                self._name, rows.tolist(), limit=k, filter=condition(encoder, filters), output_fields=["entry"]
            )
        return [[(_entry(hit["entity"]), round(hit["distance"], DECIMALS)) for hit in hits] for hits in found]


class MilvusWriter:
    """A :class:`search.indexing.Writer`."""

    def __init__(self, address: str, client: MilvusClient, name: str, facts: dict[str, Any]) -> None:
        self.model, self.sequences = ModelCard.from_dict(facts["model"]), Path(facts["sequences"])
        self._address, self._client, self._name, self._facts = address, client, name, facts

    def marks(self) -> dict[str, str]:
        found: dict[str, str] = {}
        with honest(self._address):
            rows = self._client.query_iterator(self._name, batch_size=4096, output_fields=["entry"])
            while batch := rows.next():
                entries = map(_entry, batch)
                found |= {entry.id: entry.mark for entry in entries}
            rows.close()
        return found

    def adopt(self, model: ModelCard) -> None:
        if model.stamp != self.model.stamp:
            self.remove(list(self.marks()))  # first: rows of one frame must not be asked in another
        self.model = model
        with honest(self._address):
            write_facts(self._client, self._name, {**self._facts, "model": model.as_dict()})

    def remove(self, ids: list[str]) -> None:
        with honest(self._address):
            for first in range(0, len(ids), 1000):
                self._client.delete(self._name, ids=[_key(each) for each in ids[first : first + 1000]])

    def add(self, rows: list[Row]) -> None:
        with honest(self._address):
            for first in range(0, len(rows), TOGETHER):
                self._client.upsert(self._name, [_stored(*row) for row in rows[first : first + TOGETHER]])

    def tidy(self) -> None:
        """The database does that itself."""
        with honest(self._address):
            self._client.flush(self._name)


@contextmanager
def milvus_writer(address: str, archive: Path, card: ModelCard, sequences: Path) -> Iterator[MilvusWriter]:
    """Write to the index at an address, made if there is none.

    Raises:
        UserError: the index is of another model or archive, or the database cannot be reached.
    """
    client, name = _connected(address)
    try:
        with honest(address):
            if not client.has_collection(name):
                _create(client, name, sum(card.sizes.values()))
            else:
                index = MilvusIndex(address)
                index.require_same(card)
                index.require_archive(archive)
                index.close()
                card = index.model
            places = {"root": str(archive.resolve()), "sequences": str(sequences.resolve())}
            facts = {"format": FORMAT, "model": card.as_dict(), **places}
            write_facts(client, name, facts)
        yield MilvusWriter(address, client, name, facts)
    finally:
        client.close()


def condition(encoder: str, filters: Filters) -> str:
    """The filters as Milvus writes them. Raises UserError for a glob that it cannot do."""
    wanted = [f"has_{part} == true" for part in PARTS[encoder]]
    if filters.path is not None:
        if "[" in filters.path:
            raise UserError(f"--path {filters.path}: a vector database knows * and ?, but no [...]")
        like = filters.path.lower().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
        wanted.append(f"folded like {json.dumps(like.replace('*', '%').replace('?', '_'), ensure_ascii=False)}")
    if filters.size is not None:
        wanted.append(f"size >= {filters.size[0]!r} and size <= {filters.size[1]!r}")
    wanted += [f"n_{each.type} {'==' if each.sign == '=' else each.sign} {each.number}" for each in filters.counts]
    return " and ".join(wanted)


def read_facts(client: MilvusClient, name: str) -> dict[str, Any]:
    pieces = client.query(f"{name}_facts", filter="number >= 0", output_fields=["number", "text"])
    if not pieces:
        raise UserError(f"the index {name} is incomplete: its first run was killed; drop the collection, make it again")
    return json.loads("".join(piece["text"] for piece in sorted(pieces, key=lambda piece: piece["number"])))


def write_facts(client: MilvusClient, name: str, facts: dict[str, Any]) -> None:
    text = json.dumps(facts)
    pieces = [text[first : first + PIECE] for first in range(0, len(text), PIECE)]
    rows = [{"number": i, "text": piece, "vector": [0.0, 0.0]} for i, piece in enumerate(pieces)]
    client.upsert(f"{name}_facts", rows)
    client.delete(f"{name}_facts", filter=f"number >= {len(pieces)}")


@contextmanager
def honest(address: str) -> Iterator[None]:
    """The database's complaints in one sentence."""
    from pymilvus import MilvusException

    try:
        yield
    except MilvusException as error:
        raise UserError(f"the vector database at {address} says: {' '.join(str(error.message).split())}") from error


def _connected(address: str) -> tuple[MilvusClient, str]:
    try:
        from pymilvus import MilvusClient
    except ImportError as error:
        raise UserError(f"{address} needs pymilvus: pip install -r requirements-search.txt") from error
    place, _, name = address.removeprefix(SCHEME).rpartition("/")
    if not place or not name.isidentifier():
        raise UserError(f"{address} is no address such as milvus://localhost:19530/drawings: correct --index")
    with honest(address):
        uri = place if place.endswith(".db") else f"http://{place}"
        return MilvusClient(uri, token=os.environ.get("MILVUS_TOKEN", "")), name


def _create(client: MilvusClient, name: str, width: int) -> None:
    from pymilvus import DataType

    facts = client.create_schema(auto_id=False)
    facts.add_field("number", DataType.INT64, is_primary=True)
    facts.add_field("text", DataType.VARCHAR, max_length=65_535)
    facts.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    drawings = client.create_schema(auto_id=False)
    drawings.add_field("key", DataType.VARCHAR, is_primary=True, max_length=32)
    drawings.add_field("vector", DataType.FLOAT_VECTOR, dim=width)
    for field in ("entry", "folded"):
        drawings.add_field(field, DataType.VARCHAR, max_length=65_535)
    for part in PARTS["joint"]:
        drawings.add_field(f"has_{part}", DataType.BOOL)
    drawings.add_field("size", DataType.DOUBLE)
    for kind in DEEPDXF_TYPES:
        drawings.add_field(f"n_{kind}", DataType.INT64)
    for collection, schema in ((f"{name}_facts", facts), (name, drawings)):
        found = client.prepare_index_params()
        found.add_index("vector", index_type="FLAT", metric_type="IP")
        client.create_collection(collection, schema=schema, index_params=found, consistency_level="Strong")


def _stored(row: np.ndarray, parts: list[str], entry: Entry) -> dict[str, Any]:
    folded = entry.id.lower().encode("utf-8", "backslashreplace").decode("utf-8")
    return {
        "key": _key(entry.id),
        "vector": row.tolist(),
        "entry": json.dumps(asdict(entry)),
        "folded": folded,
        **{f"has_{part}": part in parts for part in PARTS["joint"]},
        "size": entry.size,
        **{f"n_{kind}": entry.counts.get(kind, 0) for kind in DEEPDXF_TYPES},
    }


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(**json.loads(row["entry"]))


def _key(name: str) -> str:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
