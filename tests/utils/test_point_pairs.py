"""How points of the ink lie to each other: equal to a slow loop, and blind to what is not the shape."""

import math
from itertools import combinations

import numpy as np
import pytest

from tests.model.batches import random_drawing
from tests.model.batches import stroke_drawing as of
from utils.point_pairs import N_ANGLES, N_DISTANCES, N_PAIRS, N_POINTS, pair_histogram

PART = [
    (0.2, 0.2, 0.5, 0.2),
    (0.5, 0.2, 0.5, 0.31),
    (0.5, 0.31, 0.42, 0.37),
    (0.2, 0.2, 0.27, 0.43),
    (0.6, 0.6, 0.9, 0.7),
]


def looped(drawing) -> np.ndarray:
    """Every two points, by angles in degrees."""
    strokes = [stroke for stroke in drawing.strokes.astype(float) if math.dist(stroke[:2], stroke[2:]) > 0]
    finest = None
    for step in (2.0 ** (1 - k / 2) for k in range(27)):
        cut = [
            math.ceil(math.dist(s[:2], s[2:]) / step - 1e-6) * (math.dist(s[:2], s[2:]) >= step / 4) for s in strokes
        ]
        if sum(cut) > N_POINTS:
            break
        if sum(cut):
            finest = cut
    points = []
    for (x0, y0, x1, y1), count in zip(strokes, finest, strict=True):
        angle, ink = math.degrees(math.atan2(y1 - y0, x1 - x0)), math.dist((x0, y0), (x1, y1)) / max(count, 1)
        points += [(x0 + at * (x1 - x0), y0 + at * (y1 - y0), angle, ink) for at in (np.arange(count) + 0.5) / count]
    pairs = list(combinations(points, 2))
    ink = np.array([a[3] * b[3] for a, b in pairs])
    mean = np.average([math.dist(a[:2], b[:2]) for a, b in pairs], weights=ink)
    counts = np.zeros((N_DISTANCES, N_ANGLES, N_ANGLES, 2))
    for (a, b), share in zip(pairs, ink / ink.sum(), strict=True):
        octave = math.floor(2 * (math.log2(max(math.dist(a[:2], b[:2]) / mean, 1e-9)) + 6))
        line = math.degrees(math.atan2(b[1] - a[1], b[0] - a[0]))
        one, two = ((line - end[2] + 90) % 180 - 90 for end in (a, b))  # -90 to 90
        small, large = sorted(min(int(abs(angle) / 90 * N_ANGLES), N_ANGLES - 1) for angle in (one, two))
        clear = all(0.2 < abs(angle) < 89.8 for angle in (one, two))
        side = int(not clear or (one >= 0) == (two >= 0))
        counts[min(max(octave, 0), N_DISTANCES - 1), small, large, side] += share
    return np.sqrt(counts.ravel())


def test_equals_a_loop_over_every_two_points():
    rng = np.random.default_rng(0)
    for strokes in (rng.random((5, 4)), rng.random((60, 4))):
        want = looped(of(strokes))
        assert np.abs(pair_histogram(of(strokes)) - want).max() < 0.01  # on the edge of a bin float32 may round
        assert want @ pair_histogram(of(strokes)) > 0.9999


@pytest.mark.parametrize("degrees", [0, 30, 90, 200])
@pytest.mark.parametrize("mirrored", [False, True])
def test_any_turn_mirror_size_and_place_are_the_same(degrees, mirrored):
    turn = math.radians(degrees)
    matrix = 0.37 * np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    if mirrored:
        matrix[:, 0] *= -1
    moved = (np.array(PART).reshape(-1, 2) @ matrix + (3.1, -0.7)).reshape(-1, 4)
    assert pair_histogram(of(moved)) @ pair_histogram(of(PART)) > 0.995
    other = [PART[0], *PART[2:4]]
    assert pair_histogram(of(other)) @ pair_histogram(of(PART)) < 0.95, "another shape is another"


def test_neither_the_ends_nor_the_pieces_of_a_stroke_matter():
    swapped = np.array(PART)[:, [2, 3, 0, 1]]
    halves = [half for x0, y0, x1, y1 in PART for m in [((x0 + x1) / 2, (y0 + y1) / 2)]
              for half in ((x0, y0, *m), (*m, x1, y1))]  # fmt: skip
    for strokes in (swapped, halves):
        assert pair_histogram(of(strokes)) @ pair_histogram(of(PART)) > 0.995


def test_an_edit_moves_no_points_but_its_own():
    """So that two revisions are as alike as they are: 60 strokes, one more."""
    strokes = np.random.default_rng(1).random((60, 4)) * 0.3
    more = np.concatenate([strokes[:20], [[0.1, 0.1, 0.12, 0.11]], strokes[20:]])
    assert pair_histogram(of(more)) @ pair_histogram(of(strokes)) > 0.999


def test_more_strokes_than_points_are_told_by_the_longest():
    rng = np.random.default_rng(2)
    long = rng.random((40, 4))
    dust = np.tile(rng.random((5000, 2)), 2) + rng.random((5000, 4)) * 1e-5
    assert pair_histogram(of([*long, *dust])) @ pair_histogram(of(long)) > 0.99
    even = np.tile(rng.random((5000, 2)), 2) + np.array([0.0, 0.0, 0.9, 0.4])
    assert np.linalg.norm(pair_histogram(of(even))) == pytest.approx(1, abs=1e-5)


def test_a_histogram_has_length_one_and_no_ink_is_nothing():
    for drawing in (of(PART), random_drawing(30), of([(0.1, 0.2, 0.9, 0.2)])):
        assert np.linalg.norm(pair_histogram(drawing)) == pytest.approx(1, abs=1e-5)
    for strokes in ([], [(0.3, 0.4, 0.3, 0.4)]):
        assert pair_histogram(of(strokes)).shape == (N_PAIRS,) and not pair_histogram(of(strokes)).any()
    assert N_PAIRS == 2 * N_DISTANCES * N_ANGLES**2
