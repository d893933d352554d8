import json
import logging

import pytest

from config.run_config import RunConfig
from utils.run_log import RunLog, logger

RECORD = {"fold": 0, "epoch": 0, "train": {"loss": 2.0}, "val": {"loss": 1.0}, "lr": 0.1, "grad_norm": 3.0}


def test_unnamed_runs_never_share_a_folder(tmp_path):
    logs = [RunLog("gf", RunConfig(log_dir=tmp_path)) for _ in range(3)]
    assert len({log.folder for log in logs}) == 3


def test_a_failed_run_keeps_its_traceback_in_the_log_and_raises_it(tmp_path):
    with pytest.raises(ZeroDivisionError), RunLog("gf", RunConfig(log_dir=tmp_path, run_name="run")):
        1 / 0  # noqa: B018
    text = (tmp_path / "run" / "train.log").read_text(encoding="utf-8")
    assert "ZeroDivisionError" in text
    assert not [handler for handler in logger.handlers if isinstance(handler, logging.FileHandler)]


def test_the_config_beside_the_numbers_is_the_merged_one(tmp_path):
    with RunLog("gf", RunConfig(log_dir=tmp_path, run_name="run", lr=0.25)) as log:
        log.epoch(RECORD)
    config = json.loads((tmp_path / "run" / "config.json").read_text(encoding="utf-8"))
    assert (config["kind"], config["lr"], config["seed"]) == ("gf", 0.25, 0)
    (line,) = (tmp_path / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {"event": "epoch", **RECORD}


def test_wandb_offline_needs_no_login_and_no_network(tmp_path, monkeypatch):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))  # no key from an earlier login
    monkeypatch.setenv("WANDB_PROJECT", "from the environment")
    with RunLog("gf", RunConfig(log_dir=tmp_path / "logs", run_name="run", wandb="offline")) as log:
        assert log._wandb.project == "from the environment"
        log.epoch(RECORD)
        log.summary({"test": {"loss": 1.5}})
    assert list((tmp_path / "logs" / "run" / "wandb").glob("offline-run-*/*.wandb"))
