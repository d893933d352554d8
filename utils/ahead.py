"""Making things while others are still being used."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
END = object()


def ahead(items: Iterable[Item], count: int) -> Iterator[Item]:
    """The same items in the same order; a thread makes up to ``count`` of them before they are asked for.

    It pays where making one waits, for a disk or for what lets go of the interpreter. An exception comes where its item
    would; whoever stops early stops the thread.
    """
    source = iter(items)
    thread = ThreadPoolExecutor(1)
    waiting: deque[Future[object]] = deque(thread.submit(next, source, END) for _ in range(count))
    try:
        while (item := waiting.popleft().result()) is not END:
            waiting.append(thread.submit(next, source, END))
            yield item
    finally:
        thread.shutdown(cancel_futures=True)
