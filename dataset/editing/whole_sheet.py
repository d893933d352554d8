"""Edits of the whole sheet at once."""

from __future__ import annotations

from random import Random

from ezdxf import units
from ezdxf.math import Matrix44

from dataset.editing.draft import Change, Draft

TURNS = {90: Matrix44((0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)),
         270: Matrix44((0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1))}  # fmt: skip


def quarter_turn(draft: Draft, rng: Random) -> Change | None:
    degrees = rng.choice(sorted(TURNS))
    draft.move_all(TURNS[degrees])
    return Change(f"{degrees} degrees")


def mirror(draft: Draft, rng: Random) -> Change | None:
    """Left for right."""
    draft.move_all(Matrix44.scale(-1, 1, 1))
    return Change("x to -x")


def change_units(draft: Draft, rng: Random) -> Change | None:
    """Millimetres to inches, or inches to millimetres, geometry and header."""
    inches = draft.document.units == units.IN
    scale = 25.4 if inches else 1 / 25.4
    draft.move_all(Matrix44.scale(scale, scale, scale))
    draft.document.header["$MEASUREMENT"] = int(inches)
    if draft.document.dxfversion > "AC1009":
        draft.document.units = units.MM if inches else units.IN
    return Change("inch to mm" if inches else "mm to inch")
