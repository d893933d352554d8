"""Turn a folder of DXF drawings into tensors for both encoders, reading every file once.

    python dataset/dxf_process.py --input DRAWINGS --output data

writes ``data/GF/`` (graphs), ``data/DeepDXF/`` (sequences) and ``data/report.json``.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

if __package__ in (None, ""):  # started as a file: make the repository root importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import pebble

from config.errors import UserError
from dataset.dxf_process_GF import Overlap
from dataset.leftovers import find_leftovers, remove
from dataset.naming import find_drawings, output_names
from dataset.report import RunReport, format_report, write_report
from dataset.storage import SequenceRecord, read_sequence
from dataset.worker import FileReport, ProcessedDrawing, Task, explain, process_file, run_task
from utils.cli import run_script
from utils.progress import progress

__all__ = ["ProcessConfig", "ProcessedDrawing", "load_drawing", "main", "process_drawings", "process_file"]

EXIT_COMPLETE, EXIT_SKIPPED = 0, 3  # and 1 for a run that failed as a whole


@dataclass(frozen=True)
class ProcessConfig:
    """Turn a folder of DXF drawings into tensors for both encoders, reading every file once."""

    input: Path
    """Folder of drawings, searched with its sub-folders for *.dxf in any case; or one drawing."""

    output: Path = Path("data")
    """Folder that gets GF/, DeepDXF/ and report.json."""

    workers: int = 0
    """Processes that read drawings side by side; 0 means one per core."""

    overlap: Overlap = "cross"
    """When two entities overlap: with `cross` their boxes touch or cross and neither contains the other; with
    `intersects` their boxes share a point."""

    timeout: float = 300.0
    """Seconds after which a drawing is given up and named in the report."""

    strict: bool = False
    """Stop with exit status 1 at the first drawing that has to be skipped."""

    prune: bool = False
    """Remove tensors that lie in the output folder but are of no drawing of this run; else they are only counted."""

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise ValueError(f"workers must be 0 or more, not {self.workers}")
        if not self.timeout > 0:
            raise ValueError(f"timeout must be more than 0 seconds, not {self.timeout}")


def load_drawing(path: Path, overlap: Overlap = "cross") -> SequenceRecord:
    """One drawing as a model reads it, from its ``.dxf`` or from the ``.h5`` that an earlier run wrote of it.

    Raises:
        UserError: the file is missing, damaged, foreign, of another schema, or shows nothing.
    """
    path = Path(path)
    try:
        if path.suffix.lower() == ".h5":
            return read_sequence(path)
        if not path.exists():
            raise FileNotFoundError(f"{path}: no such file")
        return process_file(path, path.name, overlap).sequence
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(str(error)) from error
    except Exception as error:  # the boundary of one file, as in the worker: it is named with its reason
        raise UserError(f"cannot read {path}: {explain(error)}") from error


def process_drawings(config: ProcessConfig) -> RunReport:
    """Process all drawings under ``config.input`` and write the tensors and ``report.json``.

    Raises:
        UserError: there are no drawings, the output cannot be written, or a drawing was skipped under ``strict``.
    """
    started = time.perf_counter()
    drawings = find_drawings(config.input)
    if not drawings:
        raise UserError(f"no drawings (*.dxf) in {config.input.resolve()}: correct --input")
    names = output_names(list(drawings))
    sequences, graphs = config.output / "DeepDXF", config.output / "GF"
    tasks = [
        Task(path, source, sequences / names[source], graphs / names[source], config.overlap)
        for source, path in drawings.items()
    ]
    try:
        config.output.mkdir(parents=True, exist_ok=True)
        files = []
        for file in progress(_run(tasks, config), "drawings", total=len(tasks), unit="file"):
            files.append(file)
            if config.strict and file.status == "skipped":
                raise UserError(f"{file.source} was skipped ({file.reason}), and --strict allows none")
        leftovers = _leftovers(tasks, files, config)
        report = RunReport(files, time.perf_counter() - started, config.overlap, leftovers, config.prune)
        write_report(report, config.output / "report.json")
    except OSError as error:
        raise UserError(f"cannot write to {config.output.resolve()}: {error}") from error
    return report


def _run(tasks: list[Task], config: ProcessConfig) -> Iterator[FileReport]:
    """Run the tasks side by side, one process crash, hang or exception costing one file only; in task order."""
    workers = min(config.workers or os.cpu_count() or 1, len(tasks))
    pool = pebble.ProcessPool(workers, context=multiprocessing.get_context("spawn"))
    try:
        futures = [pool.schedule(run_task, args=(task,), timeout=config.timeout) for task in tasks]
        for task, future in zip(tasks, futures, strict=True):
            yield _outcome(task, future, config.timeout)
    finally:
        pool.stop()  # at the end there is nothing left to stop
        pool.join()


def _outcome(task: Task, future: pebble.ProcessFuture, timeout: float) -> FileReport:
    try:
        return future.result()
    except TimeoutError:
        reason = f"took longer than {timeout:g} s (--timeout)"
    except pebble.ProcessExpired as error:
        reason = f"the process reading it crashed (exit code {error.exitcode})"
    except OSError:  # the only thing that run_task raises: the output cannot be written
        raise
    except Exception as error:  # the boundary of one file: it is named in the report with its reason
        reason = explain(error)
    return FileReport(task.source, "skipped", reason)


def _leftovers(tasks: list[Task], files: list[FileReport], config: ProcessConfig) -> list[str]:
    """Find, and with ``--prune`` remove, what lies in the output but is of no drawing of this run."""
    folders = [config.output / "GF", config.output / "DeepDXF"]
    kept = [task for task, file in zip(tasks, files, strict=True) if file.status != "skipped"]
    leftovers = find_leftovers(folders, [path for task in kept for path in (task.sequence_path, task.graph_path)])
    if config.prune:
        remove(leftovers, folders)
    return [path.relative_to(config.output).as_posix() for path in leftovers]


def main(config: ProcessConfig) -> int:
    report = process_drawings(config)
    print(format_report(report))
    return EXIT_SKIPPED if report.having("skipped") else EXIT_COMPLETE


if __name__ == "__main__":
    run_script(ProcessConfig, main, description=__doc__)
