"""An evaluation as Markdown for people and as plain data for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from evaluation.evaluation import Evaluation
from evaluation.scoring import Scores

MAX_ROWS = 20  # of groups, and of names that were not found


def as_data(evaluation: Evaluation) -> dict[str, Any]:
    """What ``--json`` writes, see docs/evaluation.md."""
    names, scores = evaluation.archive.names, evaluation.by_group
    queried = scores.by_label()
    return {
        "k": evaluation.k,
        "drawings": len(names),
        "queries": len(scores.queries),
        "scores": scores.means(),
        "intervals": scores.intervals(),
        "gain": _gain(evaluation, scores, evaluation.headline),
        "groups": [
            {"files": [names[i] for i in group], "scores": scores.means(queried[number])}
            for number, group in enumerate(evaluation.groups)
            if number in queried
        ],
        "originals": _originals(evaluation),
        "calibration": {
            pairs: {encoder: asdict(each) for encoder, each in found.items()}
            for pairs, found in evaluation.calibration.items()
        },
        "left_out": evaluation.left_out,
        "skipped": evaluation.archive.skipped,
        "missing": evaluation.missing,
    }


def _originals(evaluation: Evaluation) -> dict[str, Any] | None:
    scores = evaluation.originals
    if scores is None:
        return None
    edits = {
        edit: {"queries": len(chosen), "scores": scores.means(chosen)} for edit, chosen in scores.by_label().items()
    }
    return {
        "queries": len(scores.queries),
        "scores": scores.means(),
        "intervals": scores.intervals(),
        "gain": _gain(evaluation, scores, "Recall@1"),
        "edits": edits,
    }


def _gain(evaluation: Evaluation, scores: Scores, metric: str) -> dict[str, Any]:
    """By how much the model beats the best baseline."""
    best = evaluation.best_baseline(scores, metric)
    difference, interval = scores.difference(evaluation.model, best, metric)
    return {
        "of": evaluation.model,
        "over": best,
        "metric": metric,
        "difference": difference,
        "interval": interval,
    }


def as_markdown(evaluation: Evaluation) -> str:
    """The tables that a person reads."""
    scores, archive = evaluation.by_group, evaluation.archive
    asked = {query.drawing for query in scores.queries}
    groups = len(scores.by_label())
    lines = [
        f"{len(archive)} drawings; {len(asked)} in {groups} groups ask for their like, {len(archive) - len(asked)} are "
        "in the way. In brackets: 95 % bootstrap intervals over whole groups.",
        "",
        *_table(evaluation, scores, evaluation.headline),
        "",
        _gain_sentence(evaluation, scores, evaluation.headline),
        *_calibration_sentences(evaluation),
        "",
        *_group_table(evaluation),
    ]
    if evaluation.originals is not None:
        lines += ["", *_original_tables(evaluation, evaluation.originals)]
    return "\n".join(lines)


def _table(evaluation: Evaluation, scores: Scores, first: str) -> list[str]:
    means, intervals = scores.means(), scores.intervals()
    lines = _header("vectors", *scores.metrics)
    for method in sorted(means, key=lambda method: -means[method][first]):
        cells = [_cell(means[method][metric], intervals[method][metric]) for metric in scores.metrics]
        lines.append(_row(f"**{method}**" if method == evaluation.model else method, *cells))
    blanks = [""] * (len(scores.metrics) - 1)
    return lines + [_row(method, f"left out: {reason}", *blanks) for method, reason in evaluation.left_out.items()]


def summary(evaluation: Evaluation) -> str:
    """One line: the model, the best baseline, the untrained model and chance."""
    scores, metric = evaluation.by_group, evaluation.headline
    means, best = scores.means(), evaluation.best_baseline(scores, metric)
    named = {evaluation.model: "the model", best: "the best baseline", f"untrained_{evaluation.model}": "untrained"}
    shown = [f"{method} {means[method][metric]:.3f} ({what})" for method, what in named.items() if method in means]
    return f"{metric}: {', '.join(shown)}, random {means['random'][metric]:.3f}"


def _cell(mean: float, interval: tuple[float, float] | None) -> str:
    return f"{mean:.3f}" if interval is None else f"{mean:.3f} ({interval[0]:.3f}, {interval[1]:.3f})"


def _gain_sentence(evaluation: Evaluation, scores: Scores, metric: str) -> str:
    gain = _gain(evaluation, scores, metric)
    if gain["interval"] is None:
        spread = "; one group has no interval"
    else:
        spread = " ({:+.3f}, {:+.3f})".format(*gain["interval"])
    return (
        f"{metric}: {gain['of']} less the best baseline ({gain['over']}): {gain['difference']:+.3f}{spread}, the same "
        "groups drawn for both."
    )


def _calibration_sentences(evaluation: Evaluation) -> list[str]:
    claims = {
        "training": 'of SimDeepDXF.py, "more alike than x % of pairs of training drawings", over pairs of these',
        "search": 'of a search, "more alike than x % of pairs", of one half of these drawings over pairs of the other',
    }
    lines = []
    for pairs, claim in claims.items():
        found = evaluation.calibration[pairs].get(evaluation.model)
        if found is not None:
            lines += [
                "",
                f"Calibration {claim}, by {evaluation.model}: x is {100 * found.mean:.1f} on average, and its "
                f"distribution {found.ks:.3f} from uniform (Kolmogorov-Smirnov distance).",
            ]
    return lines


def _group_table(evaluation: Evaluation) -> list[str]:
    """A group a row, the model's worst first."""
    scores, metric, model = evaluation.by_group, evaluation.headline, evaluation.model
    best = evaluation.best_baseline(scores, metric)
    means = {number: scores.means(chosen) for number, chosen in scores.by_label().items()}
    worst = sorted(means, key=lambda number: means[number][model][metric])
    lines = _header(f"{metric} by group, worst first", "drawings", model, best)
    for number in worst[:MAX_ROWS]:
        group = evaluation.groups[number]
        found = (f"{means[number][method][metric]:.3f}" for method in (model, best))
        lines.append(_row(f"{_plain(evaluation.archive.names[group[0]])} ...", len(group), *found))
    more = len(worst) - MAX_ROWS
    return lines if more <= 0 else [*lines, "", f"... and {more} more groups, see --json"]


def _original_tables(evaluation: Evaluation, scores: Scores) -> list[str]:
    metric = "Recall@1"
    best, means = evaluation.best_baseline(scores, metric), scores.by_label()
    methods = [
        method for method in (evaluation.model, f"untrained_{evaluation.model}", best) if method in scores.values
    ]
    lines = [f"Finding the original of {len(scores.queries)} edited drawings among {len(evaluation.archive) - 1}.", ""]
    lines += [*_table(evaluation, scores, metric), "", _gain_sentence(evaluation, scores, metric), ""]
    lines += _header(f"{metric} by edit", "queries", *methods)
    for edit, chosen in means.items():
        found = scores.means(chosen)
        lines.append(_row(edit, len(chosen), *(f"{found[method][metric]:.3f}" for method in methods)))
    return lines


def _header(*cells: str) -> list[str]:
    return [_row(*cells), "|---" * len(cells) + "|"]


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _plain(name: str) -> str:
    """A file name that cannot end a table's cell."""
    return name.replace("|", "\\|")


def complaints(evaluation: Evaluation) -> list[str]:
    """One line for everything that was asked for and could not be had."""
    archive = evaluation.archive
    found = [f"skipped {name}: {reason}" for name, reason in archive.skipped.items()]
    found += [f"{name} {reason}" for name, reason in evaluation.missing.items()]
    if len(found) > MAX_ROWS:
        found = [*found[:MAX_ROWS], f"... and {len(found) - MAX_ROWS} more, see --json"]
    if evaluation.missing:
        found.append(f"{len(evaluation.missing)} names in the groups have no drawing")
    return found
