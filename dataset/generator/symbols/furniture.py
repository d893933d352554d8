"""Furniture and fittings as an architect's plan shows them, seen from above; in centimetres."""

from random import Random

from dataset.generator.canvas import View, rounded
from dataset.generator.placement import polar


def box(view: View, x: float, y: float, width: float, height: float, radius: float = 0.0) -> None:
    """A rectangle about (x, y), its corners rounded where there is a radius."""
    if radius > 0:
        view.contour(rounded((x, y), width, height, min(radius, width / 2.1, height / 2.1)))
    else:
        view.rect((x, y), width, height)


def chair(view: View, rng: Random) -> None:
    size, radius = rng.uniform(42, 55), rng.choice((0, 5, 9))
    box(view, 0, 0, size, size, radius)
    box(view, 0, size / 2 + 3, size * rng.uniform(0.8, 1.0), 6, min(radius, 2.5))
    if rng.random() < 0.35:
        for side in (-1, 1):
            box(view, side * (size / 2 + 3), 0, 6, size * 0.6)


def stool(view: View, rng: Random) -> None:
    radius = rng.uniform(16, 24)
    view.circle((0, 0), radius)
    view.circle((0, 0), radius * rng.uniform(0.75, 0.9))
    for i in range(rng.choice((3, 4, 5))):
        view.circle(polar((0, 0), radius * 0.6, 45 + 90 * i), 1.5)


def sofa(view: View, rng: Random) -> None:
    seats, seat, depth, arm = rng.choice((2, 3, 3, 4)), rng.uniform(55, 70), rng.uniform(75, 95), rng.uniform(12, 22)
    width = seats * seat + 2 * arm
    radius = rng.choice((0, 6))
    box(view, 0, 0, width, depth, radius)
    view.line((-width / 2 + arm, depth / 2 - 20), (width / 2 - arm, depth / 2 - 20))
    for side in (-1, 1):
        view.line((side * (width / 2 - arm), -depth / 2), (side * (width / 2 - arm), depth / 2 - 20))
    for i in range(seats):
        box(view, -width / 2 + arm + (i + 0.5) * seat, -10, seat - 2, depth - 22, radius)


def armchair(view: View, rng: Random) -> None:
    width, depth = rng.uniform(75, 95), rng.uniform(75, 90)
    view.contour([(-width / 2, -depth / 2), (width / 2, -depth / 2), (width / 2, depth / 4, 0.5),
                  (-width / 2, depth / 4)])  # fmt: skip
    box(view, 0, -depth * 0.1, width * 0.6, depth * 0.7, rng.choice((0, 8)))
    for side in (-1, 1):
        view.line((side * width * 0.36, -depth / 2), (side * width * 0.36, depth / 4))


def bed(view: View, rng: Random) -> None:
    pillows, length = rng.choice((1, 2, 2)), rng.uniform(195, 215)
    width = 90 * pillows * rng.uniform(0.9, 1.1)
    box(view, 0, 0, width, length)
    for i in range(pillows):
        x = (i - (pillows - 1) / 2) * width / pillows
        box(view, x, length / 2 - 28, width / pillows * 0.75, 32, rng.choice((0, 8)))
    edge = length / 2 - rng.uniform(50, 70)
    view.line((-width / 2, edge), (width / 2, edge))
    if rng.random() < 0.6:
        view.line((width / 2, edge - 35), (0, edge))


def round_table(view: View, rng: Random) -> None:
    radius, seats, square = rng.uniform(40, 75), rng.choice((3, 4, 5, 6)), rng.random() < 0.4
    view.circle((0, 0), radius)
    for i in range(seats):
        x, y = polar((0, 0), radius + 24, 90 + 360 * i / seats)
        if square:
            box(view, x, y, 38, 38, 4)
        else:
            view.circle((x, y), 19)


def long_table(view: View, rng: Random) -> None:
    sides, pitch, width = rng.choice((2, 3, 4)), rng.uniform(55, 70), rng.uniform(70, 100)
    length, radius = sides * pitch + 15, rng.choice((0, 5))
    box(view, 0, 0, length, width, radius)
    ends = [(side * (length / 2 + 25), 0.0) for side in (-1, 1)] if rng.random() < 0.4 else []
    rows = [((i - (sides - 1) / 2) * pitch, side * (width / 2 + 25)) for i in range(sides) for side in (-1, 1)]
    for x, y in [*rows, *ends]:
        box(view, x, y, 40, 40, radius)


def desk(view: View, rng: Random) -> None:
    width, depth = rng.uniform(120, 180), rng.uniform(60, 80)
    box(view, 0, 0, width, depth)
    for i in range(rng.choice((1, 2))):
        x = (1, -1)[i] * (width / 2 - 22)
        view.line((x - 20, -depth / 2), (x - 20, depth / 2), role="hidden")
        view.line((x + 20, -depth / 2), (x + 20, depth / 2), role="hidden")
    view.circle((0, -depth / 2 - 30), rng.uniform(20, 26))
    view.arc((0, -depth / 2 - 30), 30, 200, 340)
    if rng.random() < 0.5:
        box(view, 0, 10, 45, 20)


def bathtub(view: View, rng: Random) -> None:
    length, width = rng.uniform(150, 185), rng.uniform(70, 85)
    box(view, 0, 0, length, width)
    inner, height = length - 16, width - 16
    view.contour([(-inner / 2, -height / 2), (inner / 2 - height / 2, -height / 2, 1.0),
                  (inner / 2 - height / 2, height / 2), (-inner / 2, height / 2, rng.choice((0.0, 0.15)))])  # fmt: skip
    view.circle((-inner / 2 + 14, 0), 3)


def toilet(view: View, rng: Random) -> None:
    width, length = rng.uniform(34, 40), rng.uniform(40, 50)
    box(view, 0, 10, rng.uniform(36, 50), 20, rng.choice((0, 4)))
    view.contour([(-width / 2, 0), (-width / 2, -length / 2, 1.0), (width / 2, -length / 2), (width / 2, 0)])
    if rng.random() < 0.6:
        view.spline([polar((0, -length * 0.5), width * 0.36, a) for a in range(0, 360, 45)], closed=True)
    else:
        view.circle((0, -length / 2), width * 0.36)


def washbasin(view: View, rng: Random) -> None:
    width, depth = rng.uniform(45, 70), rng.uniform(38, 50)
    view.contour([(-width / 2, depth / 2), (-width / 2, 0, 0.6), (width / 2, 0), (width / 2, depth / 2)])
    view.circle((0, -2), depth * rng.uniform(0.26, 0.34))
    view.circle((0, -2), 2)
    for x in (-8, 8) if rng.random() < 0.5 else (0,):
        view.circle((x, depth / 2 - 6), 2.2)


def kitchen_sink(view: View, rng: Random) -> None:
    bowls, bowl, depth = rng.choice((1, 2, 2)), rng.uniform(34, 42), rng.uniform(45, 55)
    tray = rng.choice((0, 40))
    width = bowls * (bowl + 5) + tray + 8
    box(view, 0, 0, width, depth, 3)
    for i in range(bowls):
        x = -width / 2 + 6 + bowl / 2 + i * (bowl + 5)
        box(view, x, -3, bowl, depth - 14, rng.choice((4, 7)))
        view.circle((x, -3), 3.5)
    for i in range(5 if tray else 0):
        y = -depth / 2 + 10 + i * (depth - 20) / 4
        view.line((width / 2 - tray, y), (width / 2 - 6, y))


def hob(view: View, rng: Random) -> None:
    width, depth = rng.uniform(56, 80), rng.uniform(50, 58)
    box(view, 0, 0, width, depth, rng.choice((0, 2)))
    for x in (-width / 4, width / 4):
        for y in (-depth / 4, depth / 4):
            radius = rng.uniform(7, 11)
            view.circle((x, y), radius)
            if rng.random() < 0.6:
                view.circle((x, y), radius * 0.6)
    for i in range(rng.choice((0, 4))):
        view.circle((width / 2 - 4, -depth / 4 + i * depth / 6), 1.5)


def shower(view: View, rng: Random) -> None:
    width, depth = rng.uniform(75, 100), rng.uniform(75, 95)
    box(view, 0, 0, width, depth)
    box(view, 0, 0, width - 8, depth - 8, rng.choice((0, 6)))
    view.line((-width / 2 + 4, -depth / 2 + 4), (width / 2 - 4, depth / 2 - 4))
    view.line((-width / 2 + 4, depth / 2 - 4), (width / 2 - 4, -depth / 2 + 4))
    view.circle((0, 0), rng.uniform(3, 6))


def piano(view: View, rng: Random) -> None:
    width, length = rng.uniform(140, 155), rng.uniform(150, 220)
    view.contour([(-width / 2, 0), (width / 2, 0), (width / 2, length * 0.35, 0.25), (0, length * 0.75, 0.6),
                  (-width / 2, length * 0.75)])  # fmt: skip
    view.line((-width / 2, 15), (width / 2, 15))
    for i in range(1, rng.choice((8, 14))):
        x = -width / 2 + i * width / 14
        view.line((x, 0), (x, 15), role="thin")


SYMBOLS = (
    chair, stool, sofa, armchair, bed, round_table, long_table, desk, bathtub, toilet, washbasin, kitchen_sink, hob,
    shower, piano,
)  # fmt: skip
