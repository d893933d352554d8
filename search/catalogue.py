"""The part of an index that is no vector: an SQLite file, so that what is written is there or not, whatever happens."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from config.errors import UserError
from dataset.entities import DEEPDXF_TYPES
from search.entries import Entry
from search.filters import NO_FILTERS, Filters

FORMAT = 2
APPLICATION = 0x44584649  # "DXFI", in the header of the file
PART_BITS = {"gf": 1, "deepdxf": 2}
_COUNTS = ", ".join(f'"n_{name}" INTEGER NOT NULL' for name in DEEPDXF_TYPES)
_FIELDS = ("id", "content_hash", "sequence", "mark", "width", "height", *(f'"n_{name}"' for name in DEEPDXF_TYPES))
_TABLES = (
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE segments (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, file TEXT NOT NULL)",
    "CREATE TABLE drawings (slot INTEGER PRIMARY KEY, parts INTEGER NOT NULL, id TEXT NOT NULL UNIQUE, "
    "content_hash TEXT NOT NULL, sequence TEXT NOT NULL, mark TEXT NOT NULL, width REAL NOT NULL, "
    f"height REAL NOT NULL, {_COUNTS})",
)


class Catalogue:
    """Drawings by slot, a slot being the place of a vector; segments of vectors; facts about the index.

    Args:
        facts: makes a new one, with these.

    Raises:
        UserError: the file is none of an index, is damaged, or of another format.
    """

    def __init__(self, path: Path, *, facts: Mapping[str, Any] | None = None) -> None:
        self._path = path
        with self._honest():
            self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            self._db.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
            if facts is not None:
                self._create(facts)
            (application,), (version,) = (
                self._db.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")
            )
        if application != APPLICATION:
            raise UserError(f"{path.parent} is no index of drawings: correct --index")
        if version != FORMAT:
            raise UserError(
                f"{path.parent} is an index of format {version}, this program has format {FORMAT}: make it again"
            )

    def _create(self, facts: Mapping[str, Any]) -> None:
        self._db.execute("BEGIN EXCLUSIVE")
        self._db.execute(f"PRAGMA application_id = {APPLICATION}")
        self._db.execute(f"PRAGMA user_version = {FORMAT}")
        for table in _TABLES:
            self._db.execute(table)
        for name, value in facts.items():
            self.set_fact(name, value)
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside is kept, or nothing. Raises UserError if another run is writing."""
        with self._honest():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    def fact(self, name: str, *default: Any) -> Any:
        """Raises UserError if it is missing and there is no default."""
        with self._honest():
            found = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        if found is None and not default:
            raise UserError(f"{self._path} is damaged: it lacks {name}; make the index again")
        return json.loads(found[0]) if found else default[0]

    def set_fact(self, name: str, value: Any) -> None:
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(value)))

    def __len__(self) -> int:
        with self._honest():
            return self._db.execute("SELECT COUNT(*) FROM drawings").fetchone()[0]

    def segments(self) -> list[tuple[int, int, str]]:
        """First slot, number of slots and file of every segment, by slot."""
        with self._honest():
            return self._db.execute("SELECT first, count, file FROM segments ORDER BY first").fetchall()

    @property
    def end(self) -> int:
        """The first slot that no segment has."""
        with self._honest():
            return self._db.execute("SELECT COALESCE(MAX(first + count), 0) FROM segments").fetchone()[0]

    def add_segment(self, first: int, count: int, file: str) -> None:
        self._db.execute("INSERT INTO segments VALUES (?, ?, ?)", (first, count, file))

    def clear_segments(self) -> None:
        self._db.execute("DELETE FROM segments")

    def add(self, entries: Iterable[tuple[int, Iterable[str], Entry]]) -> None:
        """Drawings as (slot, parts that have a vector, entry); one that is there under the same id is replaced."""
        holders = ", ".join(["?, ?", *["CAST(? AS TEXT)"] * 4, *["?"] * (2 + len(DEEPDXF_TYPES))])
        self._db.executemany(
            f"INSERT OR REPLACE INTO drawings VALUES ({holders})",
            ((slot, sum(PART_BITS[part] for part in parts), *_values(entry)) for slot, parts, entry in entries),
        )

    def remove(self, ids: Iterable[str]) -> None:
        self._db.executemany("DELETE FROM drawings WHERE id = CAST(? AS TEXT)", ((_encoded(each),) for each in ids))

    def move(self, slots: Iterable[tuple[int, int]]) -> None:
        """Give drawings other slots, as (old, new); in an order that meets no slot still taken."""
        self._db.executemany("UPDATE drawings SET slot = ? WHERE slot = ?", ((new, old) for old, new in slots))

    def marks(self) -> dict[str, str]:
        """Of every drawing, by id."""
        with self._honest():
            return dict(self._db.execute("SELECT id, mark FROM drawings"))

    def names(self) -> dict[int, tuple[str, str]]:
        """Id and content hash of every drawing, by slot."""
        with self._honest():
            rows = self._db.execute("SELECT slot, id, content_hash FROM drawings")
            return {slot: (name, digest) for slot, name, digest in rows}

    def slots(self, parts: Iterable[str], filters: Filters = NO_FILTERS) -> np.ndarray:
        """Slots, ascending int64, of the drawings that have all these parts and that the filters let through."""
        bits = sum(PART_BITS[part] for part in parts)
        conditions, values = [f"(parts & {bits}) = {bits}"], []
        if filters.size is not None:
            conditions.append("MAX(width, height) BETWEEN ? AND ?")
            values += filters.size
        for each in filters.counts:
            conditions.append(f'"n_{each.type}" {each.sign} ?')
            values.append(each.number)
        wanted = "slot" if filters.path is None else "slot, id"
        sql = f"SELECT {wanted} FROM drawings WHERE {' AND '.join(conditions)} ORDER BY slot"
        with self._honest():
            rows = self._db.execute(sql, values)
            if filters.path is not None:
                glob = filters.path.lower()
                rows = ((slot,) for slot, name in rows if fnmatchcase(name.lower(), glob))
            return np.fromiter((slot for (slot,) in rows), np.int64)

    def entries(self, slots: Iterable[int]) -> dict[int, Entry]:
        """By slot."""
        fields = ", ".join(("slot", *_FIELDS))
        found: dict[int, Entry] = {}
        with self._honest():
            for slot in slots:
                row = self._db.execute(f"SELECT {fields} FROM drawings WHERE slot = ?", (int(slot),)).fetchone()
                if row is None:  # removed since somebody looked up the slot
                    continue
                counts = {name: count for name, count in zip(DEEPDXF_TYPES, row[7:], strict=True) if count}
                found[row[0]] = Entry(*row[1:7], counts)
        return found

    @contextmanager
    def _honest(self) -> Iterator[None]:
        """SQLite's complaints in words a user can act on."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise UserError(f"another run is writing to {self._path.parent}: wait for it to end") from error
            raise UserError(f"cannot use {self._path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise UserError(f"{self._path} is no index of drawings, or is damaged ({error}): make it again") from error


def _values(entry: Entry) -> tuple[Any, ...]:
    texts = (entry.id, entry.content_hash, entry.sequence, entry.mark)
    counts = (int(entry.counts.get(name, 0)) for name in DEEPDXF_TYPES)
    return (*map(_encoded, texts), entry.width, entry.height, *counts)


def _encoded(text: str) -> bytes:
    """Names that are no UTF-8 hold lone surrogates: they are kept as the bytes they are."""
    return text.encode("utf-8", "surrogateescape")
