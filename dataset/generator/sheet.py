"""A sheet: views arranged inside a border, at the largest scale that fits."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from dataset.generator.canvas import Pen, View, ratio
from dataset.generator.frames import draw_frame
from dataset.generator.items import Insert, Item
from dataset.generator.placement import Box, Placement, center_of, union
from dataset.generator.style import LayerScheme, Style

SCALES = (100, 80, 50, 40, 30, 25, 20, 15, 12, 10, 8, 6, 5, 4, 3, 2.5, 2, 1.5, 1)
SCALES = (*SCALES, *(1 / n for n in (1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 15, 20, 25, 50, 100, 200, 500)))
LEGIBLE = 0.22  # of the shorter side of the paper: the least that the largest view of the part has to take
GAP = 6.0  # paper mm between two views

Rows = Sequence[Sequence[View | None]]  # a grid: views of a column share their middle, views of a row as well


@dataclass
class Sheet:
    """A finished drawing. `unit` is one paper millimetre in drawing units, `inch` the unit of the file.

    `placed` leads from the coordinates of the sheet as first drawn to those of this one.
    """

    items: list[Item]
    blocks: dict[str, list[Item]]
    style: Style
    scheme: LayerScheme
    unit: float = 1.0
    inch: bool = False
    edits: list["Edit"] = field(default_factory=list)
    placed: Placement = field(default_factory=Placement)

    def moved(self, to: Placement) -> "Sheet":
        """The same sheet elsewhere, turned or scaled; what its dimensions say does not change."""
        return replace(
            self,
            items=[item.moved(to) for item in self.items],
            unit=self.unit * to.scale,
            placed=to.after(self.placed),
            edits=[replace(edit, places=[to.box(box) for box in edit.places]) for edit in self.edits],
        )


@dataclass(frozen=True)
class Edit:
    """What a designer changed. `places` are boxes in the revision's coordinates, `before` in the original's.

    An edit of the whole sheet (units, layers, ...) has no place; a thing added has no `before`, a thing removed
    still has a place: where it is missing.
    """

    name: str
    detail: str
    places: list[Box] = field(default_factory=list)
    before: list[Box] = field(default_factory=list)


def compose(style: Style, draw_views: Callable[[Pen], Rows], values: dict[str, str]) -> Sheet:
    """Put the views on one sheet at the largest scale at which they fit beside each other.

    Words, notes and tables do not shrink with the scale: where only a tiny picture of the part would be left beside
    them, the next larger paper is taken.
    """
    best: Sheet | None = None
    for growth in (1.0, 2**0.5, 2.0, 8**0.5):
        larger = replace(style, paper=(round(style.paper[0] * growth), round(style.paper[1] * growth)))
        found = largest(larger, draw_views, values)
        if found is None:
            continue
        best, share = found
        if share >= LEGIBLE:
            break
    if best is None:
        raise ValueError("the views do not fit on the sheet at any scale")
    return best


def largest(style: Style, draw_views: Callable[[Pen], Rows], values: dict[str, str]) -> tuple[Sheet, float] | None:
    """The sheet at the largest scale that fits, and the part's share of it; by bisection over the scales."""
    tried: dict[float, tuple[Sheet, float] | None] = {}

    def fits(scale: float) -> bool:
        tried[scale] = composed_at(float(scale), style, draw_views, values)
        return tried[scale] is not None

    first = bisect_left(SCALES, True, key=fits)  # what fits at one scale fits at the smaller ones
    return tried[SCALES[first]] if first < len(SCALES) else None


def composed_at(
    scale: float, style: Style, draw_views: Callable[[Pen], Rows], values: dict[str, str]
) -> tuple[Sheet, float] | None:
    """The sheet at one scale and the share of its width that the part takes, or None where it does not fit."""
    pen = Pen(style, scale)
    frame, free = draw_frame(pen, {**values, "scale": ratio(scale)})
    rows = [list(row) for row in draw_views(pen)]
    views = [view for row in rows for view in row if view is not None]
    if style.labels:
        for view in views:
            if view.title:
                view.caption()
    places = arrange(rows, free)
    if places is None:
        return None
    drawn = [item for view, at in places for item in view.placed(at)]
    frame_items = frame.placed((0.0, 0.0))
    items = frame_items + drawn if style.frame_first else drawn + frame_items
    sheet = Sheet(items, pen.blocks, style, style.scheme)
    share = max(part_size(view) for view in views) / min(style.paper)
    return (as_first_drawn(sheet.moved(Placement(scale=1.0 / scale))) if style.real_scale else sheet), share


def as_first_drawn(sheet: Sheet) -> Sheet:
    return replace(sheet, placed=Placement())


def part_size(view: View) -> float:
    """The larger side of what a view shows of the part, in paper millimetres."""
    boxes = [item.box() for item in view.items if item.role == "outline"]
    if not boxes:
        return 0.0
    x0, y0, x1, y1 = union(boxes)
    return max(x1 - x0, y1 - y0) / view.u


def arrange(rows: list[list[View | None]], free: Box) -> list[tuple[View, tuple[float, float]]] | None:
    """Origins of the views on paper, in reading order, or None when they do not fit."""
    count = max(len(row) for row in rows)
    rows = [row + [None] * (count - len(row)) for row in rows]
    boxes = {id(v): Placement(scale=1.0 / v.u).box(v.box()) for row in rows for v in row if v is not None}
    columns = list(zip(*rows, strict=True))
    left = [reach(column, boxes, 0, -1) for column in columns]
    right = [reach(column, boxes, 2, 1) for column in columns]
    below = [reach(row, boxes, 1, -1) for row in rows]
    above = [reach(row, boxes, 3, 1) for row in rows]
    spare_x = free[2] - free[0] - sum(left) - sum(right) - GAP * (count + 1)
    spare_y = free[3] - free[1] - sum(below) - sum(above) - GAP * (len(rows) + 1)
    if spare_x < 0 or spare_y < 0:
        return None
    pad_x, pad_y = GAP + spare_x / (count + 1), GAP + spare_y / (len(rows) + 1)
    places = []
    y = free[3]
    for j, row in enumerate(rows):
        y -= pad_y + above[j]
        x = free[0]
        for i, view in enumerate(row):
            x += pad_x + left[i]
            if view is not None:
                places.append((view, (x, y)))
            x += right[i]
        y -= below[j]
    return places


def reach(views, boxes: dict[int, Box], side: int, sign: int) -> float:
    """How far the views extend from their common axis to one side."""
    return max((sign * boxes[id(view)][side] for view in views if view is not None), default=0.0)


def centered(view: View) -> View:
    """Move a table or a note so that its middle is its origin."""
    x, y = center_of(view.box())
    view.items = [item.moved(Placement(shift=(-x, -y))) for item in view.items]
    return view


def wrapped(sheet: Sheet, name: str = "SHEET_ALL") -> Sheet:
    """The whole content in one block: what some exports, and some people, do to a drawing."""
    reach_of_all = union(item.box() for item in sheet.items)
    insert = Insert(block=name, at=(0.0, 0.0), reach=reach_of_all, view="sheet", feature="wrap")
    return replace(sheet, items=[insert], blocks={**sheet.blocks, name: list(sheet.items)})
