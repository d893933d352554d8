"""What a person sees and reads of a drawing: a small picture and the words. Made in workers, kept by content.

It stands outside the tensors, which hold neither lines nor words; what compares drawings as a person would who has no
model reads from here.
"""

from __future__ import annotations

import json
import time
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from dataset.linework import linework
from dataset.picture import SIZE, draw
from dataset.reading import read_sheet
from dataset.resume import Stamp
from dataset.texts import sheet_texts
from dataset.worker import FileReport, explain
from utils.files import atomic_path

APPEARANCE_VERSION = 1  # raise it with every change that makes another picture or other words of the same file


@dataclass(frozen=True)
class Appearance:
    """``picture`` uint8 ``[SIZE, SIZE]``, 0 paper to 255 ink; ``texts`` in drawing order."""

    picture: np.ndarray
    texts: list[str]


@dataclass(frozen=True)
class AppearanceTask:
    """One drawing and where its appearance goes."""

    path: Path
    source: str
    output: Path
    visible_only: bool = False


def run_task(task: AppearanceTask) -> FileReport:
    """Read a drawing and write its appearance, unless that of the same content is there. Failures are reported.

    Raises:
        MemoryError: the drawing needs more memory than it may take.
        OSError: the output cannot be written.
    """
    started = time.perf_counter()
    try:
        stamp = _stamp(task)
        if _stored(task.output, stamp) is not None:
            return FileReport(task.source, "unchanged")
        sheet = read_sheet(task.path, task.visible_only)
        picture, texts = draw(linework(sheet)), sheet_texts(sheet)
    except MemoryError:
        raise
    except Exception as error:  # the boundary of one file, as in dataset/worker.py
        return FileReport(task.source, "skipped", explain(error))
    with atomic_path(task.output) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, picture=picture, texts=_text_array(texts), stamp=_text_array(stamp))
    return FileReport(task.source, "read", seconds=time.perf_counter() - started)


def read_appearance(path: Path) -> Appearance | None:
    """What a worker has written; None if there is nothing or it is damaged."""
    return _stored(path, stamp=None)


def _stored(path: Path, stamp: dict | None) -> Appearance | None:
    """The appearance in a file; None if it is not there, damaged, or not of this stamp (None: of any)."""
    try:
        with np.load(path, allow_pickle=False) as file:
            found, texts, picture = json.loads(str(file["stamp"])), json.loads(str(file["texts"])), file["picture"]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error):  # missing or damaged
        return None
    fits = picture.shape == (SIZE, SIZE) and picture.dtype == np.uint8
    return Appearance(picture, texts) if fits and stamp in (None, found) else None


def _stamp(task: AppearanceTask) -> dict:
    stamp = asdict(Stamp.of(task.path, task.source, "", task.visible_only))
    return {**stamp, "appearance_version": APPEARANCE_VERSION}


def _text_array(content: object) -> np.ndarray:
    return np.array(json.dumps(content))  # ASCII: names that are no UTF-8 hold lone surrogates
