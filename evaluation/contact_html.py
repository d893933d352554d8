"""The contact sheet as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import io
from html import escape

import numpy as np
from PIL import Image

from evaluation.contact_sheet import Row, Shown

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 14px/1.4 system-ui, sans-serif; margin: 2rem; color: #1a1a1a; background: #fff; }}
section {{ border-top: 1px solid #ccc; padding: 1rem 0; }}
h1 {{ font-size: 1.4rem; }} h2 {{ font-size: 1rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }}
.row {{ display: grid; gap: 8px; overflow-x: auto; padding-bottom: 6px;
  grid-template-columns: 7.5rem repeat({columns}, minmax(84px, 150px)); }}
.method {{ align-self: center; }}
figure {{ margin: 0; }}
figcaption {{ font-size: 11px; line-height: 1.25; overflow-wrap: anywhere; }}
.picture {{ aspect-ratio: 1; background: #fff center / contain no-repeat; border: 1px solid #bbb;
  margin: 2px; }}
.right .picture {{ border: 3px solid #17803d; margin: 0; }}
.right figcaption {{ color: #17803d; font-weight: 600; }}
.query .picture {{ border: 1px solid #1a1a1a; }}
{pictures}
</style></head><body>
<h1>{title}</h1>
<p>{summary}</p>
<p>Each query with its first answers, best first; ties in archive order. Right answers have a green frame and a ✓.</p>
{sections}
</body></html>
"""


def html_page(sheet: list[list[Row]], title: str, summary: str) -> str:
    """The whole page; every picture is in it once, as a PNG in a style rule."""
    classes: dict[str, str] = {}
    sections = "\n".join(_section(rows, classes) for rows in sheet)
    shown = {drawing.name: drawing.picture for rows in sheet for row in rows for drawing in (row.query, *row.answers)}
    pictures = "\n".join(
        f".{classes[name]} {{ background-image: url({data_uri(picture)}); }}"
        for name, picture in shown.items()
        if picture is not None
    )
    columns = max((len(row.answers) for rows in sheet for row in rows), default=0) + 1
    texts = {"title": escape(title), "summary": escape(summary)}
    return _PAGE.format(**texts, columns=columns, pictures=pictures, sections=sections)


def data_uri(picture: np.ndarray) -> str:
    """A picture (uint8 ``[S, S]``, 255 is ink) as a PNG in 16 greys, black on white."""
    buffer = io.BytesIO()
    Image.fromarray(255 - picture).quantize(16).save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def _section(rows: list[Row], classes: dict[str, str]) -> str:
    body = "\n".join(_row(row, classes) for row in rows)
    return f"<section><h2>{escape(rows[0].query.name)}</h2>\n{body}\n</section>"


def _row(row: Row, classes: dict[str, str]) -> str:
    figures = "".join(_figure(drawing, rank, classes) for rank, drawing in enumerate((row.query, *row.answers)))
    return (
        f'<div class="row"><div class="method"><b>{escape(row.method)}</b><br>{escape(row.score)}</div>{figures}</div>'
    )


def _figure(drawing: Shown, rank: int, classes: dict[str, str]) -> str:
    picture = classes.setdefault(drawing.name, f"p{len(classes)}")
    kind = "query" if drawing.right is None else "right" if drawing.right else "wrong"
    name = escape(drawing.name)
    caption = {"query": "query", "right": f"{rank} ✓ {name}", "wrong": f"{rank} {name}"}[kind]
    return (
        f'<figure class="{kind}"><div class="picture {picture}" role="img" aria-label="{name}"></div>'
        f"<figcaption>{caption}</figcaption></figure>"
    )
