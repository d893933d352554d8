import json
import logging
import struct
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from wandb.proto import wandb_internal_pb2

from config.errors import UserError
from config.run_config import RunConfig
from utils import run_log
from utils.run_log import RunLog, logger

SUMMARY = {
    "settings": [
        {"name": "lr=1", "val": {"loss": {"mean": 1.25, "std": 0.5}}, "final_epochs": 4, "chosen": True},
        {"name": "lr=2", "val": {"loss": {"mean": 2.5, "std": 0.0}}, "final_epochs": 1, "chosen": False},
    ],
    "folds": [{"best_epoch": 3, "val": {"loss": 0.75}}, {"best_epoch": 4, "val": {"loss": 1.75}}],
    "val": {"loss": {"mean": 1.25, "std": 0.5}},
    "final": {"epochs": 4},
    "test": {"loss": 1.5},
    "model": "checkpoints/best_model.pth",
    "skipped_steps": 6,
    "seconds": 3700.0,
    "cost": {"device": "some CPU", "peak_memory_mb": {"main": 1234.5}},
    "environment": {"git": "abc", "python": "3.11", "versions": {"torch": "2.13"}},
}
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
        log.step({"fold": 0, "epoch": 0, "step": 7, "train": {"loss": 3.0}})
        log.epoch(RECORD)
        log.summary(SUMMARY)
        log.draw_curves(at_last=True)
        state = log.state()
    (first,) = (tmp_path / "logs" / "run" / "wandb").glob("offline-run-*/*.wandb")
    sent = history_of(first)
    assert [values for key, values in sent.items() if "/step/" in key and key.endswith("loss")] == [[3.0]]
    assert [values for key, values in sent.items() if "/epoch/" in key and key.endswith("val/loss")] == [[1.0]]
    assert all(Path(first.parent, "files", picture["path"]).stat().st_size > 1000 for picture in sent["curves"])
    config = RunConfig(log_dir=tmp_path / "logs", wandb="offline", resume=True)
    with RunLog("gf", config, state) as log:
        assert log._wandb.id in first.name, "a continued run is the same run"
        log.epoch(RECORD)
        assert log.state()["wandb_step"] == 3


def history_of(path: Path) -> dict[str, list]:
    """What a run has sent, key by key, read from the file that it keeps offline."""
    sent = defaultdict(list)
    for content in leveldb_records(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(content)
        for item in record.history.item:
            sent[item.key or "/".join(item.nested_key)].append(json.loads(item.value_json))
    return sent


def leveldb_records(content: bytes) -> Iterator[bytes]:
    """The records of a file in LevelDB's log format, behind seven bytes of wandb's."""
    place, parts = 7, b""
    while place + 7 <= len(content):
        if 32768 - place % 32768 < 7:  # no header fits into the rest of the block
            place += 32768 - place % 32768
        _, length, kind = struct.unpack("<IHB", content[place : place + 7])
        parts += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield parts
            parts = b""


def test_wandb_online_without_a_key_is_one_sentence_and_not_a_question(tmp_path, monkeypatch):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UserError, match=r"--wandb online needs WANDB_API_KEY .* --wandb offline needs neither"):
        RunLog("gf", RunConfig(log_dir=tmp_path / "logs", wandb="online"))
    assert not (tmp_path / "logs").exists()


def test_where_wandb_does_not_answer_the_run_goes_on_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setattr(run_log, "WANDB_TIMEOUT", 1.0)
    with RunLog("gf", RunConfig(log_dir=tmp_path, run_name="run", wandb="online")) as log:
        log.epoch(RECORD)
    assert "cannot be reached" in (tmp_path / "run" / "train.log").read_text(encoding="utf-8")
    assert list((tmp_path / "run" / "wandb").glob("offline-run-*/*.wandb"))


def test_a_continued_run_cuts_off_what_was_logged_behind_its_state(tmp_path):
    config = RunConfig(log_dir=tmp_path, run_name="run")
    with RunLog("gf", config) as log:
        log.step({"fold": 0, "step": 0})
        log.epoch(RECORD)
        state = log.state()
        log.step({"fold": 0, "step": 1})
        log.epoch({**RECORD, "epoch": 1})
    with RunLog("gf", config, state) as log:
        assert log.history == [{"event": "epoch", **RECORD}]
        assert log.state() == state
        log.epoch({**RECORD, "epoch": 7})
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert [line["epoch"] for line in lines] == [0, 7]
    assert (tmp_path / "run" / "steps.jsonl").read_text("utf-8").splitlines() == ['{"fold": 0, "step": 0}']


def test_the_readable_summary_says_what_ships_what_it_scored_and_what_it_cost(tmp_path):
    with RunLog("gf", RunConfig(log_dir=tmp_path, run_name="run")) as log:
        log.summary(SUMMARY)
    text = (tmp_path / "run" / "summary.md").read_text(encoding="utf-8")
    for part in (
        "for 4 epoch(s), the median best epoch of the 2 folds",
        "| loss | 1.2500 ± 0.5000 | 1.5000 |",
        "| **lr=1** | 1.2500 ± 0.5000 | 4 |",
        "| lr=2 | 2.5000 | 1 |",
        "| 2 | 5 | 1.7500 |",
        "Steps skipped by the gradient scaler: 6.",
        "1 h 1 min on some CPU",
        "1,234 MB (main)",
        "torch 2.13",
    ):
        assert part in text
    assert json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8")) == SUMMARY
