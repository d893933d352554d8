"""Edits of the part: what repeats on it (holes, pads, units), and a region of the sheet with all that is in it."""

from __future__ import annotations

from collections import defaultdict
from random import Random

from ezdxf.entities import DXFGraphic, Insert
from ezdxf.math import Matrix44
from ezdxf.transform import inplace

from dataset.editing.draft import Change, Draft, about, inside, sheet_box, window
from dataset.generator.placement import Box, center_of

REPEATING = ("CIRCLE", "INSERT", "LWPOLYLINE", "POLYLINE", "SOLID", "HATCH")
LARGEST = 0.15  # of the sheet's larger side: what is larger is no hole, pad or unit

Found = list[tuple[DXFGraphic, Box]]


def resize_features(draft: Draft, rng: Random) -> Change | None:
    """All holes of one size (or pads, or units) larger or smaller, each where it is."""
    found = repeated(draft, rng)
    if not found:
        return None
    scale = rng.choice((0.6, 0.75, 1.3, 1.5))
    for entity, box in found:
        inplace([entity], about(center_of(box), scale))
    entities = [entity for entity, _ in found]
    return Change(f"{len(found)} times {scale}", only_boxes(draft.boxes(entities)), only_boxes(found))


def remove_features(draft: Draft, rng: Random) -> Change | None:
    """Every second or third hole of one size taken out, or all of them."""
    found = repeated(draft, rng)
    if not found:
        return None
    gone = found[:: rng.choice((1, 2, 3))]
    draft.remove(entity for entity, _ in gone)
    return Change(f"{len(gone)} of {len(found)}", only_boxes(gone), only_boxes(gone))


def add_features(draft: Draft, rng: Random) -> Change | None:
    """More holes of a size that is there: each gets a neighbour."""
    found = repeated(draft, rng)
    if not found:
        return None
    chosen = found[:: rng.choice((1, 2, 3))]
    x0, y0, x1, y1 = chosen[0][1]
    dx, dy = rng.choice(((1.4, 0.0), (0.0, 1.4), (1.2, 1.2), (-1.2, 1.2)))
    known = {id(entity) for entity in draft.space}
    draft.add_copies(
        (entity for entity, _ in chosen), Matrix44.translate(dx * max(x1 - x0, y1 - y0), dy * max(x1 - x0, y1 - y0), 0)
    )
    added = [entity for entity in draft.space if id(entity) not in known]
    return Change(f"{len(added)} more", only_boxes(draft.boxes(added))) if added else None


def move_region(draft: Draft, rng: Random) -> Change | None:
    """What lies wholly in a region of the sheet, somewhat elsewhere."""
    found, sheet = region(draft, rng)
    if not found:
        return None
    dx, dy = (rng.choice((-1, 1)) * rng.uniform(0.04, 0.12) * (sheet[i + 2] - sheet[i]) for i in (0, 1))
    return moved(draft, found, Matrix44.translate(dx, dy, 0), f"by {dx:.4g}, {dy:.4g}")


def resize_region(draft: Draft, rng: Random) -> Change | None:
    """What lies wholly in a region of the sheet, redrawn at another scale: a view that was too small."""
    found, _ = region(draft, rng)
    if not found:
        return None
    scale = rng.choice((0.6, 0.75, 1.25, 1.5))
    return moved(draft, found, about(center_of(sheet_box(found)), scale), f"times {scale}")


def mirror_region(draft: Draft, rng: Random) -> Change | None:
    """What lies wholly in a region of the sheet, left for right: the other hand of the part."""
    found, _ = region(draft, rng)
    if not found:
        return None
    x, _ = center_of(sheet_box(found))
    to = Matrix44.translate(-x, 0, 0) @ Matrix44.scale(-1, 1, 1) @ Matrix44.translate(x, 0, 0)
    return moved(draft, found, to, f"about x = {x:.4g}")


def remove_region(draft: Draft, rng: Random) -> Change | None:
    """A view (or whatever lies wholly in a region) taken off the sheet."""
    found, _ = region(draft, rng)
    if not found:
        return None
    draft.remove(entity for entity, _ in found)
    return Change(f"{len(found)} entities", only_boxes(found), only_boxes(found))


def cut_sheet(draft: Draft, rng: Random) -> Change | None:
    """Only a part of the sheet is kept: three quarters of its width and height, and what reaches out of that goes."""
    boxes = draft.boxes()
    if len(boxes) < 8:
        return None
    kept = window(sheet_box(boxes), 0.75, rng)
    gone = [(entity, box) for entity, box in boxes if not inside(kept, box)]
    if not gone or len(gone) > 0.6 * len(boxes):
        return None
    draft.remove(entity for entity, _ in gone)
    return Change(f"{len(gone)} entities left out", [kept], only_boxes(gone))


def moved(draft: Draft, found: Found, to: Matrix44, detail: str) -> Change:
    entities = [entity for entity, _ in found]
    inplace(entities, to)
    return Change(detail, only_boxes(draft.boxes(entities)), only_boxes(found))


def repeated(draft: Draft, rng: Random) -> Found:
    """One of the groups of like things: at least three of a type and a size, none large."""
    boxes = draft.boxes(draft.entities(*REPEATING))
    if not boxes:
        return []
    sheet = sheet_box(boxes)
    side = max(sheet[2] - sheet[0], sheet[3] - sheet[1])
    groups: dict[tuple, Found] = defaultdict(list)
    for entity, box in boxes:
        width, height = box[2] - box[0], box[3] - box[1]
        if 0.0 < max(width, height) <= LARGEST * side:
            sizes = sorted(round(1000 * length / side) for length in (width, height))
            block = entity.dxf.name if isinstance(entity, Insert) else ""
            groups[entity.dxftype(), block, *sizes].append((entity, box))
    large = [group for group in groups.values() if len(group) >= 3]
    return rng.choice(large) if large else []


def region(draft: Draft, rng: Random) -> tuple[Found, Box]:
    """What lies wholly in a region of the sheet, the fullest of a few tried ones; and the sheet."""
    boxes = draft.boxes()
    sheet = sheet_box(boxes)
    tries = [window(sheet, rng.uniform(0.3, 0.55), rng) for _ in range(5)]
    contents = [[(entity, box) for entity, box in boxes if inside(tried, box)] for tried in tries]
    fullest = max(contents, key=len)
    return (fullest if 3 <= len(fullest) <= 0.8 * len(boxes) else []), sheet


def only_boxes(found: Found) -> list[Box]:
    return [box for _, box in found]
