"""A symbol library: small drawings of another trade, nothing written on most of them, many of a class.

A symbol is a function that draws one on a view, its name the class. What it asks ``rng`` for is what two symbols of a
class may differ in: proportions, how many of a thing there are, and one or two fashions of drawing it.
"""

from collections.abc import Callable
from random import Random

from dataset.generator.canvas import View
from dataset.generator.symbols import building, circuits, furniture, piping

Symbol = Callable[[View, Random], None]
SYMBOLS: dict[str, Symbol] = {
    symbol.__name__: symbol
    for module in (furniture, circuits, piping, building)
    for symbol in module.SYMBOLS
}  # fmt: skip
