"""What becomes of damaged drawings? Thousands of them, through the real pool, beside what ezdxf's own readers give.

    python benchmarks/fuzz.py --count 4000
    python benchmarks/fuzz.py --input "/path to/drawings" --count 1000

Copies of drawings, text and binary, are damaged: bytes turned, cut out, put in; the end cut off; lines lost, swapped,
repeated; group codes changed. Each goes through preprocessing under a time and a memory limit. Then it is read once
more by ezdxf's own readers, readfile and else recover, and the two sheets are compared.

Exit status 1 if a copy crashed its process, hung, needed too much memory, went missing, or was a silent loss: read
without complaint although the sheet is not ezdxf's. Those files are kept, with a line each on what is wrong.
"""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

# before numpy is imported: one drawing must not use two cores
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"

if __package__ in (None, ""):  # started as a file: make the repository root importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import ezdxf
import numpy as np
from ezdxf import recover

from config.errors import UserError
from dataset.content import Content, measure
from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.generator import generate
from dataset.naming import find_drawings
from dataset.pool import run_in_pool
from dataset.reading import Sheet, read_sheet, sheet_of
from dataset.salvage import BINARY_SIGNATURE
from dataset.worker import FileReport, Task
from utils.cli import run_script
from utils.progress import progress

BATCH = 200  # damaged drawings on disk at once
NO_WORD = "the report has no word on it, or not the one that its tensors have"
WRONG = ("crashed", "hung", "out of memory", "missing", "silent loss")

logging.getLogger("ezdxf").setLevel(logging.CRITICAL)  # here, so that it holds in the pool's processes too


@dataclass(frozen=True)
class FuzzConfig:
    """What becomes of damaged drawings."""

    input: Path | None = None
    """Folder of drawings; generated ones, a third of them binary, if left out."""
    count: int = 4000
    """How many damaged copies to make."""
    seed: int = 0
    """Which drawings are damaged, and how."""
    largest: float = 1.0
    """Leave out drawings of more megabytes."""
    workers: int = 0
    """Processes side by side; 0 means one per core."""
    timeout: float = 60.0
    """Seconds after which a drawing counts as hung."""
    memory: float = 2.0
    """Gigabytes that one drawing may take."""
    keep: Path = Path("fuzz_failures")
    """Folder for the files that went wrong; made when there is one."""
    json: Path | None = None
    """Also write the figures here."""


# --- damage ---------------------------------------------------------------------------------------------------------


def flip_bytes(content: bytearray, rng: random.Random) -> None:
    content[rng.randrange(len(content))] = rng.randrange(256)


def delete_bytes(content: bytearray, rng: random.Random) -> None:
    place = rng.randrange(len(content))
    del content[place : place + rng.randint(1, 30)]


def insert_bytes(content: bytearray, rng: random.Random) -> None:
    place = rng.randrange(len(content))
    content[place:place] = bytes(rng.choice(b"0123456789.-eE\n x\xff") for _ in range(rng.randint(1, 8)))


def truncate(content: bytearray, rng: random.Random) -> None:
    del content[rng.randrange(len(content)) :]


def repeat_bytes(content: bytearray, rng: random.Random) -> None:
    place = rng.randrange(len(content))
    content[place:place] = content[place : place + rng.randint(1, 2000)]


def _on_lines(change: Callable[[list[bytes], random.Random], None]) -> Callable[[bytearray, random.Random], None]:
    def damage(content: bytearray, rng: random.Random) -> None:
        lines = bytes(content).split(b"\n")
        change(lines, rng)
        content[:] = b"\n".join(lines)

    damage.__name__ = change.__name__
    return damage


@_on_lines
def delete_lines(lines: list[bytes], rng: random.Random) -> None:
    place = rng.randrange(len(lines))
    del lines[place : place + rng.choice((1, 1, 2, 2, 20))]


@_on_lines
def swap_lines(lines: list[bytes], rng: random.Random) -> None:
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]


@_on_lines
def repeat_lines(lines: list[bytes], rng: random.Random) -> None:
    place = rng.randrange(len(lines)) & ~1  # whole pairs, so that the rest keeps its step
    lines[place:place] = lines[place : place + 2 * rng.randint(1, 100)]


@_on_lines
def change_group_code(lines: list[bytes], rng: random.Random) -> None:
    lines[rng.randrange(len(lines)) & ~1] = str(
        rng.choice((0, 1, 2, 5, 8, 10, 20, 40, 66, 70, 100, 330, 1001))
    ).encode()


OF_BYTES = (flip_bytes, delete_bytes, insert_bytes, truncate, repeat_bytes)
OF_LINES = (delete_lines, swap_lines, repeat_lines, change_group_code)


def damaged(content: bytes, rng: random.Random) -> tuple[bytes, str]:
    """A damaged copy and what was done to it: one kind of damage, in one place or several."""
    kind = rng.choice(OF_BYTES if content.startswith(BINARY_SIGNATURE) else OF_BYTES + OF_LINES)
    copy = bytearray(content)
    for _ in range(1 if kind is truncate else rng.choice((1, 1, 3, 10))):
        if copy:
            kind(copy, rng)
    return bytes(copy), kind.__name__


# --- what ezdxf makes of it -----------------------------------------------------------------------------------------


def compare(task: Task) -> FileReport:
    """How our sheet of a drawing differs from that of ezdxf's readers, as the report's reason.

    Its status is ``read`` if readfile reads the drawing, ``recovered`` if recover does, ``skipped`` if neither; its
    ``represented`` counts the entities of ezdxf's sheet.
    """
    status, theirs = _by_ezdxf(task.path)
    if theirs is None:
        return FileReport(task.source, "skipped")
    other = measure(theirs)
    entities = dict(other.represented)
    try:
        ours = measure(read_sheet(task.path))
    except Exception:  # what we make of it is the other report's matter
        return FileReport(task.source, status, "skipped by us", represented=entities)
    return FileReport(task.source, status, difference(ours, other), represented=entities)


def _by_ezdxf(path: Path) -> tuple[str, Sheet | None]:
    for status, read in (("read", ezdxf.readfile), ("recovered", lambda path: recover.readfile(path)[0])):
        try:
            return status, sheet_of(read(path), "", Counter())
        except MemoryError:
            raise
        except Exception:  # ezdxf raises anything on damage
            continue
    return "skipped", None


def difference(mine: Content, other: Content) -> str:
    """In what two sheets differ for either encoder; empty if in nothing."""
    if mine.represented != other.represented:
        changes = {
            name: mine.represented[name] - other.represented[name] for name in mine.represented | other.represented
        }
        return "entities: " + ", ".join(f"{change:+d} {name}" for name, change in changes.items() if change)
    if not np.array_equal(mine.types, other.types):
        return "their order"
    if not np.array_equal(mine.boxes, other.boxes, equal_nan=True):
        return "boxes"
    if mine.parameters != other.parameters:
        return "parameters"
    return "" if mine.left_out == other.left_out else f"left out: {dict(mine.left_out - other.left_out)}"


# --- the run --------------------------------------------------------------------------------------------------------


@dataclass
class Findings:
    """Counts over all damaged copies.

    Attributes:
        outcomes: by what preprocessing said.
        beside: by how that stands beside ezdxf's readers.
        kinds: status by kind of damage.
        wrong: what must not be.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    beside: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, Counter[str]] = field(default_factory=dict)
    wrong: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(WRONG, 0)))
    slowest: float = 0.0

    def as_dict(self) -> dict:
        return {
            "outcomes": dict(self.outcomes.most_common()),
            "beside_ezdxf": dict(self.beside.most_common()),
            "kinds": {name: dict(counts) for name, counts in self.kinds.items()},
            "wrong": dict(self.wrong),
            "slowest_read_seconds": self.slowest,
        }


def fuzz(originals: list[Path], config: FuzzConfig) -> Findings:
    """Damage, process, compare, count; keep what went wrong."""
    findings = Findings()
    numbers = iter(progress(range(config.count), "damage", unit="file"))
    with tempfile.TemporaryDirectory() as name:
        for start in range(0, config.count, BATCH):
            folder = Path(name) / str(start)
            kinds = _damage(originals, folder / "in", numbers, min(BATCH, config.count - start), config.seed)
            for file, theirs in _processed(folder, kinds, config):
                _judge(file, theirs, folder / "in", kinds[file.source], findings, config)
            shutil.rmtree(folder)
    return findings


def _damage(originals: list[Path], folder: Path, numbers: Iterator[int], count: int, seed: int) -> dict[str, str]:
    """Write damaged copies; the kind of damage by file name."""
    folder.mkdir(parents=True)
    kinds = {}
    for _ in range(count):
        number = next(numbers)
        rng = random.Random(f"{seed} {number}")
        original = rng.choice(originals)
        content, kind = damaged(original.read_bytes(), rng)
        name = f"{number} {kind} {original.stem}.dxf"
        (folder / name).write_bytes(content)
        kinds[name] = kind
    return kinds


def _processed(folder: Path, kinds: dict[str, str], config: FuzzConfig) -> Iterator[tuple[FileReport, FileReport]]:
    """Both reports of each file; one that preprocessing has no word on is skipped as missing."""
    output = folder / "out"
    process_drawings(
        ProcessConfig(folder / "in", output, workers=config.workers, timeout=config.timeout, memory=config.memory)
    )
    content = json.loads((output / "report.json").read_text(encoding="utf-8"))
    found = {file["source"]: FileReport(**file) for file in content["files"]}
    tasks = (Task(folder / "in" / name, name, output / "s.h5", output / "g.h5", "cross") for name in kinds)
    workers = config.workers or os.cpu_count() or 1
    for theirs in run_in_pool(tasks, workers, 10 * config.timeout, 2 * int(config.memory * 1e9), compare):
        file = found.get(theirs.source, FileReport(theirs.source, "skipped", NO_WORD))
        is_done = (output / "DeepDXF" / theirs.source).with_suffix(".h5").exists()
        if is_done != (file.status != "skipped"):
            file = FileReport(theirs.source, "skipped", NO_WORD)
        yield file, theirs


def _judge(
    file: FileReport, theirs: FileReport, folder: Path, kind: str, findings: Findings, config: FuzzConfig
) -> None:
    wrong = _failure(file)
    if file.status == "skipped":
        findings.outcomes[f"skipped: {wrong or file.reason.partition(':')[0]}"] += 1
    else:
        findings.outcomes[file.status] += 1
        findings.slowest = max(findings.slowest, file.seconds)
    findings.kinds.setdefault(kind, Counter())[file.status] += 1
    beside = _beside(file, theirs)
    findings.beside[f"{file.status}, {beside}"] += 1
    if file.status == "read" and beside.startswith("otherwise"):
        wrong = "silent loss"
    if wrong:
        findings.wrong[wrong] += 1
        config.keep.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / file.source, config.keep / file.source)
        with (config.keep / "what.txt").open("a", encoding="utf-8") as log:
            log.write(f"{file.source}: {wrong}: {file.reason or theirs.reason}\n")


def _failure(file: FileReport) -> str:
    """Which of WRONG the pool's word is, or nothing."""
    words = {"reading it crashed": "crashed", "--timeout": "hung", "of memory": "out of memory", NO_WORD: "missing"}
    return next((wrong for word, wrong in words.items() if file.status == "skipped" and word in file.reason), "")


def _beside(file: FileReport, theirs: FileReport) -> str:
    """How our outcome stands beside ezdxf's."""
    if theirs.status == "skipped":
        return f"ezdxf could not be compared ({theirs.reason})" if theirs.reason else "ezdxf gives up"
    if not theirs.represented:
        return "ezdxf's sheet is empty"
    reader = {"read": "readfile", "recovered": "recover"}[theirs.status]
    if not theirs.reason:
        return f"as ezdxf's {reader}"
    ours, other = sum(file.represented.values()), sum(theirs.represented.values())
    amount = "more" if ours > other else "fewer" if ours < other else "as many"
    return f"otherwise than ezdxf's {reader}, {amount} entities"


def _originals(config: FuzzConfig, folder: Path) -> list[Path]:
    if config.input is None:
        generate(folder, min(20, 1 + config.count // 50), 3, config.seed)
        for path in find_drawings(folder).paths()[::2]:
            ezdxf.readfile(path).saveas(path.with_name(f"{path.stem} binary.dxf"), fmt="bin")
    drawings = find_drawings(config.input or folder).paths()
    found = [path for path in drawings if path.is_file() and 0 < path.stat().st_size <= config.largest * 1e6]
    if not found:
        raise UserError(
            f"no drawings (*.dxf) up to {config.largest:g} MB in {config.input}: correct --input or --largest"
        )
    return found


def main(config: FuzzConfig) -> int:
    with tempfile.TemporaryDirectory() as name:
        originals = _originals(config, Path(name))
        findings = fuzz(originals, config)
    print(f"{config.count} damaged copies of {len(originals)} drawings, seed {config.seed}\n")
    _table("outcome", findings.outcomes.most_common())
    _table(
        "kind of damage: read, recovered, skipped", ((kind, _shares(found)) for kind, found in findings.kinds.items())
    )
    _table("beside ezdxf's readers", sorted(findings.beside.items()))
    _table("must not be", findings.wrong.items())
    print(f"slowest drawing that was read: {findings.slowest:.1f} s")
    if config.json:
        config.json.write_text(json.dumps(findings.as_dict(), indent=2), encoding="utf-8")
    if findings.wrong.total():
        print(f"kept for a closer look: {config.keep.resolve()}")
    return 1 if findings.wrong.total() else 0


def _shares(found: Counter[str]) -> str:
    return ", ".join(f"{found[status] / found.total():.0%}" for status in ("read", "recovered", "skipped"))


def _table(title: str, rows) -> None:
    print(f"| {title} | |\n|---|---|")
    for name, value in rows:
        print(f"| {name} | {value} |")
    print()


if __name__ == "__main__":
    run_script(FuzzConfig, main, description=__doc__)
