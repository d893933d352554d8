"""An index of an archive of drawings: a folder with a catalogue, vectors and the preprocessed drawings.

What is in the folder is said in docs/formats.md; :mod:`search.indexing` makes it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from config.errors import UserError
from search.approximate import Approximate, read_approximate, require_faiss
from search.catalogue import Catalogue
from search.entries import Entry, Hit
from search.exact import nearest
from search.filters import NO_FILTERS, Filters
from search.model_card import PARTS, ModelCard, unit
from search.sketch import Sketch, read_sketch
from search.vectors import Vectors

if TYPE_CHECKING:
    from model.embedding import Embedder

CATALOGUE, SEQUENCES = "catalogue.sqlite", "drawings"
APPROXIMATE = "faiss"  # the fact that names its file
STATE = "state"  # another one when what was read of the index at its opening holds no longer
RENEWING = "renewing"  # whether drawings are missing that another frame has not seen yet


class BaseIndex:
    """What every index can do, wherever it lies.

    Attributes:
        model: whose vectors it holds.
        root: the archive's folder.
        sequences: the folder of preprocessed drawings.
        note: what a person should know of how it is searched; empty, if nothing.
    """

    model: ModelCard
    root: Path
    sequences: Path
    note: str = ""

    def prepare(self, embedder: Embedder) -> None:
        """Let a model see drawings as those of the index were seen. Raises UserError if the index is of another one."""
        self.require_same(ModelCard.of(embedder, ""))
        embedder.frame = self.model.frame

    def refresh(self) -> bool:
        """Look again if somebody has written to the index since it was opened; whether that was so.

        Its frame may be another one then: :meth:`prepare` the model again.
        """
        return False

    def require_same(self, card: ModelCard) -> None:
        """Raises UserError if the index is of another model."""
        if card.fingerprint != self.model.fingerprint:
            raise UserError(
                f"{self} was made with another model ({self.model.name}): give that one as --model_path, "
                "or make an index with this one"
            )

    def require_archive(self, archive: Path) -> None:
        """Raises UserError if the index is of another folder that is still there: it would be emptied."""
        if self.root != archive.resolve() and self.root.is_dir() and len(self):
            raise UserError(
                f"{self} is the index of {self.root}: give that folder, or another --index for {archive.resolve()}"
            )

    def __len__(self) -> int:
        raise NotImplementedError

    def entry_path(self, entry: Entry) -> Path:
        """Where a drawing lies, if it still does."""
        return self.root / entry.id

    def sequence_path(self, entry: Entry) -> Path:
        """Where its preprocessed ``.h5`` lies."""
        return self.root / entry.id if entry.sequence == entry.id else self.sequences / entry.sequence

    def query(
        self,
        vectors: Sequence[np.ndarray],
        k: int = 10,
        filters: Filters = NO_FILTERS,
        encoder: str | None = None,
        own_hashes: Sequence[str] = (),
    ) -> list[list[Hit]]:
        """The most alike drawings of each vector, the most alike first; ties by id.

        Args:
            vectors: as :class:`model.embedding.Embedder` gives them for ``encoder``, ``[d]`` each.
            encoder: ``joint``, ``gf`` or ``deepdxf``; the model's whole one if None.
            own_hashes: the content hash of each query's file: a drawing of the same bytes scores exactly 1.

        Raises:
            UserError: the model has no such encoder, or the index was written to meanwhile.
        """
        encoder = self.model.chosen(encoder)
        queries = [unit(np.asarray(vector, np.float64)) / self.model.weight(encoder) for vector in vectors]
        answers = []
        for found, own in zip(
            self._nearest(queries, k, filters, encoder), own_hashes or [""] * len(vectors), strict=True
        ):
            hits = [self._hit(entry, score, encoder, own) for entry, score in found]
            answers.append(sorted(hits, key=lambda hit: (-hit.score, hit.id))[:k])
        return answers

    def _nearest(
        self, queries: list[np.ndarray], k: int, filters: Filters, encoder: str
    ) -> Iterable[list[tuple[Entry, float]]]:
        """The ``k`` entries, or more that score the same, with the largest product with each query ``[d]``."""
        raise NotImplementedError

    def _hit(self, entry: Entry, score: float, encoder: str, own: str) -> Hit:
        if f" {self.model.frame_stamp} " not in entry.mark:
            raise self._changed()
        same = entry.content_hash == own
        score = 1.0 if same else min(max(score, -1.0), 1.0)
        share = self.model.share_below(encoder, score)
        return Hit(entry.id, self.entry_path(entry), score, share, self.sequence_path(entry), entry, same)

    def _changed(self) -> UserError:
        return UserError(f"{self} was written to while it was asked: ask again")


class Index(BaseIndex):
    """An index in a folder, as it is when it is opened.

    Args:
        exact: look at every drawing, also where the index has an approximate one.
    """

    def __init__(self, path: Path, exact: bool = False) -> None:
        self.path, self.sequences, self._exact = path, path / SEQUENCES, exact
        self.catalogue = Catalogue(path / CATALOGUE)
        self.root = (path / self.catalogue.fact("root")).resolve()
        self._look()

    def _look(self) -> None:
        self._state = self.catalogue.fact(STATE, "")
        self.model = ModelCard.from_dict(self.catalogue.fact("model"))
        self._slots: dict[str, np.ndarray] = {}
        for name in ("vectors", "sketch", "approximate", "_approximate"):
            self.__dict__.pop(name, None)

    def refresh(self) -> bool:
        if self.catalogue.fact(STATE, "") == self._state:
            return False
        self._look()
        return True

    @classmethod
    def open(cls, path: Path, exact: bool = False) -> Index:
        """Raises UserError: there is none, it is damaged, or of another format."""
        path = Path(path)
        if not path.exists():
            raise UserError(f"there is no index at {path}: make it with SearchDXF.py index, or correct --index")
        if not (path / CATALOGUE).is_file():
            raise UserError(f"{path} is no index of drawings: correct --index")
        return cls(path, exact)

    def close(self) -> None:
        self.catalogue.close()

    def __len__(self) -> int:
        return len(self.catalogue)

    def __str__(self) -> str:
        return str(self.path)

    @cached_property
    def vectors(self) -> Vectors:
        return Vectors(self.path, self.catalogue.segments(), sum(self.model.sizes.values()))

    @cached_property
    def sketch(self) -> Sketch | None:
        """None for a small index, or where it cannot be read: search is then slower and finds the same."""
        name = self.catalogue.fact("sketch")
        try:
            found = read_sketch(self.path / name) if name else None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return found if found and found.count <= self.vectors.end else None

    @cached_property
    def approximate(self) -> Approximate | None:
        """None unless the index has one that can be used; :attr:`note` says why not."""
        return self._approximate[0]

    @property
    def note(self) -> str:
        renewing = self.catalogue.fact(RENEWING, False)
        half = (
            f"{self} is being embedded anew, drawings are still missing: index the archive (again)" if renewing else ""
        )
        return "; ".join(filter(None, (half, self._approximate[1])))

    @cached_property
    def _approximate(self) -> tuple[Approximate | None, str]:
        name = self.catalogue.fact(APPROXIMATE, None)
        if not name or self._exact:
            return None, ""
        try:
            require_faiss()
            found = read_approximate(self.path / name)
        except UserError:
            return None, f"{self} was made for faiss, which is not installed here: it is searched exactly, and slower"
        except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile) as error:
            return None, f"{self} is searched exactly: {name} is missing or damaged ({error}); index the archive again"
        return (found, "") if found.count <= self.vectors.end else (None, f"{self}: {name} is of another state of it")

    def slots(self, encoder: str, filters: Filters = NO_FILTERS) -> np.ndarray:
        """Slots, ascending, of the drawings that the encoder can read and the filters let through."""
        if filters:
            return self.catalogue.slots(PARTS[encoder], filters)
        if encoder not in self._slots:
            self._slots[encoder] = self.catalogue.slots(PARTS[encoder])
        return self._slots[encoder]

    def names(self, slots: np.ndarray) -> list[tuple[str, str]]:
        """Id and content hash of the drawings in these slots."""
        known = self.catalogue.names()
        return [known[slot] for slot in slots.tolist()]

    def _nearest(
        self, queries: list[np.ndarray], k: int, filters: Filters, encoder: str
    ) -> Iterable[list[tuple[Entry, float]]]:
        slots, columns = self.slots(encoder, filters), self.model.columns(encoder)
        whole = self.approximate if encoder == self.model.kind else None  # centres are of whole rows
        for query in queries:
            found, scores = nearest(self.vectors, whole or self.sketch, query, columns, slots, k)
            entries = self.catalogue.entries(found)
            if self.catalogue.fact(STATE, "") != self._state:
                raise self._changed()
            pairs = zip(found.tolist(), scores.tolist(), strict=True)
            yield [(entries[slot], score) for slot, score in pairs if slot in entries]


def open_index(where: str | Path, exact: bool = False) -> BaseIndex:
    """The index at a path, or in a vector database, by its address. Raises UserError if there is none."""
    if str(where).startswith("milvus://"):
        from search.milvus import MilvusIndex

        return MilvusIndex(str(where))
    return Index.open(Path(where), exact)
