"""What a dimension shows where the file does not say: old files have definition points only."""

import math

import pytest
from ezdxf.math import Matrix44, Vec2

from dataset.measurement import measurement
from tests.dataset.building import new_drawing

CENTER = Vec2(5, 7)


def at(degrees, radius=10.0):
    return CENTER + Vec2.from_deg_angle(degrees, radius)


def by_lines(first, second, arc):
    """Of two lines through the center, given by their directions, with the arc in a third direction."""
    _, space = new_drawing()
    points = {"defpoint2": at(first, 3), "defpoint3": at(first), "defpoint4": at(second, 3), "defpoint": at(second)}
    attribs = {"dimtype": 2, **points, "defpoint5": at(arc, 4)}
    return space.new_entity(
        "DIMENSION", {name: value if name == "dimtype" else tuple(value) for name, value in attribs.items()}
    )


def by_points(first, second, arc):
    _, space = new_drawing()
    points = {"defpoint2": at(first), "defpoint3": at(second), "defpoint4": CENTER, "defpoint": at(arc, 4)}
    return space.new_entity("DIMENSION", {"dimtype": 5, **{name: tuple(value) for name, value in points.items()}})


@pytest.mark.parametrize(
    ("arc", "expected"), [(15, 30), (100, 150), (195, 30), (280, 150)], ids=["in", "above", "opposite", "below"]
)
@pytest.mark.parametrize("turned", [0, 77, 350])
def test_lines_make_four_angles_and_the_arc_lies_in_one(arc, expected, turned):
    for first, second in ((0, 30), (30, 0), (180, 30), (30, 180), (0, 210)):
        dimension = by_lines(first + turned, second + turned, arc + turned)
        assert measurement(dimension) == pytest.approx(expected), (first, second)


@pytest.mark.parametrize(("arc", "expected"), [(15, 30), (100, 330), (200, 330), (350, 330)])
@pytest.mark.parametrize("turned", [0, 77, 350])
def test_points_make_two_angles_and_the_arc_lies_in_one(arc, expected, turned):
    for first, second in ((0, 30), (30, 0)):
        assert measurement(by_points(first + turned, second + turned, arc + turned)) == pytest.approx(expected)


@pytest.mark.parametrize("dimension", [by_lines(0, 30, 100), by_points(0, 30, 15)])
def test_an_angle_is_the_same_in_a_mirror(dimension):
    before = measurement(dimension)
    dimension.transform(Matrix44.scale(-1, 1, 1))
    assert dimension.dxf.extrusion.z < 0
    assert measurement(dimension) == pytest.approx(before)


def test_what_is_stored_goes_first_and_what_is_missing_is_none():
    dimension = by_lines(0, 30, 15)
    dimension.dxf.actual_measurement = math.radians(12)
    assert measurement(dimension) == pytest.approx(12)
    assert measurement(by_lines(0, 0, 15)) is None  # parallel: no angle
    missing = by_points(0, 30, 15)
    missing.dxf.discard("defpoint4")
    assert measurement(missing) is None
