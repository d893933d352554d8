"""The networks that training is measured by: what they share with the trained ones, and what they have of their own."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
from torch.nn import functional

import model.embedding
from config.errors import UserError
from config.GF_config import GFConfig
from config.joint_config import JointConfig
from config.run_config import to_dict
from dataset.drawing import Drawing
from model.DeepDXF_dataset import plain_batch
from model.DeepDXF_task import STRANGERS
from model.embedding import Embedder, similarity
from model.GF_task import GFTask
from model.joint_task import JointTask
from tests.model.batches import gf_config, sheet_config
from tests.model.test_sheet_task import record
from utils.checkpoint import save_checkpoint
from utils.seeding import seeded

CPU = torch.device("cpu")
CONFIG = JointConfig(gf=gf_config(), deepdxf=sheet_config(), shared_size=8)
SHEET = ("mean", "deviation", "pair_mean", "pair_deviation", "gram_rarity", "joint_rarity")
FITTED = {f"deepdxf.sheet.{name}" for name in SHEET}
DRAWINGS = [record(number) for number in range(12)]
ENCODERS = ("gf", "deepdxf", "joint")


@pytest.fixture
def trained(tmp_path):
    """A joint model that was fitted and settled on other drawings."""
    others = [record(number) for number in range(50, 60)]
    torch.manual_seed(1)
    task = JointTask(CONFIG)
    task.deepdxf.fit(plain_batch([Drawing.of(other) for other in others], CONFIG.deepdxf))
    return saved(tmp_path / "joint.pth", "joint", CONFIG, task, others)


def saved(path, kind, config, task, others):
    """A checkpoint of a task that was settled on some drawings."""
    content = {"kind": kind, "config": to_dict(config), "metrics": {}, "info": {"data": {}}}
    save_checkpoint(path, model=task.state_dict(), **content)
    embedder = Embedder(path, CPU)
    embedder.settle(others)
    save_checkpoint(path, model=embedder.task.state_dict(), **content)
    return path


def state(embedder):
    return {name: value.clone() for name, value in embedder.task.state_dict().items()}


def test_only_what_was_fitted_without_a_gradient_stays(trained):
    checkpoint = torch.load(trained, weights_only=True)["model"]
    with seeded(5, CPU):
        fresh = JointTask(CONFIG).state_dict()
    untrained = state(Embedder(trained, CPU, untrained_seed=5))
    for name, value in untrained.items():
        assert torch.equal(value, checkpoint[name] if name in FITTED else fresh[name]), name
        if name in FITTED:
            assert not torch.equal(value, fresh[name])


def test_a_checkpoint_without_what_was_fitted_is_refused(trained):
    content = torch.load(trained, weights_only=True)
    del content["model"]["deepdxf.sheet.gram_rarity"]
    torch.save(content, trained)
    for seed in (None, 0):
        with pytest.raises(UserError, match="rarity"):
            Embedder(trained, CPU, untrained_seed=seed)


def test_a_frame_is_all_that_settling_sets_and_makes_another_model_see_alike(trained):
    one, other = Embedder(trained, CPU), Embedder(trained, CPU)
    before = state(one)
    one.settle([record(number) for number in range(100, 140)])  # enough to have neighbours
    changed = {name for name, value in state(one).items() if not torch.equal(value, before[name])}
    assert changed <= set(one.frame)
    assert changed >= {f"deepdxf.{name}" for name in ("sheet.gram_rarity", "centre_image", "look_weights")} | {
        "pairs.joint"
    }
    other.frame = one.frame
    for encoder, vector in one(DRAWINGS[3]).items():
        assert np.array_equal(vector, other(DRAWINGS[3])[encoder])
    assert one.share_below("joint", 0.3) == other.share_below("joint", 0.3)


def test_a_few_drawings_leave_the_weights_of_looks_as_they_were(trained):
    embedder = Embedder(trained, CPU)
    embedder.settle([record(number) for number in range(100, 140)])
    before = state(embedder)
    embedder.settle(DRAWINGS)
    after = state(embedder)
    assert torch.equal(after["deepdxf.look_weights"], before["deepdxf.look_weights"])
    assert not torch.equal(after["deepdxf.centre_image"], before["deepdxf.centre_image"])


def test_settling_puts_the_origin_among_these_drawings_and_counts_their_pairs(trained):
    embedder = Embedder(trained, CPU, untrained_seed=0)
    before = {name: value for name, value in state(embedder).items() if name not in embedder.frame}
    assert embedder.share_below("joint", 0.1) is None
    embedder.settle(DRAWINGS)
    after = state(embedder)
    assert all(torch.equal(value, after[name]) for name, value in before.items()), "weights and fits stay"
    sheet = embedder.task.deepdxf.sheet
    seen = embedder._sequences(DRAWINGS)
    for name, rarity in (("grams", sheet.gram_rarity), ("joints", sheet.joint_rarity**2)):
        holds = (seen[name] > 0).sum(dim=0)
        torch.testing.assert_close(rarity, torch.log((1 + len(DRAWINGS)) / (1 + holds)), atol=1e-5, rtol=1e-4)
    with torch.no_grad():
        parts = [sheet.measured(one) | sheet(one) for one in (embedder._sequences([drawing]) for drawing in DRAWINGS)]
    for name in parts[0]:
        seen = torch.cat([each[name] for each in parts if each[name].any()])
        middle = functional.normalize(seen, dim=1).sum(dim=0) / (len(seen) + STRANGERS)
        torch.testing.assert_close(after[f"deepdxf.centre_{name}"], middle, atol=1e-5, rtol=1e-4)
    vectors = [embedder(drawing) for drawing in DRAWINGS]
    for encoder in ENCODERS:
        pairs = combinations([each[encoder] for each in vectors], 2)
        cosines = np.array([similarity(one, other, "cosine") for one, other in pairs])
        for cosine in cosines[::7]:  # those of an untrained GF lie within rounding of one another
            fewest, most = np.mean(cosines < cosine - 1e-5), np.mean(cosines < cosine + 1e-5)
            assert fewest - 2 / len(cosines) <= embedder.share_below(encoder, cosine) <= most + 2 / len(cosines)


def test_a_trained_model_settles_anew_where_it_is_asked_to(trained):
    embedder, again = Embedder(trained, CPU), Embedder(trained, CPU)
    again.settle(DRAWINGS)
    assert similarity(*(e(DRAWINGS[0])["joint"] for e in (embedder, embedder)), "cosine") == 1.0
    assert similarity(*(e(DRAWINGS[0])["joint"] for e in (embedder, again)), "cosine") < 0.999


def test_how_many_at_once_changes_nothing(trained, monkeypatch):
    found = []
    for size in (16, 5, 1):
        monkeypatch.setattr(model.embedding, "SETTLED_TOGETHER", size)
        embedder = Embedder(trained, CPU, untrained_seed=0)
        embedder.settle(iter(DRAWINGS))
        found.append(state(embedder))
    for other in found[1:]:
        for name, value in found[0].items():
            torch.testing.assert_close(value, other[name], atol=1e-4, rtol=1e-4)


def test_a_drawing_without_a_graph_has_a_say_where_no_graph_is_asked_for(trained):
    bare = replace(DRAWINGS[0], gf_counts=None, gf_edge_counts=None)
    with_it, without = (Embedder(trained, CPU, untrained_seed=0) for _ in range(2))
    with_it.settle([bare, *DRAWINGS[1:]])
    without.settle(DRAWINGS[1:])
    assert all(torch.equal(value, state(without)[name]) for name, value in state(with_it).items())
    untouched = state(Embedder(trained, CPU, untrained_seed=0))
    nobody = Embedder(trained, CPU, untrained_seed=0)
    nobody.settle([bare, bare])
    assert all(torch.equal(value, untouched[name]) for name, value in state(nobody).items())


def test_gf_alone(tmp_path):
    config = GFConfig(**vars(gf_config()))
    torch.manual_seed(1)
    path = saved(tmp_path / "gf.pth", "gf", config, GFTask(config), DRAWINGS)
    bare = replace(DRAWINGS[0], gf_counts=None, gf_edge_counts=None)
    embedder = Embedder(path, CPU, untrained_seed=0)
    embedder.settle([bare])
    assert embedder.share_below("gf", 0.5) is None
    embedder.settle([bare, *DRAWINGS])
    assert 0 <= embedder.share_below("gf", 0.99) <= embedder.share_below("gf", 1.01) == 1


def test_drawings_read_with_other_options_are_refused(trained):
    embedder = Embedder(trained, CPU, untrained_seed=0)
    with pytest.raises(UserError, match="visible_only"):
        embedder.settle([*DRAWINGS, replace(DRAWINGS[0], visible_only=True)])


def test_vectors_of_the_pass_that_centres_are_those_of_a_centred_model(trained):
    embedder = Embedder(trained, CPU)
    found = embedder.task.centred_vectors(embedder.inputs(DRAWINGS[i : i + 5]) for i in range(0, 12, 5))
    assert set(found) == set(ENCODERS)
    for i, drawing in enumerate(DRAWINGS):
        for name, vector in embedder(drawing).items():
            np.testing.assert_allclose(found[name][i], vector, atol=1e-5)
    assert embedder.task.centred_vectors([]) == {}
