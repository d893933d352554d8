"""Writing an index that is a folder: nothing is there by halves, whenever the run is killed."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from config.errors import UserError
from search import approximate
from search.approximate import PREFIX, require_faiss
from search.catalogue import Catalogue
from search.index import APPROXIMATE, CATALOGUE, RENEWING, SEQUENCES, STATE, Index
from search.indexing import SEGMENT, Row
from search.model_card import ModelCard
from search.sketch import SMALLEST, make_sketch, write_sketch
from search.vectors import write_segment
from utils.files import require_writable

MOST_SEGMENTS = 64  # then they become one
MOST_DEAD = 0.3  # share of rows of drawings that changed or went; then they are dropped
LOCK = "lock.sqlite"
WANTED = "faiss_wanted"  # the fact that later runs go by


@contextmanager
def folder_writer(
    path: Path, archive: Path, card: ModelCard, wants_faiss: bool | None = None
) -> Iterator[FolderWriter]:
    """Write to the index at ``path``, made if there is none.

    Args:
        wants_faiss: whether it is to have what searches very many drawings faster and not quite exactly; None for as
            it was.

    Raises:
        UserError: the index is of another model or archive, the folder holds something else or cannot be written,
            another run is writing to it, or faiss is needed and not installed.
    """
    require_writable(path, "--index")
    with _alone(path):
        index = _opened(path, archive, card)
        try:
            yield FolderWriter(index, wants_faiss)
        finally:
            index.close()


class FolderWriter:
    """A :class:`search.indexing.Writer`."""

    def __init__(self, index: Index, wants_faiss: bool | None = None) -> None:
        self.index, self.model = index, index.model
        self.sequences = index.path / SEQUENCES
        self._catalogue, self._path = index.catalogue, index.path
        self._wants_faiss = self._catalogue.fact(WANTED, False) if wants_faiss is None else wants_faiss
        if self._wants_faiss:
            require_faiss()  # now, not when all is done but this

    def marks(self) -> dict[str, str]:
        return self._catalogue.marks()

    def adopt(self, model: ModelCard) -> None:
        with self._catalogue.transaction():
            if model.stamp != self.model.stamp:
                self._catalogue.remove(self._catalogue.marks())
                self._catalogue.set_fact(RENEWING, True)
            self._catalogue.set_fact("model", model.as_dict())
            self._catalogue.set_fact(STATE, uuid.uuid4().hex)
        self.model = self.index.model = model

    def remove(self, ids: list[str]) -> None:
        with self._catalogue.transaction():
            self._catalogue.remove(ids)

    def add(self, rows: list[Row]) -> None:
        """Vectors first: until the catalogue names them they are nothing but a file."""
        file = write_segment(self._path, np.stack([row for row, _, _ in rows]))
        first = self._catalogue.end
        with self._catalogue.transaction():
            self._catalogue.add_segment(first, len(rows), file)
            self._catalogue.add((slot, parts, entry) for slot, (_, parts, entry) in enumerate(rows, start=first))

    def tidy(self) -> None:
        """Few segments, few dead rows, what makes searching faster where it pays, and no file that nothing names."""
        self._set(RENEWING, False)
        slots = self._catalogue.slots(())
        if len(slots) < (1 - MOST_DEAD) * self._catalogue.end or len(self._catalogue.segments()) > MOST_SEGMENTS:
            self._compact(slots)
        index = Index.open(self._path)  # as it is now
        parts = [self.model.columns(part) for part in self.model.sizes]
        sketched = index.sketch.count if index.sketch else 0
        if index.vectors.end - sketched >= SMALLEST:
            self._set("sketch", write_sketch(self._path, make_sketch(index.vectors, parts)))
        self._tidy_approximate(index, parts)
        index.close()
        named = {file for _, _, file in self._catalogue.segments()}
        named |= {self._catalogue.fact("sketch"), self._catalogue.fact(APPROXIMATE, None)}
        for file in self._path.iterdir():
            if file.name.startswith(("vectors-", "sketch-", PREFIX)) and file.name not in named:
                _remove(file)
        self._set(STATE, uuid.uuid4().hex)  # who has it open may look again

    def _tidy_approximate(self, index: Index, parts: list[slice]) -> None:
        """Have it, with all rows, or not, as was asked for, by this run or by the last that said so."""
        self._set(WANTED, self._wants_faiss)
        if not self._wants_faiss or index.vectors.end < approximate.SMALLEST:
            self._set(APPROXIMATE, None)
        elif index.approximate is None or index.approximate.count < index.vectors.end:
            found = approximate.brought_up_to_date(index.approximate, index.vectors, parts)
            self._set(APPROXIMATE, approximate.write_approximate(self._path, found))

    def _set(self, fact: str, value: str | bool | None) -> None:
        with self._catalogue.transaction():
            self._catalogue.set_fact(fact, value)

    def _compact(self, slots: np.ndarray) -> None:
        """All living rows in segments of their own, in the order they have."""
        index, size = Index.open(self._path), 64 * SEGMENT
        parts = [slots[first : first + size] for first in range(0, len(slots), size)]
        files = [write_segment(self._path, index.vectors.take(part)) for part in parts]
        index.close()
        with self._catalogue.transaction():
            self._catalogue.clear_segments()
            for number, (part, file) in enumerate(zip(parts, files, strict=True)):
                self._catalogue.add_segment(number * size, len(part), file)
            self._catalogue.move((int(old), new) for new, old in enumerate(slots))
            self._catalogue.set_fact("sketch", None)
            self._catalogue.set_fact(APPROXIMATE, None)
            self._catalogue.set_fact(STATE, uuid.uuid4().hex)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Nobody else writes meanwhile. The system lets go of the lock when the process ends, however it ends."""
    lock = sqlite3.connect(path / LOCK, timeout=0, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
        yield
    except sqlite3.OperationalError as error:
        raise UserError(f"another run is writing to {path}: wait for it to end ({error})") from error
    finally:
        lock.close()


def _opened(path: Path, archive: Path, card: ModelCard) -> Index:
    """The index that is there, or a new one."""
    root = _from(path, archive)
    if not (path / CATALOGUE).exists():
        own = (LOCK, SEQUENCES, CATALOGUE)
        strange = sorted(each.name for each in path.iterdir() if not each.name.startswith(own))
        if strange:
            raise UserError(f"{path} is a folder with other things in it, such as {strange[0]}: correct --index")
        Catalogue(path / CATALOGUE, facts={"model": card.as_dict(), "root": root, "sketch": None}).close()
    index = Index.open(path)
    index.require_same(card)
    index.require_archive(archive)
    if index.root != archive.resolve():
        with index.catalogue.transaction():  # the archive has moved
            index.catalogue.set_fact("root", root)
        index.root = archive.resolve()
    return index


def _from(path: Path, archive: Path) -> str:
    """The archive's folder as seen from the index, so that both can move together; as it is, from another drive."""
    try:
        return Path(os.path.relpath(archive.resolve(), path.resolve())).as_posix()
    except ValueError:
        return archive.resolve().as_posix()


def _remove(file: Path) -> None:
    try:
        file.unlink()
    except OSError:  # Windows, while a search has it open: the next run removes it
        return
