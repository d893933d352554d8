"""The nearest of many vectors: what a plain loop finds."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from search import exact
from search.exact import nearest
from search.sketch import make_sketch, read_sketch, write_sketch
from search.vectors import Vectors, write_segment

ROOT = Path(__file__).resolve().parents[2]
PARTS = [slice(0, 12), slice(12, 40)]


def like_drawings(rng, count, width=40):
    """Families about a few axes, with copies, as vectors of drawings are."""
    centres = rng.normal(size=(20, 6)) @ rng.normal(size=(6, width))
    rows = centres[rng.integers(20, size=count)] + 0.05 * rng.normal(size=(count, width))
    rows[1::10] = rows[::10]  # pairs that tie
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def stored(folder, rows, *cuts):
    edges = [0, *cuts, len(rows)]
    segments = [(a, b - a, write_segment(folder, rows[a:b])) for a, b in itertools.pairwise(edges)]
    return Vectors(folder, segments, rows.shape[1])


def loop(rows, query, columns, slots, k):
    """Scores of the k best, one row after the other; and who has at least the last of them."""
    scores = {int(i): round(float(rows[i, columns].astype(float) @ query), exact.DECIMALS) for i in slots}
    least = sorted(scores.values())[-k:][0]
    return {slot: score for slot, score in scores.items() if score >= least}


@pytest.mark.parametrize("columns", [slice(0, 40), PARTS[0], PARTS[1]])
@pytest.mark.parametrize("share", [1.0, 0.6, 0.03])
def test_finds_what_a_loop_finds_with_and_without_a_sketch(tmp_path, rng, columns, share, monkeypatch):
    monkeypatch.setattr("search.sketch.AXES", 10)
    rows = like_drawings(rng, 900)
    vectors = stored(tmp_path, rows, 100, 101, 700)
    slots = np.flatnonzero(rng.random(900) < share)
    early = Vectors(tmp_path, [(0, 700, write_segment(tmp_path, rows[:700]))], 40)
    for sketch in (None, make_sketch(vectors, PARTS), make_sketch(early, PARTS)):  # the last lacks the newest rows
        for query in (rows[5, columns], rng.normal(size=40)[columns]):
            for k in (1, 7, 40):
                found = nearest(vectors, sketch, query.astype(float), columns, slots, k)
                assert dict(zip(*map(np.ndarray.tolist, found), strict=True)) == pytest.approx(
                    loop(rows, query.astype(float), columns, slots, min(k, len(slots))), abs=2e-7
                )


def test_a_sketch_spares_most_rows(tmp_path, rng, monkeypatch):
    """Else it would be dead weight: rows looked at in full are counted."""
    monkeypatch.setattr("search.sketch.AXES", 10)
    rows = like_drawings(rng, 3000)
    vectors = stored(tmp_path, rows)
    sketch = make_sketch(vectors, PARTS)
    seen = []
    take = Vectors.take
    monkeypatch.setattr(Vectors, "take", lambda self, slots: seen.append(len(slots)) or take(self, slots))
    monkeypatch.setattr(exact, "_scan", lambda *_: pytest.fail("a full scan"))
    nearest(vectors, sketch, rows[5].astype(float), slice(0, 40), np.arange(3000), 5)
    assert 0 < sum(seen) < 1000


def test_a_sketch_survives_the_disk(tmp_path, rng):
    sketch = make_sketch(stored(tmp_path, like_drawings(rng, 50)), PARTS)
    again = read_sketch(tmp_path / write_sketch(tmp_path, sketch))
    query = rng.normal(size=40)
    for one, other in zip(sketch.estimate(query, slice(0, 40)), again.estimate(query, slice(0, 40)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_bound_holds_for_every_row(tmp_path, rng, monkeypatch):
    monkeypatch.setattr("search.sketch.AXES", 4)
    rows = rng.normal(size=(200, 40)).astype(np.float32)  # the worst case: no axis says more than another
    sketch = make_sketch(stored(tmp_path, rows), PARTS)
    query = rng.normal(size=40)
    estimate, slack = sketch.estimate(query, slice(0, 40))
    assert (np.abs(rows @ query - estimate) <= slack + exact.ROUNDING * 10).all()
    assert (np.abs(rows @ query - estimate) > 0.1).any()
