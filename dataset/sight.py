"""What of a drawing is switched on: layers can be frozen or off, and an entity can be invisible by itself."""

from __future__ import annotations

from ezdxf.document import Drawing
from ezdxf.entities import DXFGraphic

BY_INSERT = "0"  # what lies on this layer in a block takes the layer of the INSERT that shows the block


class Sight:
    """Says which entities are shown. Without ``visible_only`` all are: a frozen layer is a part of the drawing too."""

    def __init__(self, document: Drawing, visible_only: bool) -> None:
        self._visible_only = visible_only
        layers = list(document.layers) if visible_only else []
        self._frozen = {layer.dxf.name.casefold() for layer in layers if layer.is_frozen()}
        self._off = {layer.dxf.name.casefold() for layer in layers if layer.is_off()}

    def shows(self, entity: DXFGraphic, inherited: str = BY_INSERT) -> bool:
        """Whether an entity is shown. An INSERT on a layer that is off is: its block's entities have own layers.

        Args:
            inherited: the layer that an entity of a block has instead of layer 0.
        """
        if not self._visible_only:
            return True
        if entity.dxf.get("invisible", 0):
            return False
        layer = str(entity.dxf.get("layer", BY_INSERT))
        layer = (inherited if layer == BY_INSERT else layer).casefold()
        return layer not in self._frozen and (entity.dxftype() == "INSERT" or layer not in self._off)

    def shows_in_block(self, entity: DXFGraphic) -> bool:
        """The same for an entity of a block that several INSERTs may show: on layer 0 it is shown."""
        return self.shows(entity, inherited="")
