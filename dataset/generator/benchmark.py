"""Sets of drawings to measure likeness on: families, symbols, revisions, save-as; generated, or made of given drawings.

families    parts of a shape are alike, whoever drew them (hand.py); training and testing share no shape (shapes.py)
revisions   a drawing and what a designer made of it are alike (dataset/editing), others of its shape are not
symbols     small drawings of another trade, alike by what they stand for (symbols/); no class is in both
saveas      a drawing and what another program made of it are alike

A set is a list of jobs, one a drawing: draw or read it, and write it, its edited self or both. A job depends on
nothing but what it says, so that the files are the same however many processes share the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import ezdxf
from ezdxf import recover
from ezdxf.document import Drawing

from dataset.editing.draft import IDENTITY, Draft, NothingToEditError, open_draft
from dataset.editing.recipes import revise, save_as
from dataset.editing.saving import saved
from dataset.generator.archive import GROUPS, TRUTH, UNFINISHED, claim, unique_names, write_json, write_whole
from dataset.generator.hand import VERSIONS, Member
from dataset.generator.shapes import Shape, dealt
from dataset.generator.sheet import Edit
from dataset.generator.symbols.library import LibrarySymbol, dealt_symbols
from dataset.generator.writer import build_document
from dataset.pool import run_in_pool
from dataset.worker import FileReport

RECIPES = {"revisions": revise, "saveas": save_as}
BENCHMARKS = ("families", "symbols", *RECIPES)
PER_FAMILY = 8  # drawings of a family, as long as there are shapes for so many families
PER_CLASS = 12  # symbols of a class, as long as there are classes
EDITED_SHARE = 0.2  # of the drawings of a generated set of revisions or save-as


@dataclass(frozen=True)
class Generated:
    """Where a drawing comes from: member `number` of the family of a shape."""

    seed: int
    split: str
    shape: Shape
    number: int

    def open(self) -> tuple[Drawing, str]:
        """The document and its version."""
        member = Member(self.seed, self.split, self.shape, self.number)
        return build_document(member.sheet(), member.version), member.version

    def about(self) -> dict:
        return {"family": self.shape.name, "kind": self.shape.kind.name, "variant": self.number}


@dataclass(frozen=True)
class GeneratedSymbol:
    """Where a symbol comes from."""

    symbol: LibrarySymbol

    def open(self) -> tuple[Drawing, str]:
        """The document and its version."""
        return build_document(self.symbol.sheet(), self.symbol.version), self.symbol.version

    def about(self) -> dict:
        return {"family": self.symbol.name, "kind": "symbol", "variant": self.symbol.number}


@dataclass(frozen=True)
class Given:
    """Where a drawing comes from: a file."""

    path: Path

    def open(self) -> tuple[Drawing, str]:
        """The whole document, to be saved again: the fast reader would pass over what no sheet shows."""
        try:
            document = ezdxf.readfile(self.path)
        except MemoryError:
            raise
        except Exception:  # as in dataset.reading: damaged files raise bare ValueErrors, KeyErrors ...
            document, _ = recover.readfile(self.path)
        return document, document.acad_release

    def about(self) -> dict:
        return {"family": None, "kind": None, "variant": None}


@dataclass(frozen=True)
class Job:
    """One drawing: its name in the set, and that of its edited self, if it gets one."""

    output: Path
    origin: Generated | GeneratedSymbol | Given
    name: str
    edited: str | None = None
    recipe: str | None = None
    seed: str = ""  # of the edits

    @property
    def source(self) -> str:
        return self.name


def generated_jobs(output: Path, benchmark: str, size: int, seed: int, split: str) -> list[Job]:
    """The jobs of a generated set of `size` drawings."""
    names = [f"{split}-{seed}-{number:05}.dxf" for number in range(size)]
    Random(f"{seed}/{split}/names").shuffle(names)  # a name says nothing of what it is like
    if benchmark == "symbols":
        classes = dealt_symbols(seed, split)[: max(1, size // PER_CLASS)]
        symbols = [LibrarySymbol(seed, split, classes[i % len(classes)], i // len(classes)) for i in range(size)]
        return [
            job_of(output, GeneratedSymbol(each), name, None, benchmark, seed)
            for each, name in zip(symbols, names, strict=True)
        ]
    shapes = dealt(seed, split)
    if benchmark == "families":
        shapes = shapes[: max(1, size // PER_FAMILY)]
    edited = 0 if benchmark == "families" else int(EDITED_SHARE * size)
    originals = size - edited
    revised = set(Random(f"{seed}/{split}/edited").sample(range(originals), edited))
    spare = iter(names[originals:])
    jobs = []
    for i, name in enumerate(names[:originals]):
        origin = Generated(seed, split, shapes[i % len(shapes)], i // len(shapes))
        jobs.append(job_of(output, origin, name, next(spare) if i in revised else None, benchmark, seed))
    return jobs


def given_jobs(output: Path, benchmark: str, size: int, seed: int, folder: Path) -> list[Job]:
    """A job for each drawing of a folder; `size` of them, chosen by the seed, get an edited self (0: all do)."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".dxf" and path.is_file())
    chosen = set(Random(f"{seed}/given").sample(range(len(paths)), min(size or len(paths), len(paths))))
    names, edited = unique_names([
        [path.with_suffix(".dxf").name for path in paths],
        [f"edited-{seed}-{number:05}.dxf" for number in Random(f"{seed}/names").sample(range(len(paths)), len(paths))],
    ])  # fmt: skip
    return [
        job_of(output, Given(path), names[i], edited[i] if i in chosen else None, benchmark, seed)
        for i, path in enumerate(paths)
    ]


def job_of(output: Path, origin, name: str, edited: str | None, benchmark: str, seed: int) -> Job:
    return Job(output, origin, name, edited, benchmark if edited else None, f"{seed}/{benchmark}/{name}")


def do(job: Job) -> list[dict]:
    """Write a job's drawings; returns their records for truth.json.

    Raises:
        Exception: the drawing cannot be read, edited or saved; nothing of it is left in the set then.
    """
    about = job.origin.about()
    if job.edited is None and isinstance(job.origin, Given):  # it is only in the way of others: no need to read it
        write_whole(job.output / job.name, job.origin.path.read_bytes())
        return [record(job.name, about, None)]
    document, version = job.origin.open()
    content = job.origin.path.read_bytes() if isinstance(job.origin, Given) else saved(document, version)
    records, contents = [record(job.name, about, version)], {job.name: content}
    if job.edited is not None:
        draft, edited_version = edited_drawing(document, version, job)
        contents[job.edited] = saved(draft.document, edited_version)
        records.append(record(job.edited, about, edited_version, job.name, draft))
    for name, content in contents.items():
        write_whole(job.output / name, content)
    return records


def edited_drawing(document: Drawing, version: str, job: Job) -> tuple[Draft, str]:
    """The document after its recipe, and the version in which to save it."""
    rng = Random(job.seed)
    draft = open_draft(document)
    RECIPES[job.recipe](draft, rng)
    if not draft.edits:
        raise NothingToEditError("none of the edits finds anything to do")
    if job.recipe == "saveas":
        others = sorted({other for other in VERSIONS if other != version})
        draft.edits.append(Edit("other_version", f"{version} to {(version := rng.choice(others))}"))
    return draft, version


def record(
    name: str, about: dict, version: str | None, original: str | None = None, draft: Draft | None = None
) -> dict:
    """The entry of one file in truth.json. The version of a given drawing that was not read is None."""
    return {
        "file": name,
        **about,
        "version": version,
        "original": original,
        # a point (x, y) of the original is (a x + c y + e, b x + d y + f) here
        "placed": list(draft.placed if draft else IDENTITY),
        "edits": [asdict(edit) for edit in draft.edits] if draft else [],
    }


def build(
    output: Path, jobs: list[Job], about: dict, overwrite: bool, workers: int, timeout: float, memory: int
) -> Iterator[list[dict] | FileReport]:
    """Do the jobs; yields each one's records, or the report of why it was skipped; groups.json and truth.json last.

    Raises:
        OutputNotEmptyError: the folder holds what is not a generator's.
        OSError: a file cannot be written.
    """
    earlier = claim(output, overwrite)
    files = [name for job in jobs for name in (job.name, job.edited) if name]
    write_json(output / UNFINISHED, {"files": sorted({*files, *earlier})})
    for name in (*earlier, GROUPS, TRUTH):
        (output / name).unlink(missing_ok=True)
    records: list[dict] = []
    skipped: dict[str, str] = {}
    for job, done in zip(jobs, run_in_pool(jobs, workers, timeout, memory, do), strict=True):
        if isinstance(done, FileReport):
            skipped[job.name] = done.reason
            for name in filter(None, (job.name, job.edited)):
                (output / name).unlink(missing_ok=True)
        else:
            records += done
        yield done
    write_json(output / GROUPS, groups_of(records))
    write_json(output / TRUTH, {**about, "files": records, "skipped": skipped})
    (output / UNFINISHED).unlink()


def groups_of(records: list[dict]) -> list[list[str]]:
    """Who is like whom: an original and its edited self where there are any, else the members of a family."""
    pairs = [[entry["original"], entry["file"]] for entry in records if entry["original"]]
    if pairs:
        return pairs
    families: dict[str, list[str]] = {}
    for entry in records:
        families.setdefault(entry["family"], []).append(entry["file"])
    return list(families.values())
