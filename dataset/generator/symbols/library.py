"""Symbols as a library holds them: drawn by a few hands, at any size, turned or mirrored, hardly ever with a word."""

from dataclasses import dataclass
from random import Random

from dataset.generator.canvas import Pen
from dataset.generator.hand import VERSIONS, Whim
from dataset.generator.placement import Placement
from dataset.generator.revisions import draw_order, explode_polylines
from dataset.generator.shapes import SPLITS
from dataset.generator.sheet import Sheet, wrapped
from dataset.generator.style import draw_style
from dataset.generator.symbols import SYMBOLS

HANDS = (6, 3, 1)  # how much of a library each draws
SIZES = (0.1, 1.0, 1.0, 1.0, 10.0, 25.4)  # what other units do to a symbol
TURNS = (0, 0, 0, 0, 90, 180, 270)


@dataclass(frozen=True)
class LibrarySymbol:
    """Symbol `number` of a class. Everything follows from (seed, split, name, number)."""

    seed: int
    split: str
    name: str
    number: int

    def rng(self) -> Random:
        return Random(f"{self.seed}/{self.split}/symbol {self.name}/{self.number}")

    @property
    def version(self) -> str:
        return self.rng().choice(VERSIONS)

    def sheet(self) -> Sheet:
        rng = self.rng()
        rng.choice(VERSIONS)
        hand = Random(f"{self.seed}/{self.split}/hand {rng.choices(range(len(HANDS)), HANDS)[0]}")
        style, explodes = draw_style(hand, Whim(hand)), hand.random() < 0.4
        pen = Pen(style, 1.0)
        view = pen.view(self.name)
        SYMBOLS[self.name](view, rng)
        if rng.random() < 0.1:
            x0, y0, x1, _ = view.box()
            view.text((x0, y0 - 0.3 * (x1 - x0)), f"{rng.choice('ABKMX')}{rng.randint(1, 99)}", 0.15 * (x1 - x0))
        to = Placement(scale=rng.choice(SIZES), angle=rng.choice(TURNS), mirror=rng.random() < 0.25)
        sheet = Sheet([item.moved(to) for item in view.items], pen.blocks, style, style.scheme, unit=to.scale)
        if explodes:
            sheet = explode_polylines(sheet, rng) or sheet
        if rng.random() < 0.3:
            sheet = draw_order(sheet, rng) or sheet
        return wrapped(sheet, "SYMBOL") if rng.random() < 0.15 else sheet


def dealt_symbols(seed: int, split: str) -> list[str]:
    """Half of the classes: none of those that are trained on is tested on."""
    names = sorted(SYMBOLS)
    Random(f"{seed}/symbols").shuffle(names)
    return names[SPLITS.index(split) :: 2]
