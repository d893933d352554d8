"""A few of many."""

from utils.evenly import evenly


def test_few_of_many_are_spread_and_all_of_few_are_taken():
    assert evenly("abcdefghijk", 3) == ["a", "f", "k"]
    assert evenly(range(5), 9) == evenly(range(5), 5) == [0, 1, 2, 3, 4]
    assert evenly([], 4) == []
    for count in range(1, 40):
        for most in range(1, 12):
            places = evenly(range(count), most)
            assert len(set(places)) == len(places) == min(most, count)
