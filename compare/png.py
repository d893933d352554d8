"""A page as PNG, through matplotlib's Agg renderer."""

from __future__ import annotations

import io
import logging
import warnings
from functools import cache
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.patches import FancyBboxPatch, Rectangle
from PIL import Image

from compare.page import PAPER, Label, Lines, Page, Rect
from utils.files import atomic_path

DPI = 100
SHADES = 9  # of each colour of the page towards the paper: lines need no more, and the file is a third of the size
FAMILIES = (
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Microsoft YaHei",
    "SimHei",
    "PingFang SC",
    "WenQuanYi Zen Hei",
    "Arial Unicode MS",
)


def png(page: Page, zoom: float = 1.0) -> bytes:
    """The page as a file's content, ``zoom`` pixels for one of the page."""
    figure = Figure(figsize=(page.width * zoom / DPI, page.height * zoom / DPI), dpi=DPI, facecolor=PAPER)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, page.width), ylim=(page.height, 0))
    axes.axis("off")
    for number, thing in enumerate(page.things):
        _DRAW[type(thing)](axes, thing, number, 72 / DPI * zoom)
    with warnings.catch_warnings():  # a letter that no font of this machine has is shown as a box
        warnings.simplefilter("ignore")
        canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    content = io.BytesIO()
    indexed = picture.quantize(palette=_palette(page), dither=Image.Dither.NONE)
    palette = np.array(indexed.getpalette(), np.uint8).reshape(-1, 3)
    palette[palette.min(axis=1) >= 250] = 255  # paper is looked up with 6 bits, and would come out not quite white
    indexed.putpalette(palette.tobytes())
    indexed.save(content, "PNG", optimize=True)
    return content.getvalue()


def write_png(page: Page, path: Path) -> None:
    """Raises OSError if it cannot be written."""
    content = png(page)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def _palette(page: Page) -> Image.Image:
    """The colours of the page, and what lies between each and the paper: the fewer shades, the more colours there are,
    so that none is lost."""
    colors = {PAPER}
    for thing in page.things:
        colors |= {thing.fill, thing.outline} if isinstance(thing, Rect) else {thing.color}
    named = sorted(colors - {"none"})
    shades = np.linspace(0.0, 1.0, int(np.clip(256 // len(named), 2, SHADES)))[:, None]
    rows = [255 * ((1 - shades) * np.array(to_rgb(color)) + shades) for color in named]
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.concatenate(rows)[:256].round().astype(np.uint8).tobytes())
    return palette


@cache
def families() -> list[str]:
    """Fonts that this machine has, one after the other for letters that the ones before lack."""
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    known = {font.name for font in fontManager.ttflist}
    return [family for family in FAMILIES if family in known]


def _lines(axes, lines: Lines, order: int, points: float) -> None:
    if len(lines.strokes):
        axes.add_collection(
            LineCollection(
                lines.strokes.reshape(-1, 2, 2),
                colors=lines.color,
                linewidths=lines.width * points,
                capstyle="round",
                zorder=order,
            ),
            autolim=False,
        )


def _label(axes, label: Label, order: int, points: float) -> None:
    axes.text(
        label.x,
        label.y,
        label.text,
        size=label.size * points,
        color=label.color,
        family=families(),
        weight="bold" if label.bold else "normal",
        ha={"start": "left", "middle": "center", "end": "right"}[label.anchor],
        va="baseline",
        rotation=label.angle,
        rotation_mode="anchor",
        zorder=order,
        parse_math=False,
    )


def _rect(axes, rect: Rect, order: int, points: float) -> None:
    style = {"facecolor": rect.fill, "edgecolor": rect.outline, "linewidth": points, "zorder": order}
    if rect.round:
        round_ = f"round,pad=0,rounding_size={rect.round}"
        axes.add_patch(FancyBboxPatch((rect.x, rect.y), rect.width, rect.height, boxstyle=round_, **style))
    else:
        axes.add_patch(Rectangle((rect.x, rect.y), rect.width, rect.height, **style))


_DRAW = {Lines: _lines, Label: _label, Rect: _rect}
