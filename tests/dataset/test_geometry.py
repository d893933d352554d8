"""Boxes are true extents: those of ezdxf's own, slow and thorough way."""

import math

import numpy as np
import pytest
from ezdxf import bbox
from ezdxf.disassemble import to_primitives
from ezdxf.math import BoundingBox2d, Matrix44, Vec2, Vec3
from ezdxf.render.mleader import ConnectionSide
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset.geometry import Geometry
from dataset.trace import Trace
from tests.dataset.building import new_drawing

NEAR = 5e-3  # ezdxf turns arcs into Bezier curves, which swell by 3e-4 of the radius, and bulges into splines


def slow_box(*entities):
    box = bbox.extents(entities, fast=False, cache=None)
    return [*box.extmin.xyz[:2], *box.extmax.xyz[:2]]


def check(document, entity):
    assert Geometry(document).box(entity) == pytest.approx(slow_box(entity), abs=NEAR)


def test_line_circle_and_arcs():
    document, space = new_drawing()
    geometry = Geometry(document)
    assert geometry.box(space.add_line((3, 1), (0, 2))) == (0, 1, 3, 2)
    assert geometry.box(space.add_circle((1, 2), 3)) == (-2, -1, 4, 5)
    crossing = space.add_arc((0, 0), 2, 350, 10)  # the sweep crosses 0 degrees
    x, y = 2 * math.cos(math.radians(10)), 2 * math.sin(math.radians(10))
    assert geometry.box(crossing) == pytest.approx((x, -y, 2, y))
    assert geometry.box(space.add_arc((0, 0), 2, 10, 350)) == pytest.approx((-2, -2, x, 2))
    assert geometry.box(space.add_arc((0, 0), 1, 90, 180)) == pytest.approx((-1, 0, 0, 1))
    assert geometry.box(space.add_arc((0, 0), 1, 0, 360)) == pytest.approx((-1, -1, 1, 1))


@given(start=st.floats(-360, 720), span=st.floats(1, 359))
def test_any_arc(start, span):
    document, space = new_drawing()
    check(document, space.add_arc((1, 2), 3, start, start + span))


@pytest.mark.parametrize("extrusion", [(0, 0, -1), (0, 1, 0), (1, 1, 1)])
def test_entities_seen_from_behind_or_aslant(extrusion):
    document, space = new_drawing()
    attribs = {"extrusion": extrusion}
    check(document, space.add_circle((1, 2, 3), 2, dxfattribs=attribs))
    check(document, space.add_arc((1, 2), 2, 20, 130, dxfattribs=attribs))
    check(document, space.add_solid([(0, 0), (3, 0), (0, 2)], dxfattribs=attribs))
    check(document, space.add_lwpolyline([(0, 0, 0.5), (4, 0, 0), (4, 3, -1)], format="xyb", dxfattribs=attribs))


@pytest.mark.parametrize("close", [True, False])
def test_bulged_polylines(close):
    document, space = new_drawing()
    points = [(0, 0, 1), (4, 0, -0.4), (4, 3, 0), (1, 5, 2.5)]
    check(document, space.add_lwpolyline(points, format="xyb", close=close))
    check(document, space.add_polyline2d(points, format="xyb", close=close))
    assert Geometry(document).box(space.add_lwpolyline([(0, 0, 1), (2, 0, 0)], format="xyb")) == pytest.approx(
        (0, -1, 2, 0)
    )


def test_polylines_drawn_in_space_are_projected():
    document, space = new_drawing()
    assert Geometry(document).box(space.add_polyline3d([(0, 0, 5), (4, 1, 9), (2, -3, 0)])) == (0, -3, 4, 1)


def test_splines_and_ellipses():
    document, space = new_drawing()
    points = [(0, 0), (1, 4), (3, -4), (4, 0), (6, 7)]
    check(document, space.add_open_spline(points))
    check(document, space.add_spline(points))
    check(document, space.add_rational_spline(points, [1, 2, 1, 5, 1]))
    check(document, space.add_ellipse((1, 2), (3, 1), 0.4))
    check(document, space.add_ellipse((1, 2), (3, 1), 0.4, 5.0, 1.0))


def test_a_periodic_spline_ends_where_its_curve_does():
    """Its knots go on beyond the curve, where ezdxf's own box follows them to y = -161."""
    document, space = new_drawing()
    spline = space.add_spline()
    spline.set_closed([(0, 0, 0), (1, 4, 0), (3, -4, 0), (4, 0, 0), (6, 7, 0)])
    assert Geometry(document).box(spline) == pytest.approx((0.659, -2.174, 4.947, 4.667), abs=1e-3)


def test_an_invalid_spline_keeps_the_extents_of_its_points():
    document, space = new_drawing()
    spline = space.add_open_spline([(0, 0), (1, 4), (3, -4), (4, 0)])
    spline.knots = [0, 0, 1]
    assert Geometry(document).box(spline) == (0, -4, 4, 4)


def hatches(space):
    yield space.add_hatch()
    outer = [(0, 0, 0.3), (5, 0, 0), (5, 4, -1), (0, 4, 0)]
    hatch = space.add_hatch()
    hatch.paths.add_polyline_path(outer, is_closed=True)
    hatch.paths.add_polyline_path([(1, 1), (2, 1), (2, 2)], is_closed=True)
    yield hatch
    hatch = space.add_hatch()
    edges = hatch.paths.add_edge_path()
    edges.add_line((0, 0), (4, 0))
    edges.add_arc((4, 2), 2, 270, 90)
    edges.add_ellipse((2, 4), (2, 0), 0.5, 0, 180)
    edges.add_spline(control_points=[(0, 4), (-3, 3), (1, 1), (0, 0)], degree=3, knot_values=[0, 0, 0, 0, 1, 1, 1, 1])
    yield hatch


def test_hatches_by_their_boundary():
    document, space = new_drawing()
    empty, *bounded = hatches(space)
    assert Geometry(document).box(empty) is None
    for hatch in bounded:
        check(document, hatch)
        hatch.dxf.extrusion = (0, 0, -1)
        check(document, hatch)


def block_of_everything(document, name="PART"):
    block = document.blocks.new(name, base_point=(2, -1))
    block.add_line((0, 0), (3, 1))
    block.add_circle((1, 1), 2)
    block.add_arc((4, 0), 3, 300, 60)
    block.add_lwpolyline([(0, 0, 1), (0, 5, 0), (2, 6, -0.7)], format="xyb", close=True)
    block.add_ellipse((-3, 0), (1, 2), 0.3, 0.5, 4.0)
    block.add_open_spline([(0, 0), (1, 4), (3, -4), (4, 0)])
    block.add_solid([(0, 0), (1, 0), (0, 1), (1, 1)])
    block.add_point((5, 5))
    list(hatches(block))
    return block


placements = st.fixed_dictionaries(
    {
        "xscale": st.sampled_from([1, -1, 2, 0.3, -4]),
        "yscale": st.sampled_from([1, -1, 2, 0.3]),
        "rotation": st.floats(-360, 360),
        "extrusion": st.sampled_from([(0, 0, 1), (0, 0, -1)]),
    }
)
arrays = st.fixed_dictionaries(
    {
        "column_count": st.integers(1, 3),
        "row_count": st.integers(1, 3),
        "column_spacing": st.floats(-20, 20),
        "row_spacing": st.floats(-20, 20),
    }
)


@settings(deadline=None, max_examples=12)
@given(placements, arrays)
def test_inserts_by_their_block_wherever_they_are_put(placement, array):
    """Base point, order of scale and rotation, mirrors, non-uniform scales and arrays."""
    document, space = new_drawing()
    block_of_everything(document)
    check(document, space.add_blockref("PART", (7, 3), dxfattribs={**placement, **array}))


@settings(deadline=None, max_examples=12)
@given(placements, placements)
def test_nested_inserts(outer, inner):
    """Against the flattened content put through both maps; ezdxf's own box loses the shear of a scaled rotation."""
    document, space = new_drawing()
    part = block_of_everything(document)
    middle = document.blocks.new("MIDDLE", base_point=(1, 1))
    middle.add_blockref("PART", (2, 0), dxfattribs=inner)
    insert = space.add_blockref("MIDDLE", (7, 3), dxfattribs=outer)
    placed = middle[0].matrix44() * insert.matrix44()
    primitives = to_primitives(part, max_flattening_distance=1e-4)
    points = placed.transform_vertices(vertex for primitive in primitives for vertex in primitive.vertices())
    box = BoundingBox2d(points)
    expected = pytest.approx([*box.extmin, *box.extmax], abs=4 * NEAR)  # scales up to 4
    assert Geometry(document).box(insert) == expected


def test_a_block_of_many_arcs_is_sampled_closely_enough():
    document, space = new_drawing()
    block = document.blocks.new("BALLS")
    for i in range(200):
        block.add_circle((i % 20, i // 20), 0.4)
    check_box = Geometry(document).box(space.add_blockref("BALLS", (0, 0), dxfattribs={"rotation": 33}))
    assert check_box == pytest.approx(slow_box(*space), abs=4e-4)


def test_inserts_that_show_nothing_have_no_box():
    document, space = new_drawing()
    document.blocks.new("EMPTY")
    geometry = Geometry(document)
    assert geometry.box(space.add_blockref("EMPTY", (0, 0))) is None
    assert geometry.box(space.add_blockref("ABSENT", (0, 0))) is None


def test_blocks_that_contain_each_other_are_caught():
    document, space = new_drawing()
    for name, other in (("A", "B"), ("B", "A")):
        block = document.blocks.new(name)
        block.add_line((0, 0), (1, 0))
        block.add_blockref(other, (5, 0))
    assert Geometry(document).box(space.add_blockref("A", (0, 0))) == (0, 0, 6, 0)


def dimension_without_text(space):
    """Its text is blank but it has a middle, without which ezdxf does not copy it."""
    drawn = space.add_linear_dim(base=(0, 9), p1=(0, 0), p2=(10, 2), angle=20, text=" ").render()
    drawn.dimension.dxf.text_midpoint = (5, 9)
    return drawn.dimension


def test_dimension_by_its_block():
    document, space = new_drawing()
    dimension = dimension_without_text(space)
    check(document, dimension)
    dimension.dxf.insert = (100, 50)  # a copy that shares the block of its original
    for name in ("defpoint", "defpoint2", "defpoint3"):
        dimension.dxf.set(name, dimension.dxf.get(name) + Vec3(100, 50))
    check(document, dimension)


def test_dimension_whose_picture_was_left_behind():
    document, space = new_drawing()
    dimension = dimension_without_text(space)
    names = ("defpoint", "defpoint2", "defpoint3", "text_midpoint")
    points = [dimension.dxf.get(name) + Vec3(5000, 0, 0) for name in names]
    for name, point in zip(names, points, strict=True):
        dimension.dxf.set(name, point)
    box = Geometry(document).box(dimension)
    assert box[0] == min(point.x for point in points)
    assert box[2] == max(point.x for point in points)
    shown = Geometry(document, collect=Trace).trace(dimension)
    assert shown.box() == box == shown.strokes.box(), "its ink is not left behind either"


def test_dimension_in_a_transformed_wrapper():
    document, space = new_drawing()
    block = document.blocks.new("SH1")
    dimension_without_text(block)
    insert = space.add_blockref("SH1", (5, 5), dxfattribs={"xscale": 2, "yscale": 2, "rotation": 30})
    (dimension,) = insert.virtual_entities()
    check(document, dimension)


def test_dimension_in_a_mirrored_wrapper():
    document, space = new_drawing()
    block = document.blocks.new("SH1")
    left, bottom, right, top = Geometry(document).box(dimension_without_text(block))
    insert = space.add_blockref("SH1", (5, 5), dxfattribs={"xscale": -1})
    (dimension,) = insert.virtual_entities()
    assert dimension.dxf.extrusion.z < 0
    assert Geometry(document).box(dimension) == pytest.approx((5 - right, 5 + bottom, 5 - left, 5 + top))


def test_dimension_without_block_is_drawn_or_falls_back_to_its_points():
    document, space = new_drawing()
    dimension = dimension_without_text(space)
    drawn = Geometry(document).box(dimension)
    document.blocks.delete_block(dimension.dxf.geometry, safe=False)
    dimension.dxf.discard("geometry")
    assert Geometry(document).box(dimension) == pytest.approx(drawn)

    virtual = dimension.copy()
    virtual.virtual_block_content = None
    left, bottom, right, top = Geometry(document).box(virtual)
    assert left <= 0 and bottom <= 0 and right >= 10 and top >= 2


def test_leaders():
    document, space = new_drawing()
    assert Geometry(document).box(space.add_leader([(0, 0), (3, 4), (5, 4)])) == (0, 0, 5, 4)
    builder = space.add_multileader_mtext("Standard")
    builder.set_content("NOTE", char_height=1)
    builder.add_leader_line(side=ConnectionSide.left, vertices=[(-20, -10)])
    builder.build(insert=Vec2(5, 0))
    box = Geometry(document).box(builder.multileader)
    assert box[:2] == (-20, -10) and box[2] > 5


@pytest.mark.parametrize("mirror", [(-1, 1), (1, -1), (-1, -1)])
def test_a_mirrored_multileader_is_mirrored_with_its_text(mirror):
    document, space = new_drawing()
    builder = space.add_multileader_mtext("Standard")
    builder.set_content("NOTE", char_height=3)
    builder.build(insert=Vec2(5, 7))
    corners = np.reshape(Geometry(document).box(space[-1]), (2, 2)) * mirror
    space[-1].transform(Matrix44.scale(*mirror, 1))
    assert Geometry(document).box(space[-1]) == pytest.approx((*corners.min(axis=0), *corners.max(axis=0)))


def test_texts_have_the_extents_of_their_content():
    document, space = new_drawing()
    geometry = Geometry(document)
    short = geometry.box(space.add_text("AB", height=2))
    long = geometry.box(space.add_text("ABABAB", height=2))
    assert short[:2] == (0, 0) and short[3] == 2 and 2 < short[2] < 6
    assert long[2] == pytest.approx(3 * short[2])
    upright = geometry.box(space.add_text("AB", height=2, rotation=90))
    assert upright == pytest.approx((-2, 0, 0, short[2]))
    wide = geometry.box(space.add_text("AB", height=2, dxfattribs={"width": 0.5}))
    assert wide[2] == pytest.approx(short[2] / 2)


@pytest.mark.parametrize("halign,valign,left,bottom", [(1, 0, -0.5, 0), (2, 3, -1, -1), (4, 0, -0.5, -0.5)])
def test_texts_are_aligned(halign, valign, left, bottom):
    document, space = new_drawing()
    text = space.add_text("AB", height=2, dxfattribs={"halign": halign, "valign": valign, "align_point": (10, 20)})
    min_x, min_y, max_x, _ = Geometry(document).box(text)
    assert (min_x, min_y) == pytest.approx((10 + left * (max_x - min_x), 20 + bottom * 2))


@pytest.mark.parametrize("halign,valign", [(0, 0), (1, 0), (2, 3), (4, 0), (1, 1)])
@pytest.mark.parametrize("rotation", [0, 90])
def test_backward_and_upside_down_texts_are_mirrored_at_their_anchor(halign, valign, rotation):
    document, space = new_drawing()
    geometry = Geometry(document)
    attribs = {"halign": halign, "valign": valign, "insert": (10, 20), "align_point": (10, 20), "rotation": rotation}
    corners = np.reshape(geometry.box(space.add_text("(AB", height=2, dxfattribs=attribs)), (2, 2)) - (10, 20)
    for flags, along, up in ((2, -1, 1), (4, 1, -1), (6, -1, -1)):
        mirrored = corners * ((along, up) if rotation == 0 else (up, along)) + (10, 20)
        text = space.add_text("(AB", height=2, dxfattribs={**attribs, "text_generation_flag": flags})
        assert geometry.box(text) == pytest.approx((*mirrored.min(axis=0), *mirrored.max(axis=0))), flags


def test_mtext_lines_wrap_and_hang_from_their_attachment_point():
    document, space = new_drawing()
    geometry = Geometry(document)
    attribs = {"char_height": 2, "attachment_point": 1}
    one = geometry.box(space.add_mtext("ABC DEF", dxfattribs=attribs))
    assert one[0] == 0 and one[1] == -2 and one[3] == 0
    two = geometry.box(space.add_mtext("ABC\\PDEF", dxfattribs=attribs))
    wrapped = geometry.box(space.add_mtext("ABC DEF", dxfattribs={**attribs, "width": 7}))
    assert two == pytest.approx(wrapped) and two[1] < -4 and two[2] < one[2]
    centered = geometry.box(space.add_mtext("ABC DEF", dxfattribs={**attribs, "attachment_point": 5}))
    assert centered == pytest.approx((-one[2] / 2, -1, one[2] / 2, 1))
    sized = geometry.box(space.add_mtext("{\\fArial|b0;\\H2x;ABC DEF}", dxfattribs=attribs))
    assert sized == pytest.approx((0, -4, 2 * one[2], 0))
    upright = geometry.box(space.add_mtext("ABC DEF", dxfattribs={**attribs, "text_direction": (0, 1, 0)}))
    assert upright == pytest.approx((0, 0, 2, one[2]))


def test_not_finite_coordinates_are_an_error_everywhere():
    document, space = new_drawing()
    geometry = Geometry(document)
    for bad in (math.nan, math.inf, -math.inf):
        for entity in (
            space.add_line((0, 0), (bad, 1)),
            space.add_circle((0, bad), 1),
            space.add_lwpolyline([(0, 0), (1, 1), (bad, 0), (2, 2)]),
        ):
            with pytest.raises(ValueError, match="finite"):
                geometry.box(entity)


def test_a_damaged_entity_does_not_take_its_block_along():
    document, space = new_drawing()
    block = document.blocks.new("PART")
    block.add_line((0, 0), (2, 1))
    block.add_circle((math.nan, 0), 1)
    assert Geometry(document).box(space.add_blockref("PART", (0, 0))) == (0, 0, 2, 1)


def test_a_rotated_drawing_keeps_its_extents_turned():
    document, space = new_drawing()
    entity = space.add_lwpolyline([(0, 0, 1), (4, 0, 0), (4, 3, -1)], format="xyb")
    before = np.array(Geometry(document).box(entity))
    entity.transform(Matrix44.z_rotate(math.pi / 2))
    after = Geometry(document).box(entity)
    assert after == pytest.approx((-before[3], before[0], -before[1], before[2]))
