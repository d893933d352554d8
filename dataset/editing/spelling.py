"""The same sheet written differently, as by another program: what a person sees stays (nearly) what it was."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from ezdxf.entities import DXFGraphic, Insert
from ezdxf.math import Vec2

from dataset.editing.draft import Change, Draft
from dataset.reading import DAMAGE, in_drawing_order

MAX_OPENED = 20_000  # entities that opening all blocks may leave on the sheet
JOINED_AT = 1e-6  # of a drawing unit: how near two ends have to be to be one point
PICTURES = ("DIMENSION", "LEADER", "MULTILEADER")


def open_blocks(draft: Draft, rng: Random) -> Change | None:
    """Every INSERT replaced by what it shows, those that come out of it as well."""
    before = len(draft.entities("INSERT"))
    for _ in range(8):  # deeper nesting stays
        inserts = draft.entities("INSERT")
        if not inserts or len(draft.space) > MAX_OPENED:
            break
        for insert in inserts:
            open_one(insert)
    opened = before - len(draft.entities("INSERT"))
    return Change(f"{opened} of {before}") if opened > 0 else None


def open_one(insert: Insert) -> None:
    if insert.block() is None or insert.mcount > 1:
        return
    try:
        insert.explode()
    except DAMAGE:
        return


def open_dimensions(draft: Draft, rng: Random) -> Change | None:
    """Dimensions and leaders become the lines, arrows and words that draw them."""
    found = draft.entities(*PICTURES)
    for entity in found:
        try:
            entity.explode()
        except DAMAGE:
            continue
    return Change(f"{len(found)} entities") if found else None


def split_polylines(draft: Draft, rng: Random) -> Change | None:
    """Polylines become lines and arcs."""
    found = draft.entities("LWPOLYLINE", "POLYLINE")
    for entity in found:
        if entity.dxftype() == "LWPOLYLINE" or entity.is_2d_polyline:
            entity.explode()
    return Change(f"{len(found)} polylines") if found else None


def join_lines(draft: Draft, rng: Random) -> Change | None:
    """Lines of a layer that follow each other end to start become polylines."""
    chains = [chain for chain in chained(draft.entities("LINE")) if len(chain) > 1]
    for chain in chains:
        points = [Vec2(chain[0].dxf.start), *(Vec2(line.dxf.end) for line in chain)]
        closed = points[0].isclose(points[-1], abs_tol=JOINED_AT)
        attributes = {name: chain[0].dxf.get(name) for name in ("layer", "color", "linetype") if chain[0].dxf.get(name)}
        draft.space.add_lwpolyline(points[:-1] if closed else points, close=closed, dxfattribs=attributes)
        draft.remove(chain)
    return Change(f"{sum(map(len, chains))} lines into {len(chains)} polylines") if chains else None


def chained(lines: Iterable[DXFGraphic]) -> list[list[DXFGraphic]]:
    """Lines cut into runs: each starts on the same layer where the one before it in drawing order ended."""
    chains: list[list[DXFGraphic]] = []
    for line in in_drawing_order(lines):
        last = chains[-1][-1] if chains else None
        follows = last is not None and last.dxf.layer == line.dxf.layer
        if follows and Vec2(last.dxf.end).isclose(Vec2(line.dxf.start), abs_tol=JOINED_AT):
            chains[-1].append(line)
        else:
            chains.append([line])
    return chains


def circles_as_polylines(draft: Draft, rng: Random) -> Change | None:
    """Circles become closed polylines of two half circles, as programs write them that know only polylines."""
    circles = draft.entities("CIRCLE")
    for circle in circles:
        (x, y, _), r = circle.ocs().to_wcs(circle.dxf.center), circle.dxf.radius
        points = [(x - r, y, 1.0), (x + r, y, 1.0)]
        draft.space.add_lwpolyline(points, format="xyb", close=True, dxfattribs={"layer": circle.dxf.layer})
    draft.remove(circles)
    return Change(f"{len(circles)} circles") if circles else None


def open_mtexts(draft: Draft, rng: Random) -> Change | None:
    """Paragraphs become single lines of text."""
    found = draft.entities("MTEXT")
    for mtext in found:
        size, at = mtext.dxf.char_height, Vec2(mtext.dxf.insert)
        across = Vec2.from_deg_angle(mtext.get_rotation() - 90.0)
        for i, line in enumerate(mtext.plain_text(split=True)):
            attributes = {"layer": mtext.dxf.layer, "rotation": mtext.get_rotation()}
            text = draft.space.add_text(line, height=size, dxfattribs=attributes)
            text.set_placement(at + across * (size * (1 + 1.667 * i)))
    draft.remove(found)
    return Change(f"{len(found)} paragraphs") if found else None


def drop_hatches(draft: Draft, rng: Random) -> Change | None:
    found = draft.entities("HATCH")
    if not found or len(found) == len(draft.space):
        return None
    draft.remove(found)
    return Change(f"{len(found)} hatches")


def one_layer(draft: Draft, rng: Random) -> Change | None:
    found = [entity for entity in draft.space if entity.dxf.layer != "0"]
    for entity in found:
        entity.dxf.layer = "0"
    return Change(f"{len(found)} entities") if found else None


def other_font(draft: Draft, rng: Random) -> Change | None:
    """Another font: words become wider or narrower."""
    found = draft.entities("TEXT")
    width = rng.choice((0.7, 0.8, 1.2))
    for text in found:
        text.dxf.width = width * text.dxf.get("width", 1.0)
    for style in draft.document.styles:
        style.dxf.font = rng.choice(("txt.shx", "isocp.shx", "times.ttf"))
    return Change(f"{len(found)} texts {width} times as wide") if found else None


def redraw(draft: Draft, rng: Random) -> Change | None:
    """New handles, in another order: by type, by layer, from the last to the first, or from left to right."""
    way = rng.choice(("types", "layers", "backwards", "left to right"))
    entities = in_drawing_order(draft.space)
    if way == "types":
        kinds = sorted({entity.dxftype() for entity in entities})
        rng.shuffle(kinds)
        entities.sort(key=lambda entity: kinds.index(entity.dxftype()))
    elif way == "layers":
        entities.sort(key=lambda entity: entity.dxf.layer)
    elif way == "backwards":
        entities.reverse()
    else:
        left = {id(entity): box[0] for entity, box in draft.boxes()}
        entities.sort(key=lambda entity: left.get(id(entity), 0.0))
    give_new_handles(draft, entities)
    return Change(way)


def give_new_handles(draft: Draft, entities: list[DXFGraphic]) -> None:
    """Handles above all that are in use, ascending; the file lists the entities in this order as well."""
    database = draft.document.entitydb
    for entity in entities:
        if entity.dxftype() == "HATCH":
            entity.remove_association()  # it names its boundary by handle
        database.reset_handle(entity, database.next_handle())
    draft.space.entity_space.entities = list(entities)
