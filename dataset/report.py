"""What a run did: ``report.json`` for programs, a short table for people.

Files are written to ``report.json`` as they come and only sums are kept, so that a million of them fit into memory.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, get_args

from dataset.entities import SCHEMA_VERSION
from dataset.resume import NEW
from dataset.worker import FileReport, Status

MAX_NAMED = 20  # skipped or recovered files that the table names; report.json has them all
STATUSES: tuple[str, ...] = get_args(Status)
COUNTERS = ("represented", "approximated", "left_out")


@dataclass
class RunReport:
    """The sums over all files of a run, the first skipped and recovered ones, and what older runs left in the output.

    Attributes:
        statuses: files by what became of them.
        causes: files that were worked on, by why: new, changed, of another schema ...
        unfinished: files of killed runs that were removed.
        named: the first ``MAX_NAMED`` reports of a status.
        totals: the sum of each of the files' counters.
        seconds: on the wall clock.
    """

    overlap: str
    statuses: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    named: dict[str, list[FileReport]] = field(default_factory=lambda: {"recovered": [], "skipped": []})
    totals: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in COUNTERS})
    opened: int = 0
    paper_space: int = 0
    megabytes: float = 0.0
    seconds: float = 0.0
    leftovers: Sequence[str] = ()
    pruned: bool = False
    unfinished: int = 0

    def add(self, file: FileReport) -> None:
        self.statuses[file.status] += 1
        if file.cause:
            self.causes[file.cause] += 1
        if len(self.named.get(file.status, ())) < MAX_NAMED:
            self.named.get(file.status, []).append(file)
        for name, total in self.totals.items():
            total.update(getattr(file, name))
        self.opened += bool(file.opened_blocks)
        self.paper_space += file.paper_space
        self.megabytes += file.megabytes

    @property
    def files(self) -> int:
        return self.statuses.total()

    @property
    def renewed(self) -> int:
        """Files whose outputs replaced those of an earlier run, or what was left of them."""
        return self.causes.total() - self.causes[NEW]


class ReportFile:
    """A ``report.json`` in the making: one file after the other, then the sums."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._stream.write('{"files": [')
        self._separator = "\n "

    def add(self, file: FileReport) -> None:
        self._stream.write(self._separator + json.dumps(asdict(file), ensure_ascii=False))
        self._separator = ",\n "

    def close(self, report: RunReport) -> None:
        content = {
            "schema_version": SCHEMA_VERSION,
            "overlap": report.overlap,
            "totals": {
                "files": report.files,
                **{status: report.statuses[status] for status in STATUSES},
                "renewed": report.renewed,
                "seconds": round(report.seconds, 3),
                "megabytes": round(report.megabytes, 3),
                **{name: dict(total.most_common()) for name, total in report.totals.items()},
                "paper_space_entities_ignored": report.paper_space,
            },
            "causes": dict(report.causes.most_common()),
            "leftovers": {"removed": report.pruned, "files": list(report.leftovers), "unfinished": report.unfinished},
        }
        self._stream.write("\n],\n" + json.dumps(content, ensure_ascii=False, indent=1)[1:] + "\n")


@contextmanager
def report_file(path: Path) -> Iterator[ReportFile]:
    """A new ``report.json`` that gets its name only when it is complete. Raises OSError if it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".partial")
    try:
        # names that are no UTF-8 hold lone surrogates: JSON has an escape for them, the encoding has not
        with temporary.open("w", encoding="utf-8", errors="backslashreplace") as stream:
            yield ReportFile(stream)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def format_report(report: RunReport) -> str:
    """The table that a person reads at the end of a run."""
    seconds = max(report.seconds, 1e-9)
    counts = ", ".join(f"{report.statuses[status]} {status}" for status in STATUSES)
    lines = [
        f"{counted(report.files, 'drawing')}: {counts}",
        f"{report.seconds:.1f} s, {report.files / seconds:.1f} drawings/s, {report.megabytes / seconds:.1f} MB/s",
        "",
        *_entity_table(report),
        *_named(report, "recovered"),
        *_named(report, "skipped"),
        *_notes(report),
    ]
    return "\n".join(lines)


def _entity_table(report: RunReport) -> list[str]:
    represented, approximated, left_out = (report.totals[name] for name in COUNTERS)
    missing: Counter[str] = Counter()
    for name, count in left_out.items():
        missing[name.partition(":")[0]] += count  # "ARC: coordinates are not finite" is an ARC
    rows = [
        (name, count - approximated[name], approximated[name], missing[name])
        for name, count in represented.most_common()
    ]
    lines = [f"{'entities':<20}{'exactly':>12}{'approximated':>14}{'left out':>12}"]
    lines += [_row(*row) for row in rows]
    lines.append(_row("sum", represented.total() - approximated.total(), approximated.total(), left_out.total()))
    if left_out:
        lines += ["", f"left out: {left_out.total():,}"]
        lines += [f"  {count:>8,}  {name}" for name, count in left_out.most_common(MAX_NAMED)]
        if len(left_out) > MAX_NAMED:
            lines.append(f"  ... and {len(left_out) - MAX_NAMED} more kinds, see report.json")
    return lines


def _row(name: str, *counts: int) -> str:
    exactly, approximated, left_out = (f"{count:,}" if count else "" for count in counts)
    return f"{name:<20}{exactly:>12}{approximated:>14}{left_out:>12}".rstrip()


def _named(report: RunReport, status: str) -> list[str]:
    files, more = report.named[status], report.statuses[status] - len(report.named[status])
    if not files:
        return []
    lines = ["", f"{status}:", *(f"  {file.source}: {file.reason}" for file in files)]
    return lines if not more else [*lines, f"  ... and {more} more, see report.json"]


def _notes(report: RunReport) -> list[str]:
    notes = []
    if report.renewed:
        notes.append(f"renewed, replacing what an earlier run wrote: {counted(report.renewed, 'drawing')}")
        notes += [f"  {count:>8,}  {cause}" for cause, count in report.causes.most_common() if cause != NEW]
    if report.opened:
        notes.append(
            f"read out of a block that wraps it: {counted(report.opened, 'sheet')} (opened_blocks in report.json)"
        )
    if report.paper_space:
        notes.append(f"in paper space, which is not read: {counted(report.paper_space, 'entity', 'entities')}")
    if report.leftovers:
        fate = "removed" if report.pruned else "training would read them; --prune removes them"
        found = f"{counted(len(report.leftovers), 'tensor file')}, such as {report.leftovers[0]}"
        notes.append(f"of drawings that this run did not read: {found} ({fate})")
    if report.unfinished:
        notes.append(f"left unfinished by a run that was killed, and removed: {counted(report.unfinished, 'file')}")
    return ["", *notes] if notes else []


def counted(count: int, one: str, many: str = "") -> str:
    """``1 sheet``, ``2 sheets``."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
