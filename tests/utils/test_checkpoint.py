import os
import pickle
from importlib import metadata

import pytest
import torch

from config.errors import UserError
from dataset import entities
from utils import checkpoint as checkpoint_module
from utils.checkpoint import load_checkpoint, save_checkpoint
from utils.files import atomic_path

CONTENT = {
    "kind": "gf",
    "config": {"epochs": 3, "data_dir": "data"},
    "model": {"weight": torch.arange(4.0)},
    "metrics": {"val": {"loss": 1.5}},
    "info": {"fold": 0, "epoch": 2},
}


def test_a_checkpoint_comes_back(tmp_path):
    path = tmp_path / "new folder" / "模型 (1).pth"
    save_checkpoint(path, **CONTENT)
    loaded = load_checkpoint(path)
    assert loaded.kind == "gf"
    assert loaded.config == CONTENT["config"]
    assert torch.equal(loaded.model["weight"], CONTENT["model"]["weight"])
    assert loaded.info["versions"]["torch"] == metadata.version("torch")
    assert [p.name for p in path.parent.iterdir()] == [path.name], "a temporary file was left behind"


def test_damaged_missing_and_foreign_files_are_one_sentence(tmp_path):
    whole = tmp_path / "whole.pth"
    save_checkpoint(whole, **CONTENT)
    truncated = tmp_path / "truncated.pth"
    truncated.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    foreign = tmp_path / "foreign.pth"
    torch.save({"state_dict": {}}, foreign)
    for path in (truncated, foreign, tmp_path / "missing.pth", tmp_path):
        with pytest.raises(UserError) as error:
            load_checkpoint(path)
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)


def test_loading_runs_no_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "it ran"),)

    path = tmp_path / "evil.pth"
    torch.save({"format": 1, "model": Evil()}, path)
    with pytest.raises(UserError):
        load_checkpoint(path)
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(UserError):
        load_checkpoint(path)
    assert not (tmp_path / "it ran").exists()


def test_another_entity_table_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "old.pth"
    monkeypatch.setattr(checkpoint_module, "SCHEMA_VERSION", entities.SCHEMA_VERSION + 1)
    save_checkpoint(path, **CONTENT)
    monkeypatch.undo()
    with pytest.raises(UserError, match="entity table version"):
        load_checkpoint(path)


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
