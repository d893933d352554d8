"""Make an index of an archive, or bring one up to date: only what is new, changed or gone costs anything.

First the drawings are read into the index's own folder of sequences, as ``dataset/dxf_process.py`` does, each in a
process that may fail alone; then those whose vectors are missing are embedded. Vectors are committed a segment at a
time: a run that is killed loses the last segment at most, and the next run goes on from there.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from config import frame as rules
from config.errors import UserError
from config.limits import USUAL, Limits
from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.entities import DEEPDXF_TYPES
from dataset.naming import find_drawings, output_names
from dataset.resume import content_hash
from dataset.storage import SequenceRecord, read_sequence_and_hash
from search.entries import Entry
from search.index import CATALOGUE
from search.model_card import ModelCard
from utils.ahead import ahead
from utils.evenly import evenly
from utils.progress import progress

if TYPE_CHECKING:
    from model.embedding import Embedder

WINDOW = 256  # drawings that are read ahead: as many as the embedder puts together
SEGMENT = 1024  # drawings between two commits
SEQUENCE_FOLDER, GRAPH_FOLDER = "DeepDXF", "GF"


Row = tuple[np.ndarray, list[str], Entry]


@dataclass(frozen=True)
class Source:
    """A drawing that the index is to have.

    Attributes:
        path: what a person opens.
        sequence_path: what the model reads, and ``sequence``, how the catalogue names it, see :class:`Entry`.
        mark: by which the catalogue knows the sequence again.
    """

    id: str
    path: Path
    sequence_path: Path
    sequence: str
    mark: str


class Writer(Protocol):
    """Where an index is written; it is nobody else's meanwhile."""

    model: ModelCard
    sequences: Path
    """Folder that keeps the preprocessed drawings."""

    def marks(self) -> dict[str, str]:
        """Of every drawing in the index, by id."""

    def adopt(self, model: ModelCard) -> None:
        """Go on with the same model in another frame, and drop the drawings that were seen in the one before."""

    def remove(self, ids: list[str]) -> None:
        """Forget drawings."""

    def add(self, rows: list[Row]) -> None:
        """Keep drawings as (stored row, parts that have a vector, entry), replacing those of the same ids; once this
        returns they survive whatever happens."""

    def tidy(self) -> None:
        """At the end, whatever makes searching faster or the index smaller."""


@dataclass
class Update:
    """What a run did: ids by what became of them, ``skipped`` each with its reason. ``renewed`` are those that did not
    change and were embedded anew, most often because the archive has outgrown what was common in it."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    renewed: list[str] = field(default_factory=list)
    unchanged: int = 0
    skipped: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, object]:
        return dict(vars(self))


def update(
    writer: Writer,
    archive: Path,
    embedder: Embedder,
    limits: Limits = USUAL,
    segment: int = SEGMENT,
) -> Update:
    """Make an index hold the drawings (``.dxf``, ``.dwg``, ``.h5``) below ``archive``, and no others.

    Args:
        limits: of reading drawings.
        segment: drawings between two commits.

    Raises:
        UserError: there are no drawings, or the index cannot be written.
    """
    started = time.perf_counter()
    report = Update()
    sources = list(_sources(writer.sequences, archive, embedder, limits, report))
    known = writer.marks()
    _frame(writer, sources, embedder)
    _fill(writer, sources, embedder, segment, report, known)
    writer.tidy()
    report.seconds = time.perf_counter() - started
    return report


def _sources(place: Path, archive: Path, embedder: Embedder, limits: Limits, report: Update) -> Iterator[Source]:
    """All that can be read: drawings, after they have been read into ``place``, and preprocessed ones."""
    if not archive.is_dir():
        raise UserError(f"{archive.resolve()} is no folder: correct the folder to index")
    count = 0
    sequences = place / SEQUENCE_FOLDER
    drawings = find_drawings(archive)
    if drawings.sources:
        reading = {name: embedder.reading[name] for name in ("overlap", "visible_only")}
        process_drawings(ProcessConfig(archive, place, **vars(limits), prune=True, **reading))
        files = json.loads((place / "report.json").read_text(encoding="utf-8"))["files"]
        report.skipped |= {file["source"]: file["reason"] for file in files if file["status"] == "skipped"}
        for source, name in output_names(drawings.sources).items():
            count += 1
            if source not in report.skipped:
                mark = _mark(sequences / name)
                yield Source(source, archive / source, sequences / name, f"{SEQUENCE_FOLDER}/{name}", mark)
    for file in _preprocessed(archive):
        count += 1
        name = file.relative_to(archive).as_posix()
        try:
            mark = content_hash(file)
        except OSError as error:
            report.skipped[name] = f"cannot be read: {error.strerror or error}"
            continue
        yield Source(name, file, file, name, mark)
    if not count:
        raise UserError(f"no drawings (*.dxf, *.dwg, *.h5) in {archive.resolve()}: correct the folder to index")


def _preprocessed(archive: Path) -> Iterator[Path]:
    """Sequence files below a folder, but for graphs beside them and what an index keeps."""
    for folder, below, names in os.walk(archive):
        here = Path(folder)
        is_data = SEQUENCE_FOLDER in below
        below[:] = sorted(
            name for name in below if not (here / name / CATALOGUE).exists() and not (is_data and name == GRAPH_FOLDER)
        )
        yield from (here / name for name in sorted(names) if name.lower().endswith(".h5"))


def _mark(path: Path) -> str:
    """Another one when the file is written anew: dataset/dxf_process.py has looked at the drawing's bytes."""
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_mtime_ns}-{status.st_size}"


def _frame(writer: Writer, sources: list[Source], embedder: Embedder) -> None:
    """See drawings as the index does; if the archive has outgrown that, ask it what its drawings have in common."""
    embedder.frame = writer.model.frame
    if not writer.model.is_outgrown(len(sources)):
        return
    if embedder.settle(_readable(evenly(sources, rules.ASKED), embedder), rules.FEWEST):
        writer.adopt(ModelCard.of(embedder, writer.model.name, settled_on=len(sources)))


def _readable(sources: list[Source], embedder: Embedder) -> Iterator[SequenceRecord]:
    """What cannot be read is left out here, and named when it is to be embedded."""
    for source in sources:
        with suppress(UserError, OSError):
            record, _ = read_sequence_and_hash(source.sequence_path)
            embedder.require_same_reading(record)
            yield record


def _fill(
    writer: Writer, sources: list[Source], embedder: Embedder, segment: int, report: Update, known: dict[str, str]
) -> None:
    """Drop what is gone, embed what is new or changed, commit now and then.

    Args:
        known: marks of the drawings that were in the index when the run began.
    """
    there = writer.marks()
    stamp = writer.model.stamp
    wanted = {source.id: f"{source.mark} {stamp}" for source in sources}
    waiting = [source for source in sources if there.get(source.id) != wanted[source.id]]
    report.unchanged = len(sources) - len(waiting)
    report.removed = sorted(set(known) - set(wanted))
    writer.remove(report.removed)
    found = _embedded(waiting, embedder, stamp, report)
    with progress((), "embedding", total=len(waiting), unit="drawing") as bar:
        while batch := list(islice(found, segment)):
            writer.add([(writer.model.row(vectors), _parts(vectors), entry) for vectors, entry in batch])
            for _, entry in batch:
                _fate(entry, known.get(entry.id), report).append(entry.id)
            bar.update(len(batch))
    lost = sorted(set(report.skipped) & set(known) & set(wanted))  # could be read once and cannot any more
    writer.remove(lost)


def _fate(entry: Entry, before: str | None, report: Update) -> list[str]:
    """Where the report names a drawing that was embedded, by the mark it had before."""
    if before is None:
        return report.added
    return report.renewed if before.split()[0] == entry.mark.split()[0] else report.changed


def _embedded(
    sources: list[Source], embedder: Embedder, stamp: str, report: Update
) -> Iterator[tuple[dict[str, np.ndarray], Entry]]:
    """Vectors and entry of every drawing that can be read, in order."""
    kept: list[Entry] = []

    def records() -> Iterator[SequenceRecord]:
        for source in sources:
            try:
                record, noted = read_sequence_and_hash(source.sequence_path)
                embedder.require_same_reading(record)
                entry = _entry(source, record, noted, stamp)
            except (UserError, OSError) as error:
                report.skipped[source.id] = str(error)
                continue
            kept.append(entry)
            yield record

    # while one window of drawings is embedded, the next one is read
    for number, vectors in enumerate(embedder.many(ahead(records(), WINDOW))):
        yield vectors, kept[number]
        kept[number] = None


def _entry(source: Source, record: SequenceRecord, noted: str, stamp: str) -> Entry:
    """``noted`` is the hash that preprocessing wrote, of the drawing's bytes: a query by it finds its .h5 too."""
    counts = np.bincount(record.dxf_vec[:, 0], minlength=len(DEEPDXF_TYPES))
    named = {name: int(count) for name, count in zip(DEEPDXF_TYPES, counts, strict=False) if count}
    own = source.sequence_path == source.path
    digest = source.mark if own and not noted else noted
    extents = record.extents
    mark = f"{source.mark} {stamp}"
    return Entry(source.id, digest, source.sequence, mark, extents.width, extents.height, named)


def _parts(vectors: dict[str, np.ndarray]) -> list[str]:
    return [name for name in vectors if name != "joint"]
