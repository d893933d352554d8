"""What dimensions and texts say: when do two strings give the same length?"""

from __future__ import annotations

import re

NUMBER = re.compile(r"\d+(?:[.,]\d+)?|[.,]\d+")


def same_value(old: str, new: str, scale: float) -> bool:
    """Whether two strings are the same but for numbers that differ by a unit's factor, as far as they are rounded.

    Args:
        scale: how much longer a thing is in the drawing that says ``old`` than in the one that says ``new``.
    """
    if old == new or scale == 1.0:
        return old == new
    if NUMBER.sub("#", old) != NUMBER.sub("#", new):
        return False
    pairs = zip(NUMBER.findall(old), NUMBER.findall(new), strict=True)
    return all(_same_number(first, second, scale) for first, second in pairs)


def _same_number(old: str, new: str, scale: float) -> bool:
    if old == new:
        return True
    first, second = (float(text.replace(",", ".")) for text in (old, new))
    return abs(first - second * scale) <= 0.5 * (_last_digit(old) + _last_digit(new) * scale) * 1.001


def _last_digit(text: str) -> float:
    decimals = len(re.split("[.,]", text)[1]) if re.search("[.,]", text) else 0
    return 10.0**-decimals
