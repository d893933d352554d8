"""However fast tasks are and in whatever order they end: few at a time, reports in task order, none lost."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset import in_order as module
from dataset.in_order import in_order
from dataset.worker import FileReport, Task


class PoolThatSaysWhen:
    """Does the work at once, and lets the tasks it holds end in an order of its own."""

    def __init__(self, choices, capacity=4):
        self.capacity = capacity
        self.choices = choices
        self.held = {}
        self.most_held = 0
        self.closed = False

    def start(self, number, task):
        self.held[number] = FileReport(task.source, "read")
        self.most_held = max(self.most_held, len(self.held))

    def finished(self):
        number = sorted(self.held)[next(self.choices, 0) % len(self.held)]
        if self.held[number].source == "full":
            raise OSError(28, "No space left on device")
        yield number, self.held.pop(number)

    def close(self):
        self.closed = True


def task(source):
    return Task(Path(source), source, Path("s.h5"), Path("g.h5"), "cross")


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(0, 40), st.integers(0, 6))
def test_in_order_and_complete_and_few_at_a_time(choices, count, capacity):
    pool = PoolThatSaysWhen(iter(choices), capacity)
    sources = [str(i) for i in range(count)]
    assert [file.source for file in in_order(map(task, sources), pool)] == sources
    assert pool.most_held <= max(capacity, 1)
    assert pool.closed


def test_reports_that_wait_for_a_slow_file_are_few(monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 10)
    drawn = []

    def tasks():
        for i in range(200):
            drawn.append(i)
            yield task(str(i))

    the_last = iter([-1] * 500)  # the first one started is always the last to end
    for count, _ in enumerate(in_order(tasks(), PoolThatSaysWhen(the_last)), start=1):
        assert len(drawn) <= count + 10
    assert count == 200


def test_a_failed_run_closes_the_pool():
    pool = PoolThatSaysWhen(iter([]))
    with pytest.raises(OSError, match="No space left"):
        list(in_order(map(task, ["a", "full", "b"]), pool))
    assert pool.closed
