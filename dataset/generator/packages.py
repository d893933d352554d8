"""Chip packages: QFN and DFN (pads below), SOIC and QFP (gull wings), BGA (balls)."""

from dataclasses import replace
from random import Random

from dataset.generator.canvas import Pen, View, chamfered, rectangle, ring, rounded
from dataset.generator.kind import Kind, Numbers
from dataset.generator.placement import Placement, Point, polar
from dataset.generator.style import Cycle

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


def number_pins(view: View, places: list[tuple[Point, float]], offset: float) -> None:
    """The number of each pin beside it, `offset` paper mm outwards (or inwards, if negative) of its place."""
    pitch = abs(places[0][0][1] - places[1][0][1]) / view.u
    size = min(1.8, pitch * 0.45)
    for number, (at, turn) in enumerate(places, 1):
        center = polar(at, (offset + (size if offset > 0 else -size) * 0.6) * view.u, turn)
        view.text(center, str(number), size, "MIDDLE_CENTER", feature="pin number")


def pad_shape(kind: str, length: float, width: float):
    """A pad whose outer end is at x = 0 and that reaches inwards."""
    if kind == "square":
        return rectangle((-length / 2, 0.0), length, width)
    if kind == "bullet":
        half = width / 2
        return [(0.0, half), (half - length, half, 1.0), (half - length, -half), (0.0, -half)]
    return rounded((-length / 2, 0.0), length, width, width * 0.2)


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


class GullWing(Kind):
    """SOIC (leads on two sides) and QFP (on four)."""

    sides = 2
    plans = (
        (("top", "end"), ("side", "detail"), ("notes", "table")),
        (("top", "land"), ("side", "notes")),
        (("side", "detail"), ("top", "table")),
    )
    notes = NOTES
    materials = MATERIALS

    def design(self, rng: Random, cycle: Cycle) -> Numbers:
        design = super().design(rng, cycle)
        design.pitches = rng.choice(((1.27,), (0.65, 0.8), (1.0, 1.27))) if self.sides == 2 else (0.5, 0.65, 0.8)
        design.mark = cycle.pick("mark", ("dimple", "notch", "bevel"))
        design.leads_as = cycle.pick("leads_as", ("insert", "lines"))
        design.numbered = cycle.pick("numbered", (True, False))
        design.draft = rng.choice((5.0, 7.0, 10.0))
        design.body = rng.choice((3.9, 5.3, 7.5))
        return design

    def part(self, rng: Random, design: Numbers) -> Numbers:
        per_side = rng.choice((4, 8, 10, 14, 16, 20)) if self.sides == 2 else rng.choice((8, 11, 12, 16, 20, 25))
        pitch = rng.choice(design.pitches)
        length = round(per_side * pitch + (0.1 if self.sides == 2 else 1.2), 2)
        return Numbers(
            per_side=per_side,
            pins=per_side * self.sides,
            pitch=pitch,
            body_x=design.body if self.sides == 2 else length,
            body_y=length,
            lead=rng.choice((0.95, 1.05, 1.2)),
            lead_width=round(pitch * rng.choice((0.32, 0.36)), 2),
            foot=0.55,
            thick=rng.choice((1.0, 1.45, 1.75, 2.3)),
            gap=0.12,
            sheet=0.18,
        )

    def size(self, part: Numbers) -> str:
        return f"{part.pins}L {part.body_x:g}x{part.body_y:g}"

    def table_rows(self, part: Numbers, design: Numbers) -> list[tuple[str, ...]]:
        return gd_rows(
            (
                ("A", part.thick, 0.1),
                ("A1", part.gap, 0.05),
                ("b", part.lead_width, 0.06),
                ("D", part.body_y, 0.1),
                ("E", part.body_x + 2 * part.lead, 0.2),
                ("E1", part.body_x, 0.1),
                ("e", part.pitch, 0.0),
                ("L", part.foot, 0.1),
            )
        )

    def lead_places(self, part: Numbers) -> list[tuple[Point, float]]:
        first = (part.per_side - 1) / 2 * part.pitch
        places = []
        for side in range(self.sides):
            turn = 180.0 + (360.0 / self.sides) * side
            reach = (part.body_x if turn % 180 == 0 else part.body_y) / 2
            for i in range(part.per_side):
                places.append((Placement(angle=turn).point((reach, first - i * part.pitch)), turn % 360.0))
        return places

    def view_top(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("top", "TOP VIEW")
        w, h = part.body_x, part.body_y
        self.draw_body(view, part, design)
        half, reach = part.lead_width / 2, part.lead

        def lead(target: View) -> None:
            target.poly([(0.0, -half), (reach, -half), (reach, half), (0.0, half)], closed=False)
            target.line((reach - part.foot, -half), (reach - part.foot, half), role="thin")

        name = pen.block("LEAD", lead)
        for at, turn in self.lead_places(part):
            if design.leads_as == "insert":
                view.insert(name, at, angle=turn, feature="pad")
            else:
                to = Placement(angle=turn, shift=at)
                p = to.points([(0.0, -half), (reach, -half), (reach, half), (0.0, half)])
                view.line(p[0], p[1]), view.line(p[1], p[2]), view.line(p[2], p[3])
        if design.numbered:
            number_pins(view, self.lead_places(part), -1.2)
        view.axes(w + 2 * reach, h + (2 * reach if self.sides == 4 else 0.0))
        first = (part.per_side - 1) / 2 * part.pitch
        out = w / 2 + reach
        lower = -h / 2 - (reach if self.sides == 4 else 0.0)
        view.vdim((-out, first), (-out, first - part.pitch), -8)
        view.vdim((out, -first - half), (out, -first + half), 8)
        view.hdim((-out, lower), (out, lower), -16)
        view.hdim((-w / 2, lower), (w / 2, lower), -8)
        view.vdim((out, -h / 2), (out, h / 2), 17)
        view.callout((-w / 2 + 0.8, h / 2 - 0.8), (-10 - reach / view.u, 14 - (lower + h / 2) / view.u), "PIN 1")
        return view

    def draw_body(self, view: View, part: Numbers, design: Numbers) -> None:
        w, h = part.body_x, part.body_y
        if design.mark == "bevel":
            view.contour(chamfered((0.0, 0.0), w, h, 0.6, all_corners=False))
        else:
            view.rect((0.0, 0.0), w, h)
        view.rect((0.0, 0.0), w - 0.3, h - 0.3, role="thin")
        if design.mark == "dimple":
            view.circle((-w / 2 + 0.8, h / 2 - 0.8), 0.3, feature="mark")
        elif design.mark == "notch":
            view.arc((0.0, h / 2), 0.5, 180, 360)
        view.text((0.0, 1.5 * view.u), f"{self.name.upper()}-{part.pins}", 3.5, "MIDDLE_CENTER")

    def gull_wing(self, part: Numbers):
        """Profile of a lead from the body (x = 0, middle of the lead at y = 0) to its foot, as a closed polyline."""
        t, drop, reach = part.sheet, part.thick / 2 + part.gap, part.lead
        r, knee = t * 1.2, reach - part.foot
        return [
            (0.0, t / 2), (knee - r, t / 2, -0.41), (knee, t / 2 - r), (knee, r + t - drop, 0.41),
            (knee + r, t - drop), (reach, t - drop), (reach, -drop), (knee + r * 0.6, -drop, -0.41),
            (knee - t, r * 0.6 - drop + t), (knee - t, -t / 2 - r * 0.3, 0.41),
            (knee - t - r * 0.3, -t / 2), (0.0, -t / 2),
        ]  # fmt: skip

    def view_end(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        """The profile with its gull wings: one lead, and the same block mirrored."""
        view = pen.view("end", "END VIEW")
        w, t = part.body_x, part.thick
        view.poly([(-w / 2, 0.0), (-w / 2 + 0.12, t / 2), (w / 2 - 0.12, t / 2), (w / 2, 0.0),
                   (w / 2 - 0.12, -t / 2), (-w / 2 + 0.12, -t / 2)])  # fmt: skip
        view.line((-w / 2, 0.0), (w / 2, 0.0), role="thin")
        profile = self.gull_wing(part)
        name = pen.block("WING", lambda v: (v.poly(profile), v.hatch(profile, pattern="")))
        view.insert(name, (w / 2, 0.0), feature="pad")
        view.insert(name, (-w / 2, 0.0), -1.0, 1.0, feature="pad")
        foot = -t / 2 - part.gap
        out = w / 2 + part.lead
        view.line((-out - 6 * view.u, foot), (out + 6 * view.u, foot), role="thin")
        view.vdim((out, foot), (out, t / 2), 8)
        view.hdim((out - part.foot, foot), (out, foot), -8)
        view.hdim((-out, foot), (out, foot), -16)
        view.angdim((w / 2, 0.0), t / 2, 90 - 0.0, 90 + design.draft, 8)
        return view

    def view_side(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("side", "SIDE VIEW")
        length, t = part.body_y, part.thick
        view.contour([(-length / 2, 0.0), (-length / 2 + 0.12, t / 2), (length / 2 - 0.12, t / 2), (length / 2, 0.0),
                      (length / 2 - 0.12, -t / 2), (-length / 2 + 0.12, -t / 2)])  # fmt: skip
        view.line((-length / 2, 0.0), (length / 2, 0.0), role="thin")
        first = (part.per_side - 1) / 2 * part.pitch
        for i in range(part.per_side):
            x = -first + i * part.pitch
            foot = -t / 2 - part.gap
            view.rect((x, (foot + part.sheet) / 2), part.lead_width, part.sheet - foot)
        view.vdim((length / 2, -t / 2 - part.gap), (length / 2, t / 2), 9)
        view.vdim((-length / 2, -t / 2 - part.gap), (-length / 2, -t / 2), -9)
        view.hdim((-length / 2, t / 2), (length / 2, t / 2), 8)
        view.hdim((-first, -t / 2 - part.gap), (-first + part.pitch, -t / 2 - part.gap), -8)
        return view

    def view_detail(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("detail", "DETAIL F", zoom=2.5)
        profile = self.gull_wing(part)
        view.contour(profile)
        view.hatch(profile)
        drop = part.thick / 2 + part.gap
        view.spline([(-0.05, 0.5 * drop), (0.03, 0.2), (-0.04, 0.0), (0.04, -0.25), (-0.05, -0.5 * drop)], role="thin")
        view.line((-0.3, -drop), (part.lead + 0.4, -drop), role="thin")
        view.hdim((part.lead - part.foot, -drop), (part.lead, -drop), -8)
        view.vdim((part.lead, -drop), (part.lead, part.sheet - drop), 8)
        view.angdim((part.lead - part.foot, -drop), part.foot * 0.9, 0, 8, 8, text="0%%d-8%%d")
        view.rdim(
            (part.lead - part.foot - part.sheet * 1.2, part.sheet / 2 - part.sheet * 1.2), part.sheet * 1.2, 45, 8
        )
        return view

    def view_land(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("land", "RECOMMENDED LAND PATTERN")
        length, width = part.foot + 0.9, round(part.pitch * 0.55, 2)
        inner = part.lead - part.foot - 0.25
        shape = rounded((inner + length / 2, 0.0), length, width, width * 0.25)
        name = pen.block("LAND", lambda v: (v.poly(shape), v.hatch(shape)))
        for at, turn in self.lead_places(part):
            view.insert(name, at, angle=turn, feature="pad")
        view.rect((0.0, 0.0), part.body_x, part.body_y, role="hidden")
        first = (part.per_side - 1) / 2 * part.pitch
        out = part.body_x / 2 + inner + length
        lower = -part.body_y / 2 - (inner + length if self.sides == 4 else 0.0)
        view.hdim((-out, lower), (out, lower), -10)
        view.hdim((out - length, -lower), (out, -lower), 8)
        view.vdim((-out, first), (-out, first - part.pitch), -8)
        view.vdim((out, -first - width / 2), (out, -first + width / 2), 8)
        return view


class Soic(GullWing):
    name = "soic"
    title_en, title_zh = "SOIC PACKAGE OUTLINE", "SOIC封装外形图"
    stems = ("SOIC{pins}-{body_x:g} POD_{serial} Rev{rev}", "SOP{pins}L （{pitch:g}）-{serial} Rev{rev}")


class Qfp(GullWing):
    name = "qfp"
    title_en, title_zh = "QFP PACKAGE OUTLINE", "QFP封装外形图"
    sides = 4
    stems = ("LQFP{pins}_{body_x:g}×{body_y:g}_{serial}_Rev{rev}", "QFP{pins}L({pitch:g}) -{serial} Rev{rev}")


class Bga(Kind):
    name = "bga"
    title_en, title_zh = "BGA PACKAGE OUTLINE", "BGA封装外形图"
    plans = (
        (("bottom", "top"), ("side", "notes")),
        (("bottom", "detail"), ("side", "table")),
        (("top", "side"), ("bottom", "notes")),
    )
    notes = (
        "BALL MATERIAL SAC305",
        "PRIMARY DATUM C DEFINED BY THE CROWNS OF THE BALLS",
        "DIMENSION b MEASURED AT MAX BALL DIAMETER",
        "PARALLELISM 0.10",
        "A1 CORNER IDENTIFIED BY INK OR CHAMFER",
        "SUBSTRATE BT RESIN 4 LAYERS",
    )
    materials = ("BT", "FR5", "ABF")
    stems = ("BGA{pins}({width:g}×{width:g}) -{serial} Rev{rev}", "FBGA-{pins} p{pitch:g} {serial} Rev{rev}")

    def design(self, rng: Random, cycle: Cycle) -> Numbers:
        design = super().design(rng, cycle)
        design.field = cycle.pick("field", ("full", "ring", "island", "no corners"))
        design.pitches = rng.choice(((0.8,), (0.65, 0.8), (1.0,), (0.5,)))
        design.ball = cycle.pick("ball", ("circle", "cross", "filled"))
        design.lid = rng.random() < 0.5
        return design

    def part(self, rng: Random, design: Numbers) -> Numbers:
        n = rng.randint(7, 19)
        pitch = rng.choice(design.pitches)
        part = Numbers(n=n, pitch=pitch, width=round((n + 0.6) * pitch, 1), ball=round(pitch * 0.28, 3))
        part.thick, part.stand = rng.choice((0.9, 1.2, 1.5)), part.ball * 1.4
        part.pins = len(ball_grid(part, design))
        return part

    def size(self, part: Numbers) -> str:
        return f"{part.pins} BALL {part.width:g}x{part.width:g}"

    def table_rows(self, part: Numbers, design: Numbers) -> list[tuple[str, ...]]:
        rows = (("A", part.thick + part.stand, 0.1), ("A1", part.stand, 0.05), ("b", 2 * part.ball, 0.05))
        return gd_rows((*rows, ("D", part.width, 0.1), ("E", part.width, 0.1), ("e", part.pitch, 0.0)))

    def view_bottom(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("bottom", "BOTTOM VIEW")
        w, half = part.width, (part.n - 1) / 2 * part.pitch
        view.contour(chamfered((0.0, 0.0), w, w, w / 30, all_corners=False))

        def ball(target: View) -> None:
            target.circle((0.0, 0.0), part.ball)
            if design.ball == "filled":
                target.hatch(ring((0.0, 0.0), part.ball * 0.8), pattern="")
            elif design.ball == "cross":
                target.insert(target.pen.block("CROSS", draw_cross), (0.0, 0.0), part.ball)

        name = pen.block("BALL", ball)
        for i, j in ball_grid(part, design):
            view.insert(name, (i * part.pitch - half, half - j * part.pitch), feature="pad")
        self.name_rows(view, part, half)
        view.axes(w, w)
        view.hdim((-half, half), (-half + part.pitch, half), 10 + (w / 2 - half) / view.u)
        view.hdim((-half, -half), (half, -half), -(10 + (w / 2 - half) / view.u))
        view.hdim((-w / 2, -w / 2), (w / 2, -w / 2), -18)
        view.vdim((w / 2, -w / 2), (w / 2, w / 2), 16)
        view.vdim((half, half - part.pitch), (half, half), 8 + (w / 2 - half) / view.u)
        view.callout((half, -half), (14 + (w / 2 - half) / view.u, -10), f"{part.pins}x %%c{2 * part.ball:.2f}")
        return view

    def name_rows(self, view: View, part: Numbers, half: float) -> None:
        letters = "ABCDEFGHJKLMNPRTUVWY"
        size = min(2.0, part.pitch / view.u * 0.45)
        for i in range(part.n):
            at = i * part.pitch
            view.text((-part.width / 2 - 2 * view.u, half - at), letters[i], size, "MIDDLE_RIGHT")
            view.text((at - half, part.width / 2 + 2 * view.u), str(i + 1), size, "CENTER")

    def view_top(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("top", "TOP VIEW")
        w = part.width
        view.rect((0.0, 0.0), w, w)
        if design.lid:
            view.contour(rounded((0.0, 0.0), w * 0.8, w * 0.8, w * 0.05))
        corner = -w / 2 + w / 20
        view.solid([(corner, -corner), (corner + w / 14, -corner), (corner, -corner - w / 14)], feature="mark")
        view.text((0.0, 0.0), f"BGA{part.pins}", 4.0, "MIDDLE_CENTER")
        view.hdim((-w / 2, w / 2), (w / 2, w / 2), 8, text="<>%%p0.10")
        view.vdim((-w / 2, -w / 2), (-w / 2, w / 2), -8, text="<>%%p0.10")
        view.callout((corner, -corner), (-8, 14), "A1 CORNER")
        return view

    def view_side(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("side", "SIDE VIEW")
        w, t = part.width, part.thick
        view.rect((0.0, t * 0.2), w, t * 0.6)
        view.rect((0.0, t * -0.3), w, t * 0.4)
        bottom, half = -t / 2, (part.n - 1) / 2 * part.pitch
        for i in range(part.n):
            view.arc((i * part.pitch - half, bottom - part.stand + part.ball), part.ball, 140, 40)
        foot = bottom - part.stand
        view.line((-w / 2 - 5 * view.u, foot), (w / 2 + 5 * view.u, foot), role="thin")
        view.vdim((w / 2, foot), (w / 2, t / 2), 10)
        view.vdim((-w / 2, foot), (-w / 2, bottom), -10)
        view.callout((0.0, foot), (10, -9), "C")
        return view

    def view_detail(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("detail", "DETAIL B", zoom=5.0)
        r = part.ball
        view.line((-3 * r, 0.0), (3 * r, 0.0))
        view.spline([(-3 * r, r), (-3.2 * r, 0.4 * r), (-2.9 * r, 0.0), (-3.1 * r, -0.3 * r)], role="thin")
        view.spline([(3 * r, r), (2.8 * r, 0.4 * r), (3.1 * r, 0.0), (2.9 * r, -0.3 * r)], role="thin")
        view.arc((0.0, -0.4 * r), r, 156.4, 23.6)
        view.hatch([(-3 * r, 0.0), (3 * r, 0.0), (3 * r, r), (-3 * r, r)], angle=45)
        view.line((-3 * r, r), (3 * r, r), role="thin")
        view.ddim((0.0, -0.4 * r), r, -45, 8)
        view.vdim((0.0, -1.4 * r), (-2 * r, 0.0), -(6 + r / view.u))
        return view


def ball_grid(part: Numbers, design: Numbers) -> list[tuple[int, int]]:
    """Column and row of each ball of the field."""
    n, middle = part.n, (part.n - 1) / 2
    cells = [(i, j) for j in range(n) for i in range(n)]

    def depth(cell: tuple[int, int]) -> float:
        return max(abs(cell[0] - middle), abs(cell[1] - middle))

    if design.field == "ring":
        return [c for c in cells if depth(c) > middle - 3]
    if design.field == "island":
        return [c for c in cells if depth(c) > middle - 2 or depth(c) < middle - 3.5]
    if design.field == "no corners":
        return [c for c in cells if abs(c[0] - middle) + abs(c[1] - middle) < 2 * middle - 0.1]
    return cells


def draw_cross(view: View) -> None:
    view.line((-1.3, 0.0), (1.3, 0.0), role="center")
    view.line((0.0, -1.3), (0.0, 1.3), role="center")
