"""The benchmarks of GF compare like with like, and say what they found."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.gf_step import ReferenceWay
from config.GF_config import GFConfig
from dataset.dxf_process_GF import gf_adjacency, gf_features
from dataset.storage import GraphRecord, write_graph
from model.GF_task import GFTask
from tests.model.batches import gf_batch

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.mark.parametrize("conv", ["graphsage", "ggnn"])
def test_both_ways_compute_the_same_loss_and_gradient_where_nothing_is_random(conv):
    still = {"dropout": 0.0, "feature_drop_1": 0.0, "feature_drop_2": 0.0, "edge_drop_1": 0.0, "edge_drop_2": 0.0}
    config = GFConfig(conv=conv, filters="16_16", perspectives=12, **still)
    torch.manual_seed(0)
    ours, theirs = GFTask(config), GFTask(config)
    theirs.load_state_dict(ours.state_dict())
    batch = gf_batch(12)
    batch["features"][3], batch["adjacency"][3] = 0, 0
    loss, reference = ours(batch)["loss"], ReferenceWay(theirs, config).loss(batch, np.random.default_rng(0))
    assert loss.item() == pytest.approx(reference.item(), rel=1e-5)
    loss.backward()
    reference.backward()
    for (name, p), q in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad.float(), rtol=1e-3, atol=1e-5, msg=name)


def test_the_reference_way_draws_views_at_their_rates():
    config = GFConfig()
    way, rng = ReferenceWay(GFTask(config), config), np.random.default_rng(0)
    present = torch.arange(10) < 7
    upper = torch.rand(10, 10).triu(1) * present * present[:, None] > 0.6
    adjacency = (upper | upper.T).double()
    views = [way._view(torch.ones(10, 11), adjacency, present, 0.3, 0.5, rng) for _ in range(500)]
    features, edges = torch.stack([view[0] for view in views]), torch.stack([view[1] for view in views])
    assert abs(1 - features.mean().item() - 0.3) < 0.03
    assert abs(1 - (edges * adjacency).sum().item() / (500 * adjacency.sum().item()) - 0.5) < 0.05
    assert (edges[:, ~present] == 0).all() and torch.equal(edges, edges.mT)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    counts, edges = np.ones((10, 11), np.int64), 1 - np.eye(10, dtype=np.int64)
    for i in range(12):
        record = GraphRecord(gf_features(counts + i), gf_adjacency(edges), counts, edges, f"{i}.dxf", "cross")
        write_graph(folder / "GF" / f"{i}.h5", record)
    return folder


def figures_of(script, *options):
    command = [sys.executable, str(BENCHMARKS / script), *map(str, options)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(Path(options[-1]).read_text(encoding="utf-8"))


def test_the_step_runs_and_leaves_its_ratio(data_dir, tmp_path):
    options = "--pairs", 4, "--steps", 1, "--repeats", 2, "--json", tmp_path / "figures.json"
    found = figures_of("gf_step.py", "--data_dir", data_dir, *options)
    assert found["ratio"] > 0 and len(found["ratios"]) == 2


def test_the_headline_runs_and_leaves_its_ratio(data_dir, tmp_path):
    options = "--drawings", 300, "--epochs", 1, "--folds", "both", "--threads", 1, "--json", tmp_path / "figures.json"
    found = figures_of("gf_headline.py", "--data_dir", data_dir, *options)
    assert found["ratio"] > 0 and found["ways"].keys() == {"together", "one_by_one"}
