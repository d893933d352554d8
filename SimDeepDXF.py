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
from typing import TYPE_CHECKING, Any

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
    """Two drawings: scores, and what changed."""
    from compare.figure import load

    embedder = wanted_model(config)
    reading = embedder.reading if embedder else {"visible_only": config.visible_only}
    left, right = (load(path, **reading) for path in (config.file1, other))
    data: dict[str, Any] = {"file1": str(config.file1), "file2": str(other)}
    lines: list[str] = []
    scores = []
    if embedder:
        scores, said = score_pair(config, embedder, left.record, right.record, (config.file1, other))
        lines += said
        data |= {"method": config.method, "scores": {score.encoder: score.as_dict() for score in scores}}
    changed = False
    if config.changes or config.picture:
        comparison = compared(config, left, right)
        changed = not comparison.is_same
        lines += report(comparison)
        data |= comparison.as_dict()
        if config.picture:
            from compare.picture import comparison_page, write_picture

            write_picture(comparison_page(comparison, " · ".join(map(briefly, scores))), config.picture)
    if config.explain:
        lines += explained(config, embedder, left, right, data)
    tell(config.json, lines, data)
    return EXIT_CHANGED if config.exit_code and changed else EXIT_COMPLETE


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


def score_pair(config: CompareConfig, embedder: Embedder, first, second, paths) -> tuple[list, list[str]]:
    """The scores of two drawings, and how to say them: the first alone on its line, as most people and scripts want."""
    from compare.scoring import Vectors, chosen_encoders

    encoders = chosen_encoders(embedder, config.encoder)
    vectors = Vectors(embedder, encoders)
    one, two = (vectors.of([record])[0] for record in (first, second))
    for path, found in zip(paths, (one, two), strict=True):
        if embedder.kind != "deepdxf" and "gf" not in found and encoders != ("deepdxf",):
            print(f"{path} holds none of GF's ten entity classes: no gf and no joint score", file=sys.stderr)
    scores = vectors.scores(one, two, config.method)
    if not scores:
        raise UserError("the model cannot compare these drawings")
    lines = [f"{score.encoder:<8} {config.method} similarity {score.value:.6f}" for score in scores]
    lines += [
        f"{score.encoder:<8} more alike than {100 * score.share_below:.1f} % of pairs of training drawings"
        for score in scores
        if score.share_below is not None
    ]
    return scores, lines


def briefly(score) -> str:
    worth = "" if score.share_below is None else f" (more than {100 * score.share_below:.1f} % of training pairs)"
    return f"{score.encoder} similarity {score.value:.3f}{worth}"


def compared(config: CompareConfig, left, right):
    from compare.changes import compare
    from compare.figure import require_all_strokes

    for each in (left, right):
        require_all_strokes(each)
    return compare(left.figure, right.figure, config.tolerance)


def explained(config: CompareConfig, embedder: Embedder, left, right, data: dict[str, Any]) -> list[str]:
    from compare.explain import explain
    from compare.explain_picture import explanation_page
    from compare.picture import write_picture
    from compare.scoring import chosen_encoders

    encoder = chosen_encoders(embedder, config.encoder)[0]
    for each in (left, right):
        if encoder != "deepdxf" and not each.exact_boxes:
            print(
                f"{each.figure.name}: overlaps are counted from its strokes; its .dxf has the true boxes",
                file=sys.stderr,
            )
    found = explain(embedder, left, right, encoder, config.method, config.explain_parts)
    data["explained"] = found.as_dict()
    write_picture(explanation_page(found, left.figure, right.figure), config.explain)
    return found.words()


def report(found) -> list[str]:
    """What changed, a line each."""
    counts = found.counts()
    lies = found.alignment.words()
    lines = [
        f"in common {counts['common']}, only left {counts['only_left']}, only right {counts['only_right']} entities"
    ]
    if lies:
        lines.append(f"to lie on the left one the right one is {lies}")
    if found.is_same:
        lines.append("no changes")
    return lines + [f"{number:>4}  {change.words()}" for number, change in enumerate(found.changes, start=1)]


def many(config: CompareConfig, others: list[Path]) -> int:
    """One against many: the most alike first."""
    from compare.scoring import Vectors, chosen_encoders

    embedder = wanted_model(config)
    encoders = chosen_encoders(embedder, config.encoder)
    vectors = Vectors(embedder, encoders)
    (query,), _, _ = embedded(config, embedder, vectors, [config.file1], strict=True)
    found, paths, skipped = embedded(config, embedder, vectors, others)
    scored = [(vectors.scores(query, each, config.method), path) for each, path in zip(found, paths, strict=True)]
    first = next((name for name in encoders if name in query), None)
    ranked = sorted(
        scored, key=lambda pair: next((-score.value for score in pair[0] if score.encoder == first), float("inf"))
    )
    lines = [" ".join(f"{name:>9}" for name in encoders) + "  alike to more than  drawing"]
    for scores, path in ranked:
        values = {score.encoder: score for score in scores}
        below = values[first].share_below if first in values else None
        cells = [f"{values[name].value:9.6f}" if name in values else f"{'-':>9}" for name in encoders]
        share = f"{100 * below:.1f} % of pairs" if below is not None else ""
        lines.append(f"{' '.join(cells)}  {share:>18}  {path}")
    data = {
        "file1": str(config.file1),
        "method": config.method,
        "drawings": [
            {"file2": str(path), "scores": {score.encoder: score.as_dict() for score in scores}}
            for scores, path in ranked
        ],
        "skipped": skipped,
    }
    tell(config.json, lines, data)
    return EXIT_INCOMPLETE if skipped else EXIT_COMPLETE


def folder(config: CompareConfig, paths: list[Path]) -> int:
    """All with all, by the first encoder."""
    import numpy as np

    from compare.scoring import Vectors, chosen_encoders, score_matrix, write_matrix

    embedder = wanted_model(config)
    encoder = chosen_encoders(embedder, config.encoder)[0]
    found, paths, skipped = embedded(config, embedder, Vectors(embedder, (encoder,)), paths)
    for path, vectors in zip(paths, found, strict=True):
        if encoder not in vectors:
            skipped[str(path)] = f"it has no {encoder} vector: it holds none of GF's ten entity classes"
    kept = [(path, vectors[encoder]) for path, vectors in zip(paths, found, strict=True) if encoder in vectors]
    if len(kept) < 2:
        raise UserError(f"{config.file1} holds {len(kept)} drawings that can be compared: two are needed")
    names = [path.relative_to(config.file1).as_posix() for path, _ in kept]
    scores = score_matrix([vector for _, vector in kept], config.method)
    if config.matrix:
        write_matrix(config.matrix, names, scores)
    if config.heatmap:
        from compare.heatmap import write_heatmap

        write_heatmap(config.heatmap, names, scores, f"{encoder}, {config.method}: {config.file1.name}")
    rows, columns = np.triu_indices(len(names), 1)
    best = np.argsort(-scores[rows, columns], kind="stable")[:20]
    lines = [f"{encoder} {config.method} similarity of {len(names)} drawings; the most alike pairs:"]
    lines += [f"{scores[rows[i], columns[i]]:9.6f}  {names[rows[i]]}  |  {names[columns[i]]}" for i in best]
    data = {
        "encoder": encoder,
        "method": config.method,
        "drawings": names,
        "scores": scores.tolist(),
        "skipped": skipped,
    }
    tell(config.json, lines, data)
    return EXIT_INCOMPLETE if skipped else EXIT_COMPLETE


def embedded(config: CompareConfig, embedder: Embedder, vectors, paths: list[Path], strict: bool = False):
    """The vectors of the drawings that can be read, their paths, and why the others cannot; each is named at once."""
    from compare.drawings import read_all

    kept: list[Path] = []
    skipped: dict[str, str] = {}

    def readable():
        reading = {key: embedder.reading[key] for key in ("overlap", "visible_only")}
        records = read_all(paths, **reading, workers=config.workers, timeout=config.timeout)
        for path, record in zip(paths, records, strict=True):
            if not isinstance(record, str):
                kept.append(path)
                yield record
            elif strict:
                raise UserError(record)
            else:
                skipped[str(path)] = record
                print(f"skipped {path}: {record}", file=sys.stderr)

    found = vectors.of(readable())
    return found, kept, skipped


if __name__ == "__main__":
    run_script(CompareConfig, main)
