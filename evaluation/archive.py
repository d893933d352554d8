"""A folder of drawings, read once and kept: what the encoders read, and what a person sees."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from config.errors import UserError
from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.naming import EXTENSIONS, OUTPUT_EXTENSION, find_drawings, output_names
from dataset.picture import draw
from dataset.storage import SequenceRecord, read_sequence
from utils.evenly import evenly
from utils.files import require_writable


@dataclass(frozen=True)
class Look:
    """``picture`` uint8 ``[SIZE, SIZE]``, 0 paper to 255 ink; ``texts`` in drawing order."""

    picture: np.ndarray
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Archive:
    """The drawings that could be read, in the order of their names.

    Attributes:
        names: of each drawing its path below the archive's folder.
        skipped: why a drawing could not be read, by name.
    """

    names: list[str]
    sequence_paths: list[Path]
    skipped: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    def sequences(self) -> Iterator[SequenceRecord]:
        """The drawings as the encoders read them, one at a time: a large archive does not fit into memory."""
        return map(read_sequence, self.sequence_paths)

    def sample(self, most: int) -> Iterator[SequenceRecord]:
        """So many of them at most, evenly spread."""
        return map(read_sequence, evenly(self.sequence_paths, most))

    def looks(self) -> Iterator[Look]:
        """What a person sees of each drawing."""
        for record in self.sequences():
            yield Look(draw(record.appearance.strokes), record.appearance.texts)


def load_archive(
    folder: Path, cache: Path, overlap: str, visible_only: bool, workers: int, timeout: float = 300.0
) -> Archive:
    """Read all drawings of a folder, in parallel; what was read before and has not changed comes from the cache.

    Args:
        overlap, visible_only: how the model's drawings were read, see :class:`model.embedding.Embedder`.
        workers: processes side by side; 0 means one per core.

    Raises:
        UserError: there are no drawings, none can be read, or the cache cannot be written.
    """
    found = _find(folder)
    require_writable(cache, "--cache")
    place = cache / f"{folder.resolve().name[:40]}-{_digest(str(folder.resolve()))}"
    reading = {"overlap": overlap, "visible_only": visible_only}
    process_drawings(ProcessConfig(folder, place, workers=workers, timeout=timeout, prune=True, **reading))
    files = json.loads((place / "report.json").read_text(encoding="utf-8"))["files"]
    skipped = {file["source"]: file["reason"] for file in files if file["status"] == "skipped"}
    outputs = {source: name for source, name in output_names(found.sources).items() if source not in skipped}
    if not outputs:
        source, reason = next(iter(skipped.items()))
        raise UserError(f"no drawing in {folder.resolve()} can be read, such as {source}: {reason}")
    return Archive(list(outputs), [place / "DeepDXF" / name for name in outputs.values()], skipped)


def _find(folder: Path):
    if not folder.is_dir():
        raise UserError(f"{folder.resolve()} is no folder: correct --archive")
    found = find_drawings(folder)
    if not found.sources:
        kinds = ", ".join(f"*{extension}" for extension in EXTENSIONS)
        tensors = next(folder.rglob(f"*{OUTPUT_EXTENSION}"), None)
        hint = "; it holds preprocessed files, which have neither a picture nor words" if tensors else ""
        raise UserError(f"no drawings ({kinds}) in {folder.resolve()}{hint}: give --archive the drawings themselves")
    return found


def _digest(name: str) -> str:
    """Keeps apart what has one name in two places, whatever its length."""
    return hashlib.blake2b(os.fsencode(name), digest_size=12).hexdigest()
