"""Folds choose, one final training ships, the test drawings are met once."""

import json
import shutil
import statistics

import numpy as np
import pytest
import torch

from config.errors import UserError
from config.GF_config import GFConfig
from config.joint_config import JointConfig
from config.run_config import from_dict
from dataset.storage import read_graph, read_sequence, write_graph, write_sequence
from joint_train import train_joint
from model.GF_dataset import GFData
from model.GF_task import GFTask
from model.joint_dataset import JointDataLoader
from tests.model.batches import gf_config, sheet_config
from utils.checkpoint import load_checkpoint
from utils.engine.choice import Outcome, best_of
from utils.engine.cross_validation import CrossValidation
from utils.engine.learner import FitResult
from utils.GF_early_stopping import GFEarlyStopping
from utils.grid import settings_of


def places(folder):
    return {"log_dir": folder / "logs", "checkpoint_dir": folder / "checkpoints", "run_name": "run", "device": "cpu"}


def gf_run(data_dir, folder, **options):
    """The config, summary and epoch records of a small GF run."""
    small = {"filters": "16", "perspectives": 8, "batch_size": 4, "n_folds": 3, "epochs": 4, "patience": 2, "lr": 3e-3}
    config = GFConfig(data_dir=data_dir, **places(folder), **small | options)
    summary = CrossValidation(
        kind="gf",
        config=config,
        data=GFData(config),
        build_task=GFTask,
        build_early_stopping=lambda setting: GFEarlyStopping(setting.patience),
        together=True,
    ).run()
    lines = (folder / "logs" / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return config, summary, [json.loads(line) for line in lines[:-1]]


def test_a_grid_ships_the_setting_with_the_lowest_mean_loss_for_the_median_epoch(data_dir, tmp_path):
    config, summary, records = gf_run(data_dir, tmp_path, grid=("lr=3e-5,1e-2", "batch_size=4,8"), n_folds=3)
    names = [setting["name"] for setting in summary["settings"]]
    assert names == [f"lr={lr} batch_size={size}" for lr in ("3e-5", "1e-2") for size in (4, 8)]
    best = {}  # by setting and fold: the lowest validation loss and its epoch
    for record in records:
        if record["fold"] != "final":
            found = (record["val"]["loss"], record["epoch"])
            best[record["setting"], record["fold"]] = min(found, best.get((record["setting"], record["fold"]), found))
    means = [statistics.fmean(best[number, fold][0] for fold in range(3)) for number in range(4)]
    assert [setting["val"]["loss"]["mean"] for setting in summary["settings"]] == pytest.approx(means)
    chosen = means.index(min(means))
    assert [setting["chosen"] for setting in summary["settings"]] == [number == chosen for number in range(4)]
    epochs = statistics.median(best[chosen, fold][1] for fold in range(3)) + 1
    final = [record for record in records if record["fold"] == "final"]
    assert (len(final), summary["final"]) == (epochs, {"epochs": epochs})
    assert all(record["setting"] == chosen and "val" not in record for record in final)
    model = load_checkpoint(config.checkpoint_dir / "best_model.pth")
    assert (model.config["lr"], model.config["batch_size"]) == ([3e-5, 1e-2][chosen // 2], [4, 8][chosen % 2])
    assert model.info["epoch"] == epochs - 1
    steps = [json.loads(line) for line in (tmp_path / "logs/run/steps.jsonl").read_text("utf-8").splitlines()]
    in_first_epoch = [sum((s["setting"], s["fold"], s["epoch"]) == (n, 0, 0) for s in steps) for n in range(4)]
    assert in_first_epoch[0] == in_first_epoch[2] > in_first_epoch[1], "a setting has loaders of its own"
    text = (tmp_path / "logs/run/summary.md").read_text(encoding="utf-8")
    assert f"**{names[chosen]}**" in text
    assert f"{min(means):.4f}" in text


def test_the_final_training_takes_the_rates_of_the_typical_fold(data_dir, tmp_path):
    _, _, records = gf_run(data_dir, tmp_path, lr=0.03, lr_patience=1, epochs=12, patience=12, seed=1)
    rates = {fold: [each["lr"] for each in records if each["fold"] == fold] for fold in (0, 1, 2, "final")}
    assert len(set(rates["final"])) > 1, "the case needs a rate that falls before the best epoch"
    assert any(rates["final"] == rates[fold][: len(rates["final"])] for fold in range(3))


def test_one_split_ships_the_best_epoch_of_its_best_setting_without_another_training(data_dir, tmp_path):
    config, summary, records = gf_run(data_dir, tmp_path, n_folds=1, grid=("lr=1e-2,3e-5",))
    losses = [min(each["val"]["loss"] for each in records if each["setting"] == number) for number in (0, 1)]
    chosen = losses.index(min(losses))
    assert summary["final"] is None
    assert {record["fold"] for record in records} == {0}
    shipped = load_checkpoint(config.checkpoint_dir / "best_model.pth")
    fold = load_checkpoint(config.checkpoint_dir / f"setting_{chosen + 1}_fold_1.pth")
    assert shipped.metrics["val"] == fold.metrics["val"]
    assert shipped.metrics["val"]["loss"] == min(losses)
    assert all(torch.equal(shipped.model[name], fold.model[name]) for name in shipped.model)
    assert fold.model["pairs.gf"].isfinite().all(), "a fold's model is settled too"
    assert "test" in shipped.metrics and "test" not in fold.metrics


def test_the_drawings_of_the_test_reach_no_training(data_dir, tmp_path):
    """With other drawings in their place all that ships is the same to the last bit; only the test is not."""
    found = []
    for name in ("as they are", "others"):
        folder = shutil.copytree(data_dir, tmp_path / name)
        small = {"gf": gf_config(), "deepdxf": sheet_config(), "gf_batch_pairs": 2, "n_folds": 2, "epochs": 2}
        config = JointConfig(data_dir=folder, **places(tmp_path / f"run on {name}"), **small)
        test = JointDataLoader(config).split.test
        assert len(test) >= 4
        for drawing in test if name == "others" else ():
            graph, sequence = folder / "GF" / f"{drawing}.h5", folder / "DeepDXF" / f"{drawing}.h5"
            record = read_graph(graph)
            record.features[:] = record.features[::-1] * 0.5
            write_graph(graph, record)
            record = read_sequence(sequence)
            record.dxf_vec[:, 1:5] = np.random.default_rng(int(drawing)).integers(0, 256, (len(record.dxf_vec), 4))
            write_sequence(sequence, record)
        summary = train_joint(config)
        models = {path.name: load_checkpoint(path).model for path in config.checkpoint_dir.iterdir()}
        found.append((summary, models))
    (summary, models), (other_summary, other_models) = found
    assert models.keys() == {"fold_1.pth", "fold_2.pth", "best_model.pth"}
    for name, model in models.items():
        assert all(torch.equal(model[key], other_models[name][key]) for key in model), name
    assert summary["test"]["loss"] != other_summary["test"]["loss"]
    assert summary["val"] == other_summary["val"]


def outcome(*folds):
    return Outcome("", [FitResult(epoch, {"loss": loss}) for epoch, loss in folds])


def test_the_mean_decides_and_the_median_epoch():
    outcomes = [outcome((9, 1.0), (3, 5.0)), outcome((4, 2.0), (8, 3.0)), outcome((0, 2.5), (0, 2.5))]
    assert best_of(outcomes) == 1
    assert outcomes[1].final_epochs == 5, "of two in the middle the lower"
    assert outcome((9, 1.0), (1, 1.0), (4, 1.0)).final_epochs == 5


def test_options_of_a_grid_are_named_as_on_the_command_line_or_short():
    settings = settings_of(JointConfig(grid=("gf.tau=0.5,0.7", "views=drawing", "lr=1e-3"), seed=7))
    assert [setting.name for setting in settings] == [
        "gf.tau=0.5 deepdxf.views=drawing lr=1e-3",
        "gf.tau=0.7 deepdxf.views=drawing lr=1e-3",
    ]
    first = settings[0].config
    assert (first.gf.tau, first.deepdxf.views, first.lr, first.seed) == (0.5, "drawing", 1e-3, 7)
    plain = JointConfig()
    assert [setting.config for setting in settings_of(plain)] == [plain]
    assert settings_of(JointConfig(grid=("tau=0.4,0.5",)))[1].config.gf.tau == 0.5
    assert from_dict(JointConfig, {"grid": ["lr=1,2"]}).grid == ("lr=1,2",)


@pytest.mark.parametrize(
    ("grid", "reason"),
    [
        (("dropout=0.1,0.2",), r"gf\.dropout or deepdxf\.dropout"),
        (("n_folds=2,3",), "--grid n_folds: says where or how a run works and is the same for all settings"),
        (("gpus=0,1",), "--grid gpus: says where or how"),
        (("nproc=1,2",), "--grid nproc: says where or how"),
        (("no_such=1",), "no such option"),
        (("lr",), "option=value"),
        (("lr=1e-3,",), "option=value"),
        (("lr=1e-3,1e-3",), "different values"),
        (("tau=0.1", "gf.tau=0.2"), "twice"),
    ],
)
def test_a_grid_that_makes_no_sense_is_one_sentence(grid, reason):
    with pytest.raises(UserError, match=reason):
        settings_of(JointConfig(grid=grid))


@pytest.mark.parametrize("value", ["fast", "-1"])
def test_a_value_that_an_option_does_not_take_is_refused(value, capsys):
    with pytest.raises(SystemExit) as stop:
        settings_of(JointConfig(grid=(f"lr={value}",)))
    assert stop.value.code == 2
    assert "lr" in capsys.readouterr().err
