"""A drawing as a small picture for a page of results: its strokes in the page's own text colour."""

from __future__ import annotations

import numpy as np

from compare.figure import Figure
from compare.page import Label, Page
from compare.panel import Layer, View, draw, frame_of, largest_scale

WIDTH, HEIGHT = 320.0, 240.0  # pixels at most
PAD = 4.0
INK = "currentColor"  # black on a light page, white on a dark one


def thumbnail_page(figure: Figure, width: float = WIDTH, height: float = HEIGHT) -> Page:
    """The whole drawing on a page without paper, as wide as it is allowed or as high, whichever fills first.

    Where not all strokes fit (:data:`compare.panel.MOST_STROKES`), the longest are shown, and the picture says so where
    it is large enough to be read.
    """
    frame = frame_of(figure.boxes)
    scale = largest_scale(frame, width - 2 * PAD, height - 2 * PAD)
    wide = float(np.clip(frame.width * scale + 2 * PAD, 0.2 * width, width))
    high = float(np.clip(frame.height * scale + 2 * PAD, 0.2 * height, height))
    page = Page(wide, high, figure.name, paper="none")
    box = (0.0, 0.0, wide, high)
    view = View.fitting(frame, *box, scale)
    layer = Layer(figure, figure.strokes, np.ones(len(figure.strokes), bool), INK, 0.6 if width < 2 * WIDTH else 0.9)
    things, total, left_out = draw([layer], view, box)
    page.things += things
    if left_out and width >= 2 * WIDTH:
        text = f"{left_out:,} of {total:,} strokes not shown"
        page.things.append(Label(wide - 6.0, high - 6.0, text, 11.0, INK, "end"))
    return page
