"""The edits of a designer: from one sheet to its next revision.

Each edit takes a sheet and a random generator and returns the edited sheet, or None where the sheet has nothing to
edit in this way. It records itself, and where it was made, in `sheet.edits`.
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from dataset.generator.canvas import drawn_leader, lines_and_arcs
from dataset.generator.items import Circle, Dim, Insert, Item, Leader, Line, MText, Poly, Text
from dataset.generator.placement import Box, Placement, center_of, grown, union
from dataset.generator.sheet import Edit, Sheet, wrapped
from dataset.generator.style import SCHEMES

INCH = 25.4
EditFunction = Callable[[Sheet, Random], Sheet | None]


def revise(sheet: Sheet, rng: Random) -> Sheet:
    """One to three edits. What concerns a place comes first, what concerns the whole sheet last."""
    wanted = rng.choices((1, 2, 3), (3, 4, 3))[0]
    names = sample_weighted(rng, {name: weight for name, (_, weight) in EDITS.items()})
    chosen: list[str] = []
    result = sheet
    for name in names:
        if EDITS[name][0](sheet, Random(0)) is not None:
            chosen.append(name)
        if len(chosen) == wanted:
            break
    for name in sorted(chosen, key=list(EDITS).index):
        edited = EDITS[name][0](result, rng)
        result = result if edited is None else edited
    return result


def sample_weighted(rng: Random, weights: dict[str, float]) -> list[str]:
    """All names in random order, the heavier ones earlier (Efraimidis and Spirakis, 2006)."""
    return sorted(weights, key=lambda name: rng.random() ** (1.0 / weights[name]), reverse=True)


def recorded(sheet: Sheet, name: str, detail: str, places=(), before=(), **changes) -> Sheet:
    edit = Edit(name, detail, summed(places), summed(before))
    return replace(sheet, edits=[*sheet.edits, edit], **changes)


def summed(boxes, most: int = 16) -> list[Box]:
    """Many places are given as the one box around them."""
    boxes = list(boxes)
    return boxes if len(boxes) <= most else [union(boxes)]


def indexes(sheet: Sheet, wanted) -> list[int]:
    return [i for i, item in enumerate(sheet.items) if wanted(item)]


def swapped(items: list[Item], changes: dict[int, list[Item]]) -> list[Item]:
    """The items with some of them replaced, at their place in the drawing order."""
    return [new for i, item in enumerate(items) for new in changes.get(i, [item])]


# -- dimensions ------------------------------------------------------------------------------------------------------


def move_dimensions(sheet: Sheet, rng: Random) -> Sheet | None:
    """Dimension lines drawn further out."""
    found = indexes(sheet, lambda item: isinstance(item, Dim) and item.kind == "linear")
    if not found:
        return None
    changes, before, places = {}, [], []
    for i in sorted(rng.sample(found, min(len(found), rng.randint(1, 3)))):
        dim = sheet.items[i]
        (x0, y0), (x1, y1), (x, y) = dim.points
        step = rng.choice((4.0, 5.0, 7.0)) * sheet.unit
        if dim.angle % 180.0 == 0.0:
            y += step if y >= max(y0, y1) else -step
        else:
            x += step if x >= max(x0, x1) else -step
        moved = replace(dim, points=(*dim.points[:2], (x, y)))
        changes[i] = [moved]
        before.append(dim.box())
        places.append(moved.box())
    items = swapped(sheet.items, changes)
    return recorded(sheet, "move_dimensions", f"{len(changes)} moved", places, before, items=items)


def add_dimensions(sheet: Sheet, rng: Random) -> Sheet | None:
    """New distances between holes, pads or corners of a view, drawn last."""
    views = {}
    for item in sheet.items:
        point = anchor(item)
        if point is not None and item.role == "outline" and item.view not in ("", "frame", "notes", "table"):
            views.setdefault(item.view, []).append(point)
    views = {name: sorted(set(points)) for name, points in views.items() if len(set(points)) > 1}
    if not views:
        return None
    name = rng.choice(sorted(views))
    box = union(item.box() for item in sheet.items if item.view == name)
    model = next((item for item in sheet.items if isinstance(item, Dim) and item.view == name), None)
    height = model.height if model else sheet.style.text_height * sheet.unit
    added = []
    for k in range(rng.randint(1, 3)):
        p, q = rng.sample(views[name], 2)
        gap = (4.0 + 6.0 * k) * sheet.unit
        flat = abs(q[0] - p[0]) >= abs(q[1] - p[1])
        base = ((p[0] + q[0]) / 2, box[1] - gap) if flat else (box[2] + gap, (p[1] + q[1]) / 2)
        factor = model.factor if model else 1.0
        added.append(
            Dim(
                kind="linear", points=(p, q, base), height=height, angle=0.0 if flat else 90.0, factor=factor, view=name
            )
        )
    places = [dim.box() for dim in added]
    return recorded(sheet, "add_dimensions", f"{len(added)} added", places, items=[*sheet.items, *added])


def anchor(item: Item):
    """The point of an item that a dimension would hold on to."""
    if isinstance(item, Circle):
        return item.center
    if isinstance(item, Insert):
        return item.at
    if isinstance(item, Line):
        return item.start
    if isinstance(item, Poly):
        return item.vertices[0][:2]
    return None


def remove_dimensions(sheet: Sheet, rng: Random) -> Sheet | None:
    found = indexes(sheet, lambda item: isinstance(item, Dim))
    if len(found) < 3:
        return None
    gone = sorted(rng.sample(found, rng.randint(1, 2)))
    boxes = [sheet.items[i].box() for i in gone]
    items = swapped(sheet.items, {i: [] for i in gone})
    return recorded(sheet, "remove_dimensions", f"{len(gone)} removed", boxes, boxes, items=items)


def change_dimension_text(sheet: Sheet, rng: Random) -> Sheet | None:
    """A tolerance written behind the number."""
    found = indexes(sheet, lambda item: isinstance(item, Dim) and item.kind != "angular")
    if not found:
        return None
    changes, boxes = {}, []
    for i in sorted(rng.sample(found, min(len(found), rng.randint(1, 3)))):
        dim = sheet.items[i]
        texts = [t for t in ("<>%%p0.05", "<> REF", "(<>)", "<>%%p0.02", "<> MAX") if t != dim.text]
        changes[i] = [replace(dim, text=rng.choice(texts))]
        boxes.append(dim.box())
    items = swapped(sheet.items, changes)
    return recorded(sheet, "change_dimension_text", f"{len(changes)} changed", boxes, boxes, items=items)


# -- words -----------------------------------------------------------------------------------------------------------

SAYINGS = (
    "REV. PER ECN 2207",
    "SUPPLIER TO CONFIRM",
    "CHECK WITH TOOLING BEFORE RELEASE",
    "CRITICAL DIMENSION, Cpk > 1.33",
    "MODIFIED, SEE REVISION HISTORY",
    "FOR QUOTATION ONLY",
    "SAMPLE REQUIRED",
)


def free_spot(sheet: Sheet, rng: Random, width: float, height: float, near=None) -> tuple[float, float]:
    """Lower left corner of a free area of the given size (drawing units); the least crowded of the tries."""
    paper = (sheet.style.paper[0] * sheet.unit, sheet.style.paper[1] * sheet.unit)
    boxes = [item.box() for item in sheet.items if item.box()[2] - item.box()[0] < 0.9 * paper[0]]
    best, least = (0.1 * paper[0], 0.1 * paper[1]), None
    for _ in range(60):
        spread = 45.0 * sheet.unit
        if near is None:
            x, y = (rng.uniform(0.1 * paper[i], max(0.11 * paper[i], 0.92 * paper[i] - size)) for i, size in
                    enumerate((width, height)))  # fmt: skip
        else:
            x, y = near[0] + rng.uniform(-spread, spread), near[1] + rng.uniform(-spread, spread)
            if not (0.1 * paper[0] < x < 0.94 * paper[0] - width and 0.1 * paper[1] < y < 0.94 * paper[1] - height):
                continue
        spot = grown((x, y, x + width, y + height), sheet.unit)
        hits = sum(spot[0] < b[2] and b[0] < spot[2] and spot[1] < b[3] and b[1] < spot[3] for b in boxes)
        if least is None or hits < least:
            best, least = (x, y), hits
        if hits == 0:
            break
    return best


def add_note(sheet: Sheet, rng: Random) -> Sheet | None:
    height = sheet.style.text_height * sheet.unit * rng.choice((1.0, 1.3))
    lines = tuple(rng.sample(SAYINGS, rng.randint(1, 2)))
    probe = MText(at=(0.0, 0.0), lines=lines, height=height)
    x0, y0, x1, y1 = probe.box()
    x, y = free_spot(sheet, rng, x1 - x0, y1 - y0)
    top = y + (y1 - y0)
    if sheet.style.notes_as == "mtext":
        added: list[Item] = [MText(at=(x, top), lines=lines, height=height, feature="note", view="added")]
    else:
        added = [
            Text(at=(x, top - height * (1 + 1.667 * i)), text=line, height=height, feature="note", view="added")
            for i, line in enumerate(lines)
        ]
    place = union(item.box() for item in added)
    return recorded(sheet, "add_note", " / ".join(lines), [place], items=[*sheet.items, *added])


def add_callout(sheet: Sheet, rng: Random) -> Sheet | None:
    """An arrow to a hole or pad, with words."""
    targets = [item for item in sheet.items if item.feature in ("hole", "pad", "slot", "port", "mark", "unit")]
    if not targets:
        return None
    target = rng.choice(targets)
    tip = center_of(target.box())
    text, height = rng.choice(SAYINGS), sheet.style.text_height * sheet.unit
    probe = Text(at=(0.0, 0.0), text=text, height=height).box()
    x, y = free_spot(sheet, rng, probe[2], probe[3], near=tip)
    shelf = (x - 1.0 * sheet.unit, y + height / 2)
    elbow = (shelf[0] - 4 * sheet.unit, shelf[1])
    arrow = 2.5 * sheet.unit
    leader = Leader(through=(tip, elbow, shelf), arrow=arrow, view="added")
    added: list[Item] = (
        [leader] if sheet.style.leader_as == "leader" else drawn_leader(leader.through, arrow, view="added")
    )
    added.append(Text(at=(x, y), text=text, height=height, feature="callout", view="added"))
    place = union(item.box() for item in added)
    return recorded(sheet, "add_callout", text, [place], items=[*sheet.items, *added])


def edit_note(sheet: Sheet, rng: Random) -> Sheet | None:
    """One line of the notes says something else."""
    found = indexes(sheet, lambda item: item.feature == "note" and item.view == "notes")
    if sheet.style.notes_as == "text":
        found = found[1:]  # the first line is the heading
    if not found:
        return None
    i, words = rng.choice(found), rng.choice(SAYINGS)
    old = sheet.items[i]
    if isinstance(old, MText):
        line = rng.randrange(1, len(old.lines))
        lines = list(old.lines)
        lines[line] = f"{line}. {words}"
        new: Item = replace(old, lines=tuple(lines))
    else:
        new = replace(old, text=f"{old.text.split('.')[0]}. {words}")
    items = swapped(sheet.items, {i: [new]})
    return recorded(sheet, "edit_note", words, [new.box()], [old.box()], items=items)


def move_note(sheet: Sheet, rng: Random) -> Sheet | None:
    return moved_group(sheet, rng, "move_note", lambda item: item.feature == "note" and item.view == "notes")


def revise_title_block(sheet: Sheet, rng: Random) -> Sheet | None:
    """The next revision letter, another day."""
    changes, boxes = {}, []
    for i, item in enumerate(sheet.items):
        if item.feature == "title_rev":
            changes[i] = [replace(item, text=item.text + rng.choice("abc"))]
        elif item.feature == "title_date":
            changes[i] = [replace(item, text=f"{item.text[:4]}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}")]
        if i in changes:
            boxes.append(item.box())
    if not changes:
        return None
    items = swapped(sheet.items, changes)
    return recorded(sheet, "revise_title_block", "revision and date", boxes, boxes, items=items)


# -- geometry --------------------------------------------------------------------------------------------------------


def change_holes(sheet: Sheet, rng: Random) -> Sheet | None:
    """A hole pattern (or a row of pads) that is larger, thinned out or shifted in part."""
    views: dict[str, list[int]] = {}
    for i, item in enumerate(sheet.items):
        if item.feature in ("hole", "pad", "unit", "port") and isinstance(item, Circle | Insert | Poly):
            views.setdefault(item.view, []).append(i)
    views = {name: found for name, found in views.items() if len(found) >= 3}
    if not views:
        return None
    found = views[rng.choice(sorted(views))]
    way = rng.choice(("larger", "fewer", "shifted"))
    if way == "larger":
        chosen, scale, shift = found, rng.choice((1.15, 1.25, 1.4)), (0.0, 0.0)
    else:
        start, step = rng.randrange(2), rng.choice((2, 3))
        chosen, scale = found[start::step], 1.0
        size = max(sheet.items[chosen[0]].box()[2] - sheet.items[chosen[0]].box()[0], sheet.unit)
        shift = (0.35 * size, 0.25 * size)
    changes: dict[int, list[Item]] = {}
    before, places = [], []
    for i in chosen:
        item = sheet.items[i]
        box = item.box()
        middle = item.at if isinstance(item, Insert) else center_of(box)
        about = Placement(scale=scale, shift=(middle[0] * (1 - scale) + shift[0], middle[1] * (1 - scale) + shift[1]))
        for j in (i, *companions(sheet, i)):
            changes[j] = [] if way == "fewer" else [sheet.items[j].moved(about)]
        before.append(box)
        places.append(box if way == "fewer" else changes[i][0].box())
    items = swapped(sheet.items, changes)
    return recorded(sheet, "change_holes", f"{way}: {len(chosen)}", places, before, items=items)


def companions(sheet: Sheet, hole: int) -> list[int]:
    """What was drawn right after a hole or pad and sits in its middle: center mark, filling."""
    middle, found = center_of(sheet.items[hole].box()), []
    for i in range(hole + 1, min(hole + 3, len(sheet.items))):
        item = sheet.items[i]
        if item.role not in ("center", "hatch") and item.feature != "mark":
            break
        x, y = center_of(item.box())
        if abs(x - middle[0]) + abs(y - middle[1]) < 0.5 * sheet.unit:
            found.append(i)
    return found


def move_view(sheet: Sheet, rng: Random) -> Sheet | None:
    names = sorted({item.view for item in sheet.items} - {"", "frame", "added", "notes"})
    if not names:
        return None
    name = rng.choice(names)
    return moved_group(sheet, rng, "move_view", lambda item: item.view == name)


def moved_group(sheet: Sheet, rng: Random, edit: str, wanted) -> Sheet | None:
    """Shift a group of items a little, staying on the sheet."""
    found = indexes(sheet, wanted)
    if not found:
        return None
    old = union(sheet.items[i].box() for i in found)
    limit = (sheet.style.paper[0] * sheet.unit, sheet.style.paper[1] * sheet.unit)
    dx, dy = (rng.choice((-9.0, -6.0, 6.0, 9.0)) * sheet.unit for _ in range(2))
    dx = -dx if not 0 < old[0] + dx < old[2] + dx < limit[0] else dx
    dy = -dy if not 0 < old[1] + dy < old[3] + dy < limit[1] else dy
    to = Placement(shift=(dx, dy))
    items = swapped(sheet.items, {i: [sheet.items[i].moved(to)] for i in found})
    detail = f"{sheet.items[found[0]].view} by {dx:g}, {dy:g}"
    return recorded(sheet, edit, detail, [to.box(old)], [old], items=items)


# -- another spelling of the same sheet ------------------------------------------------------------------------------


def explode_block(sheet: Sheet, rng: Random) -> Sheet | None:
    """All INSERTs of one block replaced by what they show."""
    names = {item.block for item in sheet.items if isinstance(item, Insert)}
    names -= {item.block for item in sheet.items if isinstance(item, Insert) and abs(item.sx) != abs(item.sy)}
    if not names:
        return None
    name = rng.choice(sorted(names))
    changes, boxes = {}, []
    for i in indexes(sheet, lambda item: isinstance(item, Insert) and item.block == name):
        insert = sheet.items[i]
        to = placement_of(insert)
        changes[i] = [replace(item.moved(to), view=insert.view, feature=item.feature or insert.feature)
                      for item in sheet.blocks[name]]  # fmt: skip
        boxes.append(insert.box())
    items = swapped(sheet.items, changes)
    return recorded(sheet, "explode_block", f"{name}: {len(changes)}", boxes, boxes, items=items)


def placement_of(insert: Insert) -> Placement:
    """Where an evenly scaled INSERT puts its block; a negative y scale is a mirror and half a turn."""
    mirror = (insert.sx < 0) != (insert.sy < 0)
    turn = 180.0 if insert.sy < 0 else 0.0
    return Placement(scale=abs(insert.sx), angle=insert.angle + turn, mirror=mirror, shift=insert.at)


def explode_polylines(sheet: Sheet, rng: Random) -> Sheet | None:
    """The polylines of the sheet become lines and arcs."""
    found = indexes(sheet, lambda item: isinstance(item, Poly) and item.role != "frame")
    if not found:
        return None
    items = swapped(sheet.items, {i: lines_and_arcs(sheet.items[i]) for i in found})
    boxes = [sheet.items[i].box() for i in found]
    return recorded(sheet, "explode_polylines", f"{len(found)} exploded", boxes, boxes, items=items)


def layer_scheme(sheet: Sheet, rng: Random) -> Sheet | None:
    scheme = rng.choice([scheme for scheme in SCHEMES if scheme != sheet.scheme])
    return recorded(sheet, "layer_scheme", f"{sheet.scheme.name} -> {scheme.name}", scheme=scheme)


def draw_order(sheet: Sheet, rng: Random) -> Sheet | None:
    """The same things drawn in another order, as after a copy from one file into another."""
    way = rng.choice(("annotations first", "views backwards", "backwards"))
    items = list(sheet.items)
    if way == "annotations first":
        items.sort(key=lambda item: item.role not in ("dim", "text"))
    elif way == "views backwards":
        views = list(dict.fromkeys(item.view for item in items))[::-1]
        items.sort(key=lambda item: views.index(item.view))
    else:
        items.reverse()
    return recorded(sheet, "draw_order", way, items=items)


def rotate_90(sheet: Sheet, rng: Random) -> Sheet | None:
    """The whole sheet a quarter turn, its lower left corner where it was."""
    width, height = (side * sheet.unit for side in sheet.style.paper)
    if rng.random() < 0.5:
        turned = sheet.moved(Placement(angle=90.0, shift=(height, 0.0)))
        return recorded(turned, "rotate_90", "counter-clockwise")
    turned = sheet.moved(Placement(angle=270.0, shift=(0.0, width)))
    return recorded(turned, "rotate_90", "clockwise")


def units_to_inch(sheet: Sheet, rng: Random) -> Sheet | None:
    """Geometry and header in inches, and the dimensions say inches."""
    if sheet.inch:
        return None
    scaled = sheet.moved(Placement(scale=1.0 / INCH))
    items = [
        replace(item, factor=item.factor / INCH)
        if isinstance(item, Dim)
        else replace(item, text="inch")
        if item.feature == "title_unit"
        else item
        for item in scaled.items
    ]
    return recorded(scaled, "units_to_inch", "1/25.4", items=items, inch=True)


def wrap_sheet(sheet: Sheet, rng: Random) -> Sheet | None:
    """Everything in one block."""
    if sheet.style.wrapped:
        return None
    return recorded(wrapped(sheet), "wrap_sheet", "one INSERT")


# In the order in which they are applied; the number is how often an edit is made, relative to the others.
EDITS: dict[str, tuple[EditFunction, float]] = {
    "change_holes": (change_holes, 3.0),
    "move_dimensions": (move_dimensions, 3.0),
    "add_dimensions": (add_dimensions, 3.0),
    "remove_dimensions": (remove_dimensions, 1.5),
    "change_dimension_text": (change_dimension_text, 2.0),
    "edit_note": (edit_note, 1.5),
    "move_note": (move_note, 1.0),
    "add_note": (add_note, 2.5),
    "add_callout": (add_callout, 1.5),
    "revise_title_block": (revise_title_block, 2.0),
    "move_view": (move_view, 1.5),
    "explode_block": (explode_block, 2.0),
    "explode_polylines": (explode_polylines, 1.0),
    "layer_scheme": (layer_scheme, 2.0),
    "draw_order": (draw_order, 2.0),
    "rotate_90": (rotate_90, 1.5),
    "units_to_inch": (units_to_inch, 1.5),
    "wrap_sheet": (wrap_sheet, 0.5),
}
