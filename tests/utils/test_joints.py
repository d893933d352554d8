"""How strokes meet: equal to a slow loop, and blind to what is not the part's shape."""

import math
from itertools import combinations

import numpy as np
import pytest

from tests.model.batches import random_drawing
from tests.model.batches import stroke_drawing as of
from utils.joints import LONG, MOST_ENDS, N_ANGLES, N_JOINTS, N_RATIOS, joint_counts

SQUARE = [(0, 0, 1, 0), (1, 0, 1, 1), (1, 1, 0, 1), (0, 1, 0, 0)]
PART = [
    (0.2, 0.2, 0.5, 0.2),
    (0.5, 0.2, 0.5, 0.31),
    (0.5, 0.31, 0.42, 0.37),
    (0.2, 0.2, 0.27, 0.43),
    (0.6, 0.6, 0.9, 0.7),
]


def looped(drawing) -> np.ndarray:
    """Every two strokes, every two of their ends."""
    counts = np.zeros((2, N_JOINTS))
    for one, two in combinations(drawing.strokes.astype(float), 2):
        for a in (one, np.roll(one, 2)):
            for b in (two, np.roll(two, 2)):
                if math.dist(a[:2], b[:2]) < 1e-6:
                    ratio = math.dist(a[:2], a[2:]) / math.dist(b[:2], b[2:])
                    cosine = np.dot(a[2:] - a[:2], b[2:] - b[:2]) / (math.dist(a[:2], a[2:]) * math.dist(b[:2], b[2:]))
                    angle = math.degrees(math.acos(np.clip(cosine, -1, 1)))
                    joint = min(round(8 * abs(math.log2(ratio))), N_RATIOS - 1) * N_ANGLES + round(angle / 7.5)
                    counts[0, joint] += 1
                    counts[1, joint] += max(math.dist(a[:2], a[2:]), math.dist(b[:2], b[2:])) > LONG
    return np.log(1 + counts)


def test_equals_a_loop_over_every_two_ends():
    short = np.array(PART) * 0.02
    for drawing in (of(PART), of(SQUARE), of(short), random_drawing(40, 3)):
        want = looped(drawing)
        assert want.any()
        np.testing.assert_allclose(joint_counts(drawing), want, rtol=1e-6)


def test_a_square_has_four_right_angles_of_equal_sides():
    counts = joint_counts(of(SQUARE))
    for row in counts:
        assert np.flatnonzero(row).tolist() == [12]
        assert row[12] == pytest.approx(math.log(5))


@pytest.mark.parametrize(
    "matrix",
    [[[0, -1], [1, 0]], [[-1, 0], [0, 1]], [[0.35, 0], [0, 0.35]], [[0.6, -0.8], [0.8, 0.6]]],
    ids=["quarter turn", "mirrored", "smaller", "turned"],
)
def test_moving_turning_mirroring_and_scaling_change_nothing(matrix):
    points = np.array(PART).reshape(-1, 2) @ np.array(matrix).T + (0.1, 0.05)
    assert np.array_equal(joint_counts(of(points)), joint_counts(of(PART)))


def test_nor_does_the_order_or_the_sense_of_strokes_nor_a_frame_around_them():
    backwards = [stroke[2:] + stroke[:2] for stroke in reversed(PART)]
    assert np.array_equal(joint_counts(of(backwards)), joint_counts(of(PART)))
    frame = 3 * np.array(SQUARE) - 1
    framed = np.expm1(joint_counts(of([*PART, *frame])))
    np.testing.assert_allclose(framed - np.expm1(joint_counts(of(PART))), np.expm1(joint_counts(of(frame))), atol=1e-5)


def test_outlines_of_letters_add_no_joint_with_a_long_stroke():
    letters = [LONG * 0.2 * np.array(SQUARE) + 0.05 * place for place in range(3)]
    plain, lettered = joint_counts(of(PART)), joint_counts(of([*PART, *np.concatenate(letters)]))
    assert np.array_equal(plain[1], lettered[1]) and not np.array_equal(plain[0], lettered[0])


def test_another_shape_has_other_joints():
    moved = [*PART[:2], (0.5, 0.31, 0.3, 0.37), *PART[3:]]
    assert not np.array_equal(joint_counts(of(moved)), joint_counts(of(PART)))


def test_a_fan_of_many_strokes_has_no_joints_and_its_order_does_not_matter():
    angles = np.linspace(0, 2, MOST_ENDS + 1)
    fan = [(0, 0, math.cos(angle), math.sin(angle)) for angle in angles]
    assert not joint_counts(of(fan)).any()
    assert joint_counts(of(fan[1:])).any()
    assert np.array_equal(joint_counts(of(fan[1:])), joint_counts(of(fan[:0:-1])))


@pytest.mark.parametrize("strokes", [[], [(0.3, 0.4, 0.3, 0.4)], [(0, 0, 1, 1)]], ids=["none", "dot", "alone"])
def test_little_ink_has_none(strokes):
    counts = joint_counts(of(strokes))
    assert counts.shape == (2, N_JOINTS) and counts.dtype == np.float32 and not counts.any()
