"""What is said before a run starts, and how long it will take."""

import re
import time

from utils.engine import plan
from utils.engine.learner import Position
from utils.engine.plan import Estimate, Stage, in_words


def test_the_plan_counts_settings_folds_epochs_and_steps():
    stages = [Stage(0, (0,), 50, 4), Stage(0, (1,), 50, 5), Stage(1, (0,), 60, 4), Stage(0, (None,), 50, 6)]
    said = in_words(stages, n_settings=2, n_folds=2)
    assert "2 settings x 2 fold(s) + 1 final training on all but the test drawings" in said
    assert "each at most 60 epochs of 4 to 6 step(s)" in said
    assert "final" not in in_words(stages[:1], n_settings=1, n_folds=1)


def test_the_estimate_comes_once_behind_the_first_epoch_and_counts_all_that_is_left(monkeypatch):
    clock = iter([100.0, 101.0, 110.0, 999.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    estimate = Estimate([Stage(0, (0,), 50, 5), Stage(0, (1,), 50, 5)], Position(10, 2))
    assert estimate.after(Position(10, 4)) is None
    said = estimate.after(Position(11))
    # 3 steps in 10 s; 2 x 250 steps but for the 55 that are behind
    assert re.match(r"estimate: 25 min more at this pace \(3.33 s a step\)", said), said
    assert estimate.after(Position(12)) is None


def test_where_epochs_are_long_a_few_steps_are_enough(monkeypatch):
    clock = iter([0.0, plan.EARLY_SECONDS + 1, plan.EARLY_SECONDS + 2])
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    estimate = Estimate([Stage(0, (0,), 50, 900)], Position())
    assert estimate.after(Position(0, plan.EARLY_STEPS - 1)) is None
    assert "h more at this pace" in estimate.after(Position(0, plan.EARLY_STEPS))
