"""Which drawings a run reads, what they are called, and which file each of them gets."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path, PurePosixPath


def find_drawings(source: Path) -> dict[str, Path]:
    """All ``*.dxf`` files (any case) under a folder, or the one file: id -> path, in a fixed order.

    The id is the POSIX path relative to the folder, extension included; it stays the drawing's name throughout.
    """
    if source.is_file():
        return {source.name: source}
    found = [path for path in source.rglob("*") if path.suffix.lower() == ".dxf" and not path.is_dir()]
    named = {path.relative_to(source).as_posix(): path for path in found}
    return dict(sorted(named.items()))


def output_names(sources: list[str]) -> dict[str, PurePosixPath]:
    """Where each drawing's tensors go, relative to the folder of its encoder: sub-folders mirrored, ``.h5`` at the end.

    No two drawings share a file, on a file system that ignores case either: all those that would collide
    (``a.dxf``, ``A.DXF``) keep their extension (``a.dxf.h5``), and what still collides gets a hash of its id.
    """
    names = {source: PurePosixPath(source).with_suffix(".h5") for source in sources}
    for source in _colliding(names):
        names[source] = PurePosixPath(f"{source}.h5")
    for source in _colliding(names):
        digest = hashlib.sha256(source.encode("utf-8", "surrogateescape")).hexdigest()[:8]
        names[source] = PurePosixPath(f"{source}.{digest}.h5")
    return names


def _colliding(names: dict[str, PurePosixPath]) -> list[str]:
    counts = Counter(str(name).casefold() for name in names.values())
    return [source for source, name in names.items() if counts[str(name).casefold()] > 1]
