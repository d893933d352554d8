"""Two drawings, coloured by what their parts add to the score or take from it."""

from __future__ import annotations

import numpy as np

from compare.explain import Contributions, Explanation
from compare.figure import Figure
from compare.matching_picture import matching_section
from compare.page import BLACK, BLUE, DARK, PALE, PAPER, VERMILION, Label, Lines, Page, Rect, clipped
from compare.panel import Layer, View, draw, frame_of

WIDTH, MARGIN, PAD, TEXT = 1600.0, 28.0, 10.0, 14.0
# from what only this drawing has to what makes both alike; the ends are the colours of a comparison
COLORS = (VERMILION, "#e58f4d", "#efc5a2", "#c3c7cb", "#a6cde6", "#559fcd", BLUE)
WIDTHS = (2.4, 1.8, 1.2, 0.8, 0.9, 1.1, 1.4)
NEUTRAL = len(COLORS) // 2
STEPS = (0.08, 0.25, 0.6)  # shares of the strongest contribution, from colour to colour
BAR = 210.0

Strongest = tuple[float, float]  # what any entity adds, and by what any differs


def explanation_page(found: Explanation, left: Figure, right: Figure) -> Page:
    """Both drawings in colours, what these mean, and what each entity type does as a whole."""
    page = Page(WIDTH, 0.0, f"{left.name} and {right.name}: why")
    y = MARGIN + 20.0
    ems = (WIDTH - 2 * MARGIN) / 22.0
    page.things.append(
        Label(MARGIN, y, clipped(f"Why are they alike?  {left.name}  ·  {right.name}", ems), 22.0, bold=True)
    )
    y += 24.0
    said = f"{found.encoder} {found.method} similarity {found.score:.4f}"
    page.things.append(Label(MARGIN, y, said, 15.0, DARK))
    sides = found.left, found.right
    strongest = (
        max(float(side.entities.max(initial=0.0)) for side in sides),
        max(float(side.differs.max(initial=0.0)) for side in sides),
    )
    y = _panels(page, found, left, right, y + 18.0, strongest)
    _key(page, y + TEXT, strongest)
    y = max(y + 150.0, _classes(page, found, y + TEXT)) + MARGIN
    if found.matching:
        y = matching_section(page, found.matching, left, right, y, MARGIN, WIDTH) + MARGIN
    page.height = y
    return page


def _panels(page: Page, found: Explanation, left: Figure, right: Figure, top: float, strongest: Strongest) -> float:
    width = (WIDTH - 3 * MARGIN) / 2
    frames = [frame_of(figure.boxes) for figure in (left, right)]
    tallest = max(frame.height / max(frame.width, 1e-9) for frame in frames)
    height = float(np.clip(width * tallest, 300.0, 0.85 * width))
    for number, (figure, side, name) in enumerate(((left, found.left, "Left"), (right, found.right, "Right"))):
        x = MARGIN + number * (width + MARGIN)
        page.things.append(Label(x, top + TEXT, clipped(f"{name}: {figure.name}", width / TEXT), TEXT, bold=True))
        box = (x, top + TEXT + 8.0, width, height)
        page.things.append(Rect(*box, fill=PAPER, outline=PALE))
        inner = (box[0] + PAD, box[1] + PAD, box[2] - 2 * PAD, box[3] - 2 * PAD)
        things, total, left_out = draw(_layers(figure, side, strongest), View.fitting(frames[number], *inner), box)
        page.things += things
        if left_out:
            note = f"{left_out:,} of {total:,} strokes not shown"
            page.things.append(Label(box[0] + box[2] - 6.0, box[1] + box[3] - 6.0, note, 11.0, DARK, "end"))
    return top + TEXT + 8.0 + height + MARGIN


def _layers(figure: Figure, side: Contributions, strongest: Strongest) -> list[Layer]:
    """The strokes of each colour, the strongest on top."""
    level = levels(side, strongest)[figure.owner]
    order = sorted(range(len(COLORS)), key=lambda i: (abs(i - NEUTRAL), -i))
    return [Layer(figure, figure.strokes, level == i, COLORS[i], WIDTHS[i]) for i in order]


def levels(side: Contributions, strongest: Strongest) -> np.ndarray:
    """Which of ``COLORS`` each entity has, ``[N]`` int64: by what it adds to the score or, if it matters more to its
    own drawing alone than to both, by that."""
    adds, differs = (
        np.searchsorted(STEPS, values / (most or 1.0), side="right")
        for values, most in zip((side.entities, side.differs), strongest, strict=True)
    )
    apart = side.differs > np.maximum(side.entities, 0.0)
    return NEUTRAL + np.where(apart, -differs, adds).astype(np.int64)


def _key(page: Page, y: float, strongest: Strongest) -> None:
    page.things.append(Label(MARGIN, y, "What an entity does to the score", TEXT, BLACK, bold=True))
    adds, differs = ([f"{step * most:.1g}" for step in STEPS] for most in strongest)
    names = [
        *(f"is of this drawing only, by {step} or more" for step in reversed(differs)),
        "next to nothing",
        *(f"makes them alike, by {step} or more" for step in adds),
    ]
    for row, (name, color) in enumerate(zip(names, COLORS, strict=True)):
        line = y + 24.0 + 19.0 * row
        page.things.append(Lines(np.array([[MARGIN, line - 4.0, MARGIN + 30.0, line - 4.0]]), color, 3.5))
        page.things.append(Label(MARGIN + 40.0, line, name, 12.5))


def _classes(page: Page, found: Explanation, y: float) -> float:
    """A bar for every entity type and drawing; the y below."""
    sides = (found.left, found.right)
    names = sorted(
        {*found.left.classes, *found.right.classes},
        key=lambda name: -max(abs(side.classes.get(name, 0.0)) for side in sides),
    )
    longest = max((abs(value) for side in sides for value in side.classes.values()), default=0.0) or 1.0
    x = MARGIN + 330.0
    page.things.append(Label(x, y, "What all entities of a type do together", TEXT, BLACK, bold=True))
    middles = (x + 110.0 + BAR, x + 110.0 + 3 * BAR + 130.0)
    for middle, name in zip(middles, ("in the left drawing", "in the right drawing"), strict=True):
        page.things.append(Label(middle, y + 24.0, name, 12.5, DARK, "middle"))
    y += 44.0
    for name in names:
        page.things.append(Label(x, y, name, 12.5))
        for middle, side in zip(middles, sides, strict=True):
            value = side.classes.get(name)
            if value is None:
                continue
            size = abs(value) / longest * (BAR - 60.0)
            start = middle - size if value < 0 else middle
            page.things.append(Rect(start, y - 10.0, max(size, 0.5), 12.0, VERMILION if value < 0 else BLUE))
            at, anchor = (start - 5.0, "end") if value < 0 else (start + size + 5.0, "start")
            page.things.append(Label(at, y, f"{value:+.3g}", 11.0, DARK, anchor))
        y += 19.0
    return y
