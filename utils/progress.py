"""One look for every progress bar."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

from utils.distributed.world import world


def progress(items: Iterable[Any], desc: str, **options: Any) -> tqdm:
    """A bar on standard error that follows the terminal's width; none where nobody watches (a file, a pipe), and one
    for all processes of a run."""
    return tqdm(items, desc=desc, dynamic_ncols=True, disable=None if world().is_first else True, **options)
