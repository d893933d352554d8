"""What the drawings of chip packages share."""

from dataset.generator.canvas import View
from dataset.generator.placement import Point, polar

NOTES = (
    "ALL DIMENSIONS IN MILLIMETERS",
    "COPLANARITY 0.08 MAX",
    "PIN 1 IDENTIFIER MUST BE WITHIN THE ZONE SHOWN",
    "LEAD FINISH MATTE Sn 8-15 um",
    "DIMENSIONS EXCLUDE MOLD FLASH 0.15 MAX PER SIDE",
    "REFER TO JEDEC OUTLINE FOR TOLERANCES NOT SHOWN",
    "BURR MAX 0.05",
    "PACKAGE WARPAGE 0.10 MAX",
)


MATERIALS = ("C194", "C7025", "EFTEC-64T", "A42")


PLATINGS = ("Cu", "NiPdAu", "Ag", "Sn")


def gd_rows(rows) -> list[tuple[str, ...]]:
    """A dimension table with minimum, nominal and maximum."""
    table = [("SYMBOL", "MIN", "NOM", "MAX")]
    return table + [(name, f"{value - tol:.2f}", f"{value:.2f}", f"{value + tol:.2f}") for name, value, tol in rows]


def number_pins(view: View, places: list[tuple[Point, float]], offset: float) -> None:
    """The number of each pin beside it, `offset` paper mm outwards (or inwards, if negative) of its place."""
    pitch = abs(places[0][0][1] - places[1][0][1]) / view.u
    size = min(1.8, pitch * 0.45)
    for number, (at, turn) in enumerate(places, 1):
        center = polar(at, (offset + (size if offset > 0 else -size) * 0.6) * view.u, turn)
        view.text(center, str(number), size, "MIDDLE_CENTER", feature="pin number")
