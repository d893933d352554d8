"""Edits of what is written on a sheet: words, dimensions, the title block."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ezdxf.entities import DXFGraphic

from dataset.editing.draft import Change, Draft, inside, sheet_box
from dataset.editing.features import only_boxes
from dataset.generator.items import text_width

WORDS = (
    "REVISED", "SEE NOTE", "PER CUSTOMER DRAWING", "MAX", "MIN", "TYP", "REF", "BEFORE PLATING", "AFTER BENDING",
    "CHECKED", "ALTERNATE SUPPLIER", "REPLACES", "DATUM", "BASIC", "未注公差", "去毛刺", "参考", "更改", "R0.2", "4X",
    "ISO 2768-m", "ECN 3081", "DO NOT SCALE", "THIRD ANGLE", "Cu", "SURFACE", "LOT", "QTY 2",
)  # fmt: skip
NUMBERS = "0123456789"
ANNOTATIONS = ("TEXT", "MTEXT", "DIMENSION", "LEADER", "MULTILEADER", "TOLERANCE")
TITLE_SHARE = (0.5, 0.28)  # of the sheet's width and height: the lower right corner that a title block takes at most


def replace_texts(draft: Draft, rng: Random) -> Change | None:
    """Most words say something else, of about the same length."""
    found = draft.boxes(draft.entities("TEXT", "MTEXT"))
    chosen = [pair for pair in found if rng.random() < 0.8]
    if not chosen:
        return None
    for entity, _ in chosen:
        old = said(entity)
        say(entity, numbers_like(old, rng) if any(c.isdigit() for c in old) else words(rng, len(old)))
    return Change(f"{len(chosen)} of {len(found)}", only_boxes(chosen), only_boxes(chosen))


def change_dimensions(draft: Draft, rng: Random) -> Change | None:
    """Dimensions that say another number, in their picture as well."""
    found = draft.boxes(draft.entities("DIMENSION"))
    chosen = [pair for pair in found if rng.random() < 0.5]
    if not chosen:
        return None
    for entity, _ in chosen:
        number = numbers_like("10.00", rng)
        entity.dxf.text = number
        for part in picture(entity):
            if part.dxftype() in ("TEXT", "MTEXT"):
                say(part, number)
    return Change(f"{len(chosen)} of {len(found)}", only_boxes(chosen), only_boxes(chosen))


def remove_annotations(draft: Draft, rng: Random) -> Change | None:
    """One or two of the ways to say something (dimensions, words, leaders) taken off the sheet, wholly or nearly."""
    kinds = sorted({entity.dxftype() for entity in draft.entities(*ANNOTATIONS)})
    if not kinds:
        return None
    kinds = rng.sample(kinds, min(len(kinds), rng.randint(1, 2)))
    share = rng.choice((0.7, 1.0))
    gone = draft.boxes(entity for entity in draft.entities(*kinds) if rng.random() < share)
    if not gone or len(gone) == len(draft.space):
        return None
    draft.remove(entity for entity, _ in gone)
    return Change(f"{len(gone)} {', '.join(kinds)}", only_boxes(gone), only_boxes(gone))


def add_notes(draft: Draft, rng: Random) -> Change | None:
    """A list of five to forty lines of words beside what is drawn, one TEXT a line."""
    sheet = sheet_box(draft.boxes())
    height = 0.008 * max(sheet[2] - sheet[0], sheet[3] - sheet[1])
    x = sheet[0] + rng.uniform(0.05, 0.7) * (sheet[2] - sheet[0])
    y = sheet[1] + rng.uniform(0.4, 0.9) * (sheet[3] - sheet[1])
    added = [
        draft.space.add_text(f"{i + 1}. {words(rng, 24)}", height=height).set_placement((x, y - 1.7 * i * height))
        for i in range(rng.randint(5, 40))
    ]
    return Change(f"{len(added)} lines", only_boxes(draft.boxes(added)))


def replace_title_block(draft: Draft, rng: Random) -> Change | None:
    """What stands in the lower right corner goes, and a title block of another office comes there."""
    boxes = draft.boxes()
    sheet = sheet_box(boxes)
    width, height = (TITLE_SHARE[i] * (sheet[i + 2] - sheet[i]) for i in (0, 1))
    corner = (sheet[2] - width, sheet[1], sheet[2], sheet[1] + height)
    gone = [(entity, box) for entity, box in boxes if inside(corner, box) and box != sheet]
    if len(gone) == len(boxes):
        return None
    draft.remove(entity for entity, _ in gone)
    rows, columns = rng.randint(2, 8), rng.randint(1, 4)
    added = list(title_block(draft, corner, rows, columns, rng))
    return Change(f"{len(gone)} out, {len(added)} in", only_boxes(draft.boxes(added)), only_boxes(gone))


def put_on_template(draft: Draft, rng: Random) -> Change | None:
    """The whole drawing on the larger sheet of another office, not in its middle, with a title block below it."""
    sheet = sheet_box(draft.boxes())
    width, height = (sheet[i + 2] - sheet[i] for i in (0, 1))
    grown = rng.uniform(1.2, 1.6)
    x0, y0 = sheet[0] - rng.uniform(0.0, grown - 1.0) * width, sheet[1] - 0.8 * (grown - 1.0) * height
    x1, y1 = x0 + grown * width, y0 + grown * height
    added = [draft.space.add_lwpolyline([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], close=True)]
    corner = (x1 - 0.5 * width, y0, x1, y0 + 0.8 * (grown - 1.0) * height)
    added += title_block(draft, corner, rng.randint(1, 4), rng.randint(1, 4), rng)
    return Change(f"{grown:.2f} times as large", only_boxes(draft.boxes(added)))


def title_block(draft: Draft, corner, rows: int, columns: int, rng: Random) -> Iterator[DXFGraphic]:
    x0, y0, x1, y1 = corner
    x0, y1 = x1 - 0.8 * (x1 - x0), y0 + 0.7 * (y1 - y0)
    step_x, step_y = (x1 - x0) / columns, (y1 - y0) / rows
    for j in range(rows + 1):
        yield draft.space.add_line((x0, y0 + j * step_y), (x1, y0 + j * step_y))
    for i in range(columns + 1):
        yield draft.space.add_line((x0 + i * step_x, y0), (x0 + i * step_x, y1))
    for j in range(rows):
        for i in range(columns):
            at = (x0 + (i + 0.1) * step_x, y0 + (j + 0.3) * step_y)
            line = words(rng, 10)
            height = min(0.35 * step_y, 0.85 * step_x / text_width(line, 1.0))
            yield draft.space.add_text(line, height=height).set_placement(at)


def picture(dimension: DXFGraphic) -> list[DXFGraphic]:
    """The entities that draw a dimension."""
    return list(dimension.get_geometry_block() or ())


def said(entity: DXFGraphic) -> str:
    return entity.text if entity.dxftype() == "MTEXT" else entity.dxf.text


def say(entity: DXFGraphic, words: str) -> None:
    if entity.dxftype() == "MTEXT":
        entity.text = words
    else:
        entity.dxf.text = words


def words(rng: Random, length: int) -> str:
    """Words of about so many characters together."""
    found = rng.choice(WORDS)
    while len(found) < length - 4 and len(found) < 60:
        found += " " + rng.choice(WORDS)
    return found


def numbers_like(text: str, rng: Random) -> str:
    """The text with other digits in it."""
    return "".join(rng.choice(NUMBERS) if character.isdigit() else character for character in text)
