"""The whole measurement: an archive, its queries, every method's vectors and scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.archive import Archive
from evaluation.baselines import BASELINES
from evaluation.baselines.descriptors import MissingExtraError
from evaluation.calibration import Calibration
from evaluation.encoders import ENCODERS
from evaluation.metrics import group_metrics, original_metrics
from evaluation.queries import Query
from evaluation.scoring import Scores, Vectors, score_queries


@dataclass(frozen=True)
class Evaluation:
    """What was measured.

    Attributes:
        vectors: by method, the model's encoders first.
        calibration: of the model's encoders, where it was ever measured: by pairs of ``training`` drawings, as
            SimDeepDXF.py says it, and of the archive's own, as a ``search`` does.
        left_out: methods that could not run, and why.
        missing: names that were asked for and not found, and why.
        by_group: finding the other drawings of a group.
        originals: finding the drawing that one was edited from; None without a truth.json.
    """

    archive: Archive
    groups: Sequence[Sequence[int]]
    k: int
    vectors: dict[str, Vectors]
    calibration: dict[str, dict[str, Calibration]]
    left_out: dict[str, str]
    missing: dict[str, str]
    by_group: Scores
    originals: Scores | None

    @property
    def model(self) -> str:
        """The model's own vector: the joint one if it has one."""
        return next(name for name in ENCODERS if name in self.vectors)

    @property
    def headline(self) -> str:
        return f"mAP@{self.k}"

    def best_baseline(self, scores: Scores, metric: str) -> str:
        """The hand-made baseline with the highest mean."""
        means = scores.means()
        return max((name for name in BASELINES if name in means), key=lambda name: means[name][metric])


def baseline_vectors(archive: Archive) -> tuple[dict[str, Vectors], dict[str, str]]:
    """By baseline its vectors, or why it was left out."""
    vectors, left_out = {}, {}
    for name, describe in BASELINES.items():
        try:
            vectors[name] = describe(archive)
        except MissingExtraError as error:
            left_out[name] = str(error)
    return vectors, left_out


def score_groups(vectors: dict[str, Vectors], queries: Sequence[Query], k: int) -> Scores:
    return Scores(queries, {name: score_queries(rows, queries, group_metrics, k) for name, rows in vectors.items()})


def score_originals(vectors: dict[str, Vectors], queries: Sequence[Query], k: int) -> Scores:
    return Scores(queries, {name: score_queries(rows, queries, original_metrics, k) for name, rows in vectors.items()})
