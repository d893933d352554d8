"""The folds of a GF cross-validation, side by side and one after the other."""

import json

import numpy as np
import pytest
import torch

from config.GF_config import GFConfig
from dataset.dxf_process_GF import gf_adjacency, gf_features
from dataset.storage import GraphRecord, write_graph
from model.GF_dataset import GFData
from model.GF_task import GFTask
from utils.engine import trainer
from utils.engine.cross_validation import CrossValidation
from utils.engine.program import Single, Stack
from utils.GF_early_stopping import GFEarlyStopping
from utils.seeding import seed_everything

OPTIONS = [("graphsage", "concat"), ("ggnn", "concat"), ("gcn", "bilinear"), ("gin", "concat")]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """46 graphs with absent classes: folds of unlike size and, at 7 graphs a batch, of unlike numbers of batches."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for i in range(46):
        there = rng.random(10) < 0.7
        counts = rng.integers(0, 9, (10, 11)) * there[:, None]
        upper = np.triu(rng.integers(0, 2, (10, 10)) * there[:, None] * there, 1)
        edges = upper + upper.T
        record = GraphRecord(gf_features(counts), gf_adjacency(edges), counts, edges, f"{i}.dxf", "cross")
        write_graph(folder / "GF" / f"{i}.h5", record)
    return folder


def cross_validate(folder, config, folds):
    """Of a run: each fold's epochs, the best epochs, and the weights in the checkpoints."""
    data = GFData(config)
    steps = {len(data.get_fold_loaders(fold)[0]) for fold in range(data.n_folds)}
    assert len(steps) > 1, "the case needs folds of unlike numbers of batches"
    CrossValidation(
        kind="gf",
        config=config,
        data=data,
        build_task=GFTask,
        build_early_stopping=lambda setting: GFEarlyStopping(setting.patience, setting.min_delta),
        together=folds == "together",
    ).run()
    lines = map(json.loads, (folder / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines())
    epochs = {(line["fold"], line["epoch"]): line for line in lines if line["event"] == "epoch"}
    summary = json.loads((folder / "run" / "summary.json").read_text(encoding="utf-8"))
    checkpoints = sorted(config.checkpoint_dir.iterdir())
    weights = {path.name: torch.load(path, weights_only=True)["model"] for path in checkpoints}
    return epochs, summary, weights


def stack_or_single(tasks, precision):
    for task in tasks:
        task.batched()
    return Stack(tasks, precision) if len(tasks) > 1 else Single(*tasks, precision)


def flat(state):
    """What training moves, as one vector."""
    return torch.cat([value.flatten() for name, value in state.items() if not name.startswith("pairs.")])


def settings(data_dir, folder, conv, match):
    return GFConfig(
        data_dir=data_dir, log_dir=folder, checkpoint_dir=folder / "checkpoints", run_name="run", device="cpu",
        conv=conv, match=match, filters="16_16", perspectives=12, batch_size=7, n_folds=4, epochs=6, patience=2,
        min_delta=0.02, lr=3e-3, lr_patience=1, seed=5,
    )  # fmt: skip


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_folds_in_threads_equal_folds_one_by_one_bit_for_bit(data_dir, tmp_path, threads):
    runs = []
    for folds, count in (("together", 3), ("one_by_one", 1)):
        threads(count)
        folder = tmp_path / folds
        runs.append(cross_validate(folder, settings(data_dir, folder, "graphsage", "concat"), folds))
    (epochs, summary, weights), (want_epochs, want_summary, want_weights) = runs
    timeless = [
        {key: {name: value for name, value in line.items() if name != "seconds"} for key, line in found.items()}
        for found in (epochs, want_epochs)
    ]
    assert timeless[0] == timeless[1]
    assert summary["test"] == want_summary["test"]
    for name, values in weights.items():
        assert torch.equal(flat(values), flat(want_weights[name])), name


@pytest.mark.parametrize(("conv", "match"), OPTIONS)
def test_folds_as_one_batched_program_equal_folds_one_by_one(data_dir, tmp_path, conv, match, monkeypatch):
    """As on a GPU, where all nodes have their place."""
    monkeypatch.setattr(trainer, "make_program", stack_or_single)
    runs = []
    for folds in ("together", "one_by_one"):
        folder = tmp_path / folds
        config = settings(data_dir, folder, conv, match)
        runs.append(cross_validate(folder, config, folds))
    (epochs, summary, weights), (want_epochs, want_summary, want_weights) = runs
    assert epochs.keys() == want_epochs.keys(), "the same folds stop early in the same epochs"
    assert len(epochs) < 4 * 6 + summary["final"]["epochs"], "the case needs a fold that stops early"
    for key, epoch in epochs.items():
        for part in ("train", "val") if key[0] != "final" else ("train",):
            assert epoch[part]["loss"] == pytest.approx(want_epochs[key][part]["loss"], abs=1e-4), key
        assert epoch["lr"] == want_epochs[key]["lr"]
    for got, want in zip(summary["folds"], want_summary["folds"], strict=True):
        assert got["best_epoch"] == want["best_epoch"]
    assert summary["best_fold"] == want_summary["best_fold"]
    assert weights.keys() == want_weights.keys()
    for fold in range(4):
        seed_everything(config.seed + fold)
        start = flat(GFTask(config).state_dict())
        got, want = flat(weights[f"fold_{fold + 1}.pth"]), flat(want_weights[f"fold_{fold + 1}.pth"])
        moved = (want - start).norm()
        # not weight by weight: Adam steps by lr even where a gradient is nothing but rounding
        assert (got - want).norm() < 0.02 * moved
        assert moved > 0.1
    got, want = (run["best_model.pth"]["pairs.gf"] for run in (weights, want_weights))
    assert want.isfinite().all() and want[0] < want[-1]
    torch.testing.assert_close(got, want, atol=1e-2, rtol=0)
