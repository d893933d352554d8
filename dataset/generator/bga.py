"""BGA: packages with a field of balls."""

from random import Random

from dataset.generator.canvas import Pen, View, chamfered, ring, rounded
from dataset.generator.kind import Kind, Numbers
from dataset.generator.packages import gd_rows
from dataset.generator.style import Cycle


class Bga(Kind):
    name = "bga"
    shape, shown_in = ("field",), ("bottom",)
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
