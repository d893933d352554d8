"""GF's node matching as a part of a page: a table of classes with classes, between the drawings in its colours."""

from __future__ import annotations

import numpy as np

from compare.figure import Figure
from compare.node_matching import NodeMatching
from compare.page import BLACK, BLUE, DARK, PALE, PAPER, VERMILION, Label, Lines, Page, Rect, clipped, mixed
from compare.panel import Layer, View, draw, frame_of
from dataset.entities import DEEPDXF_TYPES, GF_CLASSES

CELL = 40.0, 26.0
NAMES = 96.0  # pixels of a row's name
TEXT = 12.5
SHADES = 8  # of the table, beside white: a PNG has few colours
# how a class is matched: as by itself, less and less, not at all
COLORS = (BLUE, "#559fcd", "#e58f4d", VERMILION)
WORDS = ("matched as by itself", "a little less", "much less, of those that both have", "not at all: only here")
GREY = "#c3c7cb"  # of types that GF does not read
STEPS = (0.1, 0.5)  # shares of what the worst matched class lacks, of those that both have
ALIKE = 5e-4  # what the table shows as 1.000


def matching_section(
    page: Page, found: NodeMatching, left: Figure, right: Figure, top: float, margin: float, width: float
) -> float:
    """Draw it below ``top``; the y below it."""
    y = top + 16.0
    title = "GF's node matching: how much each entity class of one drawing is like each of the other"
    page.things.append(Label(margin, y, title, 14.0, BLACK, bold=True))
    table = NAMES + 10 * CELL[0] + 76.0
    side = (width - table - 4 * margin) / 2
    middle = 2 * margin + side
    bottom = _table(page, found, middle, y + 92.0)
    height = bottom - y - 30.0
    for figure, own, x, name in (
        (left, found.left, margin, "Left"),
        (right, found.right, middle + table + margin, "Right"),
    ):
        page.things.append(Label(x, y + 24.0, clipped(f"{name}: {figure.name}", side / TEXT), TEXT, DARK))
        box = (x, y + 32.0, side, height)
        page.things.append(Rect(*box, fill=PAPER, outline=PALE))
        view = View.fitting(frame_of(figure.boxes), x + 8.0, y + 40.0, side - 16.0, height - 16.0)
        level = levels(found, own)[figure.types][figure.owner]
        layers = [Layer(figure, figure.strokes, level == i, color, 1.0) for i, color in enumerate((GREY, *COLORS), -1)]
        page.things += draw(layers, view, box)[0]
    return _key(page, margin, bottom + 26.0, width)


def levels(found: NodeMatching, own: np.ndarray) -> np.ndarray:
    """Which of ``COLORS`` the entities of each type have, ``[len(DEEPDXF_TYPES)]`` int64; -1 for those GF does not
    read.

    Args:
        own: bool ``[10]``, the classes of the drawing.
    """
    lacks = 1.0 - found.matched
    both = found.left & found.right
    worst = float(lacks[both].max(initial=0.0))
    level = np.zeros(len(GF_CLASSES), np.int64)
    if worst > ALIKE:
        level = np.where(lacks > ALIKE, np.searchsorted(STEPS, lacks / worst, side="right"), 0)
    level[own & ~both] = len(COLORS) - 1
    return np.concatenate([level, np.full(len(DEEPDXF_TYPES) - len(GF_CLASSES), -1)])


def _table(page: Page, found: NodeMatching, x: float, y: float) -> float:
    """Rows are the left drawing's classes, columns the right one's; the y below."""
    wide, high = CELL
    page.things.append(Label(x, y - 8.0, "left ↓   right →", 11.0, DARK))
    values = found.weights[np.ix_(found.left, found.right)]
    low = min(float(values.min(initial=1.0)), 0.999)
    for j, name in enumerate(GF_CLASSES):
        color = BLACK if found.right[j] else DARK
        page.things.append(Label(x + NAMES + (j + 0.4) * wide, y - 6.0, name, 11.0, color, angle=45.0))
    page.things.append(Label(x + NAMES + 10 * wide + 8.0, y - 6.0, "adds to cosine", 11.0, DARK, angle=45.0))
    for i, name in enumerate(GF_CLASSES):
        line = y + i * high
        page.things.append(Label(x + NAMES - 8.0, line + 17.0, name, 11.0, BLACK if found.left[i] else DARK, "end"))
        for j in range(len(GF_CLASSES)):
            there = bool(found.left[i] and found.right[j])
            share = (found.weights[i, j] - low) / (1.0 - low) if there else 0.0
            fill = mixed(PAPER, BLUE, round(SHADES * share) / SHADES) if there else PALE
            page.things.append(Rect(x + NAMES + j * wide, line, wide - 2.0, high - 2.0, fill))
            if there:
                ink = PAPER if share > 0.55 else BLACK
                shown = f"{found.weights[i, j]:.3f}".removeprefix("0")
                at = x + NAMES + (j + 0.5) * wide - 1.0
                page.things.append(Label(at, line + 16.0, shown, 10.5, ink, "middle", bold=i == j))
        if found.left[i] or found.right[i]:
            page.things.append(
                Label(x + NAMES + 10 * wide + 50.0, line + 16.0, f"{found.adds[i]:.3f}", 10.5, DARK, "end")
            )
    return y + len(GF_CLASSES) * high


def _key(page: Page, x: float, y: float, width: float) -> float:
    step = (width - 2 * x) / len(COLORS)
    for i, (color, words) in enumerate(zip(COLORS, WORDS, strict=True)):
        at = x + i * step
        page.things.append(Lines(np.array([[at, y - 4.0, at + 30.0, y - 4.0]]), color, 3.5))
        page.things.append(Label(at + 40.0, y, words, TEXT))
    return y + 8.0
