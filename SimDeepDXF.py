"""Compare drawings: how alike they are by a trained model, and what changed from one to the other.

python SimDeepDXF.py --file1 A.dxf --file2 B.h5 --method cosine             how alike
python SimDeepDXF.py --file1 A.dxf --file2 B.dxf --changes --picture ab.svg what changed; needs no model
python SimDeepDXF.py --file1 A.dxf --file2 B.dxf --explain why.png          which parts make them alike
python SimDeepDXF.py --file1 A.dxf --file2 FOLDER                           the most alike first
python SimDeepDXF.py --file1 FOLDER --matrix out.csv --heatmap out.png      all with all
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from config.compare_config import CompareConfig
from config.errors import UserError
from utils.cli import STDOUT, run_script, tell
from utils.files import require_writable

if TYPE_CHECKING:  # the reading processes import this file again, and --changes needs no torch
    from model.embedding import Embedder

EXIT_COMPLETE, EXIT_INCOMPLETE, EXIT_CHANGED = 0, 3, 4
DEFAULT_MODEL = CompareConfig.__dataclass_fields__["model_path"].default


def main(config: CompareConfig) -> int:
    from compare.drawings import find

    whole_folder = not config.file2
    if whole_folder and not config.file1.is_dir():
        raise UserError(f"what is {config.file1} to be compared with? give --file2, or a folder as --file1")
    others = [path for each in config.file2 for path in find(each)]
    config.require_sense(len(others), whole_folder)
    for option in ("json", "picture", "explain", "matrix", "heatmap"):
        if (path := getattr(config, option)) is not None and path != STDOUT:
            require_writable(path.parent, f"--{option}")
    if config.file1.is_dir() and not whole_folder:
        raise UserError(f"--file1 {config.file1} is a folder: give the one drawing, and the folder as --file2")
    if whole_folder:
        return folder(config, find(config.file1))
    return pair(config, others[0]) if len(others) == 1 else many(config, others)


def pair(config: CompareConfig, other: Path) -> int:
    """Two drawings: scores, what changed, and why they are alike."""
    from compare.drawings import Reader, whole_of
    from compare.two import Two

    paths = [config.file1, other]
    with Reader(paths, config.limits(), whole_of) as reader:
        embedder = wanted_model(config)
        reading = embedder.reading if embedder else {"overlap": "cross", "visible_only": config.visible_only}
        two = Two(*paths, *reader.read(reading["overlap"], reading["visible_only"]))
    if embedder:
        two.score(embedder, config.encoder, config.method)
    if config.changes or config.picture:
        two.compare(config.tolerance, config.picture)
    if config.explain:
        two.explain(embedder, config.encoder, config.method, config.explain_parts, config.explain)
    for note in two.notes:
        print(note, file=sys.stderr)
    tell(config.json, two.lines, two.data)
    return EXIT_CHANGED if config.exit_code and two.changed else EXIT_COMPLETE


def many(config: CompareConfig, others: list[Path]) -> int:
    """One against many: the most alike first."""
    from compare.drawings import Reader, record_of

    paths = [config.file1, *others]
    with Reader(paths, config.limits(), record_of) as reader:
        embedder = wanted_model(config)
        from compare.ranking import one_with_many
        from compare.scoring import Vectors, chosen_encoders

        encoders = chosen_encoders(embedder, config.encoder)
        records = reader.read(embedder.reading["overlap"], embedder.reading["visible_only"])
        found = one_with_many(Vectors(embedder, encoders), encoders, config.method, paths, records)
    return told(config, found)


def folder(config: CompareConfig, paths: list[Path]) -> int:
    """All with all, by the first encoder."""
    from compare.drawings import Reader, record_of

    with Reader(paths, config.limits(), record_of) as reader:
        embedder = wanted_model(config)
        from compare.matrix import all_with_all, write_matrix
        from compare.scoring import Vectors, chosen_encoders

        encoder = chosen_encoders(embedder, config.encoder)[0]
        records = reader.read(embedder.reading["overlap"], embedder.reading["visible_only"])
        found = all_with_all(Vectors(embedder, (encoder,)), encoder, config.method, config.file1, paths, records)
    if config.matrix:
        write_matrix(config.matrix, found.names, found.scores)
    if config.heatmap:
        from compare.heatmap import write_heatmap

        write_heatmap(config.heatmap, found.names, found.scores, f"{encoder}, {config.method}: {config.file1.name}")
    return told(config, found)


def told(config: CompareConfig, found) -> int:
    for path, reason in found.skipped.items():
        print(f"skipped {path}: {reason}", file=sys.stderr)
    tell(config.json, found.lines(), found.as_dict())
    return EXIT_INCOMPLETE if found.skipped else EXIT_COMPLETE


def wanted_model(config: CompareConfig) -> Embedder | None:
    """The model, unless the question needs none: --changes, or --picture where nobody has trained one yet."""
    if config.changes:
        return None
    if config.picture and not config.explain and config.model_path == DEFAULT_MODEL and not config.model_path.exists():
        print(f"no scores: there is no model at {config.model_path}", file=sys.stderr)
        return None
    from model.embedding import Embedder
    from utils.engine.device import choose_device

    return Embedder(config.model_path, choose_device(config.device))


if __name__ == "__main__":
    run_script(CompareConfig, main)
