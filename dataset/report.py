"""What a run did: ``report.json`` for programs, a short table for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dataset.entities import SCHEMA_VERSION
from dataset.worker import FileReport

MAX_NAMED = 20  # skipped or recovered files that the table names; report.json has them all


@dataclass(frozen=True)
class RunReport:
    """All files of a run in input order, the seconds on the wall clock, and what older runs left in the output."""

    files: Sequence[FileReport]
    seconds: float
    overlap: str
    leftovers: Sequence[str] = ()
    pruned: bool = False

    def having(self, status: str) -> list[FileReport]:
        return [file for file in self.files if file.status == status]

    def total(self, counter: str) -> Counter[str]:
        """The sum of one of the files' counters: ``represented``, ``approximated`` or ``left_out``."""
        total: Counter[str] = Counter()
        for file in self.files:
            total.update(getattr(file, counter))
        return total

    @property
    def megabytes(self) -> float:
        return sum(file.megabytes for file in self.files)


def write_report(report: RunReport, path: Path) -> None:
    """Write ``report.json``, whole or not at all."""
    content = {
        "schema_version": SCHEMA_VERSION,
        "overlap": report.overlap,
        "totals": {
            "files": len(report.files),
            **{status: len(report.having(status)) for status in ("read", "recovered", "skipped")},
            "seconds": round(report.seconds, 3),
            "megabytes": round(report.megabytes, 3),
            **{name: dict(report.total(name).most_common()) for name in ("represented", "approximated", "left_out")},
            "paper_space_entities_ignored": sum(file.paper_space for file in report.files),
        },
        "leftovers": {"removed": report.pruned, "files": list(report.leftovers)},
        "files": [asdict(file) for file in report.files],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".partial")
    temporary.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    temporary.replace(path)


def format_report(report: RunReport) -> str:
    """The table that a person reads at the end of a run."""
    read, recovered, skipped = (report.having(status) for status in ("read", "recovered", "skipped"))
    seconds = max(report.seconds, 1e-9)
    lines = [
        f"{len(report.files)} drawings: {len(read)} read, {len(recovered)} recovered, {len(skipped)} skipped",
        f"{report.seconds:.1f} s, {len(report.files) / seconds:.1f} drawings/s, {report.megabytes / seconds:.1f} MB/s",
        "",
        *_entity_table(report),
        *_named("recovered", recovered),
        *_named("skipped", skipped),
        *_notes(report),
    ]
    return "\n".join(lines)


def _entity_table(report: RunReport) -> list[str]:
    represented, approximated = report.total("represented"), report.total("approximated")
    left_out = report.total("left_out")
    lines = [f"{'entities':<12}{'represented':>12}{'resampled':>12}"]
    lines += [f"{name:<12}{count:>12,}{_or_blank(approximated[name]):>12}" for name, count in represented.most_common()]
    lines.append(f"{'sum':<12}{represented.total():>12,}{approximated.total():>12,}")
    if left_out:
        lines += ["", f"left out: {left_out.total():,}"]
        lines += [f"  {count:>8,}  {name}" for name, count in left_out.most_common(MAX_NAMED)]
        if len(left_out) > MAX_NAMED:
            lines.append(f"  ... and {len(left_out) - MAX_NAMED} more kinds, see report.json")
    return lines


def _or_blank(count: int) -> str:
    return f"{count:,}" if count else ""


def _named(title: str, files: list[FileReport]) -> list[str]:
    if not files:
        return []
    lines = ["", f"{title}:", *(f"  {file.source}: {file.reason}" for file in files[:MAX_NAMED])]
    return lines if len(files) <= MAX_NAMED else [*lines, f"  ... and {len(files) - MAX_NAMED} more, see report.json"]


def _notes(report: RunReport) -> list[str]:
    opened = sum(bool(file.opened_blocks) for file in report.files)
    paper = sum(file.paper_space for file in report.files)
    notes = []
    if opened:
        notes.append(f"{opened} sheets were read out of a block that wraps them (opened_blocks in report.json)")
    if paper:
        notes.append(f"paper space is not read: {paper:,} entities there")
    if report.leftovers:
        count, first = len(report.leftovers), report.leftovers[0]
        fate = (
            "were removed" if report.pruned else "lie in the output too and would be trained on; --prune removes them"
        )
        notes.append(f"{count} tensors of drawings that this run did not read (such as {first}) {fate}")
    return ["", *notes] if notes else []
