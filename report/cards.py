"""Answers as HTML: what the report and the web page have in common. All that comes from files is escaped."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from compare.figure import figure_of_record
from compare.percent import percent
from config.errors import UserError
from dataset.entities import DEEPDXF_TYPES
from dataset.storage import SequenceRecord, read_sequence
from report.difference import Difference, thumbnail

if TYPE_CHECKING:
    from search.entries import Hit

FEW = 12  # changes that a card lists; the overlay has more


@dataclass(frozen=True)
class Card:
    """One answer as it is shown.

    Attributes:
        id: of its elements on the page, unique there.
        name: what people call it.
        share_below: share, 0..1, of pairs of drawings that are less alike; None where never measured.
        thumbnail: an SVG document, empty where there is none.
        note: a word beside the name.
        links: (text, URL) of what can be done with it.
        difference: None while it is not known; ``source`` is then the URL that gives it.
    """

    id: str
    rank: int
    name: str
    score: float
    share_below: float | None
    thumbnail: str
    note: str = ""
    links: tuple[tuple[str, str], ...] = ()
    difference: Difference | None = None
    source: str = ""


def card(shown: Card, query_name: str) -> str:
    """One answer, and the dialog that its picture opens."""
    note = f' <span class="dim">{text(shown.note)}</span>' if shown.note else ""
    links = " ".join(f'<a href="{text(url)}" download>{text(words)}</a>' for words, url in shown.links)
    differs = difference_block(shown.difference) if shown.difference else '<p class="dim">comparing …</p>'
    waiting = "" if shown.difference else f' data-source="{text(shown.source)}"'
    picture = shown.thumbnail or '<span class="dim">no picture</span>'
    label = f"Lay {shown.name} on the query"
    return f"""<li class="answer" id="{shown.id}" data-name="{text(shown.name)}"{waiting}>
<button class="picture" type="button" data-opens="{shown.id}-dialog" aria-label="{text(label)}">{picture}</button>
<p class="name"><span class="rank">{shown.rank}</span><span>{text(shown.name)}{note}</span></p>
{_score(shown.score, shown.share_below)}
<div class="differs">{differs}</div>
{f'<p class="screen">{links}</p>' if links else ""}
<dialog id="{shown.id}-dialog"><header><h3>{text(query_name)} → {text(shown.name)}</h3>
<form method="dialog"><button class="button">Close</button></form></header>
<div class="laid">{overlay_block(shown.difference) if shown.difference else ""}</div></dialog>
</li>"""


def hit_card(
    id_: str,
    rank: int,
    hit: Hit,
    links: tuple[tuple[str, str], ...] = (),
    difference: Difference | None = None,
    source: str = "",
) -> Card:
    """What is shown of a hit; its picture is drawn here unless the difference has it."""
    picture = difference.answer if difference else ""
    if not difference:
        with suppress(UserError):  # said where the differences would be
            picture = thumbnail(figure_of_record(read_sequence(hit.sequence_path), hit.id))
    note = "the same file" if hit.same_file else "no longer in the archive" if hit.missing else ""
    return Card(id_, rank, hit.id, hit.score, hit.share_below, picture, note, links, difference, source)


def asked(name: str, record: SequenceRecord | None, problem: str | None, picture: str = "") -> str:
    """The query above its answers; ``picture`` is its thumbnail, drawn from the record if there is none."""
    if record:
        picture = f'<div class="picture">{picture or thumbnail(figure_of_record(record, name))}</div>'
    told = f'<p class="problem">{text(problem)}</p>' if problem else ""
    about = f'<p class="dim">{text(facts(record))}</p>' if record else ""
    return f'<header class="asked">{picture}<div><h2>{text(name)}</h2>{about}{told}</div></header>'


def difference_block(found: Difference) -> str:
    """In words: one sentence, and the first changes behind a click."""
    sentence = f"<p>{text(found.summary)}</p>"
    return sentence + (f"<details><summary>Changes</summary>{_changes(found, FEW)}</details>" if found.changes else "")


def overlay_block(found: Difference) -> str:
    """Both drawings laid on each other beside the changes."""
    if not found.overlay:
        return f'<p class="problem">{text(found.summary)}</p>'
    sides = '<p class="dim">Left is the query, right is this drawing.</p>'
    listed = (
        f"<div><p>{text(found.summary)}</p>{sides}{_changes(found, len(found.changes)) if found.changes else ''}</div>"
    )
    return f'<div class="beside"><div class="overlay">{found.overlay}</div>{listed}</div>'


def facts(record: SequenceRecord) -> str:
    """How large a drawing is, and of what it is made."""
    count = record.entity_count
    numbers = np.bincount(record.dxf_vec[:, 0], minlength=len(DEEPDXF_TYPES))
    most = [f"{numbers[i]:,} {DEEPDXF_TYPES[i]}" for i in np.argsort(-numbers, kind="stable")[:4] if numbers[i]]
    size = f"{record.extents.width:.4g} × {record.extents.height:.4g} drawing units"
    return f"{count:,} {'entity' if count == 1 else 'entities'} ({', '.join(most)}), {size}"


def resource(name: str) -> str:
    """A style sheet or script of this package."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _score(score: float, share_below: float | None) -> str:
    width = 100 * min(max(score, 0.0), 1.0)
    bar = (
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="track" width="100" height="8"/><rect class="value" width="{width:.1f}" height="8"/></svg>'
    )
    worth = ""
    if share_below is not None:
        worth = f'<p class="dim">more alike than {percent(share_below)} % of pairs of drawings</p>'
    return f'<p class="score"><b>{score:.4f}</b>{bar}</p>{worth}'


def _changes(found: Difference, most: int) -> str:
    rows = "".join(f"<li>{text(words)}</li>" for words in found.changes[:most])
    left_out = len(found.changes[most:]) + found.left_out
    more = f'<p class="dim">… and {left_out:,} more</p>' if left_out else ""
    return f'<ol class="changes">{rows}</ol>{more}'


def text(plain: str) -> str:
    """For an element or an attribute; halves of characters, which a name that is no UTF-8 holds, are replaced."""
    return escape(plain.encode("utf-8", "replace").decode("utf-8"))
