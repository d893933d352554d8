"""Which drawings a run reads, what they are called, and which file each of them gets.

A drawing's id is its path below the input, as it is. The path of its outputs mirrors it, in a spelling that every
common file system takes and keeps apart.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

EXTENSIONS = (".dxf", ".dwg")
OUTPUT_EXTENSION = ".h5"

# What Windows does not allow, besides a dot or space at the end: the outputs of a run are copied there
FORBIDDEN = frozenset('<>:"|?*\\%') | {chr(code) for code in range(32)}  # % because it starts an escape
RESERVED = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789¹²³"}
)
MAX_BYTES = 255  # of one name in a path, on nearly every file system


@dataclass
class Found:
    """What a search has found: ids in a fixed order, and the folders that could not be searched, each with a reason."""

    root: Path
    sources: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)

    def path(self, source: str) -> Path:
        return self.root / source

    def paths(self) -> list[Path]:
        return [self.path(source) for source in self.sources]


def find_drawings(source: Path) -> Found:
    """All drawings under a folder, by their extension in any case; or the one file.

    Symbolic links to folders are followed, and every folder is searched once, whatever leads to it: under its own path
    if it has one below ``source``. So links in a circle end.
    """
    if source.is_file():
        return Found(source.parent, [source.name])
    found = Found(source)
    seen: set[tuple[int, int]] = set()
    folders, linked = deque([source]), deque[Path]()
    while folders or linked:
        folder = folders.popleft() if folders else linked.popleft()
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            found.unreadable[folder.relative_to(source).as_posix()] = error.strerror or str(error)
            continue
        for entry in entries:
            if _is_folder(entry):
                (linked if entry.is_symlink() else folders).append(folder / entry.name)
            elif entry.name.lower().endswith(EXTENSIONS):
                found.sources.append((folder / entry.name).relative_to(source).as_posix())
    found.sources.sort()
    return found


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def output_names(sources: Iterable[str]) -> dict[str, str]:
    """Where each drawing's tensors go, relative to the folder of its encoder: sub-folders mirrored, ``.h5`` at the end.

    No two drawings share a file, on a file system that ignores case or the composition of letters either: all those
    that would collide (``a.dxf``, ``A.DXF``) keep their extension (``a.dxf.h5``), and what still collides gets a hash
    of its id. For the spelling see :func:`portable`.
    """
    names = {source: _output(os.path.splitext(source)[0]) for source in sources}  # noqa: PTH122 - half the memory
    for digits in (0, 8, 32):
        for source in _colliding(names):
            names[source] = _output(f"{source}.{_digest(source)[:digits]}" if digits else source)
    return names


def portable(part: str) -> str:
    """One name of a path as every common file system takes it; ``urllib.parse.unquote`` gives the original back.

    What Windows forbids becomes ``%`` and two hexadecimal digits: some characters and any ``%``, a dot or space at the
    end, the first letter of a device (``CON``).
    """
    safe = "".join(f"%{ord(character):02X}" if character in FORBIDDEN else character for character in part)
    if safe.partition(".")[0].rstrip(" ").upper() in RESERVED:
        safe = f"%{ord(safe[0]):02X}{safe[1:]}"
    if safe.endswith((".", " ")):
        safe = f"{safe[:-1]}%{ord(safe[-1]):02X}"
    return safe


def _output(stem: str) -> str:
    """The path of an output, from the path of its drawing without extension (or with)."""
    *folders, name = stem.split("/")
    safe = [_fitting(_no_output(portable(folder)), "") for folder in folders]
    return "/".join([*safe, _fitting(portable(name + OUTPUT_EXTENSION).removesuffix(OUTPUT_EXTENSION))])


def _no_output(folder: str) -> str:
    """A folder ``a.h5`` must leave this name to the output of ``a.dxf``."""
    is_taken = folder.lower().endswith(OUTPUT_EXTENSION)
    return f"{folder[:-3]}%2E{folder[-2:]}" if is_taken else folder


def _fitting(name: str, extension: str = OUTPUT_EXTENSION) -> str:
    """The name with its extension; of one that is too long the beginning and a hash of all of it."""
    encoded = _encoded(name)
    if len(encoded) + len(extension) <= MAX_BYTES:
        return name + extension
    ending = f"~{_digest(name)[:16]}{extension}"
    return encoded[: MAX_BYTES - len(ending)].decode("utf-8", "ignore") + ending


def _colliding(names: dict[str, str]) -> list[str]:
    counts = Counter(map(_key, names.values()))
    return [source for source, name in names.items() if counts[_key(name)] > 1]


def _key(name: str) -> str:
    """Equal for names that some file system takes for the same."""
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()


def _digest(name: str) -> str:
    return hashlib.sha256(_encoded(name)).hexdigest()


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")  # names that are no UTF-8 hold lone surrogates
