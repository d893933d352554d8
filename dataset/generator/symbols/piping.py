"""Symbols of flow diagrams, pipes to the left and right."""

from random import Random

from dataset.generator.canvas import View
from dataset.generator.placement import polar
from dataset.generator.symbols.circuits import arrow, leads


def bow_tie(view: View, rng: Random, filled: bool = False) -> float:
    """Two triangles tip to tip, with pipes or flanges; returns half the width."""
    half, height = rng.uniform(7, 10), rng.uniform(4, 6)
    corners = [(-half, -height), (-half, height), (half, -height), (half, height)]
    if filled:
        view.solid((corners[0], corners[1], (0, 0)))
        view.solid(((0, 0), corners[3], corners[2]))
    else:
        view.contour(corners)
    if rng.random() < 0.4:
        for side in (-1, 1):
            view.line((side * (half + 1.5), -height - 1), (side * (half + 1.5), height + 1))
    leads(view, half, rng)
    return half


def gate_valve(view: View, rng: Random) -> None:
    bow_tie(view, rng)
    if rng.random() < 0.3:
        view.line((0, 0), (0, 7))
        view.line((-4, 7), (4, 7))


def globe_valve(view: View, rng: Random) -> None:
    bow_tie(view, rng)
    radius = rng.uniform(2, 3)
    if rng.random() < 0.5:
        view.hatch([(-radius, 0, 1.0), (radius, 0, 1.0)], pattern="")
    view.circle((0, 0), radius)


def needle_valve(view: View, rng: Random) -> None:
    bow_tie(view, rng, filled=True)


def motor_valve(view: View, rng: Random) -> None:
    bow_tie(view, rng)
    height = rng.uniform(9, 13)
    view.line((0, 0), (0, height))
    if rng.random() < 0.5:
        view.circle((0, height + 4), 4)
    else:
        view.rect((0, height + 3.5), 9, 7)


def diaphragm_valve(view: View, rng: Random) -> None:
    bow_tie(view, rng)
    height = rng.uniform(8, 12)
    view.line((0, 0), (0, height))
    view.contour([(-5, height), (5, height, 0.9)])


def check_valve(view: View, rng: Random) -> None:
    half, height = rng.uniform(7, 10), rng.uniform(4, 6)
    leads(view, half, rng)
    for x in (-half, half):
        view.line((x, -height), (x, height))
    view.line((-half, height), (half, -height))
    arrow(view, (-half * 0.6, height + 4), (half * 0.6, height + 4), rng)


def pump(view: View, rng: Random) -> None:
    radius = rng.uniform(8, 12)
    view.circle((0, 0), radius)
    leads(view, radius, rng)
    if rng.random() < 0.6:
        view.contour([polar((0, 0), radius, 90), (radius, 0), polar((0, 0), radius, 270)], closed=False)
    else:
        view.solid([(0, radius * 0.6), (radius, 0), (0, -radius * 0.6)])
    if rng.random() < 0.4:
        view.contour([polar((0, 0), radius, 230), (-radius, -radius - 5), (radius, -radius - 5),
                      polar((0, 0), radius, 310)], closed=False)  # fmt: skip


def compressor(view: View, rng: Random) -> None:
    radius = rng.uniform(8, 12)
    view.circle((0, 0), radius)
    leads(view, radius, rng)
    for side in (-1, 1):
        view.line(polar((0, 0), radius, 90 + side * 60), polar((0, 0), radius, 90 - side * 60 + side * 85))


def heat_exchanger(view: View, rng: Random) -> None:
    radius = rng.uniform(9, 13)
    leads(view, radius, rng)
    if rng.random() < 0.5:
        view.circle((0, 0), radius)
    else:
        view.rect((0, 0), 2 * radius, 2 * radius)
    third = radius / 3
    view.contour([(-radius, 0), (-third, 0), (-third / 2, third * 1.5), (third / 2, -third * 1.5), (third, 0),
                  (radius, 0)], closed=False)  # fmt: skip


def cooling_coil(view: View, rng: Random) -> None:
    loops, width = rng.choice((3, 4, 5)), rng.uniform(18, 26)
    step = rng.uniform(2.5, 4)
    for i in range(2 * loops):
        view.line((-width / 2, i * step), (width / 2, i * step))
        if i + 1 < 2 * loops:
            side = 1 if i % 2 == 0 else -1
            view.arc((side * width / 2, (i + 0.5) * step), step / 2, *((270, 90) if side > 0 else (90, 270)))


def tank(view: View, rng: Random) -> None:
    width, height = rng.uniform(16, 24), rng.uniform(25, 45)
    bulge = rng.choice((0.25, 0.4))
    view.contour([(-width / 2, -height / 2, bulge), (width / 2, -height / 2), (width / 2, height / 2, bulge),
                  (-width / 2, height / 2)])  # fmt: skip
    for y in (-height / 2, height / 2) if rng.random() < 0.6 else ():
        view.line((-width / 2, y), (width / 2, y))
    for x, y in ((0, height / 2 + width * bulge / 2), (0, -height / 2 - width * bulge / 2)):
        view.line((x, y), (x, y + (5 if y > 0 else -5)))


def stirred_tank(view: View, rng: Random) -> None:
    tank(view, rng)
    view.line((0, -6), (0, 26))
    view.line((-6, -6), (6, -6))
    view.line((-6, -8), (-6, -4))
    view.line((6, -8), (6, -4))
    view.circle((0, 31), 5)


def column(view: View, rng: Random) -> None:
    width, height, trays = rng.uniform(10, 14), rng.uniform(50, 70), rng.choice((5, 7, 9))
    view.contour([(-width / 2, -height / 2, 0.4), (width / 2, -height / 2), (width / 2, height / 2, 0.4),
                  (-width / 2, height / 2)])  # fmt: skip
    for i in range(trays):
        y = -height / 2 + (i + 1) * height / (trays + 1)
        start = -width / 2 if i % 2 == 0 else -width * 0.25
        view.line((start, y), (start + width * 0.75, y), role=rng.choice(("outline", "outline", "hidden")))


def strainer(view: View, rng: Random) -> None:
    size = rng.uniform(7, 10)
    leads(view, size, rng)
    if rng.random() < 0.6:
        view.contour([(-size, -size), (size, -size), (size, size), (-size, size)])
    else:
        view.contour([(-size, 0), (0, -size), (size, 0), (0, size)])
    view.line((0, -size), (0, size), role="hidden")


def instrument(view: View, rng: Random) -> None:
    radius = rng.uniform(8, 11)
    view.circle((0, 0), radius)
    if rng.random() < 0.6:
        view.line((-radius, 0), (radius, 0))
    if rng.random() < 0.3:
        view.rect((0, 0), 2 * radius, 2 * radius)
    view.line((0, -radius), (0, -radius - rng.uniform(5, 15)))


SYMBOLS = (
    gate_valve, globe_valve, needle_valve, motor_valve, diaphragm_valve, check_valve, pump, compressor, heat_exchanger,
    cooling_coil, tank, stirred_tank, column, strainer, instrument,
)  # fmt: skip
