"""Entities of programs we do not know, by the picture that those programs left in the file for others to show."""

from __future__ import annotations

from itertools import islice

from ezdxf.entities import DXFGraphic
from ezdxf.proxygraphic import ProxyGraphic, ProxyGraphicError

MAX_PARTS = 10_000  # of one picture


def proxy_parts(entity: DXFGraphic) -> list[DXFGraphic]:
    """The lines, arcs and texts of an entity's proxy graphic; nothing if it has none.

    Every part names the entity as its source, so that it is counted as what it stands for.

    Raises:
        ValueError: the picture is damaged or has more than ``MAX_PARTS`` parts.
    """
    if not entity.proxy_graphic:
        return []
    picture = ProxyGraphic(entity.proxy_graphic, entity.doc)
    try:
        parts = list(islice(picture.virtual_entities(), MAX_PARTS + 1))
    except ProxyGraphicError as error:  # no DXFError
        raise ValueError(str(error)) from error
    if len(parts) > MAX_PARTS:
        raise ValueError(f"its proxy graphic has more than {MAX_PARTS} parts")
    for part in parts:
        part.set_source_of_copy(entity)
    return parts
