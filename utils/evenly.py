"""A few of many, evenly spread, and the same ones every time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def evenly(items: Sequence[T], most: int) -> list[T]:
    """At most so many of them, in their order, the first and the last among them."""
    return [items[place] for place in np.linspace(0, len(items) - 1, min(most, len(items))).astype(int)]
