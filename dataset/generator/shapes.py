"""What makes a family where every drawing comes from another hand: the shape of the part, and nothing of the drafting.

A shape is a kind of part and an answer to each of the kind's questions of shape (`Kind.shape`): a QFN with bullet
pads and vias in its thermal pad. There are some 150 of them. A seed deals them out to training and to testing, so that
no shape is in both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, product, zip_longest
from random import Random

from dataset.generator.family import KINDS
from dataset.generator.kind import Kind

SPLITS = ("train", "test")


@dataclass(frozen=True)
class Shape:
    kind: Kind
    answers: tuple[tuple[str, object], ...]  # question and answer

    @property
    def name(self) -> str:
        return "/".join([self.kind.name, *(f"{question}={answer}" for question, answer in self.answers)])


class Asked:
    """Stands in for a style cycle and remembers which options each question has."""

    def __init__(self) -> None:
        self.options: dict[str, Sequence] = {}

    def pick(self, question: str, options: Sequence):
        self.options[question] = options
        return options[0]


def shapes_of(kind: Kind) -> list[Shape]:
    """Every combination of the kind's answers."""
    asked = Asked()
    kind.design(Random(0), asked)
    answers = product(*(asked.options[question] for question in kind.shape))
    return [Shape(kind, tuple(zip(kind.shape, answer, strict=True))) for answer in answers]


def dealt(seed: int, split: str) -> list[Shape]:
    """The shapes of one split: half of each kind's, kinds taking turns (testing gets the odd one).

    Raises:
        ValueError: there is no such split.
    """
    part = SPLITS.index(split)
    halves = []
    for kind in KINDS:
        shapes = shapes_of(kind)
        Random(f"{seed}/{kind.name}/shapes").shuffle(shapes)
        middle = len(shapes) // 2
        halves.append(shapes[middle:] if part else shapes[:middle])
    turns = chain.from_iterable(zip_longest(*halves))
    return [shape for shape in turns if shape is not None]
