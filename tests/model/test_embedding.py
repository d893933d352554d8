"""From a checkpoint alone to vectors and scores."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import model.embedding
from config.DeepDXF_config import DeepDXFModelConfig
from config.errors import UserError
from config.joint_config import JointConfig
from config.run_config import to_dict
from dataset.entities import Extents, make_row
from dataset.storage import SequenceRecord
from model.embedding import Embedder, similarity
from model.joint_task import JointTask
from utils.checkpoint import save_checkpoint

EXTENTS = Extents(0, 0, 100, 100)
SMALL = DeepDXFModelConfig(d_model=32, n_layers=1, n_heads=2, d_feedforward=32, chunk_size=16)


def drawing(seed, entities, graph=True):
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 100, (entities, 4))
    rows = [make_row("LINE", dict(zip(("x0", "y0", "x1", "y1"), point, strict=True)), EXTENTS) for point in points]
    counts = rng.integers(0, 9, (10, 11)) if graph else None
    edges = 1 - np.eye(10, dtype=np.int64) if graph else None
    return SequenceRecord(np.stack(rows), f"{seed}.dxf", EXTENTS, (), "cross", counts, edges)


@pytest.fixture(params=["sequence", "sheet"])
def checkpoint(tmp_path, request):
    torch.manual_seed(0)
    config = JointConfig(deepdxf=replace(SMALL, reads=request.param))
    task = JointTask(config)
    facts = {"data": {"overlap": "cross"}}
    save_checkpoint(
        tmp_path / "model.pth", kind="joint", config=to_dict(config), model=task.state_dict(), metrics={}, info=facts
    )
    return tmp_path / "model.pth"


@pytest.fixture
def embed(checkpoint):
    return Embedder(checkpoint, torch.device("cpu"))


def test_equal_drawings_score_exactly_one_and_the_score_is_symmetric(embed):
    first, again, other = embed(drawing(1, 50)), embed(drawing(1, 50)), embed(drawing(2, 70))
    for name in ("joint", "gf", "deepdxf"):
        for method in ("cosine", "euclidean"):
            assert similarity(first[name], again[name], method) == 1.0
            score = similarity(first[name], other[name], method)
            assert score == similarity(other[name], first[name], method) < 1.0


def test_joint_cosine_is_the_weighted_mean_of_both(embed):
    """Of two parts with the sequence alone, of nine with the sheet."""
    a, b = embed(drawing(1, 50)), embed(drawing(2, 70))
    gf, deepdxf = (similarity(a[name], b[name], "cosine") for name in ("gf", "deepdxf"))
    share = 1 / 2 if len(a["deepdxf"]) == SMALL.latent_size else 1 / 50
    assert similarity(a["joint"], b["joint"], "cosine") == pytest.approx(share * gf + (1 - share) * deepdxf, abs=1e-6)


def test_a_drawing_without_a_graph_still_has_its_sequence(embed):
    assert set(embed(drawing(3, 5, graph=False))) == {"deepdxf"}


def test_one_entity_is_enough(embed):
    assert np.isfinite(embed(drawing(4, 1))["joint"]).all()


def test_a_drawing_read_with_other_options_is_refused(embed):
    other = drawing(1, 5)
    for option, value in (("overlap", "intersects"), ("visible_only", True)):
        with pytest.raises(UserError, match=option):
            embed(SequenceRecord(**{**vars(other), option: value}))


def test_an_option_this_program_does_not_have_is_refused(checkpoint):
    content = torch.load(checkpoint, weights_only=True)
    content["config"]["no_such_option"] = 1
    torch.save(content, checkpoint)
    with pytest.raises(UserError, match="no_such_option"):
        Embedder(checkpoint, torch.device("cpu"))


def test_similarity_by_hand():
    right, up, long_right, nothing = np.eye(2)[0], np.eye(2)[1], 3 * np.eye(2)[0], np.zeros(2)
    assert similarity(right, long_right, "cosine") == 1.0
    assert similarity(right, up, "cosine") == 0.0
    assert similarity(right, -right, "cosine") == -1.0
    assert similarity(right, up, "euclidean") == pytest.approx(1 / (1 + 2**0.5))
    assert similarity(right, nothing, "cosine") == 0.0


def test_many_at_once_equal_one_by_one_in_their_order(embed, monkeypatch):
    monkeypatch.setattr(model.embedding, "WINDOW", 7)
    monkeypatch.setattr(model.embedding, "BATCH_ENTITIES", 60)
    drawings = [drawing(seed, 1 + 13 * seed % 90, graph=seed % 4 > 0) for seed in range(17)]
    many = list(embed.many(iter(drawings)))
    assert len(many) == 17
    for each, found in zip(drawings, many, strict=True):
        alone = embed(each)
        assert set(found) == set(alone)
        for name, vector in alone.items():
            assert found[name] == pytest.approx(vector, abs=1e-5)


def test_a_batch_holds_no_more_than_it_may(monkeypatch):
    monkeypatch.setattr(model.embedding, "BATCH_ENTITIES", 100)
    drawings = [drawing(seed, 1 + 37 * seed % 150, graph=seed % 3 > 0) for seed in range(30)]
    batches = list(model.embedding._batches(drawings))
    assert sorted(index for batch in batches for index in batch) == list(range(30))
    for batch in batches:
        lengths = [drawings[index].entity_count for index in batch]
        assert len(batch) == 1 or len(batch) * max(lengths) <= 100
        assert len({drawings[index].gf_counts is None for index in batch}) == 1
    assert max(map(len, batches)) > 2


def test_untrained_weights_are_the_seed_s_and_not_the_checkpoint_s(checkpoint, embed):
    device, each = torch.device("cpu"), drawing(1, 20)
    state = torch.random.get_rng_state()
    first, again, other = (Embedder(checkpoint, device, untrained_seed=seed)(each) for seed in (5, 5, 6))
    assert torch.equal(state, torch.random.get_rng_state()), "the run's own random numbers are left alone"
    for name, vector in embed(each).items():
        assert np.array_equal(first[name], again[name])
        assert not np.allclose(first[name], other[name])
        assert not np.allclose(first[name], vector)
