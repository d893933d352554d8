"""What a kind of part is: how a family of it is designed, how one part is sized, and how its views are drawn."""

from random import Random
from types import SimpleNamespace

from dataset.generator.canvas import Pen, View
from dataset.generator.sheet import Rows, centered
from dataset.generator.style import Cycle
from dataset.generator.tables import draw_table

Numbers = SimpleNamespace  # the design of a family, or the sizes of one part, by name


class Kind:
    """A kind of part. A subclass says what is fixed in a family (`design`), what a part of it measures (`part`),
    and has a method `view_<name>(pen, part, design)` for each name that occurs in its `plans`."""

    name = ""
    title_en, title_zh = "", ""
    plans: tuple = ()  # each a grid of view names, "" for an empty cell
    notes: tuple = ()
    materials: tuple = ("SUS304", "AL6061-T6", "Q235B", "C1100")
    shape: tuple[str, ...] = ()  # what of a design a person tells two parts of this kind apart by, whoever drew them
    shown_in: tuple[str, ...] = ()  # the views without which that would not be seen

    def design(self, rng: Random, cycle: Cycle) -> Numbers:
        """Common choices; subclasses add their own to what this returns."""
        count = min(rng.randint(2, 5), len(self.notes))
        return Numbers(
            plan=cycle.pick("plan", self.plans),
            notes=rng.sample(self.notes, count),
            material=rng.choice(self.materials),
            stem=cycle.pick("stem", self.stems),
        )

    stems: tuple = ("{kind}-{serial} Rev{rev}",)  # file names; {size} and the attributes of the part may be used

    def part(self, rng: Random, design: Numbers) -> Numbers:
        raise NotImplementedError

    def size(self, part: Numbers) -> str:
        """How people tell the parts of a family apart, in a title or a file name."""
        raise NotImplementedError

    def table_rows(self, part: Numbers, design: Numbers) -> list[tuple[str, ...]]:
        raise NotImplementedError

    def draw(self, pen: Pen, part: Numbers, design: Numbers) -> Rows:
        """The views of the plan. On upright paper, views that stand beside each other are put below each other."""
        plan = design.plan
        width, height = pen.style.paper
        if height > width and max(map(len, plan)) > len(plan):
            plan = list(zip(*plan, strict=True))
        return [[getattr(self, f"view_{name}")(pen, part, design) if name else None for name in row] for row in plan]

    def view_notes(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.paper_view("notes")
        head = "技术要求：" if pen.style.language == "zh" else "NOTES:"
        lines = [head, *(f"{i}. {line}" for i, line in enumerate(design.notes, 1))]
        view.paragraph((0.0, 0.0), lines)
        return centered(view)

    def view_table(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.paper_view("table")
        draw_table(view, (0.0, 0.0), self.table_rows(part, design))
        return centered(view)
