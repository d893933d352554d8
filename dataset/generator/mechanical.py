"""Machined parts: flange, stepped shaft, heat sink. And the notes that such parts share."""

import math
from random import Random

from dataset.generator.canvas import Pen, View, rounded, slot
from dataset.generator.kind import Kind, Numbers
from dataset.generator.placement import Placement, Point, polar
from dataset.generator.style import Cycle

NOTES = (
    "UNLISTED TOLERANCES ISO 2768-m",
    "BREAK ALL SHARP EDGES 0.2 MAX",
    "SURFACE ROUGHNESS Ra 3.2",
    "ANODIZE BLACK 10-15 um",
    "NO SCRATCHES OR DENTS ON VISIBLE SIDE",
    "DEBURR AND CLEAN AFTER MACHINING",
    "ZINC PLATED 8 um, PASSIVATED",
    "PART MARKED WITH NUMBER AND REVISION",
)


class Flange(Kind):
    name = "flange"
    shape, shown_in = ("outline", "hub"), ("front", "section")
    title_en, title_zh = "FLANGE", "法兰"
    plans = (
        (("front", "section"), ("notes", "table")),
        (("section", "front"), ("table", "notes")),
        (("front", "table"), ("section", "notes")),
    )
    notes = NOTES
    stems = ("FLANGE DN{bore:g} [PN16] {serial} Rev{rev}", "法兰（DN{bore:g}）-{serial} Rev{rev}")

    def design(self, rng: Random, cycle: Cycle) -> Numbers:
        design = super().design(rng, cycle)
        design.outline = cycle.pick("outline", ("round", "square", "oval"))
        design.hub = cycle.pick("hub", ("raised face", "neck", "groove"))
        design.key = rng.random() < 0.4
        return design

    def part(self, rng: Random, design: Numbers) -> Numbers:
        bore = rng.choice((25, 32, 40, 50, 65, 80, 100))
        circle = bore * 1.35 + rng.choice((35, 42, 50))
        count = 4 if design.outline == "square" else 2 if design.outline == "oval" else rng.choice((6, 8, 12, 16))
        hole = rng.choice((9, 11, 14))
        return Numbers(
            bore=bore,
            circle=round(circle),
            outer=round(circle + hole * 2.6),
            count=count,
            hole=hole,
            thick=rng.choice((12, 16, 20)),
            height=rng.choice((20, 26, 34)),
        )

    def size(self, part: Numbers) -> str:
        return f"DN{part.bore} %%c{part.outer}"

    def table_rows(self, part: Numbers, design: Numbers) -> list[tuple[str, ...]]:
        rows = [("HOLE", "X", "Y", "SIZE"), ("BORE", "0.00", "0.00", f"%%c{part.bore}H7")]
        places = self.hole_places(part, design)
        return rows + [(f"A{i}", f"{x:.2f}", f"{y:.2f}", f"%%c{part.hole}") for i, (x, y) in enumerate(places, 1)]

    def hole_places(self, part: Numbers, design: Numbers) -> list[Point]:
        return [polar((0.0, 0.0), part.circle / 2, self.first_hole(part, design) + 360.0 * i / part.count)
                for i in range(part.count)]  # fmt: skip

    def first_hole(self, part: Numbers, design: Numbers) -> float:
        """Direction of the first hole, in degrees."""
        return {"oval": 0.0, "square": 45.0}.get(design.outline, 180.0 / part.count)

    def view_front(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("front", "FRONT VIEW")
        r = part.outer / 2
        if design.outline == "round":
            view.circle((0.0, 0.0), r)
        elif design.outline == "square":
            view.contour(rounded((0.0, 0.0), 2 * r * 0.82, 2 * r * 0.82, r * 0.14))
        else:
            view.contour(oval(part.circle / 2, part.hole * 1.3, part.bore * 0.75))
        view.circle((0.0, 0.0), part.bore / 2)
        view.circle((0.0, 0.0), part.bore * 0.62)
        view.circle((0.0, 0.0), part.circle / 2, role="center")
        start = self.first_hole(part, design)
        for at in self.hole_places(part, design):
            view.hole(at, part.hole / 2)
        if design.key:
            b, d = part.bore * 0.08, part.bore / 2
            view.contour([(-b, d * 0.98), (-b, d * 1.16), (b, d * 1.16), (b, d * 0.98)], closed=False)
        view.axes(2 * r, 2 * r)
        view.section_mark((0.0, r + 12 * view.u), (0.0, -r - 12 * view.u), "A")
        view.ddim((0.0, 0.0), part.circle / 2, 180 - 25, 10 + (r - part.circle / 2) / view.u)
        view.ddim((0.0, 0.0), part.bore / 2, -140, 10 + (r - part.bore / 2) / view.u)
        tip = polar(polar((0.0, 0.0), part.circle / 2, start), part.hole / 2, 45.0)
        view.callout(
            tip, (16 + (r - tip[0]) / view.u, 12 + (r - tip[1]) / view.u * 0.4), f"{part.count}-%%c{part.hole}"
        )
        if part.count > 2:
            view.angdim((0.0, 0.0), part.circle / 2, start + 360.0 / part.count * (part.count - 1), start + 360.0,
                        (r - part.circle / 2) / view.u + 7)  # fmt: skip
        return view

    def view_section(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("section", "SECTION A-A")
        t, h, r, b = part.thick, part.height, part.outer / 2, part.bore / 2
        r = r * 0.82 if design.outline == "square" else part.bore * 0.75 if design.outline == "oval" else r
        neck = b * (1.24 if design.hub != "neck" else 1.45)
        tip = b * 1.24
        for side in (1, -1):
            to = Placement(mirror=False, angle=0.0)
            profile = [(0.0, b), (h, b), (h, tip), (t, neck), (t, r), (0.0, r)]
            if design.hub == "groove":
                g = (neck + r) / 2
                profile += [(0.0, g + 2), (2.0, g + 2), (2.0, g - 2), (0.0, g - 2)]
            elif design.hub == "raised face":
                profile += [(0.0, neck + 4), (-2.0, neck + 4), (-2.0, b)]
                profile = profile[1:]
            shape = [to.point((x - h / 2, y * side)) for x, y in profile]
            view.contour(shape)
            view.hatch(shape, angle=0.0 if side > 0 else 90.0)
        x0, x1 = -h / 2, h / 2
        view.line((x0, b), (x0, -b))
        view.line((x1, b), (x1, -b))
        view.axis((x0, 0.0), (x1, 0.0))
        view.vdim((x0, -r), (x0, r), -10, text="%%c<>")
        view.vdim((x1, -b), (x1, b), 10, text="%%c<>H7")
        view.hdim((x0, r), (x0 + t, r), 8)
        view.hdim((x0, -r), (x1, -tip), -10)
        return view


def oval(half: float, end: float, middle: float):
    """A two-hole flange: round ends, a round middle and straight tangents between them."""
    lean = math.degrees(math.acos((middle - end) / half))
    points = []
    for center, radius, first in (
        (half, end, -lean),
        (0.0, middle, lean),
        (-half, end, 180 - lean),
        (0.0, middle, 180 + lean),
    ):
        sweep = 2 * lean if center else 180 - 2 * lean
        start, stop = polar((center, 0.0), radius, first), polar((center, 0.0), radius, first + sweep)
        points += [(*start, math.tan(math.radians(sweep) / 4)), (*stop, 0.0)]
    return points


class Shaft(Kind):
    name = "shaft"
    shape, shown_in = ("order",), ("front",)
    title_en, title_zh = "STEPPED SHAFT", "阶梯轴"
    plans = (
        (("front",), ("section",), ("notes",)),
        (("front",), ("table",), ("notes",)),
        (("section", "end", "table"), ("", "front", "")),
    )
    notes = (*NOTES, "HEAT TREAT HRC 28-32", "CENTER HOLES B3.15 BOTH ENDS")
    materials = ("45#", "40Cr", "SUS420J2")
    stems = ("SHAFT L{length:g} {serial} Rev{rev}", "轴{serial}（L={length:g}） Rev{rev}")

    def design(self, rng: Random, cycle: Cycle) -> Numbers:
        design = super().design(rng, cycle)
        design.order = cycle.pick("order", ((0.6, 0.8, 1.0, 0.8), (0.5, 0.7, 1.0, 0.85, 0.6), (1.0, 0.8, 0.55)))
        design.key = cycle.pick("key", ("sunk", "milled", "flat"))
        design.chain = cycle.pick("chain", ("chain", "baseline"))
        return design

    def part(self, rng: Random, design: Numbers) -> Numbers:
        big = rng.choice((20, 25, 30, 40, 50))
        lengths = [rng.choice((18, 22, 30, 36, 45)) for _ in design.order]
        return Numbers(big=big, lengths=lengths, length=sum(lengths), key=round(big * 0.22))

    def size(self, part: Numbers) -> str:
        return f"%%c{part.big}x{part.length}"

    def table_rows(self, part: Numbers, design: Numbers) -> list[tuple[str, ...]]:
        rows = [("STEP", "DIA", "LENGTH", "FIT", "Ra")]
        for i, (x0, x1, r) in enumerate(self.steps(part, design), 1):
            rows.append((f"{i}", f"%%c{2 * r:g}", f"{x1 - x0:g}", "h6" if i % 2 else "k6", "0.8" if i % 2 else "1.6"))
        return rows

    def steps(self, part: Numbers, design: Numbers):
        x = -part.length / 2
        for share, length in zip(design.order, part.lengths, strict=True):
            yield x, x + length, part.big * share / 2
            x += length

    def view_front(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("front", "FRONT VIEW")
        steps = list(self.steps(part, design))
        upper = [(steps[0][0], steps[0][2] - 1.0), (steps[0][0] + 1.0, steps[0][2])]
        for i, (x0, x1, r) in enumerate(steps):
            upper += [(x0, r)] if i else []
            upper += [(x1, r)] if i < len(steps) - 1 else [(x1 - 1.0, r), (x1, r - 1.0)]
        view.contour([*upper, *[(x, -y) for x, y in reversed(upper)]])
        for x0, _, r in steps[1:]:
            view.line((x0, -r), (x0, r))
        self.draw_keys(view, part, design, steps)
        view.axis((steps[0][0], 0.0), (steps[-1][1], 0.0))
        low = -part.big / 2
        for i, (x0, x1, r) in enumerate(steps):
            if design.chain == "chain":
                view.hdim((x0, low), (x1, low), -14)
            else:
                view.hdim((steps[0][0], low), (x1, low), -14 - 7 * i)
            view.vdim((x1 - 4, -r), (x1 - 4, r), 7 if i == len(steps) - 1 else -6, text="%%c<>h6")
        if design.chain == "chain":
            view.hdim((steps[0][0], low), (steps[-1][1], low), -22)
        view.callout((steps[0][0] + 0.5, steps[0][2] - 0.5), (-10, 12), "C1")
        return view

    def draw_keys(self, view: View, part: Numbers, design: Numbers, steps) -> None:
        for i, (x0, x1, r) in enumerate(steps[:3:2]):
            length, center = (x1 - x0) * 0.6, ((x0 + x1) / 2, 0.0)
            if design.key == "flat":
                view.rect((center[0], r * 0.4), length, r * 0.5, role="thin")
                view.line((center[0] - length / 2, r * 0.15), (center[0] + length / 2, r * 0.65), role="thin")
                view.line((center[0] - length / 2, r * 0.65), (center[0] + length / 2, r * 0.15), role="thin")
            else:
                view.poly(slot(center, length, part.key), feature="slot")
            if i == 0:
                view.section_mark((center[0], r + 7 * view.u), (center[0], -r - 7 * view.u), "A")

    def view_section(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("section", "SECTION A-A", zoom=1.25)
        r, k = part.big * design.order[0] / 2, part.key / 2
        a = math.degrees(math.asin(k / r))
        depth = r * 0.62
        points = [
            (*polar((0, 0), r, 90 + a), math.tan(math.radians(360 - 2 * a) / 4)),
            (*polar((0, 0), r, 90 - a), 0.0),
        ]
        shape = [*points, (k, depth, 0.0), (-k, depth, 0.0)]
        view.contour(shape)
        view.hatch(shape, edges=True)
        view.axes(2 * r, 2 * r)
        view.hdim((-k, r), (k, r), 8, text="<>N9")
        view.vdim((0.0, -r), (k, depth), 10)
        view.ddim((0.0, 0.0), r, 215, 8)
        return view

    def view_end(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("end", "END VIEW", zoom=1.25)
        for share in sorted(set(design.order)):
            view.circle((0.0, 0.0), part.big * share / 2)
        view.circle((0.0, 0.0), part.big * design.order[-1] / 2 - 1.0, role="thin")
        for i in range(3):
            view.hole(polar((0.0, 0.0), part.big * 0.15, 90 + 120 * i), part.big * 0.04)
        view.axes(part.big, part.big)
        return view


class HeatSink(Kind):
    name = "heat_sink"
    shape, shown_in = ("fin", "foot"), ("profile",)
    title_en, title_zh = "HEAT SINK", "散热器"
    plans = (
        (("profile",), ("plan",)),
        (("profile", "notes"), ("plan", "detail")),
        (("plan",), ("profile",), ("notes",)),
    )
    notes = NOTES
    materials = ("AL6063-T5", "AL1050", "C1100")
    stems = ("HS-{width:g}x{length:g}x{height:g} {serial} Rev{rev}", "散热器 {width:g}×{length:g} {serial} Rev{rev}")

    def design(self, rng: Random, cycle: Cycle) -> Numbers:
        design = super().design(rng, cycle)
        design.fin = cycle.pick("fin", ("straight", "round", "taper"))
        design.foot = cycle.pick("foot", ("none", "ears", "grooves"))
        return design

    def part(self, rng: Random, design: Numbers) -> Numbers:
        fins, pitch = rng.randint(11, 32), rng.choice((4, 5, 6))
        return Numbers(
            fins=fins,
            pitch=pitch,
            width=(fins - 1) * pitch + 2,
            length=rng.choice((40, 60, 80, 120)),
            height=rng.choice((18, 25, 35)),
            base=rng.choice((4, 5, 6)),
            hole=rng.choice((3.4, 4.5)),
        )

    def size(self, part: Numbers) -> str:
        return f"{part.width}x{part.length}x{part.height}"

    def section(self, part: Numbers, design: Numbers):
        """The extruded profile as one long closed polyline."""
        t, base, top = 1.0, part.base - part.height / 2, part.height / 2
        tip = {"straight": t, "round": t, "taper": 0.6}[design.fin]
        half = part.width / 2
        ear = 8.0 if design.foot == "ears" else 0.0
        points = [(-half - ear, -top, 0.0)]
        if design.foot == "grooves":
            for i in (-1, 0, 1):
                x = i * part.width / 4
                points += [(x - 2, -top, 0.0), (x - 2, -top + 1.5, 0.0), (x + 2, -top + 1.5, 0.0), (x + 2, -top, 0.0)]
        points += [(half + ear, -top, 0.0), (half + ear, base, 0.0)]
        for i in reversed(range(part.fins)):
            x = -half + 1 + i * part.pitch
            crown = 1.0 if design.fin == "round" else 0.0
            points += [(x + t, base, 0.0), (x + tip, top, crown), (x - tip, top, 0.0), (x - t, base, 0.0)]
        return [*points, (-half - ear, base, 0.0)]

    def view_profile(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("profile", "PROFILE")
        shape = self.section(part, design)
        view.poly(shape)
        view.hatch(shape)
        low, top, half = -part.height / 2, part.height / 2, part.width / 2
        ear = 8.0 if design.foot == "ears" else 0.0
        view.hdim((-half - ear, low), (half + ear, low), -10)
        view.vdim((half + ear, low), (half, top), 10)
        view.vdim((-half - ear, low), (-half - ear, low + part.base), -9)
        view.hdim((1 - half, top), (1 - half + part.pitch, top), 8)
        view.callout((half - 1, top), (10, 9), f"{part.fins} FINS")
        return view

    def view_plan(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("plan", "PLAN VIEW")
        half, length = part.width / 2, part.length
        ear = 8.0 if design.foot == "ears" else 0.0
        view.rect((0.0, 0.0), part.width + 2 * ear, length)
        for i in range(part.fins):
            x = -half + 1 + i * part.pitch
            view.line((x - 1, -length / 2), (x - 1, length / 2))
            view.line((x + 1, -length / 2), (x + 1, length / 2))
        reach = half + ear - 4
        for x in (-reach, reach):
            for y in (-length / 2 + 6, length / 2 - 6):
                view.hole((x, y), part.hole / 2)
        view.axes(part.width + 2 * ear, length)
        view.vdim((half + ear, -length / 2), (half + ear, length / 2), 16)
        view.vdim((reach, 6 - length / 2), (reach, length / 2 - 6), 8 + 4 / view.u)
        view.hdim((-reach, 6 - length / 2), (reach, 6 - length / 2), -(8 + 6 / view.u))
        view.callout((-reach, length / 2 - 6), (-12, 10 + 6 / view.u), f"4-%%c{part.hole}")
        return view

    def view_detail(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("detail", "FIN DETAIL", zoom=3.0)
        top = min(part.height / 2, 8.0)
        crown = 1.0 if design.fin == "round" else 0.0
        tip = 0.6 if design.fin == "taper" else 1.0
        for x in (-part.pitch / 2, part.pitch / 2):
            view.contour([(x + 1, -top, 0), (x + tip, top, crown), (x - tip, top, 0), (x - 1, -top, 0)], closed=False)
        reach = part.pitch / 2 + 1
        view.spline([(-reach, -top), (-reach / 3, -top * 1.1), (reach / 3, -top * 0.9), (reach, -top)], role="thin")
        view.hdim((-part.pitch / 2, top), (part.pitch / 2, top), 9)
        view.hdim((part.pitch / 2 - 1, 0.0), (part.pitch / 2 + 1, 0.0), -(9 + top / view.u))
        return view
