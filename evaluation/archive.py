"""A folder of drawings, read once and kept: tensors for the encoders, pictures and words for everything else."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from config.errors import UserError
from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.naming import EXTENSIONS, OUTPUT_EXTENSION, find_drawings, output_names
from dataset.pool import fair_share, run_in_pool
from dataset.storage import SequenceRecord, read_sequence
from evaluation.appearance import Appearance, AppearanceTask, read_appearance, run_task
from utils.files import require_writable
from utils.progress import progress


@dataclass(frozen=True)
class Archive:
    """The drawings that could be read, in the order of their names.

    Attributes:
        names: of each drawing its path below the archive's folder.
        skipped: why a drawing could not be read, by name.
        without_picture: why a drawing has no picture and no words although it has tensors, by name.
    """

    names: list[str]
    sequence_paths: list[Path]
    appearance_paths: list[Path]
    skipped: dict[str, str] = field(default_factory=dict)
    without_picture: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    def sequences(self) -> Iterator[SequenceRecord]:
        """The drawings as the encoders read them, one at a time: a large archive does not fit into memory."""
        return map(read_sequence, self.sequence_paths)

    def appearances(self) -> Iterator[Appearance | None]:
        """What a person sees of each drawing; None where it could not be drawn."""
        for name, path in zip(self.names, self.appearance_paths, strict=True):
            yield None if name in self.without_picture else read_appearance(path)


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
    options = ProcessConfig(folder, place, workers, overlap, visible_only, timeout=timeout, prune=True)
    process_drawings(options)
    files = json.loads((place / "report.json").read_text(encoding="utf-8"))["files"]
    skipped = {file["source"]: file["reason"] for file in files if file["status"] == "skipped"}
    outputs = {source: name for source, name in output_names(found.sources).items() if source not in skipped}
    if not outputs:
        source, reason = next(iter(skipped.items()))
        raise UserError(f"no drawing in {folder.resolve()} can be read, such as {source}: {reason}")
    pictures = {source: place / "appearance" / f"{_digest(source)}.npz" for source in outputs}
    tasks = [AppearanceTask(found.path(source), source, path, visible_only) for source, path in pictures.items()]
    return Archive(
        list(outputs),
        [place / "DeepDXF" / name for name in outputs.values()],
        list(pictures.values()),
        skipped,
        _draw(tasks, workers, timeout),
    )


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


def _draw(tasks: list[AppearanceTask], workers: int, timeout: float) -> dict[str, str]:
    """Make the pictures that are missing; why some could not be made, by name."""
    count = min(workers or os.cpu_count() or 1, len(tasks))
    reports = run_in_pool(tasks, count, timeout, fair_share(count), work=run_task)
    bar = progress(reports, "pictures", total=len(tasks), unit="file")
    try:
        return {file.source: file.reason for file in bar if file.status == "skipped"}
    except OSError as error:
        raise UserError(f"cannot write to the cache (--cache): {error}") from error


def _digest(name: str) -> str:
    """Keeps apart what has one name in two places, whatever its length."""
    return hashlib.blake2b(os.fsencode(name), digest_size=12).hexdigest()
