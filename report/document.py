"""The answers to a search as one HTML file that needs nothing else: no network, no other file."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import UserError
from config.limits import USUAL, Limits
from report.cards import asked, card, hit_card, resource, text
from report.difference import Difference, Pair, differences, shown_names
from utils.files import atomic_path
from utils.progress import progress

if TYPE_CHECKING:
    from search.answers import Answer
    from search.entries import Hit

_DOCUMENT = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src '{hash}'">
<title>{title}</title>
<style>
{style}</style></head><body>
<h1>{title}</h1>
<p class="dim">{about}</p>
<p class="dim screen">A click on a picture lays the drawing on the query.</p>
{sections}
<script>{script}</script>
</body></html>
"""


def write_report(path: Path, answers: Sequence[Answer], about: str, limits: Limits = USUAL) -> None:
    """Write the report of what was asked and found.

    Args:
        about: a line on where it was searched, and by which model.
        limits: of one comparison, and how many are made side by side.

    Raises:
        UserError: the file cannot be written.
    """
    asked_for = [(answer, hit) for answer in answers for hit in answer.hits]
    pairs = (Pair(hit.id, answer.record, answer.query, hit.sequence_path, hit.path) for answer, hit in asked_for)
    found: list[Difference] = []
    if asked_for:
        workers = min(limits.workers or os.cpu_count() or 1, len(asked_for))
        done = differences(pairs, replace(limits, workers=workers))
        found = list(progress(done, "differences", total=len(asked_for), unit="pair"))
    try:
        with atomic_path(path) as temporary:
            temporary.write_text(document(answers, found, about), encoding="utf-8", newline="\n")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error


def document(answers: Sequence[Answer], found: Sequence[Difference], about: str) -> str:
    """The whole file as text.

    Args:
        found: of each answer's hits, one behind the other.
    """
    waiting = iter(found)
    numbers = count(1)
    sections = [_section(answer, [(next(numbers), hit, next(waiting)) for hit in answer.hits]) for answer in answers]
    first = answers[0].query.name if len(answers) == 1 else f"{len(answers)} drawings"
    script = resource("script.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return _DOCUMENT.format(
        hash=f"sha256-{digest}",
        title=text(f"What is like {first}?"),
        about=text(about),
        style=resource("style.css"),
        script=script,
        sections="\n".join(sections),
    )


def _section(answer: Answer, shown: list[tuple[int, Hit, Difference]]) -> str:
    name = answer.query.name
    error = shown_names(answer.error, answer.query) if answer.error else None
    cards = "\n".join(
        card(hit_card(f"a{number}", rank, hit, difference=found), name)
        for rank, (number, hit, found) in enumerate(shown, start=1)
    )
    if not shown and not error:
        error = "The archive holds no drawing that fits."
    picture = next((found.query for _, _, found in shown if found.query), "")
    top = asked(name, answer.record, error, picture)
    return f'<section class="query">{top}\n<ol class="answers">\n{cards}\n</ol></section>'
