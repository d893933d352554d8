"""What is made ahead is what would have been made, in order; errors and an early end included."""

import itertools
import threading

import pytest

from utils.ahead import ahead


def test_the_same_items_made_before_they_are_asked_for_and_not_all_at_once():
    made = []

    def items():
        for number in range(20):
            made.append(number)
            yield number

    taken = ahead(items(), 3)
    assert next(taken) == 0
    while len(made) < 4:  # the three behind it come by themselves
        pass
    assert list(itertools.islice(taken, 5)) == [1, 2, 3, 4, 5]
    assert len(made) <= 9
    assert list(taken) == list(range(6, 20))
    assert list(ahead([], 3)) == []


def test_an_error_comes_where_its_item_would():
    def items():
        yield "a"
        raise OSError("the disk is gone")

    taken = ahead(items(), 5)
    assert next(taken) == "a"
    with pytest.raises(OSError, match="the disk is gone"):
        next(taken)


def test_who_stops_early_leaves_no_thread():
    before = threading.active_count()
    taken = ahead(itertools.count(), 4)
    assert next(taken) == 0 and threading.active_count() == before + 1
    taken.close()
    assert threading.active_count() == before
