"""A page of drawings as lines, labels and boxes at their places: what both renderers draw, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

PAPER = "#ffffff"
BLACK, DARK, GREY, PALE = "#1a1a1a", "#5f6368", "#8e9297", "#e3e5e8"
# Okabe and Ito (2008), "Color Universal Design": told apart by people with every kind of colour vision
VERMILION, BLUE = "#d55e00", "#0072b2"


@dataclass(frozen=True)
class Lines:
    """Straight strokes ``[n, 4]`` in pixels, y downwards, of one colour and width (pixels)."""

    strokes: np.ndarray
    color: str
    width: float = 1.0


@dataclass(frozen=True)
class Label:
    """A line of text. ``x, y`` is on its baseline: its start, middle or end as ``anchor`` says. ``size`` in pixels,
    ``angle`` in degrees counter-clockwise."""

    x: float
    y: float
    text: str
    size: float
    color: str = BLACK
    anchor: str = "start"
    bold: bool = False
    angle: float = 0.0


@dataclass(frozen=True)
class Rect:
    """A box by its upper left corner; ``round`` is the radius of its corners."""

    x: float
    y: float
    width: float
    height: float
    fill: str = "none"
    outline: str = "none"
    round: float = 0.0


@dataclass
class Page:
    """A page in pixels; later things lie above earlier ones. ``paper`` is its colour, or ``none``."""

    width: float
    height: float
    title: str
    things: list[Lines | Label | Rect] = field(default_factory=list)
    paper: str = PAPER


def mixed(one: str, other: str, share: float) -> str:
    """A colour between two, by the other one's share, 0..1."""
    ends = [[int(color[at : at + 2], 16) for at in (1, 3, 5)] for color in (one, other)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(*ends, strict=True))


def text_width(text: str) -> float:
    """The width of a line of text in ems of a common sans serif: near enough to lay it out."""
    return sum(1.0 if ord(letter) > 0x2E80 else 0.58 for letter in text)


def clipped(text: str, ems: float) -> str:
    """As much of a text as fits into a width, with an ellipsis where something is missing."""
    if text_width(text) <= ems:
        return text
    while text and text_width(text) > ems - 1.0:
        text = text[:-1]
    return text.rstrip() + "…"


def wrapped(text: str, ems: float) -> list[str]:
    """A text in lines of at most so many ems; a word that is longer is cut."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        word = clipped(word, ems)
        if line and text_width(f"{line} {word}") > ems:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line] if line else lines
