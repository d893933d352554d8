"""SOIC and QFP: packages with gull wings, on two sides or on four."""

from random import Random

from dataset.generator.canvas import Pen, View, chamfered, rounded
from dataset.generator.kind import Kind, Numbers
from dataset.generator.packages import MATERIALS, NOTES, gd_rows, number_pins
from dataset.generator.placement import Placement, Point
from dataset.generator.style import Cycle


class GullWing(Kind):
    """SOIC (leads on two sides) and QFP (on four)."""

    sides = 2
    plans = (
        (("top", "end"), ("side", "detail"), ("notes", "table")),
        (("top", "land"), ("side", "notes")),
        (("side", "detail"), ("top", "table")),
    )
    notes = NOTES
    shape, shown_in = ("mark",), ("top",)
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
