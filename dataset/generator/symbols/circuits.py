"""Symbols of circuit diagrams, leads to the left and right."""

from random import Random

from dataset.generator.canvas import View
from dataset.generator.placement import polar


def leads(view: View, half: float, rng: Random) -> None:
    """A wire at each side of what is ``2 * half`` wide."""
    reach = half + rng.uniform(5, 12)
    view.line((-reach, 0), (-half, 0))
    view.line((half, 0), (reach, 0))


def around(view: View, radius: float, rng: Random) -> None:
    if rng.random() < 0.6:
        view.circle((0, 0), radius)


def arrow(view: View, start, end, rng: Random) -> None:
    """A line with a filled or an open head."""
    view.line(start, end)
    dx, dy = (end[0] - start[0]) * 0.25, (end[1] - start[1]) * 0.25
    left, right = ((end[0] - dx + side * dy * 0.5, end[1] - dy - side * dx * 0.5) for side in (-1, 1))
    if rng.random() < 0.5:
        view.solid((end, left, right))
    else:
        view.line(end, left)
        view.line(end, right)


def resistor(view: View, rng: Random) -> None:
    half, height = rng.uniform(8, 12), rng.uniform(3, 4.5)
    leads(view, half, rng)
    if rng.random() < 0.5:
        view.rect((0, 0), 2 * half, 2 * height * 0.8)
        return
    teeth = rng.choice((3, 4, 5))
    step = 2 * half / (2 * teeth)
    points = [(-half, 0.0), *((-half + (i + 0.5) * step, (-1) ** i * height) for i in range(2 * teeth)), (half, 0.0)]
    view.contour(points, closed=False)


def potentiometer(view: View, rng: Random) -> None:
    resistor(view, rng)
    if rng.random() < 0.5:
        arrow(view, (0, 14), (0, 4.5), rng)
    else:
        arrow(view, (-9, -9), (9, 9), rng)


def capacitor(view: View, rng: Random) -> None:
    gap, height = rng.uniform(1.2, 2.2), rng.uniform(6, 9)
    leads(view, gap, rng)
    view.line((-gap, -height), (-gap, height))
    if rng.random() < 0.35:
        view.arc((gap + 12, 0), 12, 140, 220)
        view.line((-gap - 4, height - 1), (-gap - 4, height + 3))
        view.line((-gap - 6, height + 1), (-gap - 2, height + 1))
    else:
        view.line((gap, -height), (gap, height))


def inductor(view: View, rng: Random) -> None:
    turns, radius = rng.choice((3, 4, 4, 5)), rng.uniform(2, 3)
    leads(view, turns * radius, rng)
    for i in range(turns):
        view.arc((-turns * radius + (2 * i + 1) * radius, 0), radius, 0, 180)
    if rng.random() < 0.4:
        for y in (1.5, 3):
            view.line((-turns * radius, radius + y), (turns * radius, radius + y))


def diode(view: View, rng: Random) -> None:
    half = rng.uniform(4, 6)
    leads(view, half, rng)
    corners = [(-half, -half), (-half, half), (half, 0)]
    if rng.random() < 0.4:
        view.solid(corners)
    else:
        view.contour(corners)
    bar = [(half, -half), (half, half)]
    if rng.random() < 0.3:  # Zener
        bar = [(half - 2, -half), *bar, (half + 2, half)]
    view.contour(bar, closed=False)


def light_emitting_diode(view: View, rng: Random) -> None:
    diode(view, rng)
    around(view, 10, rng)
    for x in (-1, 4):
        arrow(view, (x, 6), (x + 5, 13), rng)


def transistor(view: View, rng: Random) -> None:
    around(view, 9, rng)
    view.line((-14, 0), (-3, 0))
    view.line((-3, -6), (-3, 6))
    view.contour([(-3, 2.5), (4, 7), (4, 14)], closed=False)
    arrow(view, *(((-3, -2.5), (4, -7)) if rng.random() < 0.5 else ((4, -7), (-3, -2.5))), rng)
    view.line((4, -7), (4, -14))


def field_effect_transistor(view: View, rng: Random) -> None:
    around(view, 10, rng)
    view.line((-4, -5), (-4, 5))
    view.line((-13, -5), (-4, -5))
    for y in (-5, 0, 5):
        view.line((-2, y - 1.6), (-2, y + 1.6))
        view.line((-2, y), (5, y))
    view.line((5, 5), (5, 13))
    view.line((5, 0), (5, -13))
    arrow(view, (3, 0), (-2, 0), rng)


def lamp(view: View, rng: Random) -> None:
    radius = rng.uniform(5, 8)
    leads(view, radius, rng)
    view.circle((0, 0), radius)
    if rng.random() < 0.7:
        for degrees in (45, 135):
            view.line(polar((0, 0), radius, degrees), polar((0, 0), radius, degrees + 180))
    else:
        view.arc((0, 0), radius * 0.4, 0, 180)
        view.line((-radius, 0), (-radius * 0.4, 0))
        view.line((radius * 0.4, 0), (radius, 0))


def motor(view: View, rng: Random) -> None:
    radius = rng.uniform(6, 9)
    leads(view, radius, rng)
    view.circle((0, 0), radius)
    view.contour([(-2.5, -3), (-2.5, 3), (0, 0), (2.5, 3), (2.5, -3)], closed=False)
    for side in (-1, 1) if rng.random() < 0.5 else ():
        view.rect((side * (radius + 1), 0), 2, 4)


def battery(view: View, rng: Random) -> None:
    cells = rng.choice((1, 2, 3))
    leads(view, cells * 3 - 1.5, rng)
    for i in range(cells):
        x = -cells * 3 + 1.5 + 6 * i
        view.line((x, -8), (x, 8))
        view.line((x + 3, -4), (x + 3, 4))


def ground(view: View, rng: Random) -> None:
    view.line((0, 0), (0, rng.uniform(6, 12)))
    if rng.random() < 0.7:
        for i in range(3):
            view.line((-7 + 2.5 * i, -2.5 * i), (7 - 2.5 * i, -2.5 * i))
    else:
        view.line((-7, 0), (7, 0))
        for x in (-6, -2, 2, 6):
            view.line((x, 0), (x - 3, -4))


def switch(view: View, rng: Random) -> None:
    half = rng.uniform(6, 9)
    leads(view, half, rng)
    view.line((-half, 0), (half * 0.9, rng.uniform(4, 8)))
    for x in (-half, half) if rng.random() < 0.6 else ():
        view.circle((x, 0), 1.0)


def push_button(view: View, rng: Random) -> None:
    half = rng.uniform(6, 8)
    leads(view, half, rng)
    view.line((-half, 3), (half, 3))
    view.line((0, 3), (0, 9))
    view.line((-3, 9), (3, 9))
    for x in (-half, half):
        view.circle((x, 0), 1.0)


def fuse(view: View, rng: Random) -> None:
    half, height = rng.uniform(8, 11), rng.uniform(2.5, 4)
    leads(view, half, rng)
    if rng.random() < 0.6:
        view.rect((0, 0), 2 * half, 2 * height)
        view.line((-half, 0), (half, 0))
    else:
        view.arc((-half / 2, 0), half / 2, 0, 180)
        view.arc((half / 2, 0), half / 2, 180, 360)
        for x in (-half, half):
            view.circle((x, 0), 1.2)


def transformer(view: View, rng: Random) -> None:
    turns, radius = rng.choice((3, 4, 5)), rng.uniform(2, 3)
    for side in (-1, 1):
        for i in range(turns):
            y = (2 * i + 1 - turns) * radius
            view.arc((side * 5, y), radius, *((270, 90) if side < 0 else (90, 270)))
        for y in (-turns * radius, turns * radius):
            view.line((side * 5, y), (side * 12, y))
    for x in (-1, 1) if rng.random() < 0.7 else (0,):
        view.line((x, -turns * radius), (x, turns * radius))


def amplifier(view: View, rng: Random) -> None:
    size = rng.uniform(9, 13)
    view.contour([(-size, -size), (-size, size), (size, 0)])
    view.line((size, 0), (size + 8, 0))
    for sign, y in ((1, size / 2), (-1, -size / 2)):
        view.line((-size - 8, y), (-size, y))
        view.line((-size + 2, y), (-size + 5, y))
        if sign > 0:
            view.line((-size + 3.5, y - 1.5), (-size + 3.5, y + 1.5))


def and_gate(view: View, rng: Random) -> None:
    size, inputs = rng.uniform(8, 11), rng.choice((2, 2, 3))
    view.contour([(-size, -size), (0, -size, 1.0), (0, size), (-size, size)])
    for i in range(inputs):
        y = (i - (inputs - 1) / 2) * 1.4 * size / inputs
        view.line((-size - 8, y), (-size, y))
    negated = rng.random() < 0.4
    if negated:
        view.circle((size + 1.5, 0), 1.5)
    view.line((size + 3 * negated, 0), (size + 9, 0))


def or_gate(view: View, rng: Random) -> None:
    size, inputs = rng.uniform(8, 11), rng.choice((2, 2, 3))
    view.contour([(-size, -size), (-size / 3, -size, 0.35), (size, 0, 0.35), (-size / 3, size), (-size, size, -0.4)])
    for i in range(inputs):
        y = (i - (inputs - 1) / 2) * 1.2 * size / inputs
        view.line((-size - 6, y), (-size * 0.65, y))
    negated = rng.random() < 0.4
    if negated:
        view.circle((size + 1.5, 0), 1.5)
    view.line((size + 3 * negated, 0), (size + 9, 0))


SYMBOLS = (
    resistor, potentiometer, capacitor, inductor, diode, light_emitting_diode, transistor, field_effect_transistor,
    lamp, motor, battery, ground, switch, push_button, fuse, transformer, amplifier, and_gate, or_gate,
)  # fmt: skip
