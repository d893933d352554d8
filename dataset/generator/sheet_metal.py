"""Bent and punched sheets: bracket, perforated plate, front panel."""

import math
from random import Random

from dataset.generator.canvas import Pen, View, chamfered, rectangle, rounded, slot
from dataset.generator.kind import Kind, Numbers
from dataset.generator.mechanical import NOTES
from dataset.generator.placement import polar
from dataset.generator.style import Cycle


class Bracket(Kind):
    name = "bracket"
    shape, shown_in = ("profile", "corner", "slots"), ("side", "plan")
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
        width, hole = rng.choice((30, 45, 60, 90)), rng.choice((4.5, 5.5, 6.6))
        return Numbers(
            leg=rng.choice((40, 50, 60, 80)),
            width=width,
            height=rng.choice((35, 45, 60, 75)),
            thick=rng.choice((1.5, 2, 3, 4)),
            hole=hole,
            count=min(rng.choice((2, 3, 4, 6)), int(width / (1.8 * hole))),  # some metal is left between the holes
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
    shape, shown_in = ("pattern", "corner"), ("front",)
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


class FrontPanel(Kind):
    name = "front_panel"
    shape, shown_in = ("connector", "vent"), ("front",)
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
        units, width = rng.choice((1, 2, 3)), rng.choice((213, 320, 426, 482.6))
        room = int((0.72 * width - 40) / 29) + 1  # the widest cutout takes 28 mm
        return Numbers(
            units=units,
            count=min(rng.randint(4, 12), room),
            width=width,
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
