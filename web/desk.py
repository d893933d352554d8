"""What the page does, without a word of HTTP: asks the index, compares, draws the map. Gives HTML and plain data."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compare.drawings import ENDINGS
from config.errors import UserError
from dataset.pool import LocalPool
from dataset.storage import SequenceRecord, read_sequence
from dataset.worker import FileReport
from model.embedding import Embedder
from report.cards import asked, card, difference_block, facts, hit_card, overlay_block, text
from report.difference import Pair, told
from search.answers import Answer, answer
from search.entries import Entry, Hit
from search.index import Index
from search.model_card import unit
from web.layout import chosen, layout
from web.reading import Portrait, Task, Upload, WarmUp, work

MOST_REMEMBERED = 16  # questions whose answers can still be compared and downloaded
PORTRAIT = 900.0, 620.0  # pixels, of a drawing shown alone


class NotFoundError(Exception):
    """Nothing is known by this name, or no longer."""


@dataclass(frozen=True)
class Question:
    """What was asked, and what it was told.

    Attributes:
        folder: holds the drawing that was given; None for one of the archive.
    """

    name: str
    answer: Answer
    folder: Path | None


class Desk:
    """An index and its model, for one question at a time.

    Drawings are read and compared in a process of its own, so that one that crashes, hangs or eats memory costs its own
    answer only.

    Args:
        timeout: seconds for reading or comparing; ``memory`` bytes.

    Raises:
        UserError: the index is of another model, or has no such encoder.
    """

    def __init__(
        self, index: Index, embedder: Embedder, encoder: str | None, top: int, timeout: float, memory: int, how: str
    ) -> None:
        index.prepare(embedder)
        self.encoder = index.model.chosen(encoder)
        self._index, self._embedder, self._top, self._how = index, embedder, top, how
        self._pool = LocalPool(1, timeout, memory, work)
        self._folder = Path(tempfile.mkdtemp(prefix="drawings-"))
        self._questions: OrderedDict[str, Question] = OrderedDict()
        self._one_at_a_time = threading.Lock()
        self._mapping = threading.Lock()
        self._map: dict[str, Any] | None = None
        self._pool.start(0, WarmUp())
        self._pool.finished()

    def close(self) -> None:
        self._pool.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def about(self) -> str:
        """What is searched, in one line."""
        return f"{len(self._index):,} drawings, {self.encoder} encoder of {self._index.model.name}"

    @property
    def note(self) -> str:
        """What a person should know of how the index is searched; empty, if nothing."""
        return self._index.note

    def ask(self, name: str, content: Path) -> str:
        """What is like a drawing that was given, as HTML; the file is taken over.

        Raises:
            UserError: it cannot be read; the sentence calls it by ``name``.
        """
        ending = Path(name).suffix.lower()
        if ending not in ENDINGS:
            raise UserError(f"{name} is no drawing: its name must end in {', '.join(ENDINGS)}")
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        path = folder / f"drawing{ending}"
        shutil.move(content, path)
        reading = {key: self._embedder.reading[key] for key in ("overlap", "visible_only")}
        with self._one_at_a_time:
            try:
                record = self._isolated(Upload(path, name, **reading))
                record = record.reason if isinstance(record, FileReport) else record
                self._look_again()
                found = answer(self._index, self._embedder, path, record, self._top, encoder=self.encoder)
                if found.error:
                    raise UserError(found.error.replace(str(path), name).replace(path.name, name))
            except BaseException:  # Ctrl-C too: what is not answered is not kept
                shutil.rmtree(folder, ignore_errors=True)
                raise
        return self._shown(Question(name, found, folder))

    def like(self, slot: int) -> str:
        """What is like a drawing of the archive, as HTML.

        Raises:
            NotFoundError: there is none in this slot.
            UserError: it cannot be read.
        """
        with self._one_at_a_time:
            self._look_again()
        entry = self._entry(slot)
        record = self._record(entry)
        with self._one_at_a_time:
            vector = self._vectors(np.array([slot]))[0]
            (hits,) = self._index.query([vector], self._top, encoder=self.encoder, own_hashes=[entry.content_hash])
        path = self._index.entry_path(entry)
        return self._shown(Question(entry.id, Answer(path, self.encoder, hits, record=record), None))

    def difference(self, token: str, rank: int) -> dict[str, str]:
        """An answer beside its question: ``differs``, ``laid`` and ``picture``, each HTML."""
        question, hit = self._hit(token, rank)
        pair = Pair(hit.id, question.answer.record, question.answer.query, hit.sequence_path, hit.path)
        with self._one_at_a_time:
            found = told(self._isolated(pair))
        return {
            "differs": difference_block(found),
            "laid": overlay_block(found),
            "picture": found.answer,
        }

    def answer_file(self, token: str, rank: int) -> tuple[str, Path]:
        """The name and the file of an answer. Raises NotFoundError."""
        _, hit = self._hit(token, rank)
        return _there(Path(hit.id).name, hit.path)

    def drawing(self, slot: int) -> str:
        """One drawing of the archive, large, as HTML. Raises NotFoundError, UserError."""
        entry = self._entry(slot)
        record = self._record(entry)
        path = self._index.entry_path(entry)
        with self._one_at_a_time:
            drawn = self._isolated(Portrait(entry.id, record, path, *PORTRAIT))
        picture, missing = ("", drawn.reason) if isinstance(drawn, FileReport) else drawn
        kept = f'<p class="problem">{text(missing)}</p>' if missing else ""
        file = f' <a href="drawing/{slot}/file" download>Download</a>' if path.is_file() else ""
        return (
            f'<header><h3>{text(entry.id)}</h3><form method="dialog"><button class="button">Close</button></form>'
            f'</header><p class="dim">{text(facts(record))}</p><div class="large">{picture}</div>{kept}'
            f'<p><button class="button" type="button" data-like="{slot}">What is like this?</button>{file}</p>'
        )

    def drawing_file(self, slot: int) -> tuple[str, Path]:
        """The name and the file of a drawing of the archive. Raises NotFoundError."""
        entry = self._entry(slot)
        return _there(Path(entry.id).name, self._index.entry_path(entry))

    def map(self) -> dict[str, Any]:
        """``dots`` as [x, y, slot, id]; ``how`` they were placed; ``count`` of all. Drawn when first asked for."""
        with self._mapping:
            if self._how == "off":
                return {"dots": [], "how": "off", "count": 0}
            if self._map is None:
                slots = self._index.slots(self.encoder)
                shown = slots[chosen(len(slots))]
                places, how = layout(self._vectors(shown), self._how)
                entries = self._index.catalogue.entries(shown)
                dots = [
                    [round(x, 4), round(1 - y, 4), slot, entries[slot].id.encode("utf-8", "replace").decode()]
                    for (x, y), slot in zip(places.tolist(), shown.tolist(), strict=True)
                    if slot in entries
                ]
                self._map = {"dots": dots, "how": how, "count": len(slots)}
            return self._map

    def _look_again(self) -> None:
        """The index may have been brought up to date since."""
        if self._index.refresh():
            self._index.prepare(self._embedder)
            with self._mapping:
                self._map = None

    def _shown(self, question: Question) -> str:
        token = secrets.token_urlsafe(9)
        self._questions[token] = question
        while len(self._questions) > MOST_REMEMBERED:
            _, oldest = self._questions.popitem(last=False)
            if oldest.folder:
                shutil.rmtree(oldest.folder, ignore_errors=True)
        cards = "\n".join(
            card(
                hit_card(
                    f"a{rank}",
                    rank,
                    hit,
                    links=() if hit.missing else (("Download", f"answer/{token}/{rank}/file"),),
                    source=f"answer/{token}/{rank}",
                ),
                question.name,
            )
            for rank, hit in enumerate(question.answer.hits, start=1)
        )
        top = asked(question.name, question.answer.record, None)
        return f'<section class="query">{top}\n<ol class="answers">\n{cards}\n</ol></section>'

    def _hit(self, token: str, rank: int) -> tuple[Question, Hit]:
        question = self._questions.get(token)
        if question is None or not 1 <= rank <= len(question.answer.hits):
            raise NotFoundError("This was asked too long ago: ask again.")
        return question, question.answer.hits[rank - 1]

    def _entry(self, slot: int) -> Entry:
        if not np.isin(slot, self._index.slots(self.encoder)):
            raise NotFoundError("The archive holds no such drawing.")
        entries = self._index.catalogue.entries([slot])
        if slot not in entries:
            raise NotFoundError("The archive has been changed, and holds this drawing no longer.")
        return entries[slot]

    def _record(self, entry: Entry) -> SequenceRecord:
        path = self._index.sequence_path(entry)
        try:
            return read_sequence(path)
        except UserError as error:
            raise UserError(str(error).replace(str(path), entry.id)) from error

    def _vectors(self, slots: np.ndarray) -> np.ndarray:
        """Of length 1, ``[len(slots), D]``."""
        return unit(self._index.vectors.take(slots)[:, self._index.model.columns(self.encoder)].astype(np.float64))

    def _isolated(self, task: Task) -> Any:
        self._pool.start(0, task)
        ((_, result),) = self._pool.finished()
        return result


def _there(name: str, path: Path) -> tuple[str, Path]:
    if not path.is_file():
        raise NotFoundError(f"{name} is no longer in the archive.")
    return name, path
