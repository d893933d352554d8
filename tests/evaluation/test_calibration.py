"""What "more alike than x % of pairs of training drawings" is worth on drawings that no training saw."""

import numpy as np
import pytest
import torch

from config.DeepDXF_config import DeepDXFModelConfig
from config.joint_config import JointConfig
from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.generator import generate
from dataset.storage import read_sequence
from evaluation import calibration
from evaluation.calibration import calibrate, calibrate_as_search
from joint_train import train_joint
from model.embedding import Embedder, similarity
from model.joint_dataset import JointDataLoader

SMALL = DeepDXFModelConfig(d_model=32, n_layers=1, n_heads=2, d_feedforward=32)


@pytest.fixture(scope="module")
def unseen(tmp_path_factory):
    """A model of 86 generated drawings, its vectors of 64 held-out ones, and these; of the 80 families two drawings
    each."""
    folder = tmp_path_factory.mktemp("calibration")
    generate(folder / "drawings", 80, 2, seed=0)
    process_drawings(ProcessConfig(folder / "drawings", folder / "data", workers=1))
    where = {name: folder / name.removesuffix("_dir") for name in ("data_dir", "checkpoint_dir", "log_dir")}
    options = {"n_folds": 1, "test_fraction": 0.4, "epochs": 3, "gf_batch_pairs": 8, "lr": 5e-4, "device": "cpu"}
    config = JointConfig(**where, **options, deepdxf=SMALL)
    train_joint(config)
    embedder = Embedder(folder / "checkpoint" / "best_model.pth", torch.device("cpu"))
    split = JointDataLoader(config).split
    assert len(split.folds[0].train) == 86 and len(split.test) == 64
    drawings = [read_sequence(folder / "data" / "DeepDXF" / f"{name}.h5") for name in split.test]
    found = list(embedder.many(drawings))
    by_encoder = {name: np.stack([vectors[name] for vectors in found]) for name in ("joint", "gf", "deepdxf")}
    return embedder, by_encoder, drawings


def shares_of_pairs(embedder, encoder, rows):
    pairs = ((i, j) for j in range(len(rows)) for i in range(j))
    return np.array([embedder.share_below(encoder, similarity(rows[i], rows[j], "cosine")) for i, j in pairs])


def test_shares_of_unseen_pairs_are_uniform(unseen):
    """Within 0.1 in the mean and 0.2 at the most."""
    embedder, vectors, _ = unseen
    for encoder, rows in vectors.items():
        shares = np.sort(shares_of_pairs(embedder, encoder, rows))
        assert shares.mean() == pytest.approx(0.5, abs=0.1), encoder
        assert np.abs(shares - np.linspace(0, 1, len(shares))).max() < 0.2, encoder


def test_half_of_an_archive_says_what_the_other_half_is_worth(unseen):
    embedder, _, drawings = unseen
    before = embedder.frame
    assert calibrate_as_search(drawings[:59:2], embedder) == {}, "fifteen are too few to ask"
    assert all(np.array_equal(array, embedder.frame[name]) for name, array in before.items())
    found = calibrate_as_search(drawings, embedder)
    wanted = {name: np.stack([embedder(each)[name] for each in drawings[1::2]]) for name in found}
    asked = embedder.frame
    embedder.settle(drawings[::2])
    assert all(np.array_equal(array, asked[name]) for name, array in embedder.frame.items()), "every second was asked"
    again = calibrate(wanted, embedder)
    embedder.frame = before
    assert set(found) == {"joint", "gf", "deepdxf"}
    for name, shares in found.items():
        assert shares.mean == pytest.approx(again[name].mean, abs=1e-3)
        assert shares.mean == pytest.approx(0.5, abs=0.15) and shares.ks < 0.3


def test_calibrate_is_the_mean_and_the_distance_of_all_pairs(unseen):
    embedder, vectors, _ = unseen
    found = calibrate(vectors, embedder)
    assert set(found) == {"joint", "gf", "deepdxf"}
    for encoder, rows in vectors.items():
        shares = np.sort(shares_of_pairs(embedder, encoder, rows))
        steps = np.arange(len(shares) + 1) / len(shares)
        distance = max(np.abs(shares - steps[1:]).max(), np.abs(shares - steps[:-1]).max())
        assert found[encoder].mean == pytest.approx(shares.mean())
        assert found[encoder].ks == pytest.approx(distance)


def test_of_many_pairs_some_are_drawn_and_they_say_the_same(unseen, monkeypatch):
    embedder, vectors, _ = unseen
    exact = calibrate(vectors, embedder)["joint"]
    monkeypatch.setattr(calibration, "MAX_PAIRS", 1500)  # of 2,016
    some = calibrate(vectors, embedder)["joint"]
    assert some == calibrate(vectors, embedder)["joint"] != exact
    assert some.mean == pytest.approx(exact.mean, abs=0.03) and some.ks == pytest.approx(exact.ks, abs=0.04)


def test_drawn_pairs_are_of_different_drawings(monkeypatch):
    monkeypatch.setattr(calibration, "MAX_PAIRS", 500)
    pairs = calibration._pairs(40)
    assert pairs.shape == (500, 2) and (pairs[:, 0] != pairs[:, 1]).all()
    assert pairs.min() == 0 and pairs.max() == 39 and len(np.unique(pairs, axis=0)) > 350


def test_a_drawing_without_a_vector_and_an_archive_without_pairs(unseen):
    embedder, vectors, _ = unseen
    silent = np.concatenate([vectors["gf"], np.full((3, vectors["gf"].shape[1]), np.nan)])
    assert calibrate({"gf": silent}, embedder) == calibrate({"gf": vectors["gf"]}, embedder)
    assert calibrate({"gf": vectors["gf"][:1]}, embedder) == {}
