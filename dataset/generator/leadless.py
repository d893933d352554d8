"""QFN and DFN: packages with pads below, on four sides or on two."""

from dataclasses import replace
from random import Random

from dataset.generator.canvas import Pen, View, chamfered, rectangle, ring, rounded
from dataset.generator.kind import Kind, Numbers
from dataset.generator.packages import MATERIALS, NOTES, PLATINGS, gd_rows, number_pins
from dataset.generator.placement import Placement, Point
from dataset.generator.style import Cycle


class Leadless(Kind):
    """QFN (pads on four sides) and DFN (on two)."""

    sides = 4
    plans = (
        (("bottom", "top"), ("side", "detail"), ("notes", "table")),
        (("bottom", "land", "table"), ("side", "", "notes")),
        (("top", "bottom"), ("side", "notes")),
        (("bottom", "detail"), ("land", "notes")),
    )
    notes = NOTES
    shape, shown_in = ("pad", "thermal"), ("bottom",)
    materials = MATERIALS

    def design(self, rng: Random, cycle: Cycle) -> Numbers:
        design = super().design(rng, cycle)
        design.pad = cycle.pick("pad", ("round", "square", "bullet"))
        design.fill = cycle.pick("fill", ("hatch", "none", "solid"))
        design.pads_as = cycle.pick("pads_as", ("insert", "polyline"))
        design.thermal = cycle.pick("thermal", ("chamfer", "notched", "vias"))
        design.pitches = rng.choice(((0.4, 0.5), (0.5,), (0.5, 0.65)))
        design.lead = rng.choice((0.3, 0.4, 0.55))
        design.numbered = cycle.pick("numbered", (True, False))
        design.plating = rng.choice(PLATINGS)
        design.code = rng.choice(("L", "LA", "LCG", "LK", "W"))
        return design

    def part(self, rng: Random, design: Numbers) -> Numbers:
        per_side = rng.randint(4, 16) if self.sides == 4 else rng.randint(4, 12)
        pitch = rng.choice(design.pitches)
        along = round(per_side * pitch + 1.0, 1)
        across = along if self.sides == 4 else round(along * rng.choice((0.7, 1.0, 1.3)) + 0.5, 1)
        return Numbers(
            per_side=per_side,
            pins=per_side * self.sides,
            pitch=pitch,
            width=max(across, 2.0),
            height=along,
            lead=design.lead,
            lead_width=round(pitch * 0.48, 2),
            thick=rng.choice((0.55, 0.75, 0.85)),
            code=design.code,
            plating=design.plating,
        )

    def size(self, part: Numbers) -> str:
        return f"{part.pins}L {part.width:g}x{part.height:g}"

    def table_rows(self, part: Numbers, design: Numbers) -> list[tuple[str, ...]]:
        return gd_rows(
            (
                ("A", part.thick, 0.05),
                ("b", part.lead_width, 0.05),
                ("D", part.width, 0.1),
                ("E", part.height, 0.1),
                ("e", part.pitch, 0.0),
                ("L", part.lead, 0.05),
            )
        )

    def thermal_size(self, part: Numbers) -> tuple[float, float]:
        inset = 2 * (part.lead + 0.25)
        return part.width - inset, part.height - (inset if self.sides == 4 else 0.5)

    def pad_places(self, part: Numbers) -> list[tuple[Point, float]]:
        """Center of each pad's outer end and the direction it points to, pin 1 first, counter-clockwise."""
        first = (part.per_side - 1) / 2 * part.pitch
        places = []
        for side in range(self.sides):
            turn = 180.0 + (90.0 if self.sides == 4 else 180.0) * side
            reach = (part.width if turn % 180 == 0 else part.height) / 2
            for i in range(part.per_side):
                to = Placement(angle=turn)
                places.append((to.point((reach, first - i * part.pitch)), turn % 360.0))
        return places

    def draw_pads(self, pen: Pen, view: View, part: Numbers, design: Numbers) -> None:
        shape = pad_shape(design.pad, part.lead, part.lead_width)

        def pad(target: View) -> None:
            target.poly(shape)
            if design.fill == "hatch":
                target.hatch(shape, pattern="")
            elif design.fill == "solid":
                target.solid(rectangle((-part.lead * 0.55, 0.0), part.lead * 0.9, part.lead_width * 0.8), role="hatch")

        name = pen.block("PAD", pad)
        for at, turn in self.pad_places(part):
            if design.pads_as == "insert":
                view.insert(name, at, angle=turn, feature="pad")
            else:
                to = Placement(angle=turn, shift=at)
                for item in pen.blocks[name]:
                    view.add(replace(item.moved(to), feature="pad" if item.role == "outline" else ""))

    def draw_thermal(self, view: View, part: Numbers, design: Numbers) -> None:
        width, height = self.thermal_size(part)
        outline = chamfered((0.0, 0.0), width, height, min(0.35, width / 4), all_corners=design.thermal == "notched")
        view.contour(outline)
        if design.thermal == "vias":
            nx, ny = max(2, int(width / 0.9)), max(2, int(height / 0.9))
            for i in range(nx):
                for j in range(ny):
                    at = ((i - (nx - 1) / 2) * width / nx, (j - (ny - 1) / 2) * height / ny)
                    view.circle(at, 0.1, feature="hole")
        else:
            view.hatch(outline, angle=0.0 if design.thermal == "chamfer" else 45.0)

    def view_bottom(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("bottom", "BOTTOM VIEW")
        w, h = part.width, part.height
        view.rect((0.0, 0.0), w, h)
        self.draw_pads(pen, view, part, design)
        self.draw_thermal(view, part, design)
        if design.numbered:
            number_pins(view, self.pad_places(part), 0.6)
        view.axes(w, h)
        tw, th = self.thermal_size(part)
        first = (part.per_side - 1) / 2 * part.pitch
        view.vdim((-w / 2, first), (-w / 2, first - part.pitch), -8)
        if part.per_side > 3:
            view.vdim((-w / 2, first), (-w / 2, -first), -16)
        view.hdim((-w / 2, -h / 2), (w / 2, -h / 2), -16)
        view.hdim((-tw / 2, -th / 2), (tw / 2, -th / 2), -(8 + (h - th) / 2 / view.u))
        view.vdim((tw / 2, -th / 2), (tw / 2, th / 2), 8 + (w - tw) / 2 / view.u)
        view.vdim((w / 2, -h / 2), (w / 2, h / 2), 16)
        view.hdim((w / 2 - part.lead, first + part.lead_width / 2), (w / 2, first + part.lead_width / 2),
                  8 + (h / 2 - first) / view.u)  # fmt: skip
        view.callout((-w / 2 + part.lead, first), (-14, 14 + (h / 2 - first) / view.u), "PIN 1")
        return view

    def view_top(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("top", "TOP VIEW")
        w, h = part.width, part.height
        view.rect((0.0, 0.0), w, h)
        view.circle((-w / 2 + 0.5, h / 2 - 0.5), 0.2, feature="mark")
        view.hatch(ring((-w / 2 + 0.5, h / 2 - 0.5), 0.2), pattern="")
        view.text((0.0, 0.0), f"{self.name.upper()}{part.pins}", 4.0, "MIDDLE_CENTER")
        view.text((0.0, -6 * view.u), "YYWW", 3.0, "MIDDLE_CENTER")
        for at, turn in self.pad_places(part):
            half = Placement(angle=turn, shift=at)
            view.line(*half.points([(0.0, -part.lead_width / 2), (-0.08, -part.lead_width / 2)]), role="hidden")
            view.line(*half.points([(0.0, part.lead_width / 2), (-0.08, part.lead_width / 2)]), role="hidden")
        view.hdim((-w / 2, h / 2), (w / 2, h / 2), 8, text="<>%%p0.10")
        view.vdim((w / 2, -h / 2), (w / 2, h / 2), 8, text="<>%%p0.10")
        return view

    def view_side(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("side", "SIDE VIEW")
        w, t, base = part.width, part.thick, part.thick * 0.24
        view.rect((0.0, 0.0), w, t)
        view.line((-w / 2, -t / 2 + base), (w / 2, -t / 2 + base))
        first = (part.per_side - 1) / 2 * part.pitch
        if self.sides == 4:
            for i in range(part.per_side):
                view.rect((-first + i * part.pitch, (base - t) / 2), part.lead_width, base)
        else:
            for sign in (-1, 1):
                view.rect((sign * (w - part.lead) / 2, (base - t) / 2), part.lead, base)
        view.vdim((w / 2, -t / 2), (w / 2, t / 2), 8)
        view.vdim((-w / 2, -t / 2), (-w / 2, -t / 2 + base), -8, text="<> REF")
        view.line((-w / 2 - 6 * view.u, -t / 2), (w / 2 + 6 * view.u, -t / 2), role="thin")
        view.callout((0.0, -t / 2), (10, -8), "SEATING PLANE")
        return view

    def view_detail(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        """One pad, enlarged."""
        view = pen.view("detail", "DETAIL A", zoom=2.5)
        shape = pad_shape(design.pad, part.lead, part.lead_width)
        view.contour(shape)
        view.hatch(shape, angle=0.0)
        half = part.lead_width / 2
        view.line((0.0, -2.2 * half), (0.0, 2.2 * half), role="thin")
        view.spline([(-part.lead * 1.3, -2.2 * half), (-part.lead * 1.36, 0.0), (-part.lead * 1.28, 2.2 * half)])
        view.hdim((-part.lead, half), (0.0, half), 8 + half * 1.2 / view.u)
        view.vdim((0.0, -half), (0.0, half), 8, text="<>%%p0.05")
        if design.pad != "square":
            radius = half if design.pad == "bullet" else half * 0.4
            view.rdim((-part.lead + radius, -half + radius), radius, 225, 7)
        return view

    def view_land(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        """The recommended copper on the board: longer pads, drawn filled."""
        view = pen.view("land", "LAND PATTERN")
        length, width = part.lead + 0.35, part.lead_width
        name = pen.block("LAND", lambda v: v.solid(rectangle((0.3 - length / 2, 0.0), length, width), role="hatch"))
        for at, turn in self.pad_places(part):
            view.insert(name, at, angle=turn, feature="pad")
        view.rect((0.0, 0.0), part.width, part.height, role="hidden")
        tw, th = self.thermal_size(part)
        view.rect((0.0, 0.0), tw, th)
        number_pins(view, self.pad_places(part), -(length - 0.3) / view.u - 0.8)
        view.axes(part.width + 0.6, part.height + 0.6)
        first = (part.per_side - 1) / 2 * part.pitch
        outer = part.width / 2 + 0.3
        view.hdim((-outer, first), (outer, first), 10 + (part.height / 2 - first) / view.u)
        view.vdim((-outer, first), (-outer, first - part.pitch), -8)
        view.vdim((outer, -first - width / 2), (outer, -first + width / 2), 8)
        return view


class Qfn(Leadless):
    name = "qfn"
    title_en, title_zh = "QFN PACKAGE OUTLINE", "QFN封装外形图"
    stems = ("QFN{pins}{code}({plating}) -{serial} Rev{rev}", "QFN{pins} {width:g}×{height:g} POD {serial}_Rev{rev}")


class Dfn(Leadless):
    name = "dfn"
    title_en, title_zh = "DFN PACKAGE OUTLINE", "DFN封装外形图"
    sides = 2
    stems = (
        "DFN{pins}{code}({plating})（{serial}）-517  Rev{rev}",
        "DFN-{pins} [{width:g}x{height:g}] {serial} rev {rev}",
    )


def pad_shape(kind: str, length: float, width: float):
    """A pad whose outer end is at x = 0 and that reaches inwards."""
    if kind == "square":
        return rectangle((-length / 2, 0.0), length, width)
    if kind == "bullet":
        half = width / 2
        return [(0.0, half), (half - length, half, 1.0), (half - length, -half), (0.0, -half)]
    return rounded((-length / 2, 0.0), length, width, width * 0.2)
