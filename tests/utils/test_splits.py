"""No drawing trains what it tests."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.splits import group_of, split_drawings

NAMES = [f"lot {lot}/part {part}_{sheet}" for lot in range(4) for part in range(6) for sheet in (1, 2, 3)]


def _split(names=NAMES, **changes):
    options = {"n_folds": 3, "test_fraction": 0.2, "val_fraction": 0.1, "seed": 0, "group_by": "drawing"}
    return split_drawings(names, **{**options, **changes})


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(8, 80),
    n_folds=st.integers(1, 5),
    seed=st.integers(0, 100),
    group_by=st.sampled_from(["drawing", "sheets"]),
)
def test_train_validation_and_test_are_disjoint_and_together_everything(count, n_folds, seed, group_by):
    names = [f"{i // 2}_{i % 2}" if group_by == "sheets" else f"{i}" for i in range(count * 2)]
    split = _split(names, n_folds=n_folds, seed=seed, group_by=group_by)
    assert len(split.folds) == n_folds
    for fold in split.folds:
        parts = [set(fold.train), set(fold.val), set(split.test)]
        assert min(map(len, parts)) >= 2, "one drawing has nothing to be contrasted with"
        assert set.union(*parts) == set(names)
        assert sum(map(len, parts)) == len(names)
        groups = [{group_of(name, group_by) for name in part} for part in parts]
        assert sum(map(len, groups)) == len(set.union(*groups)), "a group was torn apart"
    if n_folds > 1:
        assert sorted(name for fold in split.folds for name in fold.val) == sorted(set(names) - set(split.test))


def test_a_fifth_is_held_out():
    assert len(_split().test) == round(0.2 * len(NAMES))


def test_split_depends_on_the_names_and_the_seed_only():
    assert _split() == _split(list(reversed(NAMES)))
    assert _split() != _split(seed=1)


def test_sheets_of_one_drawing_and_folders_stay_together():
    assert group_of("lot 1/QFN（321） -517  Rev1_4", "sheets") == group_of("lot 1/QFN（321） -517  Rev1_12", "sheets")
    assert group_of("lot 1/QFN Rev1_4", "sheets") != group_of("lot 2/QFN Rev1_4", "sheets")
    assert group_of("DFN(1.300.66-0.82)004(A)_2", "sheets") != group_of("DFN(1.300.66-0.91)010(B)_1", "sheets")
    split = _split(group_by="folder", n_folds=2)
    assert len({name.split("/")[0] for name in split.test}) == 1


def test_too_few_drawings_says_what_would_work():
    with pytest.raises(ValueError, match="at least 22 groups"):
        _split(NAMES[:8], n_folds=10)
