"""The files that an unfinished run is continued from."""

import logging

import pytest
import torch

from config.errors import UserError
from config.run_config import RunConfig
from utils import run_states
from utils.run_states import RunStates, require_same_run


def saved(folder, keep, count):
    states = RunStates(folder, keep)
    for number in range(count):
        states.save("test", RunConfig(), {"number": number, "fingerprint": "these"})
    return states


@pytest.mark.parametrize("keep", [1, 3])
def test_as_many_of_the_newest_are_kept_as_asked_for(tmp_path, keep):
    states = saved(tmp_path, keep, 5)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"resume_{n}.pth" for n in range(6 - keep, 6)]
    assert states.newest()["number"] == 4


def test_the_newest_that_is_whole_is_taken_and_the_others_are_named(tmp_path, caplog):
    states = saved(tmp_path, 3, 3)
    newest, older, oldest = (tmp_path / f"resume_{number}.pth" for number in (3, 2, 1))
    newest.write_bytes(newest.read_bytes()[:-100])
    torch.save({"some": "other program's"}, older)
    with caplog.at_level(logging.WARNING, logger="likeness"):
        assert states.newest()["number"] == 0
    assert f"{newest} is not a checkpoint of this program, or is damaged" in caplog.text
    assert f"{older} is no state of an unfinished run" in caplog.text
    oldest.write_bytes(b"")
    with pytest.raises(UserError, match=r"none of its 3 resume_<n>\.pth can be read"):
        states.newest()


def test_a_state_of_another_entity_table_is_refused(tmp_path, monkeypatch):
    states = saved(tmp_path, 1, 1)
    monkeypatch.setattr(run_states, "SCHEMA_VERSION", run_states.SCHEMA_VERSION + 1)
    states.save("test", RunConfig(), {"number": 1})
    monkeypatch.undo()
    with pytest.raises(UserError, match="can be read"):
        states.newest()


def test_going_on_under_other_versions_is_said(tmp_path, caplog):
    state = saved(tmp_path, 1, 1).newest()
    with caplog.at_level(logging.WARNING, logger="likeness"):
        require_same_run(state, "test", RunConfig(), "these")
        assert not caplog.text
        state["versions"] = {**state["versions"], "torch": "1.0"}
        require_same_run(state, "test", RunConfig(), "these")
    assert "the run began under another versions: numbers may differ" in caplog.text
    with pytest.raises(UserError, match="holds other drawings"):
        require_same_run(state, "test", RunConfig(), "those")


def test_what_a_killed_run_left_torn_and_a_finished_run_left_goes(tmp_path):
    states = saved(tmp_path, 2, 2)
    (tmp_path / "resume_3.pth.77.tmp").write_bytes(b"half")
    (tmp_path / "best_model.pth").write_bytes(b"a model")
    states.remove_torn()
    assert bool(states)
    states.clear()
    assert not states
    assert [path.name for path in tmp_path.iterdir()] == ["best_model.pth"]
