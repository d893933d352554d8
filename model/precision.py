"""Where numbers must not be rounded to 16 bits."""

from __future__ import annotations

from torch import Tensor, autocast


def full_precision(tensor: Tensor) -> autocast:
    """A block in which autocast is off on the tensor's device; cast the inputs with ``.float()`` inside.

    Losses, cosines and long sums live in such blocks: an exponent of ``1 / 0.07`` and a sum over thousands of tokens
    both lose too much in bfloat16.
    """
    return autocast(tensor.device.type, enabled=False)
