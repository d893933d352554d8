"""Running means of what tasks report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any


class Means:
    """Means of named numbers, weighted by the number of drawings."""

    def __init__(self) -> None:
        self.sums: dict[str, float] = defaultdict(float)
        self.weight = 0

    def add(self, numbers: Mapping[str, float], weight: int) -> None:
        for name, value in numbers.items():
            self.sums[name] += value * weight
        self.weight += weight

    def result(self) -> dict[str, float]:
        return {name: value / self.weight for name, value in self.sums.items()}

    def state_dict(self) -> dict[str, Any]:
        return {"sums": dict(self.sums), "weight": self.weight}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.sums = defaultdict(float, state["sums"])
        self.weight = state["weight"]
