"""What a sheet shows, measured and learned."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from dataset.drawing import N_GRAM_BUCKETS, N_LETTER_BUCKETS
from model.sheet_encoder import COARSE, LEARNED, MEASURED, SheetEncoder, _rarity, measured_sizes
from tests.model.batches import random_drawing, sheet_batch
from utils.sheet_features import FEATURE_SHAPES, IMAGE_SIZE, N_CHANNELS, N_STATISTICS

SIZE = 12


@pytest.fixture
def features():
    """Of 20 drawings, the last without a word."""
    return sheet_batch([*(random_drawing(3 + seed, seed) for seed in range(19)), random_drawing(5, 99, words=False)])


@pytest.fixture
def encoder(features):
    torch.manual_seed(0)
    encoder = SheetEncoder(SIZE)
    encoder.fit(features)
    return encoder


def test_fit_is_what_the_textbook_says(encoder, features):
    statistics, grams = features["statistics"].numpy(), features["grams"].numpy()
    np.testing.assert_allclose(encoder.mean, statistics.mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(encoder.deviation, statistics.std(axis=0) + 0.01, rtol=1e-5, atol=1e-6)
    pairs = features["pairs"].numpy()
    np.testing.assert_allclose(encoder.pair_mean, pairs.mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(encoder.pair_deviation, pairs.std(axis=0) + 0.01, rtol=1e-5, atol=1e-6)
    holding = [sum(1 for row in grams if row[bucket] > 0) for bucket in range(N_GRAM_BUCKETS)]
    np.testing.assert_allclose(encoder.gram_rarity, np.log(21 / (1 + np.array(holding))), rtol=1e-5, atol=1e-6)


def test_measured_statistics_are_standardised_by_the_drawings_of_the_fit_alone(encoder, features):
    measured = encoder.measured(features)
    joined = torch.cat([measured["stroke_statistics"], measured["type_counts"]], dim=1)
    torch.testing.assert_close(joined.mean(dim=0), torch.zeros(N_STATISTICS), atol=1e-4, rtol=0)
    spread = features["statistics"].std(dim=0, correction=0)
    torch.testing.assert_close(joined.std(dim=0, correction=0), spread / (spread + 0.01), atol=1e-4, rtol=0)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    others = sheet_batch([random_drawing(40, 7), random_drawing(2, 8)])
    encoder.train()
    encoder(others), encoder.measured(others)
    assert all(torch.equal(before[name], value) for name, value in encoder.state_dict().items())


def test_what_is_unusual_in_pairs_is_in_deviations_and_nothing_without_pairs(encoder, features):
    some = {name: rows[:5].clone() for name, rows in features.items() if name in FEATURE_SHAPES}
    some["pairs"][4] = 0
    found = encoder.measured(some)["pair_deviations"].numpy()
    pairs = features["pairs"].numpy()
    want = (pairs[:4] - pairs.mean(axis=0)) / (pairs.std(axis=0) + 0.01)
    np.testing.assert_allclose(found[:4], want, rtol=1e-4, atol=1e-5)
    assert not found[4].any()


def test_the_coarse_image_is_the_mean_of_its_cells(encoder, features):
    cell = IMAGE_SIZE // COARSE
    image = features["image"][3].numpy()
    got = encoder.measured(features)["coarse_image"][3].reshape(N_CHANNELS, COARSE, COARSE)
    for channel in range(N_CHANNELS):
        for row in range(COARSE):
            for column in range(COARSE):
                want = image[channel, row * cell :, column * cell :][:cell, :cell].mean()
                assert got[channel, row, column] == pytest.approx(want, abs=1e-6)


def test_the_sketch_of_words_keeps_their_cosines(encoder, features):
    sketch = encoder.measured(features)["words"][:19]
    assert (sketch.norm(dim=1) - 1).abs().max() < 0.2
    sketch = functional.normalize(sketch, dim=1)
    weighted = functional.normalize((features["grams"] * encoder.gram_rarity)[:19, N_LETTER_BUCKETS:], dim=1)
    error = (sketch @ sketch.T - weighted @ weighted.T).abs()
    assert error.max() < 0.2 and error.mean() < 0.05  # 1 / sqrt(512) = 0.04 is one deviation


def test_letters_are_learned_and_words_measured(encoder, features):
    for first, end, learned in ((0, N_LETTER_BUCKETS, True), (N_LETTER_BUCKETS, N_GRAM_BUCKETS, False)):
        others = features["grams"].clone()
        others[:, first:end] = others[:, first:end].flip(1)
        others = features | {"grams": others}
        assert torch.equal(encoder(others)["letters"], encoder(features)["letters"]) is not learned
        assert torch.equal(encoder.measured(others)["words"], encoder.measured(features)["words"]) is learned


def test_what_every_drawing_has_counts_exactly_nothing_however_many_there_are():
    """Rounding left a little below zero for 73 of these numbers, and the root of that is no number."""
    for count in range(1, 501):
        everywhere = torch.ones(count, 3)
        everywhere[0, 1] = everywhere[1:, 2] = 0
        rarity = _rarity(everywhere)
        assert rarity[0] == 0 and rarity.isfinite().all()
        assert rarity[1] > 0 or count == 1
        assert rarity[2] == pytest.approx(np.log((1 + count) / 2), rel=1e-5, abs=1e-6)


def test_letters_and_words_that_every_drawing_has_say_nothing(encoder, features):
    everywhere = features["grams"].clone()
    common = [17, N_LETTER_BUCKETS + 17]
    everywhere[:, common] = 1.0
    encoder.fit(features | {"grams": everywhere})
    assert not encoder.gram_rarity[common].any()
    before = features | {"grams": everywhere.clone()}
    everywhere[:, common] = 3.0
    after = features | {"grams": everywhere}
    torch.testing.assert_close(encoder(after)["letters"], encoder(before)["letters"])
    torch.testing.assert_close(encoder.measured(after)["words"], encoder.measured(before)["words"])


def test_nothing_written_is_nothing_and_finite(encoder, features):
    assert not encoder.measured(features)["words"][19].any() and not encoder(features)["letters"][19].any()
    for vectors in (encoder(features), encoder.measured(features)):
        assert all(rows.isfinite().all() for rows in vectors.values())


def test_what_is_learned_has_gradients_and_what_is_measured_none(encoder, features):
    learned, measured = encoder(features), encoder.measured(features)
    assert set(learned) == set(LEARNED) and set(measured) == set(MEASURED) == set(measured_sizes())
    assert {name: rows.shape for name, rows in learned.items()} == dict.fromkeys(LEARNED, (20, SIZE))
    assert {name: rows.shape[1] for name, rows in measured.items()} == measured_sizes()
    assert all(rows.requires_grad for rows in learned.values())
    assert not any(rows.requires_grad for rows in measured.values())
    assert {name.split(".")[0] for name, _ in encoder.named_parameters()} == set(LEARNED)


def test_a_drawing_does_not_depend_on_the_others_of_its_batch(encoder, features):
    for view in (encoder, encoder.measured):
        together, alone = view(features), view({name: features[name][4:5] for name in FEATURE_SHAPES})
        for name, rows in together.items():
            torch.testing.assert_close(rows[4:5], alone[name], atol=1e-5, rtol=1e-5)


def test_the_sketch_is_the_same_for_every_model():
    sketches = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        sketches.append(SheetEncoder(SIZE).word_sketch)
    assert torch.equal(*sketches), "vectors of two models' words compare, whatever the seed of the run"


def test_joints_are_weighted_by_how_rare_they_are_and_the_sketch_of_the_long_ones_keeps_cosines(encoder, features):
    holding = (features["joints"].numpy() > 0).sum(axis=0)
    np.testing.assert_allclose(encoder.joint_rarity, np.sqrt(np.log(21 / (1 + holding))), rtol=1e-5, atol=1e-4)
    features["joints"][3, 1] = 0.0
    some = features["joints"][:, 1].any(dim=1)
    assert 5 < some.sum() < len(some) and encoder(features)["joints"][3].any()
    found = encoder.measured(features)["joint_counts"]
    assert not found[3].any()
    sketch = functional.normalize(found[some], dim=1)
    weighted = functional.normalize((features["joints"] * encoder.joint_rarity)[some, 1], dim=1)
    assert (sketch @ sketch.T - weighted @ weighted.T).abs().mean() < 0.08
