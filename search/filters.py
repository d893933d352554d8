"""Which drawings of an archive a question is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from dataset.entities import DEEPDXF_TYPES
from search.entries import Entry

_COUNT = re.compile(r"\s*([A-Za-z]+)\s*(<=|>=|==|=|<|>)\s*(\d+)\s*")


@dataclass(frozen=True)
class Count:
    """A condition on the number of entities of a type, such as ``CIRCLE>=10``."""

    type: str
    sign: str
    number: int

    @classmethod
    def parse(cls, text: str) -> Count:
        """Raises ValueError if it is none."""
        found = _COUNT.fullmatch(text)
        if not found:
            raise ValueError(f"{text!r} is no condition such as CIRCLE>=10")
        name = found[1].upper()
        if name not in DEEPDXF_TYPES:
            raise ValueError(f"{found[1]!r} is no entity type; known are {', '.join(DEEPDXF_TYPES)}")
        return cls(name, "=" if found[2] == "==" else found[2], int(found[3]))

    def holds(self, number: int) -> bool:
        return {
            "<": number < self.number,
            "<=": number <= self.number,
            "=": number == self.number,
            ">=": number >= self.number,
            ">": number > self.number,
        }[self.sign]


@dataclass(frozen=True)
class Filters:
    """Conditions that all have to hold.

    Attributes:
        path: a glob on the id, case ignored; ``*`` goes through folders.
        size: least and most of the larger side, in drawing units.
    """

    path: str | None = None
    size: tuple[float, float] | None = None
    counts: tuple[Count, ...] = ()

    def __bool__(self) -> bool:
        return self.path is not None or self.size is not None or bool(self.counts)

    def __call__(self, entry: Entry) -> bool:
        if self.path is not None and not fnmatchcase(entry.id.lower(), self.path.lower()):
            return False
        if self.size is not None and not self.size[0] <= entry.size <= self.size[1]:
            return False
        return all(each.holds(entry.counts.get(each.type, 0)) for each in self.counts)


NO_FILTERS = Filters()
