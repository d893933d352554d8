"""Machined, punched and moulded parts: flange, bracket, perforated plate, gasket, shaft, heat sink, front panel."""

import math
from random import Random

from dataset.generator.canvas import Pen, View, chamfered, rectangle, ring, rounded, slot
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


class Bracket(Kind):
    name = "bracket"
    title_en, title_zh = "BRACKET", "支架"
    plans = (
        (("front", "side"), ("plan", "notes")),
        (("plan", "flat"), ("front", "side")),
        (("front", "side"), ("flat", "table")),
        (("side", "front", "plan"),),
    )
    notes = NOTES
    stems = ("Bracket {leg:g}×{width:g} {serial}_r{rev}", "BRKT_{serial}({width:g}) Rev{rev}")

    def design(self, rng: Random, cycle: Cycle) -> Numbers:
        design = super().design(rng, cycle)
        design.profile = cycle.pick("profile", ("L", "U", "Z"))
        design.corner = cycle.pick("corner", ("round", "cut", "square"))
        design.gusset = rng.random() < 0.5
        design.slots = cycle.pick("slots", ("slots", "holes", "both"))
        return design

    def part(self, rng: Random, design: Numbers) -> Numbers:
        return Numbers(
            leg=rng.choice((40, 50, 60, 80)),
            width=rng.choice((30, 45, 60, 90)),
            height=rng.choice((35, 45, 60, 75)),
            thick=rng.choice((1.5, 2, 3, 4)),
            hole=rng.choice((4.5, 5.5, 6.6)),
            count=rng.choice((2, 3, 4, 6)),
        )

    def size(self, part: Numbers) -> str:
        return f"{part.leg}x{part.width}x{part.height} t={part.thick:g}"

    def table_rows(self, part: Numbers, design: Numbers) -> list[tuple[str, ...]]:
        rows = [("ITEM", "QTY", "SIZE"), ("HOLE", str(part.count), f"%%c{part.hole}")]
        rows.append(("SLOT", str(part.count), f"{part.hole} x {part.hole * 2}"))
        return [*rows, ("BEND", "1" if design.profile == "L" else "2", f"R{part.thick:g} 90%%d")]

    def plate(self, view: View, width: float, height: float, design: Numbers) -> None:
        cut = min(width, height) * 0.12
        if design.corner == "round":
            view.contour(rounded((0.0, 0.0), width, height, cut))
        elif design.corner == "cut":
            view.contour(chamfered((0.0, 0.0), width, height, cut))
        else:
            view.rect((0.0, 0.0), width, height)

    def view_front(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("front", "FRONT VIEW")
        w, h = part.width, part.height
        self.plate(view, w, h, design)
        view.line((-w / 2, -h / 2 + part.thick), (w / 2, -h / 2 + part.thick))
        view.line((-w / 2, -h / 2 + 2 * part.thick), (w / 2, -h / 2 + 2 * part.thick), role="thin")
        xs = [(i - (part.count - 1) / 2) * w / part.count for i in range(part.count)]
        for x in xs:
            view.hole((x, h * 0.2), part.hole / 2)
        view.axes(w, h)
        view.hdim((-w / 2, -h / 2), (w / 2, -h / 2), -16)
        view.vdim((-w / 2, -h / 2), (-w / 2, h / 2), -14)
        view.hdim((xs[0], h * 0.2), (xs[1], h * 0.2), 8 + h * 0.3 / view.u)
        view.vdim((w / 2, -h / 2), (xs[-1], h * 0.2), 8)
        view.callout((xs[-1], h * 0.2 + part.hole / 2), (16 + (w / 2 - xs[-1]) / view.u, 10 + h * 0.3 / view.u),
                     f"{part.count}-%%c{part.hole} THRU")  # fmt: skip
        return view

    def profile(self, part: Numbers, design: Numbers):
        """The bent sheet from the side: outer and inner line with arcs at the bends, as one closed polyline."""
        a, h, t = part.leg, part.height, part.thick
        q = math.tan(math.radians(22.5))
        if design.profile == "L":
            points = [
                (2 * t, 0, 0),
                (a, 0, 0),
                (a, t, 0),
                (2 * t, t, -q),
                (t, 2 * t, 0),
                (t, h, 0),
                (0, h, 0),
                (0, 2 * t, q),
            ]
        elif design.profile == "U":
            points = [
                (2 * t, 0, 0), (a - 2 * t, 0, q), (a, 2 * t, 0), (a, h, 0), (a - t, h, 0), (a - t, 2 * t, -q),
                (a - 2 * t, t, 0), (2 * t, t, -q), (t, 2 * t, 0), (t, h, 0), (0, h, 0), (0, 2 * t, q),
            ]  # fmt: skip
        else:
            m = a / 2
            points = [
                (m, 0, 0), (a, 0, 0), (a, t, 0), (m, t, -q), (m - t, 2 * t, 0), (m - t, h - 2 * t, q),
                (m - 3 * t, h, 0), (0, h, 0), (0, h - t, 0), (m - 3 * t, h - t, -q),
                (m - 2 * t, h - 2 * t, 0), (m - 2 * t, 2 * t, q),
            ]  # fmt: skip
        return [(x - a / 2, y - h / 2, b) for x, y, b in points]

    def view_side(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("side", "SIDE VIEW")
        a, h, t = part.leg, part.height, part.thick
        shape = self.profile(part, design)
        view.contour(shape)
        view.hatch(shape)
        if design.gusset and design.profile == "L":
            view.line((t - a / 2, h * 0.15), (a * 0.15, t - h / 2))
        view.hdim((-a / 2, -h / 2), (a / 2, -h / 2), -10)
        view.vdim((a / 2, -h / 2), (a / 2 if design.profile == "U" else -a / 2, h / 2), 10)
        view.hdim((-a / 2, h / 2), (t - a / 2, h / 2), 8) if design.profile != "Z" else None
        if design.profile != "Z":
            view.rdim((2 * t - a / 2, 2 * t - h / 2), 2 * t, 225, 9)
        return view

    def view_plan(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("plan", "PLAN VIEW")
        a, w = part.leg, part.width
        self.plate(view, a, w, design)
        view.line((part.thick - a / 2, -w / 2), (part.thick - a / 2, w / 2))
        view.line((2 * part.thick - a / 2, -w / 2), (2 * part.thick - a / 2, w / 2), role="hidden")
        for i in range(part.count):
            at = (a * 0.15, (i - (part.count - 1) / 2) * w / part.count)
            if design.slots == "holes" or (design.slots == "both" and i % 2):
                view.hole(at, part.hole / 2)
            else:
                view.poly(slot(at, part.hole * 2.2, part.hole), feature="hole")
                view.axes(part.hole * 2.2, part.hole, at)
        low = -(part.count - 1) / 2 * w / part.count
        view.vdim((a / 2, -w / 2), (a / 2, w / 2), 16)
        view.vdim((a * 0.15, low), (a * 0.15, low + w / part.count), 8 + a * 0.35 / view.u)
        view.hdim((-a / 2, -w / 2), (a * 0.15, low), -10)
        return view

    def view_flat(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        """The blank before bending."""
        view = pen.view("flat", "FLAT PATTERN")
        bends = 1 if design.profile == "L" else 2
        length = part.leg + part.height * bends - 2 * part.thick * bends
        self.plate(view, length, part.width, design)
        for i in range(bends):
            x = -length / 2 + (part.height - part.thick) + i * (part.leg - part.thick)
            view.line((x, -part.width / 2), (x, part.width / 2), role="center")
            view.callout((x, part.width / 4), (12, 14 + part.width / 4 / view.u), "BEND UP 90%%d R1")
        view.hdim((-length / 2, -part.width / 2), (length / 2, -part.width / 2), -10)
        view.vdim((-length / 2, -part.width / 2), (-length / 2, part.width / 2), -10)
        return view


class PerforatedPlate(Kind):
    name = "perforated_plate"
    title_en, title_zh = "PERFORATED PLATE", "冲孔板"
    plans = (
        (("front", "edge"), ("notes", "detail")),
        (("front",), ("notes",)),
        (("detail", "front"), ("notes", "table")),
    )
    notes = NOTES
    stems = ("Plate {width:g}×{height:g} - {serial}_r{rev}", "冲孔板 {width:g}x{height:g} （{serial}） Rev{rev}")

    def design(self, rng: Random, cycle: Cycle) -> Numbers:
        design = super().design(rng, cycle)
        design.pattern = cycle.pick("pattern", ("square", "staggered", "slots", "rings"))
        design.holes_as = cycle.pick("holes_as", ("circles", "inserts"))
        design.dims = cycle.pick("dims", ("ordinate", "chain"))
        design.corner = cycle.pick("corner", ("round", "square", "cut"))
        return design

    def part(self, rng: Random, design: Numbers) -> Numbers:
        pitch = rng.choice((8, 10, 12, 15))
        nx, ny = rng.randint(12, 30), rng.randint(8, 18)
        return Numbers(
            pitch=pitch,
            nx=nx,
            ny=ny,
            hole=round(pitch * rng.choice((0.4, 0.5, 0.6)), 1),
            width=(nx + 1) * pitch + 10,
            height=(ny + 1) * pitch + 10,
            thick=rng.choice((1, 1.5, 2, 3)),
        )

    def size(self, part: Numbers) -> str:
        return f"{part.width}x{part.height} t={part.thick:g}"

    def table_rows(self, part: Numbers, design: Numbers) -> list[tuple[str, ...]]:
        return [
            ("PITCH", "HOLE", "OPEN AREA"),
            (f"{part.pitch}", f"%%c{part.hole}", f"{78.5 * (part.hole / part.pitch) ** 2:.0f}%"),
        ]

    def places(self, part: Numbers, design: Numbers) -> list[tuple[float, float]]:
        p = part.pitch
        grid = [
            ((i - (part.nx - 1) / 2) * p, (j - (part.ny - 1) / 2) * p) for j in range(part.ny) for i in range(part.nx)
        ]
        if design.pattern == "staggered":
            shifted = [(x + (p / 2 if round(y / p + part.ny) % 2 else 0.0), y) for x, y in grid]
            return [(x, y) for x, y in shifted if x <= (part.nx - 1) / 2 * p]
        if design.pattern == "slots":
            return grid[::2]
        if design.pattern == "rings":
            rings = range(1, part.ny // 2 + 1)
            return [(0.0, 0.0)] + [polar((0.0, 0.0), p * k, 60.0 / k * i) for k in rings for i in range(6 * k)]
        return grid

    def view_front(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("front", "FRONT VIEW")
        w, h, r = part.width, part.height, part.hole / 2
        if design.corner == "round":
            view.contour(rounded((0.0, 0.0), w, h, 6.0))
        elif design.corner == "cut":
            view.contour(chamfered((0.0, 0.0), w, h, 6.0))
        else:
            view.rect((0.0, 0.0), w, h)
        for x in (-1, 1):
            for y in (-1, 1):
                view.hole((x * (w / 2 - 6), y * (h / 2 - 6)), 2.25)
        places = self.places(part, design)
        name = pen.block("HOLE", lambda v: v.circle((0.0, 0.0), 1.0)) if design.holes_as == "inserts" else ""
        for at in places:
            if design.pattern == "slots":
                view.poly(slot(at, part.pitch * 1.4, r * 1.6), feature="hole")
            elif name:
                view.insert(name, at, r, feature="hole")
            else:
                view.circle(at, r, feature="hole")
        view.axes(w, h)
        self.measure(view, part, design, places)
        return view

    def measure(self, view: View, part: Numbers, design: Numbers, places) -> None:
        w, h = part.width, part.height
        corner = (-w / 2, -h / 2)
        if design.dims == "ordinate":
            columns = sorted({round(x, 3) for x, y in places if abs(y) < part.pitch * 0.6})[:: max(1, part.nx // 6)]
            levels = sorted({round(y, 3) for _, y in places})[:: max(1, part.ny // 5)]
            for x in (*columns, w / 2):
                view.xdim(corner, (x, -h / 2), -h / 2 - 14 * view.u)
            for y in (*levels, h / 2):
                view.ydim(corner, (-w / 2, y), -w / 2 - 14 * view.u)
        else:
            view.hdim(corner, (w / 2, -h / 2), -16)
            view.vdim(corner, (-w / 2, h / 2), -16)
            (x0, y0), (x1, _) = places[0], places[1]
            view.hdim((x0, y0), (x1, y0), -(8 + (y0 + h / 2) / view.u))
            view.vdim(corner, (x0, y0), -8)
        tip = (w / 2 - 6 + 1.6, h / 2 - 6 + 1.6)
        view.callout(tip, (10, 12), "4-%%c4.5")
        view.callout((places[-1][0], places[-1][1] + part.hole / 2), (-24, 14 + (h / 2 - places[-1][1]) / view.u),
                     f"{len(places)}-%%c{part.hole}")  # fmt: skip

    def view_edge(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("edge", "EDGE")
        shape = rectangle((0.0, 0.0), part.thick, part.height)
        view.contour(shape)
        view.hatch(shape)
        view.hdim((-part.thick / 2, part.height / 2), (part.thick / 2, part.height / 2), 10)
        return view

    def view_detail(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("detail", "DETAIL", zoom=2.0)
        p, r = part.pitch, part.hole / 2
        for i in (-0.5, 0.5):
            for j in (-0.5, 0.5):
                view.hole((i * p, j * p), r)
        view.circle((0.0, 0.0), p * 1.3, role="thin")
        view.hdim((-p / 2, -p / 2), (p / 2, -p / 2), -(10 + p / 2 / view.u))
        view.vdim((p / 2, -p / 2), (p / 2, p / 2), 10 + p / 2 / view.u)
        view.ddim((-p / 2, p / 2), r, 135, 10)
        return view


class Gasket(Kind):
    name = "gasket"
    title_en, title_zh = "GASKET", "密封垫"
    plans = (
        (("front", "section"), ("notes", "table")),
        (("front", "table"),),
        (("section", "front"), ("notes", "table")),
    )
    notes = (
        "CUT CLEAN, NO FRAYED EDGES",
        "MATERIAL CERTIFICATE REQUIRED",
        "HARDNESS 60 +/-5 SHORE A",
        "CONTOUR TOLERANCE 0.3",
        "STORE FLAT AND DRY",
    )
    materials = ("NBR", "EPDM", "GRAPHITE", "PTFE")
    stems = ("GASKET_{ports}PORT_{serial} (t{thick:g}) Rev{rev}", "密封垫（{ports}孔）{serial} Rev{rev}")

    def design(self, rng: Random, cycle: Cycle) -> Numbers:
        design = super().design(rng, cycle)
        design.outline = cycle.pick("outline", ("wavy", "lobes", "manifold"))
        design.bead = cycle.pick("bead", ("none", "line", "hatch"))
        design.harmonics = rng.sample((2, 3, 5), 2)
        design.port = cycle.pick("port", ("round", "spline", "slot"))
        return design

    def part(self, rng: Random, design: Numbers) -> Numbers:
        ports = rng.randint(2, 5)
        return Numbers(
            ports=ports,
            port=rng.choice((18, 22, 28, 34)),
            bolts=rng.choice((6, 8, 10, 12)) if design.outline != "manifold" else 2 * ports + 2,
            bolt=rng.choice((6.5, 8.5)),
            thick=rng.choice((0.8, 1.5, 2.0)),
            depth=rng.choice((2.0, 3.0, 4.5)),
            phase=rng.choice((0.0, 0.3, 0.7)),
        )

    def size(self, part: Numbers) -> str:
        return f"{part.ports} PORT t={part.thick:g}"

    def table_rows(self, part: Numbers, design: Numbers) -> list[tuple[str, ...]]:
        bolts = self.bolt_places(part, design)
        rows = [(f"B{i}", f"{x:.1f}", f"{y:.1f}", f"%%c{part.bolt}") for i, (x, y) in enumerate(bolts, 1)]
        return [("BOLT", "X", "Y", "SIZE"), *rows]

    def half_sizes(self, part: Numbers) -> tuple[float, float]:
        return part.ports * part.port * 0.78 + 14, part.port * 0.75 + 20

    def outline(self, part: Numbers, design: Numbers, inset: float = 0.0, count: int = 120):
        """Points around the gasket: an oval with waves, or with a lobe around each bolt."""
        a, b = self.half_sizes(part)
        points = []
        for i in range(count):
            t = 2 * math.pi * i / count
            squareness = 0.55  # between an ellipse (1) and a rectangle (0)
            x = math.copysign(abs(math.cos(t)) ** squareness, math.cos(t)) * a
            y = math.copysign(abs(math.sin(t)) ** squareness, math.sin(t)) * b
            swell = part.depth * sum(math.cos(k * t + part.phase * k) / k for k in design.harmonics)
            if design.outline == "lobes":
                swell = part.depth * 1.6 * max(0.0, math.cos(part.bolts * t)) ** 3
            r = math.hypot(x, y)
            points.append((x * (1 + (swell - inset) / r), y * (1 + (swell - inset) / r)))
        return points

    def bolt_places(self, part: Numbers, design: Numbers):
        if design.outline == "manifold":
            a, b = self.half_sizes(part)
            step = 2 * (a - 9) / part.ports
            return [(-a + 9 + i * step, s * (b - 9)) for s in (-1, 1) for i in range(part.ports + 1)]
        ring_points = self.outline(part, design, inset=8.0, count=part.bolts * 12)
        return ring_points[::12]

    def view_front(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("front", "GASKET CONTOUR")
        a, b = self.half_sizes(part)
        if design.outline == "wavy":
            view.spline(self.outline(part, design, count=40), closed=True)
        elif design.outline == "lobes":
            view.poly(self.outline(part, design))
        else:
            view.poly(scalloped(a, b, part.ports))
        for at in self.bolt_places(part, design):
            view.hole(at, part.bolt / 2)
        step = part.port * 1.5
        for i in range(part.ports):
            self.draw_port(view, ((i - (part.ports - 1) / 2) * step, 0.0), part, design)
        view.axes(2 * a, 2 * b)
        view.hdim((-a, 0.0), (a, 0.0), -(18 + b / view.u))
        view.vdim((-a, -b), (-a, b), -14)
        first = -(part.ports - 1) / 2 * step
        view.hdim((first, 0.0), (first + step, 0.0), 12 + b / view.u)
        bolts = self.bolt_places(part, design)
        view.adim(bolts[0], bolts[1], -(14 + part.depth / view.u))
        view.callout((bolts[1][0], bolts[1][1]), (22 + (a - bolts[1][0]) / view.u, 12), f"{len(bolts)}-%%c{part.bolt}")
        return view

    def draw_port(self, view: View, at, part: Numbers, design: Numbers) -> None:
        r = part.port / 2
        if design.port == "round":
            view.circle(at, r, feature="port")
        elif design.port == "slot":
            view.poly(slot(at, part.port * 1.3, part.port * 0.8, upright=True), feature="port")
        else:
            wave = [polar(at, r * (1 + 0.12 * math.cos(3 * math.radians(d))), d) for d in range(0, 360, 30)]
            view.spline(wave, closed=True)
        if design.bead == "line":
            view.circle(at, r * 1.22, role="hidden")
        elif design.bead == "hatch":
            view.hatch(ring(at, r * 1.3), ring(at, r * 1.12), pattern="")

    def view_section(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("section", "SECTION B-B", zoom=4.0)
        t, w = part.thick, 9.0
        shape = rectangle((0.0, 0.0), w, t)
        view.contour(shape)
        view.hatch(shape, angle=45.0)
        if design.bead != "none":
            view.arc((0.0, t / 2), t / 3, 0, 180)
        view.vdim((w / 2, -t / 2), (w / 2, t / 2), 8, text="<>%%p0.1")
        view.spline([(-w / 2, -t), (-w / 2 - 0.3, -t / 4), (-w / 2 + 0.3, t / 4), (-w / 2, t)], role="thin")
        return view


def scalloped(a: float, b: float, count: int):
    """A rectangle whose long sides are drawn in between the bolts: arcs as bulges, two a port."""
    step = 2 * a / count
    bottom, top = [], []
    for i in range(count):
        x = -a + i * step
        bottom += [(x, -b, 0.0), (x + step * 0.3, -b, -0.3), (x + step * 0.7, -b, 0.0)]
        top += [(-x, b, 0.0), (-x - step * 0.3, b, -0.3), (-x - step * 0.7, b, 0.0)]
    return [*bottom, (a, -b, 0.0), *top, (-a, b, 0.0)]


class Shaft(Kind):
    name = "shaft"
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


class FrontPanel(Kind):
    name = "front_panel"
    title_en, title_zh = "FRONT PANEL", "面板"
    plans = (
        (("front",), ("notes",)),
        (("front",), ("table",)),
        (("notes", "table"), ("front", "")),
    )
    notes = NOTES
    stems = ("PANEL_{units}U_{width:g}_{serial} Rev{rev}", "面板 {width:g}×{height:g}（{units}U）-{serial} Rev{rev}")

    def design(self, rng: Random, cycle: Cycle) -> Numbers:
        design = super().design(rng, cycle)
        design.connector = cycle.pick("connector", ("dsub", "round", "usb"))
        design.vent = cycle.pick("vent", ("slots", "hex", "none"))
        design.display = rng.random() < 0.6
        design.legend = cycle.pick("legend", ("IN", "CH", "PORT", "X"))
        return design

    def part(self, rng: Random, design: Numbers) -> Numbers:
        units, count = rng.choice((1, 2, 3)), rng.randint(4, 12)
        return Numbers(
            units=units,
            count=count,
            width=rng.choice((213, 320, 426, 482.6)),
            height=units * 44.45 - 0.8,
            leds=rng.randint(2, 6),
            slots=rng.randint(6, 18),
        )

    def size(self, part: Numbers) -> str:
        return f"{part.units}U {part.width:g}"

    def table_rows(self, part: Numbers, design: Numbers) -> list[tuple[str, ...]]:
        rows = [("CUTOUT", "X", "Y", "TYPE")]
        for i in range(part.count):
            x, y = self.place(part, i)
            rows.append(
                (
                    f"{design.legend}{i + 1}",
                    f"{x + part.width / 2:.1f}",
                    f"{y + part.height / 2:.1f}",
                    design.connector.upper(),
                )
            )
        return rows

    def place(self, part: Numbers, i: int) -> tuple[float, float]:
        first, last = -part.width / 2 + 40, part.width * 0.22
        return (first + (last - first) * i / max(1, part.count - 1), -part.height * 0.12)

    def view_front(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("front", "FRONT VIEW")
        w, h = part.width, part.height
        view.contour(rounded((0.0, 0.0), w, h, 2.0))
        for x in (-w / 2 + 8, w / 2 - 8):
            for y in (-h / 2 + 6.4, h / 2 - 6.4):
                view.poly(slot((x, y), 10.0, 6.8), feature="hole")
                view.axes(10.0, 6.8, (x, y))
        name = pen.block("CUTOUT", lambda v: draw_connector(v, design.connector))
        for i in range(part.count):
            at = self.place(part, i)
            view.insert(name, at, -1.0 if i % 2 else 1.0, 1.0, feature="hole")
            view.text((at[0], at[1] + 10), f"{design.legend}{i + 1}", 2.2, "CENTER", feature="legend")
        for i in range(part.leds):
            view.hole((w * 0.3, (i - (part.leds - 1) / 2) * min(6.0, h / part.leds * 0.8)), 1.6)
        self.draw_vent(view, part, design)
        if design.display and part.units > 1:
            view.contour(rounded((-w * 0.05, h * 0.28), 60.0, h * 0.2, 2.0))
        self.measure(view, part)
        return view

    def draw_vent(self, view: View, part: Numbers, design: Numbers) -> None:
        x0, h = part.width * 0.36, part.height
        room = part.width / 2 - 16 - x0
        for i in range(part.slots):
            x = x0 + room * i / part.slots
            if design.vent == "slots":
                view.poly(slot((x, 0.0), h * 0.6, min(2.5, room / part.slots * 0.6), upright=True), feature="slot")
            elif design.vent == "hex":
                size = min(room / part.slots * 0.5, 3.0)
                for j in range(-3, 4):
                    center = (x, j * h * 0.09 + (i % 2) * h * 0.045)
                    view.poly([polar(center, size, 60 * k) for k in range(6)], feature="slot")

    def measure(self, view: View, part: Numbers) -> None:
        w, h = part.width, part.height
        corner = (-w / 2, -h / 2)
        for i in range(part.count):
            x, _ = self.place(part, i)
            view.xdim(corner, (x, -h / 2), -h / 2 - 14 * view.u)
        view.ydim(corner, (-w / 2, self.place(part, 0)[1]), -w / 2 - 14 * view.u)
        view.hdim((-w / 2, h / 2), (w / 2, h / 2), 16)
        view.hdim((8 - w / 2, h / 2 - 6.4), (w / 2 - 8, h / 2 - 6.4), 8 + 6.4 / view.u)
        view.vdim((w / 2, -h / 2), (w / 2, h / 2), 14)
        view.vdim((w / 2 - 8, 6.4 - h / 2), (w / 2 - 8, h / 2 - 6.4), 6 + 8 / view.u)


def draw_connector(view: View, kind: str) -> None:
    """A cutout in the panel, drawn around its middle."""
    if kind == "round":
        view.circle((0.0, 0.0), 6.0)
        view.line((-8.0, 0.0), (8.0, 0.0), role="center")
        view.line((0.0, -8.0), (0.0, 8.0), role="center")
    elif kind == "usb":
        view.poly(rounded((0.0, 0.0), 13.0, 6.0, 0.8))
        view.solid(rectangle((0.0, 1.0), 9.0, 1.6), role="hatch")
    else:
        b = 0.38
        view.poly([(-7.0, -4.5, 0.0), (7.0, -4.5, b), (8.6, -3.0, 0.0), (9.6, 3.0, b), (8.0, 4.8, 0.0), (-8.0, 4.8, b),
                   (-9.6, 3.0, 0.0), (-8.6, -3.0, b)])  # fmt: skip
        for x in (-12.5, 12.5):
            view.circle((x, 0.0), 1.55)
