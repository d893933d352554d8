"""Has this drawing been done already? What a run leaves in its outputs so that the next one can tell.

Every output carries a stamp: the hash of the drawing's bytes, the versions of the table and of the reading, and the
options that change what is read. Outputs whose stamp is what this run would write are not made again. The sequence is
written after the graph, so a sequence with the right stamp says that both are complete.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dataset.entities import SCHEMA_VERSION
from dataset.storage import read_attributes

# Raise it with every change that makes other tensors of the same file: outputs of an older reading are then redone.
READING_VERSION = 2

NEW = "new"
CHANGED = "the drawing changed, or is another of the same name"
OTHER_DRAWING = "the output was another drawing's"
DAMAGED = "an output is missing or damaged"
OTHER_OPTIONS = "other options"
FORCED = "--force"


@dataclass(frozen=True)
class Stamp:
    """Everything that decides what the outputs of a drawing are."""

    source: str
    content_hash: str
    schema_version: int
    reading_version: int
    overlap: str
    visible_only: bool

    @classmethod
    def of(cls, path: Path, source: str, overlap: str, visible_only: bool) -> Stamp:
        """The stamp that a drawing's outputs get from this program. Raises OSError if the drawing cannot be read."""
        return cls(source, content_hash(path), SCHEMA_VERSION, READING_VERSION, overlap, visible_only)


def content_hash(path: Path) -> str:
    """128 bits of BLAKE2b over a file's bytes: no drawing waits for it, reading one takes a hundred times as long."""
    if path.exists() and not path.is_file():  # opening a pipe would wait for ever
        raise OSError("is no regular file")
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def notes(stamp: Stamp, report: Mapping[str, Any]) -> dict[str, Any]:
    """What is written beside the tensors: the stamp, and what the report said of the file."""
    return {**asdict(stamp), "report": json.dumps(report)}


def earlier_report(sequence_path: Path, graph_path: Path, stamp: Stamp) -> tuple[dict[str, Any] | None, str]:
    """What an earlier run reported of this drawing, if its outputs are what this run would write.

    Returns:
        The report and an empty string; or None and the reason why the drawing must be done again.
    """
    sequence = read_attributes(sequence_path)
    if sequence is None:
        return None, DAMAGED if sequence_path.exists() else NEW
    reason = _difference(sequence, stamp)
    if reason:
        return None, reason
    try:
        report = json.loads(sequence["report"])
        complete = not report["has_graph"] or _difference(read_attributes(graph_path) or {}, stamp) == ""
    except (KeyError, TypeError, ValueError):
        return None, DAMAGED
    return (report, "") if complete else (None, DAMAGED)


def _difference(found: Mapping[str, Any], stamp: Stamp) -> str:
    """Why outputs with these attributes are not of this stamp; empty if they are."""
    wanted = asdict(stamp)
    if str(found.get("source")) != stamp.source:
        return OTHER_DRAWING
    for name, what in (("schema_version", "schema"), ("reading_version", "reading")):
        old = int(found.get(name, 0))
        if old != wanted.pop(name):
            return f"{what} version {old}, now {getattr(stamp, name)}"
    if str(found.get("content_hash")) != wanted.pop("content_hash"):
        return CHANGED
    return "" if all(name in found and found[name] == value for name, value in wanted.items()) else OTHER_OPTIONS
