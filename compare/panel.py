"""A drawing on a page: its strokes and its words, in a frame of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compare.figure import Figure, is_text
from compare.page import Label, Lines, text_width, wrapped
from dataset.entities import Extents
from dataset.extents import drawing_extents

MOST_STROKES = 4_500  # of a panel: what tells the drawings apart first, then the longest
MOST_TEXTS = 400
SMALLEST = 3.5  # pixels: smaller letters are shown as a line
CAP = 0.72  # of an em: the height of a capital letter
LINE_FEED = 5 / 3  # of the letters' height, from line to line of a paragraph


@dataclass(frozen=True)
class View:
    """From drawing units to pixels: ``scale`` pixels a unit, the frame's middle in the middle of a box."""

    middle: tuple[float, float]
    scale: float
    at: tuple[float, float]

    @classmethod
    def fitting(cls, frame: Extents, x: float, y: float, width: float, height: float, scale: float = 0.0) -> View:
        """A frame as large as it fits into a box of pixels, or at a given scale."""
        middle = frame.min_x + frame.width / 2, frame.min_y + frame.height / 2
        scale = scale or largest_scale(frame, width, height)
        return cls(middle, scale, (x + width / 2, y + height / 2))

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Points, strokes or other rows of x, y pairs ``[n, 2k]``; y turns downwards."""
        pairs = (points.reshape(-1, 2) - self.middle) * (self.scale, -self.scale) + self.at
        return pairs.reshape(points.shape)


@dataclass(frozen=True)
class Layer:
    """Strokes and words of a figure in one colour. ``strokes`` are where the view takes them from; ``shown`` which of
    them."""

    figure: Figure
    strokes: np.ndarray
    shown: np.ndarray
    color: str
    width: float = 1.0


def largest_scale(frame: Extents, width: float, height: float) -> float:
    size = max(frame.width, 1e-9 * frame.side), max(frame.height, 1e-9 * frame.side)
    return min(width / size[0], height / size[1])


def frame_of(*boxes: np.ndarray) -> Extents:
    """Around entities ``[N, 4]``, but for a few that stray far from the others."""
    return drawing_extents(np.concatenate([np.zeros((0, 4)), *boxes]))


def draw(layers: Sequence[Layer], view: View, box: tuple[float, float, float, float]) -> tuple[list, int, int]:
    """The layers in pixels, the first at the bottom; how many strokes there are, and how many were left out.

    Where not all strokes can be drawn, the layers share the room, and the last ones, which say most, have what is over.

    Args:
        box: x, y, width, height in pixels; what lies outside is not drawn.
    """
    room, texts_left, total, left_out = MOST_STROKES, MOST_TEXTS, 0, 0
    things: list[list[Lines | Label]] = []
    for waiting, layer in zip(range(len(layers), 0, -1), reversed(layers), strict=True):
        labels, written = _labels(layer, view, box, texts_left)
        texts_left -= len(labels)
        chosen = np.flatnonzero(layer.shown & ~written)
        strokes = view(layer.strokes[chosen])
        strokes = strokes[_touches(strokes, box)]
        total += len(strokes)
        strokes = _visible(strokes)
        length = np.hypot(strokes[:, 2] - strokes[:, 0], strokes[:, 3] - strokes[:, 1])
        most = max(room // waiting, room - sum(int(other.shown.sum()) for other in layers[: waiting - 1]))
        if len(strokes) > most:
            left_out += len(strokes) - most
            strokes = strokes[np.sort(np.argsort(-length, kind="stable")[:most])]
        room -= len(strokes)
        things.append([Lines(_clip(strokes, box), layer.color, layer.width), *labels])
    return [thing for layer in reversed(things) for thing in layer], total, left_out


def _visible(strokes: np.ndarray) -> np.ndarray:
    """Without strokes that lie on others by the pixel."""
    cells = np.rint(strokes * 2).astype(np.int64)
    swap = (cells[:, 0] > cells[:, 2]) | ((cells[:, 0] == cells[:, 2]) & (cells[:, 1] > cells[:, 3]))
    cells[swap] = cells[swap][:, [2, 3, 0, 1]]
    _, first = np.unique(cells, axis=0, return_index=True)
    return strokes[np.sort(first)]


def _touches(strokes: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    x, y, width, height = box
    low, high = np.minimum(strokes[:, :2], strokes[:, 2:]), np.maximum(strokes[:, :2], strokes[:, 2:])
    return (high >= (x, y)).all(axis=1) & (low <= (x + width, y + height)).all(axis=1)


def _clip(strokes: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """Strokes cut off at the box, by Liang and Barsky as in :mod:`dataset.picture`."""
    x, y, width, height = box
    start, step = strokes[:, :2], strokes[:, 2:] - strokes[:, :2]
    with np.errstate(divide="ignore", invalid="ignore"):
        sides = np.stack([((x, y) - start) / step, ((x + width, y + height) - start) / step])
    still = step == 0
    enter = np.where(still, -np.inf, sides.min(axis=0)).max(axis=1).clip(min=0.0)
    leave = np.where(still, np.inf, sides.max(axis=0)).min(axis=1).clip(max=1.0)
    inside = (enter == 0.0) & (leave == 1.0)
    cut = np.concatenate([start + enter[:, None] * step, start + leave[:, None] * step], axis=1)
    cut[inside] = strokes[inside]
    return cut[enter <= leave]


def _labels(layer: Layer, view: View, box, most: int) -> tuple[list[Label], np.ndarray]:
    """The words of a layer, and which of its strokes they stand for (bool ``[S]``)."""
    figure, labels = layer.figure, []
    written = np.zeros(len(layer.strokes), bool)
    lines = np.flatnonzero(layer.shown & is_text(figure))
    ends = view(layer.strokes[lines])
    rank: dict[int, int] = {}
    scale = _scale(layer, view)
    for index, stroke, touches in zip(lines.tolist(), ends, _touches(ends, box).tolist(), strict=True):
        owner = int(figure.owner[index])
        number = rank[owner] = rank.get(owner, -1) + 1
        texts = figure.texts[owner]
        if not touches or number >= len(texts) or len(labels) >= most:
            continue
        new = _written(figure, owner, texts[number], stroke, layer.color, scale)
        if new:
            labels += new
            written[index] = True
    return labels, written


def _written(figure: Figure, owner: int, text: str, stroke: np.ndarray, color: str, scale: float) -> list[Label]:
    """A text along the stroke that stands for it: as high as it is drawn, if that fits its length.

    Args:
        scale: pixels a unit of the figure.
    """
    (x0, y0), (x1, y1) = stroke[:2], stroke[2:]
    length, ems = float(np.hypot(x1 - x0, y1 - y0)), max(text_width(text), 0.5)
    if length < SMALLEST:
        return []
    height = figure.heights[owner] * scale
    size = height / CAP if np.isfinite(height) and height > 0 else length / ems
    angle = float(np.degrees(np.arctan2(y0 - y1, x1 - x0)))
    lines = [text]
    if ems * size > 1.5 * length and " " in text and ems > 12:  # a paragraph: its stroke is as long as its longest line
        lines = wrapped(text, length / size)
    size = min(size, 1.15 * length / max(map(text_width, lines), default=ems))
    if size < SMALLEST:
        return []
    down = np.array([np.sin(np.radians(angle)), np.cos(np.radians(angle))])  # across the text, y downwards
    feed = LINE_FEED * (height if np.isfinite(height) and height > 0 else CAP * size)
    labels = []
    for i, line in enumerate(lines):
        x, y = (x0, y0) + down * (feed * (i - (len(lines) - 1) / 2) + CAP * size / 2)
        labels.append(Label(float(x), float(y), line, size, color, angle=round(angle, 2)))
    return labels


def _scale(layer: Layer, view: View) -> float:
    """Pixels a drawing unit of the layer's own figure."""
    own, placed = layer.figure.strokes, layer.strokes
    length = np.hypot(own[:, 2] - own[:, 0], own[:, 3] - own[:, 1])
    longest = int(length.argmax()) if len(length) else 0
    if not len(length) or not length[longest]:
        return view.scale
    return view.scale * float(np.hypot(*(placed[longest, 2:] - placed[longest, :2]))) / float(length[longest])
