"""Every type of entity, from the file to a row and decoded back to its geometry within one bin."""

import math

import pytest
from ezdxf.math import Vec2
from ezdxf.render.mleader import ConnectionSide

from dataset.entities import DEEPDXF_TYPES, Extents, Kind, to_bin
from tests.dataset.building import decoded, new_drawing


def frame(space):
    """A border of 200 x 100, so that a bin is 200 / 255 wide."""
    space.add_lwpolyline([(0, 0), (200, 0), (200, 100), (0, 100)], close=True)


def one(document, tmp_path, **expected):
    """The row behind the border's, its lengths and points within one bin of what is expected, angles likewise."""
    (_, (name, values)), size = decoded(document, tmp_path)
    for slot, value in expected.items():
        tolerance = {"s": 0.0, "d": 0.0, "c": 0.0}.get(slot[0], size)
        if "angle" in slot or slot == "rotation":
            tolerance = 360 / 256
        if slot.startswith("scale"):
            tolerance = abs(value) * 0.05
        if slot.startswith(("bulge", "knot")):
            tolerance = 0.02
        if slot.startswith(("is_", "count", "degree", "columns", "rows", "dimension_type", "measurement")):
            tolerance = 0
        assert values[slot] == pytest.approx(value, abs=tolerance), slot
    return name, values


def points(*coordinates):
    return {f"{axis}{i}": point[k] for i, point in enumerate(coordinates) for k, axis in enumerate("xy")}


@pytest.fixture
def drawing():
    document, space = new_drawing()
    frame(space)
    return document, space


def test_line(drawing, tmp_path):
    document, space = drawing
    space.add_line((10, 20), (150, 90))
    name, values = one(document, tmp_path, **points((10, 20), (150, 90)))
    assert name == "LINE" and len(values) == 4


def test_circle_and_arc(drawing, tmp_path):
    document, space = drawing
    space.add_circle((50, 50), 30)
    assert one(document, tmp_path, **points((50, 50)), radius=30)[0] == "CIRCLE"
    space.delete_entity(space[1])
    space.add_arc((50, 50), 30, 350, 200)
    assert one(document, tmp_path, **points((50, 50)), radius=30, start_angle=350, end_angle=200)[0] == "ARC"


def test_arc_seen_from_behind(drawing, tmp_path):
    document, space = drawing
    space.add_arc((-50, 50), 30, 10, 100, dxfattribs={"extrusion": (0, 0, -1)})
    one(document, tmp_path, **points((50, 50)), radius=30, start_angle=80, end_angle=170)


def test_polyline(drawing, tmp_path):
    document, space = drawing
    space.add_lwpolyline([(10, 10, 0.5), (50, 10, 0), (50, 40, -1)], format="xyb", close=True)
    name, values = one(
        document,
        tmp_path,
        is_closed=1,
        count=3,
        bulge0=0.5,
        bulge1=0,
        bulge2=-1,
        **points((10, 10), (50, 10), (50, 40)),
    )
    assert name == "LWPOLYLINE" and "x3" not in values and "bulge3" not in values


def test_long_polylines_are_resampled_along_the_curve(drawing, tmp_path):
    document, space = drawing
    # a stadium: two straights of 40 and two half circles of radius 10, cut into many vertices
    straight = [(20 + 40 * i / 10, 20, 0) for i in range(10)]
    back = [(60 - 40 * i / 10, 40, 0) for i in range(10)]
    space.add_lwpolyline([*straight, (60, 20, 1), *back, (20, 40, 1)], format="xyb", close=True)
    (_, (_, values)), size = decoded(document, tmp_path)
    assert values["count"] == 22 and all(values[f"bulge{i}"] == 0 for i in range(12))
    step = (80 + 20 * math.pi) / 12
    found = [Vec2(values[f"x{i}"], values[f"y{i}"]) for i in range(12)]
    assert found[0].isclose((20, 20), abs_tol=size)
    assert found[1].isclose((20 + step, 20), abs_tol=size)
    angle = (4 * step - 40) / 10 - math.pi / 2
    assert found[4].isclose((60 + 10 * math.cos(angle), 30 + 10 * math.sin(angle)), abs_tol=size)


def test_r12_polyline(tmp_path):
    document, space = new_drawing("R12")
    space.add_polyline2d([(0, 0), (200, 0), (200, 100), (0, 100)], close=True)
    space.add_polyline2d([(10, 10, 0.5), (50, 10, 0), (50, 40, 0)], format="xyb")
    name, _ = one(document, tmp_path, is_closed=0, count=3, bulge0=0.5, **points((10, 10), (50, 10), (50, 40)))
    assert name == "LWPOLYLINE"


def test_texts(drawing, tmp_path):
    document, space = drawing
    space.add_text("AB", height=20, rotation=30).set_placement((50, 20))
    name, values = one(document, tmp_path, **points((50, 20)), height=20, rotation=30)
    assert name == "TEXT" and 20 < values["width"] < 60
    space.delete_entity(space[1])
    space.add_mtext("AB\\PABC", dxfattribs={"insert": (50, 80), "char_height": 10, "rotation": 270})
    name, values = one(document, tmp_path, **points((50, 80)), height=10, rotation=270)
    assert name == "MTEXT" and 15 < values["width"] < 45


@pytest.mark.parametrize("attribs", [{"text_generation_flag": 2}, {"extrusion": (0, 0, -1)}])
def test_a_mirrored_text_has_the_row_of_a_readable_one_in_its_place(drawing, tmp_path, attribs):
    document, space = drawing
    right = 150 if "text_generation_flag" in attribs else -150  # seen from behind the x axis is reversed
    space.add_text("AB", height=20, dxfattribs=attribs).set_placement((right, 20))
    one(document, tmp_path, **points((150 - 40, 20)), height=20, width=40, rotation=0)


def test_hatch(drawing, tmp_path):
    document, space = drawing
    hatch = space.add_hatch()
    hatch.set_solid_fill()
    hatch.dxf.associative = 1
    hatch.paths.add_polyline_path([(20, 20), (60, 20), (60, 50)])
    hatch.paths.add_polyline_path([(40, 25), (50, 25), (50, 30)])
    name, values = one(document, tmp_path, is_solid=1, is_associative=1, count=2, **points((20, 20), (60, 50)))
    assert name == "HATCH" and "x2" not in values


def test_hatch_without_boundary_keeps_its_row(drawing, tmp_path):
    document, space = drawing
    space.add_hatch().set_pattern_fill("ANSI31")
    name, values = one(document, tmp_path, is_solid=0, count=0)
    assert name == "HATCH" and "x0" not in values


def test_leader_and_multileader(drawing, tmp_path):
    document, space = drawing
    space.add_leader([(10, 10), (30, 40), (60, 40)])
    assert one(document, tmp_path, count=3, **points((10, 10), (30, 40), (60, 40)))[0] == "LEADER"
    space.delete_entity(space[1])
    builder = space.add_multileader_mtext("Standard")
    builder.set_content("NOTE", char_height=4)
    builder.add_leader_line(ConnectionSide.left, [Vec2(10, 10)])
    builder.build(insert=Vec2(100, 50))
    name, values = one(document, tmp_path, **points((10, 10)))
    assert name == "LEADER" and values["count"] >= 2 and values["y1"] == pytest.approx(50, abs=5)


def test_insert(drawing, tmp_path):
    document, space = drawing
    block = document.blocks.new("MARK", base_point=(3, 3))
    block.add_circle((3, 3), 5)
    attribs = {"xscale": 2, "yscale": -1, "rotation": 200, "column_count": 3, "row_count": 2, "column_spacing": 20}
    space.add_blockref("MARK", (50, 40), dxfattribs=attribs)
    expected = {"scale_x": 2, "scale_y": -1, "rotation": 200, "columns": 3, "rows": 2}
    assert one(document, tmp_path, **points((50, 40)), **expected)[0] == "INSERT"


def test_insert_seen_from_behind_is_a_mirrored_one(drawing, tmp_path):
    document, space = drawing
    document.blocks.new("MARK").add_line((0, 0), (5, 2))
    space.add_blockref("MARK", (-50, 40), dxfattribs={"rotation": 30, "extrusion": (0, 0, -1)})
    one(document, tmp_path, **points((50, 40)), scale_x=-1, scale_y=1, rotation=330)


@pytest.mark.parametrize("add", ["add_solid", "add_trace"])
def test_solid_and_trace(drawing, tmp_path, add):
    document, space = drawing
    getattr(space, add)([(10, 10), (50, 10), (10, 40), (50, 40)])
    assert one(document, tmp_path, is_triangle=0, **points((10, 10), (50, 10), (10, 40), (50, 40)))[0] == "SOLID"


def test_a_triangle_has_no_fourth_point(drawing, tmp_path):
    document, space = drawing
    space.add_solid([(10, 10), (50, 10), (10, 40)])
    _, values = one(document, tmp_path, is_triangle=1, **points((10, 10), (50, 10), (10, 40)))
    assert "x3" not in values


def test_spline(drawing, tmp_path):
    document, space = drawing
    control = [(10, 10), (30, 60), (70, 10), (90, 50), (120, 30)]
    space.add_open_spline(control)
    expected = {"degree": 3, "is_closed": 0, "count": 5, "knot0": 0, "knot4": 0.5, "knot8": 1}
    name, values = one(document, tmp_path, **expected, **points(*control))
    assert name == "SPLINE" and "x5" not in values and "knot9" not in values


def test_fit_points_and_long_splines(drawing, tmp_path):
    document, space = drawing
    space.add_spline([(10, 10), (50, 60), (90, 10)])
    (_, (name, values)), size = decoded(document, tmp_path)
    last = int(values["count"]) - 1
    assert name == "SPLINE" and values["degree"] == 3
    assert (values["x0"], values[f"x{last}"]) == pytest.approx((10, 90), abs=size)

    space.delete_entity(space[1])
    space.add_open_spline([(10 + 6 * i, 50 + 40 * (i % 2)) for i in range(30)])
    (_, (_, values)), size = decoded(document, tmp_path)
    assert values["count"] == 30 and (values["x0"], values["x11"]) == pytest.approx((10, 184), abs=size)
    knots = [values[f"knot{i}"] for i in range(16)]
    assert knots == sorted(knots) and (knots[0], knots[-1]) == (0, 1)


def test_ellipse(drawing, tmp_path):
    document, space = drawing
    space.add_ellipse((100, 50), (40, 0), 0.5)
    name, values = one(document, tmp_path, is_closed=1, **points((140, 50)))
    assert name == "SPLINE" and values["degree"] == 2


def dimensions(space):
    yield 0, space.add_linear_dim(base=(0, 60), p1=(10, 20), p2=(60, 30), angle=0), 50.0, 3
    yield 1, space.add_aligned_dim(p1=(10, 20), p2=(40, 60), distance=5), 50.0, 3
    yield 2, space.add_angular_dim_2l(base=(40, 40), line1=((10, 10), (50, 10)), line2=((10, 10), (10, 50))), 90.0, 5
    yield 3, space.add_diameter_dim(center=(50, 50), radius=12.3456, angle=45), 24.691, 2
    yield 4, space.add_radius_dim(center=(50, 50), radius=12.3456, angle=45), 12.346, 2
    yield 5, space.add_angular_dim_3p(base=(40, 40), center=(10, 10), p1=(50, 10), p2=(40, 40)), 45.0, 4
    yield 6, space.add_ordinate_x_dim(feature_location=(70, 30), offset=(0, 20), origin=(10, 10)), 60.0, 3


@pytest.mark.parametrize("kind", range(7))
def test_dimension(drawing, tmp_path, kind):
    document, space = drawing
    number, override, measured, defpoints = list(dimensions(document.blocks.new("SCRATCH")))[kind]
    dimension = override.render().dimension
    document.blocks.get("SCRATCH").unlink_entity(dimension)
    dimension.dxf.dimtype = dimension.dxf.dimtype & ~7 | number  # ezdxf writes an aligned dimension as a rotated one
    space.add_entity(dimension)
    expected = {"dimension_type": number, "measurement": measured}
    name, values = one(document, tmp_path, **expected, **points(tuple(dimension.dxf.defpoint)))
    assert name == "DIMENSION"
    assert sum(f"x{i}" in values for i in range(5)) == defpoints
    assert ("rotation" in values) == (number == 0)


def test_the_measurement_is_the_number_shown_times_a_thousand(drawing, tmp_path):
    document, space = drawing
    dimension = space.add_linear_dim(base=(0, 60), p1=(10, 20), p2=(60, 20)).render().dimension
    dimension.dxf.actual_measurement = 1234.5678  # what the CAD program wrote goes before what the points say
    one(document, tmp_path, measurement=1234.568)
    dimension.dxf.actual_measurement = -5.5  # a magnitude, as it is displayed
    one(document, tmp_path, measurement=5.5)
    dimension.dxf.discard("actual_measurement")
    one(document, tmp_path, measurement=50)


def test_stored_angles_are_radians_and_shown_in_degrees(drawing, tmp_path):
    document, space = drawing
    line1, line2 = ((10, 10), (50, 10)), ((10, 10), (10, 50))
    dimension = space.add_angular_dim_2l(base=(40, 40), line1=line1, line2=line2).render().dimension
    dimension.dxf.actual_measurement = math.radians(30)
    one(document, tmp_path, measurement=30)


def test_the_linear_scale_factor_counts_where_nothing_is_stored(drawing, tmp_path):
    document, space = drawing
    override = space.add_linear_dim(base=(0, 60), p1=(10, 20), p2=(60, 20), override={"dimlfac": 0.4})
    override.render()
    one(document, tmp_path, measurement=20)


def test_a_huge_measurement_is_clipped():
    assert to_bin(Kind.MEASUREMENT, 1e306, Extents(0, 0, 1, 1)) == 2**31 - 1


def test_no_type_is_forgotten():
    from dataset.parameters import _READERS

    assert {*_READERS, "HATCH"} == set(DEEPDXF_TYPES)
