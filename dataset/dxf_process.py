"""Turn a folder of DXF drawings into tensors for both encoders, reading every file once.

    python dataset/dxf_process.py --input DRAWINGS --output data

writes ``data/GF/`` (graphs), ``data/DeepDXF/`` (sequences) and ``data/report.json``.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

if __package__ in (None, ""):  # started as a file: make the repository root importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from config.errors import UserError
from config.limits import Limits
from dataset.dxf_process_GF import Overlap
from dataset.leftovers import find_leftovers, remove, remove_unfinished
from dataset.naming import Found, find_drawings, output_names
from dataset.pool import fair_share, run_in_pool
from dataset.ray_pool import run_on_ray
from dataset.report import RunReport, format_report, report_file
from dataset.shard import Shard
from dataset.storage import SequenceRecord, read_sequence
from dataset.worker import FileReport, ProcessedDrawing, Task, one_file, process_file
from utils.cli import run_script
from utils.progress import progress

__all__ = ["ProcessConfig", "ProcessedDrawing", "load_drawing", "main", "process_drawings", "process_file"]

EXIT_COMPLETE, EXIT_SKIPPED = 0, 3  # and 1 for a run that failed as a whole


@dataclass(frozen=True)
class ProcessConfig:
    """Turn a folder of DXF drawings into tensors for both encoders, reading every file once."""

    input: Path
    """Folder of drawings, searched with its sub-folders for *.dxf and *.dwg in any case; or one drawing. DWG drawings
    need the ODA File Converter."""

    output: Path = Path("data")
    """Folder that gets GF/, DeepDXF/ and report.json."""

    workers: int = 0
    """Processes that read drawings side by side; 0 means one per core."""

    ray: str = ""
    """Read the drawings on a Ray cluster, one task a file: `auto` is the cluster this machine belongs to, `local` one
    that is started here for this run, `host:port` or `ray://host:port` another. All nodes must see --input and --output
    under the same path, on storage that they share. Needs requirements-ray.txt."""

    overlap: Overlap = "cross"
    """When two entities overlap: with `cross` their boxes touch or cross and neither contains the other; with
    `intersects` their boxes share a point."""

    visible_only: bool = False
    """Leave out what is invisible or on a layer that is frozen or off; else it is read like the rest."""

    shard: str = "1/1"
    """Do share i of n (`i/n`) of the drawings only, as one of n jobs on the same --input and --output; the report is
    then report.i-of-n.json."""

    timeout: float = 300.0
    """Seconds after which a drawing is given up and named in the report."""

    memory: float = 0.0
    """Gigabytes that a process may take for one drawing (on Linux); 0 means an even share of the machine's memory. A
    drawing that needs more is given up and named in the report."""

    force: bool = False
    """Do all drawings again; else only those that are new or changed, or that were done under another schema or with
    other options."""

    strict: bool = False
    """Stop with exit status 1 at the first drawing that has to be skipped."""

    prune: bool = False
    """Remove tensors that lie in the output folder but are of no drawing of this run; else they are only counted."""

    def __post_init__(self) -> None:
        Shard.parse(self.shard)
        Limits(self.workers, self.timeout, self.memory)  # raises what is wrong with them


def load_drawing(path: Path, overlap: Overlap = "cross", visible_only: bool = False) -> SequenceRecord:
    """One drawing as a model reads it, from its ``.dxf`` or from the ``.h5`` that an earlier run wrote of it.

    The options count for a ``.dxf``; an ``.h5`` is as it was written.

    Raises:
        UserError: the file is missing, damaged, foreign, of another schema, or shows nothing.
    """
    path = Path(path)
    with one_file(path):
        if path.suffix.lower() == ".h5":
            return read_sequence(path)
        return process_file(path, path.name, overlap, visible_only).sequence


def process_drawings(config: ProcessConfig) -> RunReport:
    """Process all drawings under ``config.input`` and write the tensors and ``report.json``.

    What an earlier run has done and has not changed since is not done again.

    Raises:
        UserError: there are no drawings, the output cannot be written, or a drawing was skipped under ``strict``.
    """
    started = time.perf_counter()
    found = find_drawings(config.input)
    if not found.sources:
        if not config.input.exists():
            raise UserError(f"{config.input.resolve()} does not exist: correct --input")
        reason = "".join(f" ({folder}: {why})" for folder, why in list(found.unreadable.items())[:1])
        raise UserError(f"no drawings (*.dxf, *.dwg) in {config.input.resolve()}{reason}: correct --input")
    names = output_names(found.sources)
    shard = Shard.parse(config.shard)
    mine = {source: name for source, name in names.items() if source in shard}
    report = RunReport(config.overlap)
    failed: set[str] = set()
    try:
        with report_file(config.output / shard.report_name) as lines:
            for file in progress(_reports(found, mine, config), "drawings", total=len(mine), unit="file"):
                lines.add(file)
                report.add(file)
                if file.status == "skipped":
                    if config.strict:
                        raise UserError(f"{file.source} was skipped ({file.reason}), and --strict allows none")
                    failed.add(names.get(file.source, ""))
            report.leftovers, report.pruned = _leftovers(set(names.values()), failed, config), config.prune
            report.unfinished = remove_unfinished([config.output / "GF", config.output / "DeepDXF"])
            report.seconds = time.perf_counter() - started
            lines.close(report)
    except OSError as error:
        raise UserError(f"cannot write to {config.output.resolve()}: {error}") from error
    return report


def _reports(found: Found, names: dict[str, str], config: ProcessConfig) -> Iterator[FileReport]:
    """Do every drawing and say what became of it, in a fixed order; first the folders that could not be searched."""
    for folder, reason in found.unreadable.items():
        yield FileReport(f"{folder}/", "skipped", f"the folder cannot be searched: {reason}")
    if not names:  # a small archive can leave a share empty
        return
    workers = min(config.workers or os.cpu_count() or 1, len(names))
    tasks = (_task(found.path(source), source, name, config) for source, name in names.items())
    memory = int(config.memory * 1e9)
    if config.ray:
        yield from run_on_ray(tasks, config.ray, config.output, config.workers, config.timeout, memory)
    else:
        yield from run_in_pool(tasks, workers, config.timeout, memory or fair_share(workers))


def _task(path: Path, source: str, name: str, config: ProcessConfig) -> Task:
    return Task(
        path,
        source,
        sequence_path=config.output / "DeepDXF" / name,
        graph_path=config.output / "GF" / name,
        overlap=config.overlap,
        visible_only=config.visible_only,
        force=config.force,
    )


def _leftovers(outputs: set[str], failed: set[str], config: ProcessConfig) -> list[str]:
    """Find, and with ``--prune`` remove, what lies in the output but is of no drawing of this run.

    Args:
        outputs: of all drawings, those of other shares included.
        failed: those of the drawings that this run had to skip.
    """
    shard = Shard.parse(config.shard)
    folders = [config.output / "GF", config.output / "DeepDXF"]
    # what is of no drawing at all is the business of one job, by its own name
    leftovers = find_leftovers(folders, lambda name: name in failed or (name not in outputs and name in shard))
    if config.prune:
        remove(leftovers, folders if shard.count == 1 else [])  # an empty folder may be one that another job fills
    return [path.relative_to(config.output).as_posix() for path in leftovers]


def main(config: ProcessConfig) -> int:
    report = process_drawings(config)
    print(format_report(report))
    return EXIT_SKIPPED if report.statuses["skipped"] else EXIT_COMPLETE


if __name__ == "__main__":
    run_script(ProcessConfig, main, description=__doc__)
