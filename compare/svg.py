"""A page as SVG: small, because strokes that go on share a path and coordinates are whole tenths of a pixel."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from compare.page import Label, Lines, Page, Rect
from utils.files import atomic_path

FONTS = "'DejaVu Sans','Noto Sans','Microsoft YaHei','PingFang SC','Noto Sans CJK SC',Arial,sans-serif"
FINE = 10  # steps a pixel


def svg(page: Page) -> str:
    """The page as a document that needs nothing else."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {page.width:g} {page.height:g}" width="{page.width:g}" '
        f'height="{page.height:g}" font-family={quoteattr(FONTS)}>',
        f"<title>{_safe(page.title)}</title>",
        *([f'<rect width="100%" height="100%" fill="{page.paper}"/>'] if page.paper != "none" else []),
        *(_DRAW[type(thing)](thing) for thing in page.things),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def write_svg(page: Page, path: Path) -> None:
    """Raises OSError if it cannot be written."""
    with atomic_path(path) as temporary:
        temporary.write_text(svg(page), encoding="utf-8")


def path_data(strokes: np.ndarray) -> str:
    """Strokes ``[n, 4]`` as the ``d`` of a path in tenths of a pixel; those that go on where one ended are one line."""
    ends = np.rint(strokes * FINE).astype(np.int64)
    parts: list[str] = []
    at: tuple[int, int] | None = None
    for x0, y0, x1, y1 in ends.tolist():
        if (x0, y0) != at:
            parts.append(f"M{x0} {y0}l")
        parts.append(f"{x1 - x0} {y1 - y0} ")
        at = x1, y1
    return "".join(parts).replace(" M", "M").replace(" -", "-").rstrip()


def _lines(lines: Lines) -> str:
    if not len(lines.strokes):
        return ""
    return (
        f'<path transform="scale({1 / FINE:g})" d="{path_data(lines.strokes)}" fill="none" stroke="{lines.color}" '
        f'stroke-width="{lines.width * FINE:g}" stroke-linecap="round" stroke-linejoin="round"/>'
    )


def _label(label: Label) -> str:
    turn = f' transform="rotate({-label.angle:.4g} {label.x:.1f} {label.y:.1f})"' if label.angle else ""
    anchor = f' text-anchor="{label.anchor}"' if label.anchor != "start" else ""
    bold = ' font-weight="bold"' if label.bold else ""
    return (
        f'<text x="{label.x:.1f}" y="{label.y:.1f}" font-size="{label.size:.3g}" fill="{label.color}"'
        f"{anchor}{bold}{turn}>{_safe(label.text)}</text>"
    )


def _rect(rect: Rect) -> str:
    round_ = f' rx="{rect.round:g}"' if rect.round else ""
    return (
        f'<rect x="{rect.x:.1f}" y="{rect.y:.1f}" width="{rect.width:.1f}" height="{rect.height:.1f}" '
        f'fill="{rect.fill}" stroke="{rect.outline}"{round_}/>'
    )


def _safe(text: str) -> str:
    """Without what XML 1.0 forbids: control characters and halves of characters."""
    return escape(
        "".join(c if c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff" else "\ufffd" for c in text)
    )


_DRAW = {Lines: _lines, Label: _label, Rect: _rect}
