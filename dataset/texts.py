"""What is written on a sheet: the strings of every entity, those inside blocks and pictures of dimensions included."""

from __future__ import annotations

import re
from collections.abc import Iterable

import ezdxf
from ezdxf.entities import DXFGraphic
from ezdxf.tools.text import fast_plain_mtext, plain_text

from dataset.reading import DAMAGE
from dataset.sight import Sight
from dataset.text_size import unescaped

MAX_DEPTH = 16  # of blocks in blocks
MAX_STRINGS = 2_000  # of one entity
MAX_LENGTH = 1_000  # characters of one string
# halves of characters and ends of strings, which no file takes; undecoded bytes (U+DC80 to U+DCFF) stay
NO_TEXT = re.compile("[\0\ud800-\udc7f\udd00-\udfff]")


class Texts:
    """Strings of a document's entities; keeps those of every block it has met."""

    def __init__(self, document: ezdxf.document.Drawing, sight: Sight) -> None:
        self._blocks = document.blocks
        self._sight = sight
        self._known: dict[str, list[str]] = {}
        self._open: list[str] = []  # the blocks being read, to catch one that contains itself

    def of(self, entity: DXFGraphic) -> list[str]:
        """What an entity says, in the order of the file, without formatting codes; often nothing.

        Raises:
            DAMAGE: the entity is damaged.
        """
        kind = entity.dxftype()
        found: Iterable[str] = ()
        if kind in ("TEXT", "ATTRIB"):
            found = (plain_text(entity.dxf.text[:MAX_LENGTH]),)
        elif kind == "MTEXT":
            found = (fast_plain_mtext(entity.text[: 4 * MAX_LENGTH]),)
        elif kind in ("MULTILEADER", "MLEADER"):
            text = entity.context.mtext
            found = () if text is None else (fast_plain_mtext(text.default_content[: 4 * MAX_LENGTH]),)
        elif kind == "INSERT":
            visible = (attribute for attribute in entity.attribs if not attribute.is_invisible)
            found = [*self._block(entity.dxf.name), *self._all(visible)]
        elif kind.endswith("DIMENSION"):
            found = self._all(entity.virtual_block_content or ()) if entity.is_virtual else self._picture(entity)
        cleaned = (" ".join(NO_TEXT.sub("\ufffd", unescaped(text[:MAX_LENGTH])).split()) for text in found)
        return [text for text in cleaned if text][:MAX_STRINGS]

    def _picture(self, dimension: DXFGraphic) -> list[str]:
        return self._block(dimension.dxf.get("geometry", ""))

    def _block(self, name: str) -> list[str]:
        key = name.casefold()
        if key in self._open or len(self._open) >= MAX_DEPTH:
            return []
        if key not in self._known:
            self._open.append(key)
            self._known[key] = self._all(self._blocks.get(name) or ())
            self._open.pop()
        return self._known[key]

    def _all(self, entities: Iterable[DXFGraphic]) -> list[str]:
        found: list[str] = []
        for entity in entities:
            if len(found) >= MAX_STRINGS:
                break
            if self._sight.shows_in_block(entity):
                try:
                    found += self.of(entity)
                except DAMAGE:  # its box is missing too, and named there
                    continue
        return found[:MAX_STRINGS]
