"""Drawings whose style has nothing to do with their shape: a few houses draw every family.

Two sheets of a family share what a person would call the part, and nothing else by design: not the size, the number
of pins or holes, the company, the scale, the amount of dimensions and words, all of the views, nor whether repeated
things are blocks. Two sheets of a house share all of its habits, whatever they show.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from dataset.generator.items import Dim, Hatch, Item, Leader
from dataset.generator.kind import Kind
from dataset.generator.revisions import draw_order, explode_block, explode_polylines, rotate_90, units_to_inch
from dataset.generator.shapes import Shape
from dataset.generator.sheet import Sheet, as_first_drawn, compose, wrapped
from dataset.generator.style import draw_style, title_values

Habit = Callable[[Sheet, Random], Sheet | None]
HOUSES = (6, 3, 1)  # how much of an archive each house draws
VERSIONS = ("R2018", "R2018", "R2018", "R2000", "R2000", "R12")
PROJECTS = ("ORION", "K-LINE", "CUSTOMER 4410", "PHASE 2", "SAMPLE LOT", "TOOLING", "样件", "项目 K7")


class House:
    """The drawing office number `number` of an archive: its style and what it does to every sheet."""

    def __init__(self, seed: int, split: str, number: int):
        rng = Random(f"{seed}/{split}/house {number}")
        self.style = draw_style(rng, Whim(rng))
        self.habits = [habit for habit, chance in HOUSE_HABITS if rng.random() < chance]


class Member:
    """Member `number` of the family of a shape. Everything follows from (seed, split, shape, number)."""

    def __init__(self, seed: int, split: str, shape: Shape, number: int):
        family = f"{seed}/{split}/{shape.name}"
        self.rng = rng = Random(f"{family}/{number}")
        self.shape, self.kind = shape, shape.kind
        self.house = House(seed, split, rng.choices(range(len(HOUSES)), HOUSES)[0])
        self.style = self.house.style
        self.design = self.kind.design(Random(family), Whim(rng, dict(shape.answers)))  # its proportions: the family's
        self.design.plan = plan(self.kind, rng)
        self.design.notes = rng.sample(self.kind.notes, rng.randint(1, len(self.kind.notes)))
        self.part = self.kind.part(rng, self.design)
        self.version = rng.choice(VERSIONS)

    def sheet(self) -> Sheet:
        sheet = compose(self.style, lambda pen: self.kind.draw(pen, self.part, self.design), self.values())
        own = [habit for habit, chance in OWN_HABITS if self.rng.random() < chance]
        for habit in (*own, *self.house.habits):
            sheet = habit(sheet, self.rng) or sheet
        if self.style.wrapped:
            sheet = wrapped(sheet)
        return replace(as_first_drawn(sheet), edits=[])

    def values(self) -> dict[str, str]:
        """The title block. Half of the offices write a project there instead of what is drawn."""
        rng, kind = self.rng, self.kind
        title = kind.title_zh if self.style.language == "zh" else kind.title_en
        title = rng.choice((f"{title} {kind.size(self.part)}", rng.choice(PROJECTS)))
        number = f"{rng.choice('ABDKMX')}{rng.randint(10, 99)}-{rng.randint(1000, 9999)}"
        rev = f"{rng.randint(0, 3)}.{rng.randint(0, 6)}"
        return title_values(rng, self.style, title=title, number=number, rev=rev, material=self.design.material)


class Whim:
    """Stands in for a style cycle: an answer at random where none is given."""

    def __init__(self, rng: Random, answers: dict[str, object] | None = None):
        self.rng, self.answers = rng, answers or {}

    def pick(self, question: str, options: Sequence):
        return self.answers[question] if question in self.answers else self.rng.choice(options)


def plan(kind: Kind, rng: Random) -> list[list[str]]:
    """One of the kind's plans, on half of the sheets less some of its views; and the views that show the shape."""
    grid = [list(row) for row in rng.choice(kind.plans)]
    if rng.random() < 0.25:
        grid = [[name if name in kind.shown_in or rng.random() < 0.6 else "" for name in row] for row in grid]
    missing = [name for name in kind.shown_in if all(name not in row for row in grid)]
    return [row for row in [missing, *grid] if any(row)]


def without(sheet: Sheet, unwanted: Callable[[Item], bool]) -> Sheet:
    """The sheet and its blocks less the unwanted items."""
    blocks = {name: [item for item in items if not unwanted(item)] for name, items in sheet.blocks.items()}
    return replace(sheet, items=[item for item in sheet.items if not unwanted(item)], blocks=blocks)


def few_dimensions(sheet: Sheet, rng: Random) -> Sheet:
    share = rng.choice((0.0, 0.2, 0.5))
    return without(sheet, lambda item: isinstance(item, Dim) and rng.random() >= share)


def no_callouts(sheet: Sheet, rng: Random) -> Sheet:
    return without(sheet, lambda item: isinstance(item, Leader) or item.feature == "callout")


def no_numbers(sheet: Sheet, rng: Random) -> Sheet:
    return without(sheet, lambda item: item.feature in ("pin number", "legend", "cell"))


def no_center_lines(sheet: Sheet, rng: Random) -> Sheet:
    return without(sheet, lambda item: item.role == "center")


def no_hatches(sheet: Sheet, rng: Random) -> Sheet:
    return without(sheet, lambda item: isinstance(item, Hatch))


def no_frame(sheet: Sheet, rng: Random) -> Sheet:
    return without(sheet, lambda item: item.view == "frame")


def no_blocks(sheet: Sheet, rng: Random) -> Sheet:
    """Every block opened, those within blocks as well."""
    while (opened := explode_block(sheet, rng)) is not None:
        sheet = opened
    return sheet


# What some houses do to each of their sheets, and on how many of a hundred sheets a draftsman does more. In this order.
HOUSE_HABITS: tuple[tuple[Habit, float], ...] = (
    (no_center_lines, 0.3),
    (no_numbers, 0.3),
    (no_hatches, 0.3),
    (no_blocks, 0.5),
    (explode_polylines, 0.4),
)
OWN_HABITS: tuple[tuple[Habit, float], ...] = (
    (few_dimensions, 0.25),
    (no_callouts, 0.2),
    (no_frame, 0.1),
    (draw_order, 0.3),
    (rotate_90, 0.1),
    (units_to_inch, 0.1),
)
