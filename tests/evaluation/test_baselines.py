"""The baselines: finite, the same every time, and blind to what they should be blind to."""

from importlib.util import find_spec

import numpy as np
import pytest
from scipy.sparse import issparse

from evaluation.baselines import BASELINES, descriptors
from evaluation.baselines.counts import standardised
from evaluation.baselines.descriptors import MissingExtraError
from evaluation.baselines.phash import hash_bits
from evaluation.evaluation import baseline_vectors
from evaluation.scoring import similarities
from tests.evaluation.test_archive import NAMES

ONE, INCHES, THREE, SILENT, SOLID = map(
    NAMES.index, ["one.dxf", "sub/two & a half.dxf", "three.dxf", "sub/silent.dxf", "solid.dxf"]
)
EXTRA = pytest.mark.skipif(find_spec("skimage") is None, reason="needs scikit-image (requirements-eval.txt)")
ALL = [pytest.param(name, marks=EXTRA if name in ("hog", "orb") else ()) for name in BASELINES]


def dense(vectors):
    return vectors.toarray() if issparse(vectors) else vectors


@pytest.mark.parametrize("name", ALL)
def test_one_row_a_drawing_finite_and_the_same_every_time(archive, name):
    first, again = dense(BASELINES[name](archive)), dense(BASELINES[name](archive))
    assert first.shape[0] == len(archive)
    assert np.array_equal(first, again, equal_nan=True)
    silent = np.isnan(first).any(axis=1)
    assert silent.tolist() == [name == "raw_gf" and i == SOLID for i in range(len(archive))]


@pytest.mark.parametrize("name", [param for param in ALL if param.values[0] != "random"])
def test_the_same_drawing_in_inches_is_the_nearest(archive, name):
    cosines = list(similarities(BASELINES[name](archive), range(len(archive))))
    assert np.argmax(cosines[ONE]) == INCHES
    assert cosines[ONE][INCHES] > 0.95


def test_words_see_words_only(archive):
    cosines = list(similarities(BASELINES["tfidf"](archive), range(len(archive))))
    assert cosines[ONE][INCHES] == 1
    assert 0 < cosines[ONE][THREE] < 1
    assert cosines[THREE][SILENT] == 0


def test_counts_see_no_words_but_their_number(archive):
    table = BASELINES["counts_aspect"](archive)
    assert table[ONE] == pytest.approx(table[INCHES])
    different = ~np.isclose(table[THREE], table[SILENT])
    assert different.sum() == 1, "one TEXT less"


def test_random_knows_nothing(archive):
    cosines = np.array(list(similarities(BASELINES["random"](archive), range(len(archive)))))
    assert len(np.unique(cosines[np.isfinite(cosines)])) == 1


def test_a_column_that_never_changes_says_nothing():
    table = standardised(np.array([[1.0, 5.0], [3.0, 5.0]]))
    assert table.tolist() == [[-1, 0], [1, 0]]


def test_hash_bits_by_hand():
    """The left half black: only frequencies along x, and of these the low odd ones stand out."""
    picture = np.zeros((256, 256), dtype=np.uint8)
    picture[:, :128] = 255
    bits = hash_bits(picture).reshape(8, 8)
    assert bits[0, :2].tolist() == [1, 1]
    flipped = hash_bits(picture[:, ::-1]).reshape(8, 8)
    assert (bits[0] != flipped[0]).any()
    noise = np.random.default_rng(0).integers(0, 256, (256, 256)).astype(np.uint8)
    assert sorted(hash_bits(noise)) == [-1] * 32 + [1] * 32, "half of them lie above the median"


def test_without_scikit_image_two_are_left_out_with_the_way_out(archive, monkeypatch):
    monkeypatch.setattr(descriptors, "find_spec", lambda name: None)
    for name in ("hog", "orb"):
        with pytest.raises(MissingExtraError, match=r"requirements-eval\.txt"):
            BASELINES[name](archive)
    vectors, left_out = baseline_vectors(archive)
    assert set(left_out) == {"hog", "orb"}
    assert set(vectors) == set(BASELINES) - {"hog", "orb"}
