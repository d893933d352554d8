"""Two drawings on one page: side by side at one scale, laid on each other, and what changed in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from compare.alignment import LEAST
from compare.changes import Change, Comparison
from compare.page import BLACK, BLUE, DARK, GREY, PALE, PAPER, VERMILION, Label, Lines, Page, Rect, clipped, wrapped
from compare.panel import Layer, View, draw, frame_of, largest_scale
from compare.svg import write_svg
from config.errors import UserError

WIDTH, MARGIN = 1600.0, 28.0
LIST_WIDTH = 430.0
LOWEST, HIGHEST = 300.0, 760.0  # pixels, of a panel
PAD = 10.0
TEXT = 14.0
TAG = 9.0  # radius of a change's number
LEGEND = (("common", "in common", GREY), ("only_left", "only left", VERMILION), ("only_right", "only right", BLUE))


def write_picture(page: Page, path: Path) -> None:
    """Write a page as the file's name says: ``.svg`` or ``.png``.

    Raises:
        UserError: another ending, or the file cannot be written.
    """
    ending = path.suffix.lower()
    try:
        if ending == ".svg":
            write_svg(page, path)
        elif ending == ".png":
            from compare.png import write_png  # matplotlib takes half a second to start

            write_png(page, path)
        else:
            raise UserError(f"{path}: pictures are .svg or .png")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error


def comparison_page(found: Comparison, score: str = "") -> Page:
    """The whole page: both drawings, the overlay, the legend with counts, the list of changes.

    Args:
        score: a line on how alike the drawings are, if that is known.
    """
    page = Page(WIDTH, 0.0, f"{found.left.name} and {found.right.name}")
    top = _heading(page, found, score)
    top = _side_by_side(page, found, top)
    bottom = _overlay_and_list(page, found, top)
    page.height = bottom + MARGIN
    return page


def overlay_page(found: Comparison, width: float = 800.0, tags: bool = True) -> Page:
    """Only the overlay with its legend, for a page of results.

    Args:
        tags: number the changes as they stand in ``found.changes``.
    """
    page = Page(width, 0.0, f"{found.left.name} and {found.right.name}")
    height = _overlay(page, found, 0.0, 0.0, width, tags)
    _legend(page, found, PAD, height + 1.4 * TEXT, in_line=True)
    page.height = height + 2.4 * TEXT
    return page


def _heading(page: Page, found: Comparison, score: str) -> float:
    y = MARGIN + 20.0
    ems = (WIDTH - 2 * MARGIN) / 22.0
    page.things.append(Label(MARGIN, y, clipped(f"{found.left.name}  →  {found.right.name}", ems), 22.0, bold=True))
    for line in (_summary(found), *wrapped(score, (WIDTH - 2 * MARGIN) / 15.0)):
        y += 24.0
        page.things.append(Label(MARGIN, y, line, 15.0, DARK))
    return y + 18.0


def _summary(found: Comparison) -> str:
    """One sentence: same or not, how many changes, how the right one lies."""
    lies = found.alignment.words()
    how = f"; to lie on the left one the right one is {lies}" if lies else ""
    if found.is_same:
        return f"Both show the same{how}."
    if found.alignment.score < LEAST:
        return "The drawings have next to nothing in common; they are laid middle on middle."
    count = len(found.changes)
    return f"{count} change{'s' if count > 1 else ''} from left to right{how}."


def _side_by_side(page: Page, found: Comparison, top: float) -> float:
    """Both drawings as they were drawn, at one scale."""
    width = (WIDTH - 3 * MARGIN) / 2
    frames = [frame_of(found.left.boxes), frame_of(found.right.boxes)]
    own = (1.0, found.alignment.scale or 1.0)  # of a unit, in units of the left drawing
    sizes = [(frame.width * unit, frame.height * unit) for frame, unit in zip(frames, own, strict=True)]
    tallest = max(size[1] / max(size[0], 1e-9) for size in sizes)
    height = float(np.clip(width * tallest, LOWEST, 0.62 * width))
    inner = width - 2 * PAD, height - 2 * PAD
    scale = min(largest_scale(frame, *inner) / unit for frame, unit in zip(frames, own, strict=True))
    for number, (figure, common, color, title) in enumerate(
        (
            (found.left, found.ink_left, VERMILION, "Left"),
            (found.right, found.ink_right, BLUE, "Right"),
        )
    ):
        x = MARGIN + number * (width + MARGIN)
        name = clipped(f"{title}: {figure.name}", width / TEXT)
        page.things.append(Label(x, top + TEXT, name, TEXT, color, bold=True))
        box = (x, top + TEXT + 8.0, width, height)
        page.things.append(Rect(*box, fill=PAPER, outline=PALE))
        view = View.fitting(frames[number], *_inner(box), scale * own[number])
        layers = [
            Layer(figure, figure.strokes, common, DARK, 0.8),
            Layer(figure, figure.strokes, ~common, color, 1.5),
        ]
        things, total, left_out = draw(layers, view, box)
        page.things += things
        _capped(page, box, total, left_out)
    return top + TEXT + 8.0 + height + MARGIN


def _overlay_and_list(page: Page, found: Comparison, top: float) -> float:
    width = WIDTH - 3 * MARGIN - LIST_WIDTH
    title = "Right on left" + (f" ({found.alignment.words()})" if found.alignment.words() else "")
    page.things.append(Label(MARGIN, top + TEXT, clipped(title, width / TEXT), TEXT, bold=True))
    start = top + TEXT + 8.0
    bottom = start + _overlay(page, found, MARGIN, start, width, True)
    x = 2 * MARGIN + width
    y = _legend(page, found, x, start + TEXT, in_line=False)
    y = _list(page, found, x, y + 14.0, max(bottom, start + 420.0))
    return max(bottom, y)


def _overlay(page: Page, found: Comparison, x: float, y: float, width: float, tags: bool) -> float:
    """Draw the overlay into a box of this width; its height."""
    right = found.alignment(found.right.strokes)
    boxes = _placed_boxes(found)
    frame = frame_of(found.left.boxes, boxes)
    inner = width - 2 * PAD
    height = float(np.clip(inner * frame.height / max(frame.width, 1e-9), 0.35 * width, min(HIGHEST, 0.75 * width)))
    box = (x, y, width, height + 2 * PAD)
    page.things.append(Rect(*box, fill=PAPER, outline=PALE))
    view = View.fitting(frame, *_inner(box))
    layers = [
        Layer(found.left, found.left.strokes, found.ink_left, GREY, 0.8),
        Layer(found.left, found.left.strokes, ~found.ink_left, VERMILION, 1.5),
        Layer(found.right, right, ~found.ink_right, BLUE, 1.5),
    ]
    things, total, left_out = draw(layers, view, box)
    page.things += things
    if tags:
        _tags(page, found, view, box)
    _capped(page, box, total, left_out)
    return height + 2 * PAD


def _placed_boxes(found: Comparison) -> np.ndarray:
    """The right drawing's boxes where they lie on the left one ``[M, 4]``."""
    corners = found.right.boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]]
    placed = found.alignment(corners).reshape(-1, 4, 2)
    return np.concatenate([placed.min(axis=1), placed.max(axis=1)], axis=1)


def _tags(page: Page, found: Comparison, view: View, box: tuple[float, float, float, float]) -> None:
    """The number of each change beside it, where there is room for it."""
    taken: list[tuple[float, float]] = []
    step = 2 * TAG + 2
    for number, change in enumerate(found.changes, start=1):
        x0, y0, x1, y1 = _pixels(change, found, view)
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        spots = [(x1 + TAG, y0 - TAG), (x0 - TAG, y0 - TAG), (x1 + TAG, y1 + TAG), (x0 - TAG, y1 + TAG),
                 (x1 + step, y), (x0 - step, y), (x, y0 - step), (x, y1 + step), (x, y)]  # fmt: skip
        for x, y in spots:
            x = min(max(x, box[0] + TAG + 2), box[0] + box[2] - TAG - 2)
            y = min(max(y, box[1] + TAG + 2), box[1] + box[3] - TAG - 2)
            if all(max(abs(x - a), abs(y - b)) >= step for a, b in taken):
                taken.append((x, y))
                page.things.append(Rect(x - TAG, y - TAG, 2 * TAG, 2 * TAG, PAPER, BLACK, TAG - 0.01))
                size = 11.0 if number < 100 else 9.0
                page.things.append(Label(x, y + 0.36 * size, str(number), size, BLACK, "middle"))
                break


def _pixels(change: Change, found: Comparison, view: View) -> tuple[float, float, float, float]:
    """The box of a change on the overlay; of what has moved, where it is now."""
    if change.box_right is not None:
        x0, y0, x1, y1 = change.box_right
        points = found.alignment(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]))
    else:
        x0, y0, x1, y1 = change.box_left or (0.0, 0.0, 0.0, 0.0)
        points = np.array([[x0, y0], [x1, y1]])
    pixels = view(points)
    return (*pixels.min(axis=0).tolist(), *pixels.max(axis=0).tolist())


def _legend(page: Page, found: Comparison, x: float, y: float, in_line: bool) -> float:
    """The three colours with their counts; the y below."""
    counts = found.counts()
    for key, name, color in LEGEND:
        width = 2.0 if key == "common" else 3.0
        page.things.append(Lines(np.array([[x, y - 4.5, x + 26.0, y - 4.5]]), color, width))
        text = f"{name}: {counts[key]:,}" if in_line else f"{name}: {counts[key]:,} entities"
        page.things.append(Label(x + 34.0, y, text, TEXT, BLACK))
        if in_line:
            x += 34.0 + 0.58 * TEXT * len(text) + 24.0
        else:
            y += 22.0
    return y


def _list(page: Page, found: Comparison, x: float, y: float, bottom: float) -> float:
    """The changes by number, as many as there is room for."""
    if found.is_same:
        return y
    page.things.append(Label(x, y, "Changes from left to right", TEXT, BLACK, bold=True))
    y += 22.0
    size = 12.5
    ems = (LIST_WIDTH - 30.0) / size
    for number, change in enumerate(found.changes, start=1):
        lines = wrapped(change.words(), ems)[:3]
        left = len(found.changes) - number
        if y + 16.0 * (len(lines) + (1 if left else 0)) > bottom:
            page.things.append(Label(x, y, f"… and {left + 1} more", size, DARK))
            return y + 16.0
        page.things.append(Label(x + 20.0, y, f"{number}", size, BLACK, "end", bold=True))
        for line in lines:
            page.things.append(Label(x + 30.0, y, line, size, BLACK))
            y += 16.0
        y += 3.0
    return y


def _inner(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    x, y, width, height = box
    return x + PAD, y + PAD, width - 2 * PAD, height - 2 * PAD


def _capped(page: Page, box: tuple[float, float, float, float], total: int, left_out: int) -> None:
    """Say that not everything is shown."""
    if left_out:
        text = f"{left_out:,} of {total:,} strokes not shown"
        page.things.append(Label(box[0] + box[2] - 6.0, box[1] + box[3] - 6.0, text, 11.0, DARK, "end"))
