"""Parts of buildings and what stands around them, as a plan shows them; in centimetres."""

import math
from random import Random

from dataset.generator.canvas import View, rounded
from dataset.generator.placement import polar


def jambs(view: View, half: float, wall: float) -> None:
    """The ends of the wall on both sides of an opening."""
    for side in (-1, 1):
        view.rect((side * (half + wall / 2), 0), wall, wall)


def door(view: View, rng: Random) -> None:
    width, wall = rng.uniform(70, 100), rng.choice((10, 15, 24))
    jambs(view, width / 2, wall)
    hinge = (-width / 2, 0)
    opened = rng.choice((90, 90, 45))
    tip = polar(hinge, width, opened)
    if rng.random() < 0.5:
        view.line(hinge, tip)
    else:
        view.contour([hinge, tip, (tip[0] + 4, tip[1]), (hinge[0] + 4, 0)])
    view.arc(hinge, width, 0, opened)


def double_door(view: View, rng: Random) -> None:
    width, wall = rng.uniform(130, 180), rng.choice((10, 15, 24))
    jambs(view, width / 2, wall)
    for side, (start, end) in ((-1, (0, 90)), (1, (90, 180))):
        hinge = (side * width / 2, 0)
        view.line(hinge, (hinge[0], width / 2))
        view.arc(hinge, width / 2, start, end)


def sliding_door(view: View, rng: Random) -> None:
    width, wall = rng.uniform(90, 200), rng.choice((10, 15, 24))
    jambs(view, width / 2, wall)
    view.rect((-width / 4, 2), width / 2 + 4, 4)
    view.rect((width / 4, -2), width / 2 + 4, 4)


def window(view: View, rng: Random) -> None:
    width, wall = rng.uniform(80, 200), rng.choice((15, 24, 36))
    jambs(view, width / 2, wall)
    for y in (-wall / 2, wall / 2):
        view.line((-width / 2, y), (width / 2, y))
    for y in (-1.5, 1.5) if rng.random() < 0.5 else (0,):
        view.line((-width / 2, y), (width / 2, y))


def stairs(view: View, rng: Random) -> None:
    steps, going, width = rng.randint(9, 16), rng.uniform(25, 30), rng.uniform(90, 130)
    for i in range(steps + 1):
        view.line((i * going, 0), (i * going, width))
    for y in (0, width):
        view.line((0, y), (steps * going, y))
    view.line((0, width / 2), (steps * going, width / 2))
    end = steps * going
    view.line((end, width / 2), (end - 15, width / 2 + 8))
    view.line((end, width / 2), (end - 15, width / 2 - 8))


def spiral_stairs(view: View, rng: Random) -> None:
    radius, steps = rng.uniform(70, 110), rng.randint(10, 16)
    core = radius * rng.uniform(0.1, 0.2)
    view.circle((0, 0), core)
    sweep = rng.choice((270, 300, 360))
    if sweep == 360:
        view.circle((0, 0), radius)
    else:
        view.arc((0, 0), radius, 0, sweep)
    for i in range(steps + (sweep < 360)):
        view.line(polar((0, 0), core, sweep * i / steps), polar((0, 0), radius, sweep * i / steps))


def lift(view: View, rng: Random) -> None:
    width, depth = rng.uniform(150, 200), rng.uniform(150, 220)
    view.rect((0, 0), width, depth)
    view.rect((0, 5), width - 25, depth - 30)
    if rng.random() < 0.7:
        for side in (-1, 1):
            view.line((-side * (width - 25) / 2, -depth / 2 + 20), (side * (width - 25) / 2, depth / 2 - 10))
    view.line((-40, -depth / 2 - 4), (40, -depth / 2 - 4))


def broadleaf_tree(view: View, rng: Random) -> None:
    radius, lobes = rng.uniform(100, 250), rng.randint(8, 14)
    view.contour([(*polar((0, 0), radius, 360 * i / lobes), rng.uniform(0.4, 0.7)) for i in range(lobes)])
    if rng.random() < 0.6:
        view.circle((0, 0), radius * 0.06)
    for i in range(rng.choice((0, 4, 5))):
        view.line((0, 0), polar((0, 0), radius * 0.6, 72 * i + 10))


def conifer(view: View, rng: Random) -> None:
    radius, rays = rng.uniform(100, 200), rng.randint(10, 20)
    if rng.random() < 0.5:
        view.circle((0, 0), radius)
    for i in range(rays):
        view.line(polar((0, 0), radius * 0.08, 360 * i / rays), polar((0, 0), radius, 360 * i / rays))


def car(view: View, rng: Random) -> None:
    length, width = rng.uniform(400, 480), rng.uniform(165, 185)
    view.contour(rounded((0, 0), length, width, 35))
    front, back = length * rng.uniform(0.15, 0.22), -length * rng.uniform(0.25, 0.32)
    for x, way in ((front, 1), (back, -1)):
        view.contour([(x, -width * 0.4), (x + way * 35, -width * 0.45), (x + way * 35, width * 0.45), (x, width * 0.4)])
    for side in (-1, 1):
        view.line((front, side * width * 0.42), (back, side * width * 0.42))
        view.line((front - 10, side * width / 2), (front, side * (width / 2 + 14)))


def parking_space(view: View, rng: Random) -> None:
    count, width, length = rng.randint(2, 6), rng.uniform(230, 260), rng.uniform(480, 520)
    slant = rng.choice((0, 0, 0.5))
    for i in range(count + 1):
        view.line((i * width, 0), (i * width + slant * length, length))
    if rng.random() < 0.5:
        view.line((0, 0), (count * width, 0))


def steel_beam(view: View, rng: Random) -> None:
    height = rng.uniform(10, 40)
    width, web, flange = height * rng.uniform(0.4, 1.0), height * 0.05, height * 0.08
    right = [(width / 2, height / 2), (width / 2, height / 2 - flange), (web, height / 2 - flange)]
    upper = [(-x, y) for x, y in reversed(right)]
    quarter = [*upper, *right]
    lower = [(x, -y) for x, y in reversed(quarter)]
    view.contour([*quarter, *lower])
    if rng.random() < 0.4:
        view.axes(width, height)


def north_arrow(view: View, rng: Random) -> None:
    radius = rng.uniform(10, 30)
    if rng.random() < 0.7:
        view.circle((0, 0), radius)
    tip, tail = (0, radius * 1.1), radius * 0.8
    view.contour([tip, (-radius * 0.4, -tail), (0, -tail * 0.6)])
    half = [tip, (radius * 0.4, -tail), (0, -tail * 0.6)]
    if rng.random() < 0.6:
        view.solid(half)
    else:
        view.contour(half)


def gear(view: View, rng: Random) -> None:
    teeth, radius = rng.randint(12, 28), rng.uniform(20, 60)
    tall = 2.2 * 2 * radius / teeth
    points = []
    for i in range(teeth):
        for share, out in ((0.0, 0), (0.2, 1), (0.45, 1), (0.65, 0)):
            points.append(polar((0, 0), radius + out * tall, 360 * (i + share) / teeth))
    view.contour(points)
    view.circle((0, 0), radius * rng.uniform(0.2, 0.35))
    if rng.random() < 0.5:
        view.circle((0, 0), radius * 0.8, role="thin")


def hexagon_bolt(view: View, rng: Random) -> None:
    d, length = rng.uniform(6, 20), rng.uniform(20, 80)
    head, height = d * 1.7, d * 0.65
    view.rect((0, height / 2), head, height)
    for x in (-head / 4, head / 4):
        view.line((x, 0), (x, height))
    view.contour([(-d / 2, 0), (-d / 2, -length), (-d / 2 + d * 0.1, -length - d * 0.1),
                  (d / 2 - d * 0.1, -length - d * 0.1), (d / 2, -length), (d / 2, 0)], closed=False)  # fmt: skip
    thread = length * rng.uniform(0.4, 0.8)
    for x in (-d * 0.42, d * 0.42):
        view.line((x, -length), (x, -length + thread), role="thin")
    view.line((-d / 2, -length + thread), (d / 2, -length + thread))


def hexagon_nut(view: View, rng: Random) -> None:
    flat = rng.uniform(10, 36)
    radius = flat / math.sqrt(3)
    view.contour([polar((0, 0), radius, 60 * i) for i in range(6)])
    view.circle((0, 0), flat / 2)
    view.circle((0, 0), flat * 0.27)
    if rng.random() < 0.5:
        view.arc((0, 0), flat * 0.31, 100, 10, role="thin")


SYMBOLS = (
    door, double_door, sliding_door, window, stairs, spiral_stairs, lift, broadleaf_tree, conifer, car, parking_space,
    steel_beam, north_arrow, gear, hexagon_bolt, hexagon_nut,
)  # fmt: skip
