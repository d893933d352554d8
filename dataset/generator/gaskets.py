"""Gaskets: long free contours around ports and bolts."""

import math
from random import Random

from dataset.generator.canvas import Pen, View, rectangle, ring, slot
from dataset.generator.kind import Kind, Numbers
from dataset.generator.placement import polar
from dataset.generator.style import Cycle


class Gasket(Kind):
    name = "gasket"
    shape, shown_in = ("outline", "port", "bead"), ("front",)
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
