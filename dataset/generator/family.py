"""A family: a kind of part in the hand of one office. It draws variants, and revisions of them."""

from dataclasses import asdict, dataclass
from random import Random

from ezdxf.document import Drawing

from dataset.generator.bga import Bga
from dataset.generator.gaskets import Gasket
from dataset.generator.gull_wings import Qfp, Soic
from dataset.generator.kind import Kind, Numbers
from dataset.generator.lead_frames import LeadFrame, PowerPackage
from dataset.generator.leadless import Dfn, Qfn
from dataset.generator.mechanical import Flange, HeatSink, Shaft
from dataset.generator.pin_tables import PinTable
from dataset.generator.revisions import revise
from dataset.generator.sheet import Sheet, compose, wrapped
from dataset.generator.sheet_metal import Bracket, FrontPanel, PerforatedPlate
from dataset.generator.style import Cycle, draw_style, title_values
from dataset.generator.writer import build_document

KINDS: tuple[Kind, ...] = (
    Qfn(), Flange(), Bga(), LeadFrame(), Bracket(), Soic(), PerforatedPlate(), Qfp(),
    Gasket(), PinTable(), Dfn(), Shaft(), FrontPanel(), HeatSink(), PowerPackage(),
)  # fmt: skip
DECK = ("R2018", "R2018", "R2018", "R2000", "R2000", "R12")  # versions of six files; the next six are dealt anew


@dataclass(frozen=True)
class Plan:
    """What one file will hold; enough to name it before anything is drawn."""

    number: int  # within the family
    variant: int
    version: str
    name: str  # without folder, with .dxf
    original: int | None = None  # number of the file that this one is a revision of


class Family:
    """All files of one family. Everything follows from (seed, index), whatever else is asked for."""

    def __init__(self, seed: int, index: int):
        self.seed, self.index = seed, index
        self.kind = KINDS[index % len(KINDS)]
        rng = self.rng("family")
        cycle = Cycle(seed, self.kind.name, index // len(KINDS))
        self.style = draw_style(rng, cycle)
        self.design = self.kind.design(rng, cycle)
        self._parts: list[Numbers] = []

    def rng(self, *purpose) -> Random:
        """A generator for one purpose: a string seed is hashed by Random itself, so it holds across processes."""
        return Random("/".join(map(str, (self.seed, self.index, *purpose))))

    def part(self, variant: int) -> Numbers:
        """Sizes of a variant, different from those of the variants before it (as long as that is possible)."""
        while len(self._parts) <= variant:
            rng = self.rng("part", len(self._parts))
            taken = {self.kind.size(part) for part in self._parts}
            for _ in range(50):
                part = self.kind.part(rng, self.design)
                if self.kind.size(part) not in taken:
                    break
            self._parts.append(part)
        return self._parts[variant]

    def values(self, variant: int) -> dict[str, str]:
        """What the title block says."""
        kind = self.kind
        title = kind.title_zh if self.style.language == "zh" else kind.title_en
        return title_values(
            self.rng("title", variant),
            self.style,
            title=f"{title} {kind.size(self.part(variant))}",
            number=f"{kind.name[:3].upper()}-{self.serial(variant)}",
            rev=f"1.{self.letter(variant)}",
            material=self.design.material,
        )

    def serial(self, variant: int) -> int:
        return self.rng("serial").randint(101, 899) + 3 * variant

    def letter(self, variant: int) -> int:
        return self.rng("letter", variant).randint(0, 4)

    def plans(self, count: int) -> list[Plan]:
        """The first half of the files (rounded up) are variants, the others revisions of one of those each."""
        variants = (count + 1) // 2
        revisions_of: dict[int, int] = {}
        plans = []
        for number in range(count):
            original = None if number < variants else self.rng("original", number).randrange(variants)
            variant = number if original is None else original
            step = revisions_of[variant] = revisions_of.get(variant, -1) + 1
            deck = list(DECK)
            self.rng("versions", number // len(deck)).shuffle(deck)
            name = self.file_name(variant, step)
            plans.append(Plan(number, variant, deck[number % len(deck)], name, original))
        return plans

    def file_name(self, variant: int, step: int) -> str:
        part, rev = self.part(variant), f"1_{self.letter(variant) + step}"
        values = {**vars(part), "kind": self.kind.name, "serial": self.serial(variant), "rev": rev}
        return self.design.stem.format(**values) + ".dxf"

    def sheet(self, plan: Plan) -> Sheet:
        """The drawing of one file, edited where it is a revision."""
        sheet = self.first_sheet(plan.variant)
        if plan.original is not None:
            sheet = revise(sheet, self.rng("edits", plan.number))
        return wrapped(sheet) if self.style.wrapped else sheet

    def first_sheet(self, variant: int) -> Sheet:
        """The drawing of a variant before any revision, its views lying open."""
        part = self.part(variant)
        return compose(self.style, lambda pen: self.kind.draw(pen, part, self.design), self.values(variant))

    def document(self, plan: Plan) -> Drawing:
        return build_document(self.sheet(plan), plan.version)


def record(family: Family, plan: Plan, sheet: Sheet, names: list[str]) -> dict:
    """The entry of one file in truth.json."""
    return {
        "file": names[plan.number],
        "family": family.index,
        "kind": family.kind.name,
        "variant": plan.variant,
        "version": plan.version,
        "units": "inch" if sheet.inch else "mm",
        "original": None if plan.original is None else names[plan.original],
        # from a point of the original to the same point of this file: scale, then turn (degrees), then shift
        "placed": {"scale": sheet.placed.scale, "angle": sheet.placed.angle, "shift": list(sheet.placed.shift)},
        "edits": [asdict(edit) for edit in sheet.edits],
    }
