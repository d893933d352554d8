"""Border and title block: the part of a sheet that says whose drawing it is. All lengths are paper millimetres."""

from collections.abc import Sequence
from dataclasses import dataclass

from dataset.generator.canvas import Pen, View, rectangle
from dataset.generator.items import text_width
from dataset.generator.placement import Box, Placement
from dataset.generator.style import Style
from dataset.generator.tables import draw_table

LABELS = {
    "en": ("TITLE", "DWG NO.", "REV", "MATERIAL", "SCALE", "DATE", "DRAWN", "CHECKED", "APPROVED", "SHEET", "UNIT"),
    "zh": ("名称", "图号", "版本", "材料", "比例", "日期", "设计", "审核", "批准", "张次", "单位"),
}
KEYS = ("title", "number", "rev", "material", "scale", "date", "drawn", "checked", "approved", "sheet", "unit")
EXTRAS = {
    "tolerances": [
        ("RANGE", "TOL", "ANGLE"),
        ("0-6", "%%p0.05", "%%p1%%d"),
        ("6-30", "%%p0.10", "%%p30'"),
        ("30-120", "%%p0.15", "%%p20'"),
        ("120-400", "%%p0.20", "%%p10'"),
        ("400-1000", "%%p0.30", "%%p5'"),
    ],
    "revisions": [
        ("REV", "DESCRIPTION", "DATE"),
        ("0", "FIRST ISSUE", "2012-03"),
        ("1.0", "ECN 1184", "2013-08"),
        ("1.1", "ECN 1402", "2013-11"),
        ("1.2", "ECN 1733", "2014-02"),
    ],
}
LEFT, RIGHT_OR_TOP = 20.0, 8.0  # margins of the border: the left one is for the binder


@dataclass(frozen=True)
class Cell:
    """A field of the title block, from the block's lower left corner."""

    x: float
    y: float
    width: float
    height: float
    key: str


def title_cells(kind: str, paper_width: float, paper_height: float) -> list[Cell]:
    inner = paper_width - LEFT - RIGHT_OR_TOP
    if kind == "grid":
        unit = min(180.0, inner) / 180.0
        rows = [
            [(60, "drawn"), (60, "checked"), (60, "approved")],
            [(40, "material"), (40, "scale"), (40, "sheet"), (30, "unit"), (30, "date")],
            [(110, "number"), (40, "rev"), (30, "")],
            [(120, "title"), (60, "company")],
        ]
        return stacked(rows, 9.0, unit)
    if kind == "compact":
        rows = [
            [(40, "drawn"), (30, "date"), (30, "scale")],
            [(75, "number"), (25, "rev")],
            [(100, "title")],
            [(60, "company"), (40, "material")],
        ]
        return stacked(rows, 7.5, 1.0)
    if kind == "strip":
        shares = [("company", 5), ("title", 6), ("number", 5), ("rev", 1.5), ("material", 4), ("scale", 2), ("date", 3)]
        shares += [("drawn", 2.5), ("checked", 2.5)]
        unit = inner / sum(share for _, share in shares)
        return stacked([[(share * unit, key) for key, share in shares]], 14.0, 1.0)
    keys = ["drawn", "checked", "approved", "date", "unit", "scale", "material", "rev", "number", "title", "company"]
    return stacked([[(52.0, key)] for key in keys], 9.0, 1.0)


def stacked(rows: Sequence[Sequence[tuple[float, str]]], height: float, unit: float) -> list[Cell]:
    cells = []
    for level, row in enumerate(rows):
        x = 0.0
        for width, key in row:
            cells.append(Cell(x, level * height, width * unit, height, key))
            x += width * unit
    return cells


def draw_frame(pen: Pen, values: dict[str, str]) -> tuple[View, Box]:
    """Border and title block, and the free area that is left for the views."""
    style = pen.style
    width, height = style.paper
    cells = title_cells(style.title, width, height)
    title_width = max(c.x + c.width for c in cells)
    title_height = max(c.y + c.height for c in cells)
    left = width - RIGHT_OR_TOP - title_width
    frame = pen.paper_view("frame")

    def unchanging(view: View) -> None:
        draw_border(view, style)
        draw_cells(view, cells, left, RIGHT_OR_TOP, style)

    if style.frame_block:
        name = pen.block(f"FRAME_{width:.0f}X{height:.0f}", unchanging, zoom=frame.zoom)
        frame.insert(name, (0.0, 0.0), feature="frame")
    else:
        unchanging(frame)
    for cell in cells:
        fill_cell(frame, cell, left, RIGHT_OR_TOP, values.get(cell.key, ""))
    x0, y0, x1, y1 = LEFT, RIGHT_OR_TOP, width - RIGHT_OR_TOP, height - RIGHT_OR_TOP
    if style.title == "column":
        draw_extras(frame, style, (left, y0 + title_height, x1, y1))
        return frame, (x0, y0, left, y1)
    y0 += title_height
    if style.title == "strip":
        y1 -= draw_extras(frame, style, (x0 + (x1 - x0) / 2, y0, x1, y1))
    else:
        draw_extras(frame, style, (x0, RIGHT_OR_TOP, left, y0))
    return frame, (x0, y0, x1, y1)


def draw_extras(view: View, style: Style, room: Box) -> float:
    """Small tables in the upper left corner of a room and beside or below each other, those that fit.

    Returns the height that they take.
    """
    x, y, lowest = room[0], room[3], room[3]
    for name in {"none": (), "both": ("tolerances", "revisions")}.get(style.extra, (style.extra,)):
        table = view.pen.paper_view("frame")
        draw_table(table, (0.0, 0.0), EXTRAS[name], 1.6)
        x0, y0, x1, y1 = table.box()
        if x + x1 - x0 > room[2]:  # no room beside the last one: below it
            x, y = room[0], lowest
        if x + x1 - x0 > room[2] or y - (y1 - y0) < room[1]:
            continue
        for item in table.items:
            view.add(item.moved(Placement(shift=(x - x0, y - y1))))
        x, lowest = x + x1 - x0, min(lowest, y - (y1 - y0))
    return room[3] - lowest


def draw_border(view: View, style: Style) -> None:
    width, height = style.paper
    x0, y0, x1, y1 = LEFT, RIGHT_OR_TOP, width - RIGHT_OR_TOP, height - RIGHT_OR_TOP
    middle = ((x0 + x1) / 2, (y0 + y1) / 2)
    view.poly(rectangle(middle, x1 - x0, y1 - y0), role="frame")
    if style.border != "single":
        view.poly(rectangle((width / 2, height / 2), width, height), role="thin")
    if style.border == "zones":
        draw_zones(view, (x0, y0, x1, y1))
    if style.border == "corners":
        draw_cut_marks(view, width, height)


def draw_zones(view: View, inner: Box) -> None:
    """Letters and numbers along the border, as ISO 5457 has them."""
    x0, y0, x1, y1 = inner
    across, up = 6, 4
    for i in range(across):
        step = (x1 - x0) / across
        for base, away in ((y0, -1), (y1, 1)):
            if i:
                view.line((x0 + i * step, base), (x0 + i * step, base + 4 * away), role="frame")
            view.text((x0 + (i + 0.5) * step, base + 3 * away), str(i + 1), 2.2, "MIDDLE_CENTER", role="frame")
    for j in range(up):
        step = (y1 - y0) / up
        for base, away in ((x0, -1), (x1, 1)):
            if j:
                view.line((base, y0 + j * step), (base + 4 * away, y0 + j * step), role="frame")
            view.text((base + 3 * away, y0 + (j + 0.5) * step), "DCBA"[j], 2.2, "MIDDLE_CENTER", role="frame")


def draw_cut_marks(view: View, width: float, height: float) -> None:
    """Black triangles in the corners of the sheet, where it is cut."""
    for x, y, dx, dy in ((0, 0, 1, 1), (width, 0, -1, 1), (width, height, -1, -1), (0, height, 1, -1)):
        view.solid(((x, y), (x + 6 * dx, y), (x, y + 6 * dy)), role="frame")


def draw_cells(view: View, cells: Sequence[Cell], left: float, bottom: float, style: Style) -> None:
    width, height = max(c.x + c.width for c in cells), max(c.y + c.height for c in cells)
    view.poly(rectangle((left + width / 2, bottom + height / 2), width, height), role="frame")
    labels = dict(zip(KEYS, LABELS[style.language], strict=True))
    for cell in cells:
        x, y = left + cell.x, bottom + cell.y
        if cell.x:
            view.line((x, y), (x, y + cell.height), role="thin")
        if cell.y:
            view.line((x, y), (x + cell.width, y), role="thin")
        if cell.key in labels:
            view.text((x + 0.8, y + cell.height - 2.4), labels[cell.key], 1.6, role="frame")


def fill_cell(view: View, cell: Cell, left: float, bottom: float, value: str) -> None:
    """The value, shrunk until it fits its field."""
    if not value:
        return
    height = 5.0 if cell.key in ("title", "company", "number") else 3.0
    height = min(height, cell.height * 0.4, (cell.width - 2.0) / text_width(value, 1.0))
    at = (left + cell.x + cell.width / 2, bottom + cell.y + (cell.height - 2.0) / 2)
    view.text(at, value, height, "MIDDLE_CENTER", role="text", feature=f"title_{cell.key}")
