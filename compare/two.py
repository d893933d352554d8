"""Two drawings as a person asks about them: how alike, what changed, why. The answer as lines, data and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from compare.changes import Comparison, compare
from compare.figure import Loaded, require_all_strokes
from compare.picture import comparison_page, write_picture
from config.errors import UserError

if TYPE_CHECKING:  # what changed is known without torch
    from compare.scoring import Score
    from model.embedding import Embedder


class Two:
    """What has been asked of two drawings so far, and answered.

    Args:
        left, right: as read, or one sentence on why not.

    Attributes:
        lines: for a person; ``data`` for a program; ``notes`` are what a person should know of how it was done.
        changed: something did, as far as that was asked.

    Raises:
        UserError: one cannot be read.
    """

    def __init__(self, file1: Path, file2: Path, left: Loaded | str, right: Loaded | str) -> None:
        for each in (left, right):
            if isinstance(each, str):
                raise UserError(each)
        self._paths, self._left, self._right = (file1, file2), left, right
        self._scores: list[Score] = []
        self.lines: list[str] = []
        self.notes: list[str] = []
        self.data: dict[str, Any] = {"file1": str(file1), "file2": str(file2)}
        self.changed = False

    def score(self, embedder: Embedder, encoder: str, method: str) -> None:
        """How alike they are. Raises UserError if the model cannot compare them."""
        from compare.scoring import Vectors, chosen_encoders, words

        encoders = chosen_encoders(embedder, encoder)
        vectors = Vectors(embedder, encoders)
        one, two = (vectors.of([each.record])[0] for each in (self._left, self._right))
        for path, each in zip(self._paths, (self._left, self._right), strict=True):
            if embedder.kind != "deepdxf" and each.record.gf_counts is None and encoders != ("deepdxf",):
                self.notes.append(f"{path} holds none of GF's ten entity classes: no gf and no joint score")
        self._scores = vectors.scores(one, two, method)
        if not self._scores:
            raise UserError("the model cannot compare these drawings")
        self.lines += words(self._scores, method)
        self.data |= {"method": method, "scores": {score.encoder: score.as_dict() for score in self._scores}}

    def compare(self, tolerance: float, picture: Path | None) -> None:
        """What changed from the left one to the right one. Raises UserError where too few strokes are known."""
        for each in (self._left, self._right):
            require_all_strokes(each)
        found = compare(self._left.figure, self._right.figure, tolerance)
        self.changed = not found.is_same
        self.lines += listed(found)
        self.data |= found.as_dict()
        if picture:
            write_picture(comparison_page(found, " · ".join(score.briefly() for score in self._scores)), picture)

    def explain(self, embedder: Embedder, encoder: str, method: str, parts: int, picture: Path) -> None:
        """Which parts make them alike, by the first of the chosen encoders. Raises UserError if it cannot read one."""
        from compare.explain import explain
        from compare.explain_picture import explanation_page
        from compare.scoring import chosen_encoders

        chosen = chosen_encoders(embedder, encoder)[0]
        for each in (self._left, self._right):
            if chosen != "deepdxf" and not each.exact_boxes:
                name = each.figure.name
                self.notes.append(f"{name}: overlaps are counted from its strokes; its .dxf has the true boxes")
        found = explain(embedder, self._left, self._right, chosen, method, parts)
        self.lines += found.words()
        self.data["explained"] = found.as_dict()
        write_picture(explanation_page(found, self._left.figure, self._right.figure), picture)


def listed(found: Comparison) -> list[str]:
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
