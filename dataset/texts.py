"""The words that a sheet shows, in drawing order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ezdxf.document import Drawing
from ezdxf.entities import DXFGraphic
from ezdxf.tools.text import fast_plain_mtext

from dataset.geometry import dimension_picture
from dataset.proxies import proxy_parts
from dataset.reading import DAMAGE, Sheet
from dataset.sight import Sight

MAX_CHARACTERS = 200_000  # of a sheet: a table may come as a block that holds one of 20 MB
DIMENSIONS = ("DIMENSION", "ARC_DIMENSION", "LARGE_RADIAL_DIMENSION")


def sheet_texts(sheet: Sheet) -> list[str]:
    """Every text of a sheet as a person reads it, without formatting codes: TEXT, MTEXT, attributes, multileaders, and
    what dimensions say. A text in a block counts once, however often the block is inserted."""
    texts, characters = [], 0
    for text in _texts(sheet.entities, sheet.document, sheet.sight, set()):
        texts.append(text[: MAX_CHARACTERS - characters])
        characters += len(texts[-1])
        if characters >= MAX_CHARACTERS:
            break
    return texts


def _texts(entities: Iterable[DXFGraphic], document: Drawing, sight: Sight, seen: set[str]) -> Iterator[str]:
    for entity in entities:
        try:
            found, inside = _own_text(entity), _inside(entity, document, seen)
        except DAMAGE:  # counted where the entity is measured
            continue
        yield from (text for text in (part.strip() for part in found) if text)
        yield from _texts(filter(sight.shows_in_block, inside), document, sight, seen)


def _own_text(entity: DXFGraphic) -> list[str]:
    match entity.dxftype():
        case "TEXT" | "ATTRIB":
            return [entity.plain_text()]
        case "MTEXT":
            return [fast_plain_mtext(entity.text)]
        case "MULTILEADER" | "MLEADER" if entity.context.mtext is not None:
            return [fast_plain_mtext(entity.context.mtext.default_content)]
        case "INSERT":
            return [attribute.plain_text() for attribute in entity.attribs if not attribute.is_invisible]
    return []


def _inside(entity: DXFGraphic, document: Drawing, seen: set[str]) -> Iterable[DXFGraphic]:
    """The entities that draw this one: of a block not met before, a dimension's picture, a proxy graphic."""
    if entity.dxftype() == "INSERT":
        name = entity.dxf.name.casefold()
        if name in seen:
            return ()
        seen.add(name)
        return document.blocks.get(entity.dxf.name) or ()
    if entity.dxftype() in DIMENSIONS:
        return list(dimension_picture(entity)[0])
    return proxy_parts(entity)
