"""Lead frames: a punched strip with a matrix of units, and the outline of a power package."""

from random import Random

from dataset.generator.canvas import Pen, View, chamfered, rectangle, rounded, slot
from dataset.generator.kind import Kind, Numbers
from dataset.generator.packages import gd_rows
from dataset.generator.placement import Placement, Point
from dataset.generator.style import Cycle

NOTES = (
    "MATERIAL THICKNESS 0.203%%p0.008",
    "SPOT PLATING Ag 2-5 um WITHIN HATCHED AREA",
    "COIL SET 0.15 MAX OVER STRIP LENGTH",
    "CAMBER 0.05 MAX PER 150",
    "DOWNSET 0.20%%p0.05",
    "ETCH FACTOR R0.08 MAX IN INNER CORNERS",
    "NO OIL, NO FINGER PRINTS",
)


class LeadFrame(Kind):
    """A strip of rows and columns of units; the unit is a block that holds blocks of leads."""

    name = "lead_frame"
    shape, shown_in = ("sides", "pad", "rail"), ("strip",)
    title_en, title_zh = "LEAD FRAME STRIP", "引线框架"
    plans = (
        (("strip",), ("unit",), ("notes",)),
        (("unit", "notes"), ("strip", "")),
        (("strip",), ("notes",)),
        (("notes", "unit"), ("", "strip")),
    )
    notes = NOTES
    materials = ("C194", "C7025", "EFTEC-64T", "A42")
    stems = ("QFN{pins}LA({plating}) -{serial} LF Rev{rev}", "引线框架 {pins}L {rows}×{columns}（{serial}） Rev{rev}")

    def design(self, rng: Random, cycle: Cycle) -> Numbers:
        design = super().design(rng, cycle)
        design.sides = cycle.pick("sides", (4, 2))
        design.pad = cycle.pick("pad", ("square", "chamfer", "round"))
        design.rail = cycle.pick("rail", ("holes", "slots", "mixed"))
        design.fill = cycle.pick("fill", ("ring", "pad", "none"))
        design.plating = rng.choice(("Cu", "Ag", "NiPdAu"))
        design.draw_all = rng.random() < 0.6  # every unit in full, or the first ones in full and the rest as frames
        return design

    def part(self, rng: Random, design: Numbers) -> Numbers:
        per_side = rng.randint(3, 8)
        body = per_side * 0.5 + 1.4
        return Numbers(
            per_side=per_side,
            pins=per_side * design.sides,
            plating=design.plating,
            body=body,
            pitch=body + 0.6,
            rows=rng.randint(3, 6),
            columns=rng.randint(9, 18),
        )

    def size(self, part: Numbers) -> str:
        return f"{part.pins}L {part.rows}x{part.columns}"

    def draw_unit(self, view: View, part: Numbers, design: Numbers) -> None:
        """One unit around its middle: die pad, leads on their sides, tie bars to the corners."""
        b, pad = part.body, part.body * 0.46
        if design.pad == "round":
            view.poly(rounded((0.0, 0.0), pad, pad, pad * 0.15))
        elif design.pad == "chamfer":
            view.poly(chamfered((0.0, 0.0), pad, pad, pad * 0.14, all_corners=False))
        else:
            view.poly(rectangle((0.0, 0.0), pad, pad))
        if design.fill == "pad":
            view.hatch(rectangle((0.0, 0.0), pad * 0.85, pad * 0.85), pattern="")
        elif design.fill == "ring":
            view.hatch(
                rectangle((0.0, 0.0), b * 0.78, b * 0.78), rectangle((0.0, 0.0), pad * 1.2, pad * 1.2), pattern=""
            )
        lead = view.pen.block("FINGER", lambda v: draw_finger(v, b * 0.5 - b * 0.3))
        for turn in (0.0, 90.0, 180.0, 270.0) if design.sides == 4 else (0.0, 180.0):
            for i in range(part.per_side):
                to = Placement(angle=turn)
                at = to.point((b / 2, (i - (part.per_side - 1) / 2) * 0.5))
                mirrored = i >= part.per_side / 2
                view.insert(lead, at, 1.0, -1.0 if mirrored else 1.0, turn, feature="pad")
        for sx in (-1, 1):
            for sy in (-1, 1):
                view.line((sx * (pad / 2 - 0.05), sy * pad / 2), (sx * (b / 2 + 0.25), sy * (b / 2 + 0.3)))
                view.line((sx * pad / 2, sy * (pad / 2 - 0.05)), (sx * (b / 2 + 0.3), sy * (b / 2 + 0.25)))

    def unit_block(self, pen: Pen, part: Numbers, design: Numbers) -> str:
        return pen.block("UNIT", lambda v: self.draw_unit(v, part, design))

    def view_strip(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("strip", "STRIP LAYOUT")
        unit, p = self.unit_block(pen, part, design), part.pitch
        width, height = part.columns * p + 5.0, part.rows * p + 6.0
        view.rect((0.0, 0.0), width, height)
        self.draw_rails(view, part, design, width, height)
        places = self.unit_places(part)
        for i, at in enumerate(places):
            view.poly(rectangle(at, p - 0.2, p - 0.2), role="thin")
            if design.draw_all or i < part.rows * 2:
                view.insert(unit, at, feature="unit")
            else:
                view.line((at[0] - p * 0.3, at[1]), (at[0] + p * 0.3, at[1]), role="center")
        self.draw_streets(view, part, height)
        view.axes(width, height)
        (x0, y0), (x1, y1) = places[0], places[part.rows + 1]
        view.hdim((-width / 2, -height / 2), (width / 2, -height / 2), -20)
        view.hdim((x0, y0), (x1, y0), 10 + (height / 2 - y0) / view.u)
        view.hdim((x0, -y0), (-x0, -y0), -(12 + (height / 2 - y0) / view.u))
        view.vdim((-width / 2, -height / 2), (-width / 2, height / 2), -18)
        view.vdim((x0, y1), (x0, y0), -(10 + (x0 + width / 2) / view.u))
        view.callout(places[-1], (16 + (width / 2 - places[-1][0]) / view.u, 10), f"{len(places)} UNITS")
        return view

    def unit_places(self, part: Numbers) -> list[Point]:
        """Column by column, each from the top."""
        p = part.pitch
        columns, rows = range(part.columns), range(part.rows)
        return [((i - (part.columns - 1) / 2) * p, ((part.rows - 1) / 2 - j) * p) for i in columns for j in rows]

    def draw_streets(self, view: View, part: Numbers, height: float) -> None:
        """Where the saw will go: short marks at both rails."""
        for i in range(part.columns + 1):
            x = (i - part.columns / 2) * part.pitch
            for side in (-1, 1):
                view.line((x, side * (height / 2 - 2.6)), (x, side * (height / 2 - 2.0)), role="thin")

    def draw_rails(self, view: View, part: Numbers, design: Numbers, width: float, height: float) -> None:
        y = height / 2 - 1.4
        for i in range(part.columns):
            x = (i - (part.columns - 1) / 2) * part.pitch
            for side in (-1, 1):
                if design.rail == "slots" or (design.rail == "mixed" and side < 0):
                    view.poly(slot((x, side * y), 1.6, 0.7), feature="slot")
                else:
                    view.hole((x, side * y), 0.5 if i else 0.7, "cross" if i % 4 == 0 else "none")
        view.solid(
            [(-width / 2 + 0.6, y + 0.5), (-width / 2 + 1.6, y + 0.5), (-width / 2 + 0.6, y - 0.5)], feature="mark"
        )

    def view_unit(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("unit", "UNIT DETAIL", zoom=5.0)
        b, pad = part.body, part.body * 0.46
        view.insert(self.unit_block(pen, part, design), (0.0, 0.0), feature="unit")
        view.rect((0.0, 0.0), b, b, role="hidden")
        view.axes(b, b)
        view.hdim((-b / 2, -b / 2), (b / 2, -b / 2), -16)
        view.hdim((-pad / 2, -pad / 2), (pad / 2, -pad / 2), -(8 + (b - pad) / 2 / view.u))
        view.vdim((b / 2, -b / 2), (b / 2, b / 2), 16)
        first = (part.per_side - 1) / 2 * 0.5
        view.vdim((b / 2, first - 0.5), (b / 2, first), 8)
        view.callout((-b / 2 + 0.2, first), (-14, 12 + (b / 2 - first) / view.u), "LEAD 1")
        view.spline([(b * 0.32, -b * 0.1), (b * 0.1, b * 0.12), (0.0, 0.1)], role="thin")  # a bond wire
        return view


def draw_finger(view: View, length: float) -> None:
    """A lead that points inwards from x = 0, with a half-etched tip and a locking notch on one side."""
    h = 0.125
    view.poly([(0.3, -h, 0.0), (0.3, h, 0.0), (-length * 0.4, h, 0.0), (-length * 0.5, h * 1.4, 0.0),
               (-length, h * 1.4, 0.4), (-length, -h, 0.0)])  # fmt: skip
    view.line((-length * 0.7, -h), (-length * 0.7, h), role="hidden")


class PowerPackage(Kind):
    """A transistor outline: tab with a hole, body, three or more leads."""

    name = "power_package"
    shape, shown_in = ("tab", "lead", "bent"), ("front", "side")
    title_en, title_zh = "TO OUTLINE", "TO封装外形图"
    plans = (
        (("front", "side"), ("notes", "table")),
        (("front", "side", "back"), ("notes", "table", "")),
        (("side", "front", "table"), ("", "back", "")),
    )
    notes = (*NOTES[3:], "LEADS SOLDERABLE PER J-STD-002", "TAB IS CONNECTED TO LEAD 2", "MOLD FLASH EXCLUDED")
    materials = ("C194", "KFC", "TAMAC4")
    stems = ("TO-{leads}L {serial} (rev {rev})", "TO220-{leads}L（{serial}） Rev{rev}")

    def design(self, rng: Random, cycle: Cycle) -> Numbers:
        design = super().design(rng, cycle)
        design.tab = cycle.pick("tab", ("cut", "round", "notched"))
        design.lead = cycle.pick("lead", ("shouldered", "straight"))
        design.bent = cycle.pick("bent", (False, True))
        return design

    def part(self, rng: Random, design: Numbers) -> Numbers:
        leads = rng.choice((2, 3, 5, 7))
        pitch = {2: 5.08, 3: 2.54, 5: 1.7, 7: 1.27}[leads]
        return Numbers(
            leads=leads,
            pitch=pitch,
            body_x=rng.choice((10.0, 10.4, 15.6)),
            body_y=rng.choice((8.7, 9.2, 14.0)),
            tab_y=rng.choice((5.0, 6.3, 6.8)),
            lead_y=rng.choice((9.5, 13.2)),
            thick=rng.choice((4.3, 4.6, 5.0)),
            hole=rng.choice((3.2, 3.6, 3.84)),
        )

    def size(self, part: Numbers) -> str:
        return f"{part.leads}L {part.body_x:g}x{part.body_y:g}"

    def table_rows(self, part: Numbers, design: Numbers) -> list[tuple[str, ...]]:
        values = (("A", part.thick, 0.2), ("D", part.body_y, 0.3), ("E", part.body_x, 0.3), ("e", part.pitch, 0.1))
        return gd_rows((*values, ("L", part.lead_y, 0.4), ("P", part.hole, 0.1)))

    def view_front(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("front", "FRONT VIEW")
        w, top, low = part.body_x, part.body_y / 2, -part.body_y / 2
        self.draw_tab(view, part, design, top)
        view.rect((0.0, 0.0), w, part.body_y)
        view.hole((0.0, top + part.tab_y / 2), part.hole / 2)
        self.draw_leads(view, part, design, low)
        view.text((0.0, 0.0), f"TO-{part.leads}L", 3.5, "MIDDLE_CENTER")
        view.arc((-w / 2 + 1.5, low + 1.5), 0.7, 0, 360 - 0.01) if design.bent else view.circle(
            (1.5 - w / 2, low + 1.5), 0.7
        )
        view.axis((0.0, top + part.tab_y), (0.0, low))
        first = (part.leads - 1) / 2 * part.pitch
        view.hdim((-w / 2, top + part.tab_y), (w / 2, top + part.tab_y), 9)
        view.vdim((w / 2, low), (w / 2, top), 9)
        view.vdim((w / 2, low), (w / 2, top + part.tab_y), 17)
        view.vdim((-w / 2, low), (-first, low - part.lead_y), -9)
        view.hdim((-first, low - part.lead_y), (part.pitch - first, low - part.lead_y), -9)
        view.ddim((0.0, top + part.tab_y / 2), part.hole / 2, 150, 12 + w / 2 / view.u * 0.7)
        return view

    def draw_tab(self, view: View, part: Numbers, design: Numbers, top: float) -> None:
        half, end = part.body_x / 2, top + part.tab_y
        if design.tab == "round":
            view.contour([(-half, top, 0.0), (-half, end - 2, -0.414), (2 - half, end, 0.0), (half - 2, end, -0.414),
                          (half, end - 2, 0.0), (half, top, 0.0)], closed=False)  # fmt: skip
        elif design.tab == "cut":
            view.contour(
                [(-half, top), (-half, end - 1), (1 - half, end), (half - 1, end), (half, end - 1), (half, top)], False
            )
        else:
            y = (top + end) / 2
            view.contour([(-half, top, 0), (-half, y - 0.8, -1.0), (-half, y + 0.8, 0), (-half, end, 0), (half, end, 0),
                          (half, y + 0.8, -1.0), (half, y - 0.8, 0), (half, top, 0)], closed=False)  # fmt: skip

    def draw_leads(self, view: View, part: Numbers, design: Numbers, low: float) -> None:
        length, wide = part.lead_y, min(0.65, part.pitch * 0.3)
        knee = 3.0 if design.lead == "shouldered" else 0.0

        def lead(target: View) -> None:
            half, narrow = wide, wide * (0.6 if knee else 1.0)
            target.poly([(-half, 0.0), (-half, -knee), (-narrow, -knee - 0.5), (-narrow, -length), (narrow, -length),
                         (narrow, -knee - 0.5), (half, -knee), (half, 0.0)], closed=False)  # fmt: skip

        name = view.pen.block("LEG", lead)
        for i in range(part.leads):
            view.insert(name, ((i - (part.leads - 1) / 2) * part.pitch, low), feature="pad")

    def view_side(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("side", "SIDE VIEW")
        t, top, low = part.thick, part.body_y / 2, -part.body_y / 2
        view.contour(
            [
                (-t / 2, low),
                (t / 2, low),
                (t / 2, top),
                (1.3 - t / 2, top),
                (1.3 - t / 2, top + part.tab_y),
                (-t / 2, top + part.tab_y),
            ]
        )
        tab = [(-t / 2, low), (1.3 - t / 2, low), (1.3 - t / 2, top + part.tab_y), (-t / 2, top + part.tab_y)]
        view.hatch(tab)
        view.line((1.3 - t / 2, low), (1.3 - t / 2, top), role="hidden")
        end = low - part.lead_y
        if design.bent:
            view.contour(
                [
                    (0.2, low),
                    (0.2, low - 3),
                    (2.2, low - 6),
                    (2.2, end),
                    (2.7, end),
                    (2.7, low - 5.8),
                    (0.7, low - 2.8),
                    (0.7, low),
                ],
                False,
            )
        else:
            view.contour([(0.2, low), (0.2, end), (0.7, end), (0.7, low)], closed=False)
        view.hdim((-t / 2, top + part.tab_y), (1.3 - t / 2, top + part.tab_y), 9)
        view.hdim((-t / 2, low), (t / 2, low), -(10 + part.lead_y / view.u))
        return view

    def view_back(self, pen: Pen, part: Numbers, design: Numbers) -> View:
        view = pen.view("back", "BACK VIEW")
        w, top, low = part.body_x, part.body_y / 2, -part.body_y / 2
        self.draw_tab(view, part, design, top)
        view.contour([(-w / 2, top), (-w / 2, low), (w / 2, low), (w / 2, top)], closed=False)
        plate = chamfered((0.0, part.tab_y * 0.35), w * 0.8, part.body_y * 0.8, 1.0)
        view.contour(plate)
        view.hatch(plate)
        view.hole((0.0, top + part.tab_y / 2), part.hole / 2)
        self.draw_leads(view, part, design, low)
        view.hdim((-w * 0.4, low), (w * 0.4, low), -(10 + part.lead_y / view.u))
        return view
