"""The contact sheet as one picture."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from evaluation.contact_sheet import Row, Shown

THUMB, GAP, CAPTION, LABEL = 128, 10, 16, 120
GREEN, GREY, BLACK = (23, 128, 61), (187, 187, 187), (26, 26, 26)


def png_picture(sheet: list[list[Row]]) -> Image.Image:
    """A row a query and method: its name, the query, its answers; right ones framed in green."""
    rows = [row for rows in sheet for row in rows]
    columns = max((len(row.answers) for row in rows), default=0) + 1
    height = THUMB + CAPTION + GAP
    canvas = Image.new("RGB", (LABEL + columns * (THUMB + GAP), max(1, len(rows)) * height + GAP), "white")
    pen = ImageDraw.Draw(canvas)
    for number, row in enumerate(rows):
        top = GAP + number * height
        pen.multiline_text((GAP, top + THUMB // 3), f"{row.method}\n{row.score}", BLACK, ImageFont.load_default(13))
        for column, drawing in enumerate((row.query, *row.answers)):
            _paste(canvas, pen, drawing, LABEL + column * (THUMB + GAP), top)
    return canvas


def _paste(canvas: Image.Image, pen: ImageDraw.ImageDraw, drawing: Shown, left: int, top: int) -> None:
    if drawing.picture is not None:
        canvas.paste(Image.fromarray(255 - drawing.picture).resize((THUMB, THUMB)), (left, top))
    color, width = {None: (BLACK, 1), True: (GREEN, 4), False: (GREY, 1)}[drawing.right]
    pen.rectangle((left, top, left + THUMB, top + THUMB), outline=color, width=width)
    name = drawing.name.rpartition("/")[2].encode("ascii", "replace").decode()  # the built-in font knows no others
    pen.text((left, top + THUMB + 1), name[:22], color if drawing.right else BLACK, ImageFont.load_default(10))
