"""What holds for every drawing, on drawings at random: rows decode to what was drawn; place, unit, mirror image,
wrapping and DXF version do not change the features; handles order the rows; both readers see the same sheet.

Numbers are whole, and half of them tens, so that boxes touch, coincide and contain each other often: there a rounding
error would show.
``HYPOTHESIS_EXAMPLES=2000`` looks further than a test run does.
"""

from __future__ import annotations

import os

import ezdxf
import numpy as np
import pytest
from ezdxf.math import Matrix44
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataset.entities import SLOTS, Kind
from dataset.worker import process_file
from tests.dataset import specimens
from tests.dataset.building import assert_same_sheet, new_drawing, saved
from tests.dataset.specimens import check_row, drawn

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "25"))
few = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES == 15, suppress_health_check=list(HealthCheck)
)

coordinates = st.one_of(st.integers(-60, 60), st.sampled_from(range(-60, 61, 10)))
positions = st.tuples(coordinates, coordinates)
lengths = st.one_of(st.integers(1, 40), st.sampled_from((10, 20, 30, 40)))
angles = st.one_of(st.integers(0, 359), st.sampled_from((0, 90, 180, 270)))
bulges = st.sampled_from((0, 0, 0, 0.5, -1, 0.2))
capitals = st.text("ABCDEH", min_size=1, max_size=5)


def vertices(least, most=12):
    return st.lists(positions, min_size=least, max_size=most, unique=True)


bulged = st.lists(st.tuples(coordinates, coordinates, bulges), min_size=2, max_size=12)
heights = st.integers(1, 9)
scales = st.sampled_from((1, 2, 0.5, -1))
two_points = vertices(2, 2)

KINDS = [
    st.builds(specimens.line, positions, positions),
    st.builds(specimens.circle, positions, lengths),
    st.builds(specimens.arc, positions, lengths, angles, angles),
    st.builds(specimens.lwpolyline, bulged, st.booleans()),
    st.builds(specimens.polyline, bulged, st.booleans()),
    st.builds(specimens.polyline_3d, vertices(2), st.booleans()),
    st.builds(specimens.text, positions, heights, angles, capitals),
    st.builds(specimens.mtext, positions, heights, angles, st.lists(capitals, min_size=1, max_size=3)),
    st.builds(specimens.hatch, vertices(3, 6), st.booleans()),
    st.builds(specimens.hatch_of_edges, positions, lengths, lengths),
    st.builds(lambda p, q, distance: specimens.linear_dimension(p, q, distance), positions, positions, lengths),
    st.builds(lambda ends, distance: specimens.aligned_dimension(*ends, distance), two_points, lengths),
    st.builds(specimens.angular_dimension, positions, lengths),
    st.builds(specimens.diameter_dimension, positions, lengths, angles),
    st.builds(specimens.radius_dimension, positions, lengths, angles),
    st.builds(specimens.three_point_dimension, positions, lengths),
    st.builds(specimens.ordinate_dimension, positions, lengths, lengths),
    st.builds(specimens.arc_dimension, positions, lengths),
    st.builds(specimens.jogged_radius_dimension, positions, lengths),
    st.builds(specimens.leader, vertices(2)),
    st.builds(specimens.multileader, positions, positions, heights, st.sampled_from(("MULTILEADER", "MLEADER"))),
    st.builds(
        specimens.insert,
        positions,
        st.tuples(scales, scales),
        angles,
        columns=st.integers(1, 3),
        rows=st.integers(1, 2),
    ),
    st.builds(specimens.solid, vertices(4, 4), st.sampled_from(("SOLID", "TRACE"))),
    st.builds(specimens.spline, vertices(4, 12)),
    st.builds(specimens.ellipse, positions, st.tuples(lengths, lengths), st.sampled_from((0.1, 0.5, 1))),
]
VERSIONS = ("R12", "R2000", "R2004", "R2007", "R2010", "R2013", "R2018")


def sheets(least=1, most=10):
    return st.lists(st.one_of(KINDS), min_size=least, max_size=most)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("drawings")


def processed(document, folder, fmt="asc"):
    path = folder / "drawing.dxf"
    document.saveas(path, fmt=fmt)
    drawing = process_file(path, path.name)
    assert (drawing.report.status, drawing.report.left_out) == ("read", {})
    return drawing


def graph_of(drawing):
    """Counts and edges, or None for a drawing of SOLIDs and SPLINEs only."""
    graph = drawing.graph
    return None if graph is None else (graph.counts.tolist(), graph.edge_counts.tolist())


def border(width=400):
    """Two lines, above and below all else. With them no INSERT is all there is, so that none is opened."""
    return [specimens.line((-width / 2, y), (width / 2, y)) for y in (-200, 200)]


@few
@given(entities=sheets(), width=st.integers(400, 4000), fmt=st.sampled_from(("asc", "bin")))
def test_rows_decode_to_what_was_drawn(entities, width, fmt, folder):
    document, _ = new_drawing()
    entities = [*border(width), *entities]
    expected = drawn(document, entities)
    sequence = processed(document, folder, fmt).sequence
    assert sequence.extents.side == width and len(sequence.dxf_vec) == len(expected)
    for specimen, row, values in zip(entities, sequence.dxf_vec, expected, strict=True):
        check_row(row, sequence.extents, specimen.read_as, values)


def sheet(entities, matrix=None):
    document, space = new_drawing()
    drawn(document, entities)
    for entity in space if matrix is not None else ():
        transform(entity, matrix)
    return document


def transform(entity, matrix):
    """As CAD programs do it, by ezdxf and, for two types, what it leaves out."""
    entity.transform(matrix)
    if entity.dxftype() == "INSERT":  # the steps of an array; ezdxf mirrors in y, wherever the mirror is
        scale = matrix.transform_direction((1, 0, 0)).magnitude
        entity.dxf.column_spacing *= scale
        entity.dxf.row_spacing *= scale * np.sign(matrix.determinant())
    elif "DIMENSION" in entity.dxftype() and entity.dxf.extrusion.z < 0 and entity.get_geometry_block():
        for part in entity.get_geometry_block():  # the picture lies in the dimension's own plane, not on the sheet
            part.transform(Matrix44.scale(-1, 1, 1))


def check_same_graph(entities, matrix, folder):
    before, after = processed(sheet(entities), folder), processed(sheet(entities, matrix), folder)
    assert graph_of(after) == graph_of(before)
    return before, after


@few
@given(entities=sheets(), x=st.floats(-1e6, 1e6), y=st.floats(-1e6, 1e6))
def test_place_does_not_matter(entities, x, y, folder):
    check_same_graph(entities, Matrix44.translate(x, y, 0), folder)


@few
@given(entities=sheets(), factor=st.one_of(st.sampled_from((25.4, 1 / 25.4, 1000)), st.floats(0.01, 100)))
def test_unit_does_not_matter(entities, factor, folder):
    check_same_graph(entities, Matrix44.scale(factor, factor, factor), folder)


@few
@given(entities=sheets(), mirror=st.sampled_from(((-1, 1), (1, -1), (-1, -1))))
def test_mirroring_does_not_matter(entities, mirror, folder):
    check_same_graph(entities, Matrix44.scale(*mirror, 1), folder)


def rows_differ_by(first, second):
    """By how many bins at most; the measurement and an INSERT's scales, which grow with the wrapper, are left out."""
    assert SLOTS[-1].kind is Kind.MEASUREMENT
    kept = [0] + [1 + i for i, slot in enumerate(SLOTS) if slot.kind not in (Kind.MEASUREMENT, Kind.SCALE)]
    a, b = (sequence.dxf_vec[:, :-1].astype(int) for sequence in (first, second))
    np.testing.assert_array_equal(a == -1, b == -1)
    np.testing.assert_array_equal(a[:, 0], b[:, 0])
    turning = [1 + i for i, slot in enumerate(SLOTS) if slot.kind is Kind.ANGLE]
    difference = np.abs(a - b)
    difference[:, turning] = np.minimum(difference[:, turning], 256 - difference[:, turning])
    return difference[:, kept].max()


@few
@given(
    entities=sheets(least=2),
    scale=st.sampled_from((1, 2, 25.4)),
    mirror=st.sampled_from((1, -1)),
    rotation=st.sampled_from((0, 90)),
)
def test_a_wrapped_sheet_is_the_sheet(entities, scale, mirror, rotation, folder):
    """Everything in one INSERT, at a quarter turn, twice as large or seen in a mirror, and that in one INSERT."""
    document, space = new_drawing()
    drawn(document, entities)
    plain = processed(document, folder)
    document, space = new_drawing()
    for specimen in entities:
        specimen.draw(document.blocks.get("INNER") or document.blocks.new("INNER", base_point=(3, 4)))
    placed = {"xscale": mirror * scale, "yscale": scale, "zscale": scale, "rotation": rotation}
    document.blocks.new("OUTER").add_blockref("INNER", (50, 60), dxfattribs=placed)
    space.add_blockref("OUTER", (7, 7))
    wrapped = processed(document, folder)
    assert wrapped.sequence.opened_blocks[:2] == ("OUTER", "INNER")
    assert wrapped.report.represented == plain.report.represented
    assert graph_of(wrapped) == graph_of(plain)
    if mirror == 1 and rotation == 0:
        assert rows_differ_by(wrapped.sequence, plain.sequence) <= 1


def check_same_features(first, second):
    np.testing.assert_array_equal(first.sequence.dxf_vec, second.sequence.dxf_vec)
    assert first.sequence.extents == second.sequence.extents
    assert graph_of(first) == graph_of(second)
    assert first.report.represented == second.report.represented
    assert first.report.approximated == second.report.approximated


versions = st.sampled_from(VERSIONS)


@few
@given(
    entities=sheets(),
    words=st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), max_codepoint=0xFFFF), min_size=1),
    first=versions,
    then=st.lists(versions.filter(lambda version: version != "R12"), min_size=1, max_size=2),
    fmt=st.sampled_from(("asc", "bin")),
)
def test_the_version_it_is_saved_in_does_not_matter(entities, words, first, then, fmt, folder):
    """Read and saved again by ezdxf, time and again; not in R12, which lacks half of the types."""
    oldest = min(map(VERSIONS.index, (first, *then)))
    document, _ = new_drawing(first)
    entities = [specimens.text((0, 0), 5, 0, words), *entities]
    drawn(document, [specimen for specimen in entities if VERSIONS.index(specimen.oldest) <= oldest])
    before = processed(document, folder)
    for version in then:
        document = ezdxf.readfile(folder / "drawing.dxf")
        document.dxfversion = version
        check_same_features(processed(document, folder, fmt), before)


@few
@given(entities=sheets(), data=st.data())
def test_handles_order_the_rows_whatever_the_order_in_the_file(entities, data, folder):
    document, space = new_drawing()
    drawn(document, [*border(), *entities])
    before = processed(document, folder)
    handles = data.draw(st.lists(st.integers(2**20, 2**44), min_size=len(space), max_size=len(space), unique=True))
    spell = data.draw(st.sampled_from(("{:X}", "{:x}", "0{:X}")))
    for entity, handle in zip(space, handles, strict=True):
        document.entitydb.discard(entity)
        entity.dxf.handle = spell.format(handle)
        document.entitydb.add(entity)
    after = processed(document, folder)
    np.testing.assert_array_equal(after.sequence.dxf_vec, before.sequence.dxf_vec[np.argsort(handles)])
    if before.graph is not None:
        np.testing.assert_array_equal(after.graph.counts, before.graph.counts)


finite = st.floats(-1e9, 1e9)
anywhere = st.tuples(finite, finite, finite)
looks = st.fixed_dictionaries(
    {},
    optional={
        "layer": st.sampled_from(("0", "OUTLINE", "图层 1")),
        "color": st.integers(0, 256),
        "linetype": st.just("CONTINUOUS"),
        "ltscale": st.floats(0.1, 10),
        "invisible": st.integers(0, 1),
        "thickness": finite,
        "extrusion": st.sampled_from(((0, 0, 1), (0, 0, -1), (1, 0, 0), (0.6, 0, 0.8))),
        "true_color": st.integers(0, 2**24 - 1),
    },
)
spellings = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\n\0"), max_size=20)
ANY = st.one_of(
    st.builds(lambda *points: ("add_line", points, {}), anywhere, anywhere),
    st.builds(lambda *circle: ("add_circle", circle, {}), anywhere, finite),
    st.builds(lambda *arc: ("add_arc", arc, {}), anywhere, finite, finite, finite),
    st.builds(lambda corners: ("add_solid", (corners,), {}), st.lists(anywhere, min_size=3, max_size=4)),
    st.builds(lambda words, height: ("add_text", (words,), {"height": height}), spellings, finite),
    st.builds(lambda points: ("add_lwpolyline", (points,), {}), st.lists(anywhere, max_size=5)),
    st.builds(lambda place: ("add_point", (place,), {}), anywhere),
)


@few
@given(
    entities=sheets(least=0),
    plain=st.lists(st.tuples(ANY, looks), max_size=8),
    version=versions.filter(lambda version: version != "R12"),
    attributed=st.booleans(),
)
def test_the_fast_reader_sees_what_ezdxf_sees(entities, plain, version, attributed, folder):
    document, space = new_drawing(version)
    drawn(document, [specimen for specimen in entities if VERSIONS.index(specimen.oldest) <= VERSIONS.index(version)])
    for (add, values, attribs), look in plain:
        getattr(space, add)(*values, dxfattribs={**attribs, **look})
    if attributed:
        document.blocks.new("TAGGED").add_line((0, 0), (9, 9))
        space.add_blockref("TAGGED", (5, 5)).add_attrib("NUMBER", "17", (6, 6))
    path = saved(document, folder)
    with pytest.MonkeyPatch.context() as patch:
        assert_same_sheet(path, patch)
