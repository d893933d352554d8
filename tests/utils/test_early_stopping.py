import math

import pytest

from utils.DeepDXF_early_stopping import DeepDXFEarlyStopping
from utils.early_stopping import EarlyStopping
from utils.GF_early_stopping import GFEarlyStopping


def _feed(stopper, values):
    return [stopper.update({"loss": value}, epoch) for epoch, value in enumerate(values)]


def test_stops_after_patience_epochs_without_gain():
    stopper = EarlyStopping(patience=2)
    assert _feed(stopper, [3.0, 2.0, 2.5]) == [True, True, False]
    assert not stopper.should_stop
    _feed(stopper, [2.0])  # equal is not better
    assert stopper.should_stop
    assert (stopper.best, stopper.best_epoch) == (2.0, 1)


def test_a_gain_below_min_delta_does_not_count():
    stopper = DeepDXFEarlyStopping()
    assert _feed(stopper, [1.0, 0.9995, 0.998]) == [True, False, True]


def test_the_encoders_differ_in_patience():
    assert (GFEarlyStopping().patience, DeepDXFEarlyStopping().patience) == (20, 7)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_an_error(value):
    with pytest.raises(ValueError, match="early stopping cannot judge"):
        EarlyStopping(patience=2).update({"loss": value}, 0)


def test_state_survives():
    stopper = EarlyStopping(patience=3)
    _feed(stopper, [3.0, 2.0, 2.5])
    other = EarlyStopping(patience=3)
    other.load_state_dict(stopper.state_dict())
    assert _feed(other, [2.1, 2.2]) == [False, False]
    assert other.should_stop
