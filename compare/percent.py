"""A share of pairs in words."""

import math


def percent(share: float) -> str:
    """In percent with one decimal, rounded down and 99.9 at most: a drawing is not more alike to itself than all pairs
    that there are, only than all that were looked at."""
    return f"{min(math.floor(1000 * share + 1e-9) / 10, 99.9):.1f}"
