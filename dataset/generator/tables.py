"""Tables: ruled lines and words."""

from dataset.generator.canvas import View, rectangle
from dataset.generator.items import text_width
from dataset.generator.placement import Point


def draw_table(view: View, top_left: Point, rows: list[tuple[str, ...]], height: float | None = None) -> None:
    """Rows of text, the first of them the head. Drawn as a person does: rulings first, then row by row."""
    size = height or view.style.text_height * 0.9
    row_height = size * 2.2 * view.u
    widths = [max(text_width(row[i], size) + 2.5 for row in rows) * view.u for i in range(len(rows[0]))]
    x0, y0 = top_left
    width, bottom = sum(widths), y0 - row_height * len(rows)
    view.poly(rectangle((x0 + width / 2, (y0 + bottom) / 2), width, y0 - bottom), role="frame")
    for i in range(1, len(rows)):
        view.line((x0, y0 - i * row_height), (x0 + width, y0 - i * row_height), role="thin")
    x = x0
    for column in widths[:-1]:
        x += column
        view.line((x, y0), (x, bottom), role="thin")
    for i, row in enumerate(rows):
        x, y = x0, y0 - (i + 0.5) * row_height
        for column, word in zip(widths, row, strict=True):
            if word:
                view.text((x + column / 2, y), word, size, "MIDDLE_CENTER", feature="cell")
            x += column
