"""Two and three processes against one: the same losses, gradients, weights and numbers."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.joint_dataset import GRAPH_COST, share_of_step
from tests.model.test_sheet_task import write
from tests.utils.rank_checks import ROWS, SIZES, own_rows
from utils.distributed.dealing import deal, members, partner_groups
from utils.distributed.exchange import from_all, from_first, gather, mean, shared_mean, total
from utils.distributed.world import World, world
from utils.follower_log import FollowerLog
from utils.GF_utils import draw_partners
from utils.run_log import RunLog, logger

ROOT = Path(__file__).resolve().parents[2]
CASES = ("uncertainty", "grad_norm", "few sequences", "gf", "deepdxf")
SEVERAL = SIZES[1:]

worlds = st.integers(1, 9).flatmap(lambda size: st.just([World(rank, size) for rank in range(size)]))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """By number of processes what each of them found; see rank_checks.py."""
    folder = tmp_path_factory.mktemp("ranks")
    data = folder / "data"
    for number in range(26):
        write(data, number)
    for lost in ("DeepDXF/18.h5", "DeepDXF/03.h5", "GF/19.h5", "GF/07.h5"):
        (data / lost).unlink()
    command = [sys.executable, "-m", "tests.utils.rank_checks", str(data), str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    results = torch.load(folder / "results.pt", weights_only=False)
    return {"folder": folder, "output": done.stdout + done.stderr, **results}


@pytest.mark.parametrize("size", SEVERAL)
def test_gathering_is_concatenation_and_every_row_hears_of_all_its_uses(found, size):
    rows = [own_rows(rank) for rank in range(size)]
    pulls = sum(rank + 1 for rank in range(size))
    for rank, result in enumerate(found[size]):
        got = result["gather"]
        assert torch.equal(got["rows"], torch.cat(rows)), "uneven shares, one of them empty"
        assert torch.equal(got["own"], rows[rank])
        torch.testing.assert_close(got["gradient"], pulls * 2 * rows[rank])
        assert got["none"] == (0, 2)
    assert len(set(ROWS[:size])) == size


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("size", SEVERAL)
def test_loss_and_gradients_are_those_of_the_whole_batch(found, case, size):
    key = f"first epoch, {case}"
    (alone,), several = [result[key] for result in found[1]], [result[key] for result in found[size]]
    assert {len(steps) for steps in several} == {len(alone)}
    for step, (numbers, gradients, whole) in enumerate(alone):
        shares = [steps[step][2] for steps in several]
        assert sum(shares) == whole, "each drawing is one process's"
        for steps in several:
            for name, value in numbers.items():  # where two logits tie, rounding decides on one hit of twenty
                tie = 0.06 if "accuracy" in name else 1e-6
                assert steps[step][0][name] == pytest.approx(value, rel=1e-5, abs=tie), name
            assert steps[step][0].keys() == numbers.keys()
            length = torch.cat([gradient.flatten() for gradient in gradients.values()]).norm()
            for name, gradient in gradients.items():
                assert (steps[step][1][name] - gradient).norm() < 1e-4 * length, name
                assert torch.equal(steps[step][1][name], several[0][step][1][name]), "the same on every process"


def test_the_cases_hold_uneven_and_empty_shares(found):
    shares = [
        [result[f"first epoch, {case}"][step][2] for result in found[3]]
        for case in CASES
        for step in range(len(found[1][0][f"first epoch, {case}"]))
    ]
    assert any(0 in share for share in shares)
    assert sum(len(set(share)) > 1 for share in shares) > 3


@pytest.mark.parametrize("case", ["grad_norm", "gf"])
@pytest.mark.parametrize("size", SEVERAL)
def test_a_whole_run_gives_the_same_weights_and_numbers(found, case, size):
    """Folds, accumulated steps, early stopping, the choice of a fold, centres, the test."""
    summary, weights = found[1][0][f"run, {case}"]
    for result in found[size]:
        got, got_weights = result[f"run, {case}"]
        assert [fold["best_epoch"] for fold in got["folds"]] == [fold["best_epoch"] for fold in summary["folds"]]
        assert got["best_fold"] == summary["best_fold"]
        losses = [name for name in summary["test"] if "accuracy" not in name]  # where two logits tie, rounding decides
        for name in losses:
            assert got["test"][name] == pytest.approx(summary["test"][name], rel=1e-4, abs=1e-5)
            assert got["val"][name]["mean"] == pytest.approx(summary["val"][name]["mean"], rel=1e-4, abs=1e-5)
        for name, value in weights.items():
            torch.testing.assert_close(got_weights[name], value, rtol=1e-3, atol=3e-4)
        assert got["test"] == found[size][0][f"run, {case}"][0]["test"], "bit for bit the same on every process"


@pytest.mark.parametrize("size", SEVERAL)
def test_a_loss_that_is_not_finite_on_one_process_stops_all(found, size):
    assert len({result["failing"] for result in found[size]}) == 1
    assert "fold 1, epoch 1, step 1: loss not finite" in found[size][0]["failing"]
    folder = found["folder"] / "failing" / str(size) / "logs" / "run"
    assert json.loads((folder / "failure.json").read_text(encoding="utf-8"))["drawings"]
    failed = [f"rank_{rank}.log" for rank in range(1, size)]
    assert sorted(path.name for path in folder.glob("rank_*")) == failed, "each says where it stopped"


@pytest.mark.parametrize("size", SEVERAL)
def test_views_are_drawn_alike_and_dropout_is_not(found, size):
    drawn = [result["drawn"] for result in found[size]]
    assert all(torch.equal(step, drawn[0][0]) for step, _ in drawn)
    assert len({tuple(own.tolist()) for _, own in drawn}) == size


def test_more_processes_than_a_step_has_pairs_for_is_said(found):
    assert "a step has something to do for" in found["output"]


@given(worlds, st.lists(st.integers(1, 20_000), max_size=25))
def test_everything_is_dealt_out_once_and_nobody_has_more_than_the_mean_and_one_thing(world_of_each, costs):
    shares = [deal(costs, one) for one in world_of_each]
    assert sorted(np.concatenate(shares)) == list(range(len(costs)))
    mean, most = sum(costs) / len(shares), max(costs, default=0)
    assert max(sum(costs[i] for i in share) for share in shares) <= mean + most


@given(worlds, st.integers(0, 20))
def test_equal_things_are_dealt_out_evenly(world_of_each, count):
    sizes = [len(deal([3.0] * count, one)) for one in world_of_each]
    assert max(sizes) - min(sizes) <= 1


def test_a_long_drawing_is_not_put_on_top_of_others():
    """By number, one process would have both long ones."""
    costs = [9_000, 100, 8_000, 120, 90, 110]
    assert [deal(costs, World(rank, 2)).tolist() for rank in range(2)] == [[0], [1, 2, 3, 4, 5]]


@given(worlds, st.integers(2, 25), st.integers(0, 12), st.integers(0, 5), st.integers(0, 99))
def test_partners_and_the_two_sides_of_a_drawing_stay_together(world_of_each, graphs, common, alone, seed):
    rng = np.random.default_rng(seed)
    costs = rng.lognormal(6, 2, min(common, graphs) + alone)
    partner = draw_partners(graphs, rng)
    common = min(common, graphs)
    sequence = rng.permutation(common + alone)[:common]
    pairs = np.stack([rng.permutation(graphs)[:common], sequence], axis=1)
    shares = [share_of_step(partner, pairs, costs, one) for one in world_of_each]
    assert sorted(np.concatenate([share.graphs for share in shares])) == list(range(graphs))
    assert sorted(np.concatenate([share.sequences for share in shares])) == list(range(common + alone))
    for share in shares:
        assert set(partner.numpy()[share.graphs]) == set(share.graphs)
    named = [(share.graphs[graph], share.sequences[own]) for share in shares for graph, own in share.pairs]
    assert sorted(named) == sorted(map(tuple, pairs))
    loads = [costs[share.sequences].sum() + GRAPH_COST * len(share.graphs) for share in shares]
    most = 3 * (GRAPH_COST + costs.max(initial=0))  # a ring of three stays together
    assert max(loads) <= sum(loads) / len(loads) + most


@given(st.integers(2, 40), st.integers(0, 99))
def test_partner_groups_are_pairs_and_at_most_one_ring_of_three(count, seed):
    groups = partner_groups(draw_partners(count, np.random.default_rng(seed)))
    assert sorted(np.concatenate(groups)) == list(range(count))
    assert sorted(map(len, groups))[:-1] == [2] * (len(groups) - 1)
    assert members(groups, np.arange(len(groups))).tolist() == list(range(count))


def test_alone_nothing_is_exchanged():
    rows = torch.randn(3, 2)
    assert gather(rows) == (rows, slice(0, 3))
    assert total(rows) is rows and mean(rows) is rows
    assert torch.equal(shared_mean(rows), rows.mean(dim=-1))
    assert from_first(lambda: 4) == 4 and from_all([1, 2]) == [1, 2]


def test_world_is_what_torchrun_says(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert world() == World(0, 1, 0)
    monkeypatch.setenv("RANK", "5")
    assert world() == World(0, 1, 0), "some other program's variable"
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert world() == World(5, 8, 1)
    assert not world().is_first
    assert [step for step in range(20) if world().takes(step)] == [5, 13]


def test_warnings_of_the_other_processes_are_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(logger, "level", logging.INFO)
    with FollowerLog(tmp_path):
        logger.info("everybody says this")
        assert list(tmp_path.iterdir()) == []
        logger.warning("only I saw this")
    assert "only I saw this" in (tmp_path / "rank_1.log").read_text(encoding="utf-8")
    said = "".join(capsys.readouterr())
    assert "process 1: only I saw this" in said
    assert "everybody" not in said


def test_the_other_processes_log_takes_all_that_a_run_log_takes():
    asked = {name for name in vars(RunLog) if not name.startswith("_")} - {"state"}  # only who saves asks for that
    assert asked <= set(vars(FollowerLog))
