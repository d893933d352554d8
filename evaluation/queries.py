"""What is asked of an archive, and which answers are right: groups.json and truth.json as queries.

``groups.json`` is a list of groups, each a list of file names: every drawing of a group asks for the others of it.
A drawing may be in several groups; it then asks for the members of all of them. Drawings in no group ask nothing and
are in the way of all others.

``truth.json``, as the generator writes it, says under ``files`` which ``file`` came from which ``original`` by which
``edits``: every edited drawing asks for its original, and that alone is right.
"""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from config.errors import UserError


@dataclass(frozen=True)
class Query:
    """One drawing that is asked for its like.

    Attributes:
        drawing: its index in the archive.
        relevant: the indices of the right answers, ascending.
        labels: what the query counts for: the numbers of its groups, or the names of the edits.
        cluster: queries with the same number are not independent.
    """

    drawing: int
    relevant: np.ndarray
    labels: tuple[Any, ...]
    cluster: int


@dataclass
class NameBook:
    """Finds the drawings that a file of groups names; what it cannot find is kept with the reason.

    A name is a drawing's path in the archive, or its file name with or without extension where only one drawing has
    it. Case and Unicode composition count only where several names differ in nothing else.
    """

    names: Sequence[str]
    skipped: Iterable[str] = ()
    missing: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._exact = {name: index for index, name in enumerate(self.names)}
        self._spellings = [defaultdict(list) for _ in range(3)]
        for index, name in enumerate(self.names):
            for spellings, spelling in zip(self._spellings, _spellings(name), strict=True):
                spellings[spelling].append(index)
        self._skipped = {spelling for name in self.skipped for spelling in _spellings(name)}

    def find(self, name: str) -> int | None:
        """The index of a drawing; None, and the name is noted, if there is no such or more than one."""
        wanted = name.replace("\\", "/").removeprefix("./")
        if wanted in self._exact:
            return self._exact[wanted]
        for spellings in self._spellings:
            found = spellings.get(_folded(wanted), [])
            if len(found) == 1:
                return found[0]
            if found:
                self.missing[name] = f"could be {self.names[found[0]]} or {self.names[found[1]]}: name the folder too"
                return None
        self.missing[name] = "was skipped" if _folded(wanted) in self._skipped else "is not in the archive"
        return None


def _spellings(name: str) -> tuple[str, str, str]:
    path = PurePosixPath(name)
    return _folded(name), _folded(path.name), _folded(path.stem)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


@dataclass(frozen=True)
class Edit:
    """A drawing, the one that it was edited from, and the names of the edits; as names, or as indices once found."""

    drawing: str | int
    original: str | int
    edits: tuple[str, ...]


def read_groups(path: Path) -> list[list[str]]:
    """The groups of a groups.json, as names.

    Raises:
        UserError: there is no such file, or it is no list of lists of names.
    """
    content = _read_json(path, "--groups")
    if not isinstance(content, list) or not all(
        isinstance(group, list) and all(isinstance(name, str) for name in group) for group in content
    ):
        raise UserError(f'{path} is no list of lists of file names, such as [["a.dxf", "b.dxf"]]')
    return content


def read_truth(path: Path) -> list[Edit]:
    """The edited drawings of a truth.json, as names.

    Raises:
        UserError: there is no such file, or it is none of the generator's.
    """
    content = _read_json(path, "--truth")
    try:
        edited = [entry for entry in content["files"] if entry.get("original")]
        return [
            Edit(entry["file"], entry["original"], tuple(sorted({edit["name"] for edit in entry["edits"]})))
            for entry in edited
        ]
    except (TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{path} is no truth.json of dataset/dxf_generate.py ({error!r})") from error


def find_groups(groups: Sequence[Sequence[str]], book: NameBook) -> list[list[int]]:
    """The groups as indices, each drawing once a group; what is missing is left out, and noted in the book."""
    found = [{book.find(name) for name in group} - {None} for group in groups]
    return [sorted(group) for group in found]


def find_edits(truth: Sequence[Edit], book: NameBook) -> list[Edit]:
    """The edits as indices; one of which a drawing is missing is left out, and noted in the book."""
    found = [Edit(book.find(edit.drawing), book.find(edit.original), edit.edits) for edit in truth]
    return [edit for edit in found if edit.drawing is not None and edit.original is not None]


def group_queries(groups: Sequence[Sequence[int]]) -> list[Query]:
    """A query for every drawing that has company in some group, in archive order."""
    groups_of = defaultdict(list)
    for number, group in enumerate(groups):
        for drawing in group if len(group) > 1 else ():
            groups_of[drawing].append(number)
    clusters = _clusters((group[0], drawing) for group in groups for drawing in group)
    queries = []
    for drawing, numbers in sorted(groups_of.items()):
        relevant = {other for number in numbers for other in groups[number]} - {drawing}
        queries.append(Query(drawing, np.array(sorted(relevant)), tuple(numbers), clusters[drawing]))
    return queries


def original_queries(truth: Sequence[Edit], groups: Sequence[Sequence[int]]) -> list[Query]:
    """A query for every edited drawing. Edits of one original are not independent, nor are those of one group."""
    together = [(group[0], drawing) for group in groups for drawing in group]
    clusters = _clusters([*together, *((edit.drawing, edit.original) for edit in truth)])
    return [Query(edit.drawing, np.array([edit.original]), edit.edits, clusters[edit.drawing]) for edit in truth]


def _clusters(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Numbers of the connected components that pairs of drawings make."""
    edges = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
    size = int(edges.max(initial=-1)) + 1
    graph = coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    return {int(drawing): int(component[drawing]) for drawing in np.unique(edges)}


def _read_json(path: Path, option: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UserError(f"cannot read {path} ({option}): {error.strerror or error}") from error
    except ValueError as error:
        raise UserError(f"{path} ({option}) is no JSON: {error}") from error
