"""Options of SearchDXF.py, a class for each of its commands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg, subcommand

from config.limits import Limits

DEFAULT_INDEX = "archive.idx"
Encoder = Literal["joint", "gf", "deepdxf"]


@dataclass
class _Common:
    index: str = DEFAULT_INDEX
    """The index: a folder of its own; or in a vector database milvus://HOST:PORT/COLLECTION, or
    milvus://FOLDER/FILE.db/COLLECTION for Milvus Lite (requirements-search.txt)."""
    json: Path | None = None
    """Write the result to this file; `-` is the output itself, alone."""


@dataclass
class _Filtered(_Common):
    encoder: Encoder | None = None
    """Whose likeness: `joint`, the model's whole, or one of its two encoders; without it the model's whole."""
    path: str | None = None
    """Only drawings whose path below the archive's folder is like this, case ignored: "customers/A*/*.dxf". `*` goes
    through folders."""
    size: tuple[float, float] | None = None
    """Only drawings whose larger side is between these two, in drawing units."""
    count: tuple[str, ...] = ()
    """Only drawings with so many entities of a type: "CIRCLE>=10" "HATCH=0"."""
    csv: Path | None = None
    """Write the result as a table to this file."""

    def __post_init__(self) -> None:
        if self.size is not None and not 0 <= self.size[0] <= self.size[1]:
            raise ValueError(f"--size takes the least and the most, not {self.size[0]:g} {self.size[1]:g}")


@dataclass
class IndexConfig(_Common):
    """Make the index of a folder of drawings, or bring it up to date: only what is new, changed or gone costs time.

    A run that is interrupted is gone on with by the same command. Exit status: 0; 1 for a failure; 3 if drawings could
    not be read, each named.
    """

    archive: Positional[Path] = Path("drawings")
    """Folder of drawings, searched with its sub-folders: .dxf, .dwg, or .h5 that dataset/dxf_process.py wrote."""
    model_path: Path = Path("checkpoints/best_model.pth")
    """A trained model; the index knows it again and takes no other."""
    workers: int = 0
    """Processes that read drawings side by side; 0 means one per core."""
    timeout: float = 300.0
    """Seconds after which a drawing is given up and named."""
    memory: float = 0.0
    """Gigabytes that a process may take for one drawing (on Linux); 0 means an even share of the machine's memory. A
    drawing that needs more is given up and named."""
    device: str = "cpu"
    """cpu, cuda, cuda:N or auto."""
    faiss: bool = False
    """From now on answer by faiss (requirements-faiss.txt): for archives of several hundred thousand drawings, in a
    fraction of the time, and now and then without one of the nearest. Later runs keep that up until --exact."""
    exact: bool = False
    """From now on answer exactly again, as an index does unless told otherwise."""
    sequences: Path = Path("archive.drawings")
    """Where the preprocessed drawings of an index in a vector database are kept; a folder keeps them itself."""

    def __post_init__(self) -> None:
        if self.faiss and self.exact:
            raise ValueError("give --faiss or --exact, not both")
        if (self.faiss or self.exact) and self.index.startswith("milvus://"):
            raise ValueError("--faiss and --exact are for an index in a folder: a vector database has ways of its own")
        self.limits()

    def limits(self) -> Limits:
        """What reading may take. Raises ValueError if that is nonsense."""
        return Limits(self.workers, self.timeout, self.memory)


@dataclass
class QueryConfig(_Filtered):
    """Which drawings of the archive are most like these?

    Exit status: 0; 1 for a failure; 3 if one of several queries could not be read, each named.
    """

    files: Positional[tuple[Path, ...]] = ()
    """Drawings to search with, .dxf, .dwg or .h5; folders stand for all drawings in them."""
    model_path: Path = Path("checkpoints/best_model.pth")
    """The model that the index was made with."""
    top: int = 10
    """Answers for each."""
    exact: bool = False
    """Look at every drawing, also where the index was made with --faiss."""
    html: Path | None = None
    """Write a report to look at to this file: every query with its answers as pictures, laid on each other, and what
    differs. It needs nothing else, and no network."""
    workers: int = 0
    """Processes that read the queries, if there are many, and compare for --html; 0 means one per core."""
    timeout: float = 300.0
    """Seconds after which reading a query, or one comparison for --html, is given up and named."""
    memory: float = 0.0
    """Gigabytes that a process may take for one of these (on Linux); 0 means an even share of the machine's memory.
    What needs more is given up and named."""
    device: str = "cpu"
    """cpu, cuda, cuda:N or auto."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.files:
            raise ValueError("give at least one drawing to search with")
        if self.top < 1:
            raise ValueError(f"top must be 1 or more, not {self.top}")
        self.limits()

    def limits(self) -> Limits:
        """What reading may take. Raises ValueError if that is nonsense."""
        return Limits(self.workers, self.timeout, self.memory)


@dataclass
class DedupeConfig(_Filtered):
    """Which drawings of the archive are there twice, or nearly so? Needs no model."""

    threshold: float = 0.99
    """Two drawings are near-duplicates from this score on, -1 to 1; drawings of the same bytes always are."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not -1 < self.threshold <= 1:
            raise ValueError(f"threshold must be above -1 and at most 1, not {self.threshold}")


@dataclass
class ClustersConfig(_Filtered):
    """Sort the archive into groups of like drawings. Needs no model."""

    number: int = 0
    """How many groups; 0 takes the square root of half the number of drawings."""
    seed: int = 0
    """Of the first centres; the same seed gives the same groups."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.number < 0:
            raise ValueError(f"number must be 0 or more, not {self.number}")


@dataclass
class SearchConfig:
    """Search an archive of drawings for those that are like one, by a trained model.

    SearchDXF.py index DRAWINGS --index archive.idx

    SearchDXF.py query NEW.dxf --index archive.idx --top 10

    SearchDXF.py dedupe --index archive.idx

    SearchDXF.py clusters --index archive.idx
    """

    command: Annotated[
        Annotated[IndexConfig, subcommand("index")]
        | Annotated[QueryConfig, subcommand("query")]
        | Annotated[DedupeConfig, subcommand("dedupe")]
        | Annotated[ClustersConfig, subcommand("clusters")],
        arg(name=""),
    ]
