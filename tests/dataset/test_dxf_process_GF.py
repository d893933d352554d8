"""GF graphs of drawings small enough to count by hand, and of random ones against a double loop."""

import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset.dxf_process_GF import (
    gf_adjacency,
    gf_counts,
    gf_edge_counts,
    gf_features,
    gf_graph,
    overlapping_pairs,
)
from dataset.entities import GF_CLASSES, TYPE_INDEX
from tests.dataset.building import content_of, new_drawing, types_of

CLASS = {name: i for i, name in enumerate(GF_CLASSES)}


def pair_column(row: str, other: str) -> int:
    """Where row `row` counts its pairs with `other`: column 2 on, skipping itself."""
    return 2 + [name for name in GF_CLASSES if name != row].index(other)


def drawing_of_every_class(tmp_path):
    """Every class once or more, placed so that the overlaps can be counted by hand."""
    document, space = new_drawing()
    document.blocks.new("MARK").add_circle((0, 0), 1)
    space.add_lwpolyline([(0, 0), (100, 0), (100, 100), (0, 100)], close=True)  # the border contains everything
    space.add_circle((10, 10), 5)  # 5..15
    space.add_line((15, 10), (20, 10))  # touches the circle's box
    space.add_line((19, 5), (30, 15))  # crosses the line before: the same class, so no column, but not free
    space.add_arc((10, 10), 3, 0, 90)  # inside the circle: contained
    space.add_circle((10, 10), 5)  # equal to the first circle: contained, but touches the line as well
    space.add_blockref("MARK", (50, 50))  # 49..51
    space.add_leader([(51, 51), (60, 60)])  # touches the insert's corner
    space.add_text("A", height=2).set_placement((70, 10))
    space.add_mtext("A", dxfattribs={"char_height": 2, "insert": (80, 20)})
    hatch = space.add_hatch()
    hatch.paths.add_polyline_path([(70, 70), (80, 70), (80, 80)])
    space.add_solid([(75, 75), (90, 75), (90, 90)])  # crosses the hatch, but belongs to no class
    dimension = space.add_linear_dim(base=(0, 30), p1=(10, 25), p2=(30, 25), text=" ").render().dimension
    assert dimension.dxftype() == "DIMENSION"
    return content_of(document, tmp_path)


def test_every_class_counted_by_hand(tmp_path):
    content = drawing_of_every_class(tmp_path)
    counts = gf_counts(content.types, content.boxes)
    expected = np.zeros((10, 11), dtype=np.int64)
    for name in ("ARC", "TEXT", "MTEXT", "LWPOLYLINE", "DIMENSION", "HATCH"):
        expected[CLASS[name], 0] = 1
    for name, other, pairs in (("CIRCLE", "LINE", 2), ("INSERT", "LEADER", 1)):
        expected[CLASS[name], pair_column(name, other)] = pairs
        expected[CLASS[other], pair_column(other, name)] = pairs
    np.testing.assert_array_equal(counts, expected)
    assert not counts[:, 1].any()


def test_edges_counted_by_hand(tmp_path):
    content = drawing_of_every_class(tmp_path)
    edges = gf_edge_counts(content.types)
    order = ["LWPOLYLINE", "CIRCLE", "LINE", "LINE", "ARC", "CIRCLE", "INSERT", "LEADER"]
    order += ["TEXT", "MTEXT", "HATCH", "DIMENSION"]  # the SOLID between HATCH and DIMENSION is no node
    expected = np.zeros((10, 10), dtype=np.int64)
    for first, second in pairwise(order):
        if first != second:
            expected[CLASS[first], CLASS[second]] += 1
            expected[CLASS[second], CLASS[first]] += 1
    np.testing.assert_array_equal(edges, expected)
    np.testing.assert_array_equal(gf_adjacency(edges), expected > 0)
    assert gf_adjacency(edges).dtype == np.uint8 and not gf_adjacency(edges).diagonal().any()


def test_edges_follow_handles_as_numbers(tmp_path):
    document, space = new_drawing()
    for handle, entity in (
        ("1000", space.add_text("A")),  # sorted as text it would come first, and TEXT - CIRCLE be an edge
        ("FF0", space.add_circle((0, 0), 1)),
        ("FFF", space.add_line((0, 0), (1, 1))),
    ):
        document.entitydb.discard(entity)
        entity.dxf.handle = handle
        document.entitydb.add(entity)
    edges = gf_edge_counts(content_of(document, tmp_path).types)
    assert edges[CLASS["CIRCLE"], CLASS["LINE"]] == edges[CLASS["LINE"], CLASS["TEXT"]] == 1
    assert edges[CLASS["TEXT"], CLASS["CIRCLE"]] == 0


BOXES = {
    "touching": ([0, 0, 1, 1], [1, 0, 2, 1], True, True),
    "touching in a corner": ([0, 0, 1, 1], [1, 1, 2, 2], True, True),
    "crossing": ([0, 0, 3, 1], [1, -1, 2, 2], True, True),
    "contained": ([0, 0, 9, 9], [1, 1, 2, 2], False, True),
    "contained up to the edge": ([0, 0, 9, 9], [0, 0, 2, 2], False, True),
    "equal": ([0, 0, 1, 1], [0, 0, 1, 1], False, True),
    "apart": ([0, 0, 1, 1], [1.1, 0, 2, 1], False, False),
    "line on an edge, reaching out": ([0, 0, 1, 1], [1, -1, 1, 2], True, True),
    "nothing to see": ([0, 0, 1, 1], [np.nan] * 4, False, False),
}


@pytest.mark.parametrize(("first", "second", "cross", "intersects"), BOXES.values(), ids=BOXES.keys())
def test_when_two_boxes_overlap(first, second, cross, intersects):
    types, boxes = types_of("LINE", "ARC"), np.array([first, second], dtype=np.float64)
    for overlap, expected in (("cross", cross), ("intersects", intersects)):
        counts = gf_counts(types, boxes, overlap)
        assert counts[CLASS["LINE"], pair_column("LINE", "ARC")] == int(expected)
        assert counts[:, 0].sum() == (0 if expected else 2)


def test_counts_do_not_hang_on_the_last_digit():
    boxes = np.array([[0, 0, 0.1 + 0.2, 1], [0.3 + 1e-9, 0, 1, 1], [0, 0, 1 + 1e-9, 1 - 1e-9]])
    counts = gf_counts(types_of("LINE", "ARC", "LWPOLYLINE"), boxes)
    assert counts[CLASS["LINE"], pair_column("LINE", "ARC")] == 1
    assert counts[CLASS["LWPOLYLINE"], 0] == 1  # still contains both


coordinates = st.integers(0, 12).map(float)
random_boxes = st.lists(st.tuples(coordinates, coordinates, st.integers(0, 6), st.integers(0, 6)), max_size=40)


def double_loop(boxes, overlap):
    pairs = set()
    for i, (ax, ay, au, av) in enumerate(boxes):
        for j, (bx, by, bu, bv) in enumerate(boxes[:i]):
            meet = ax <= bu and bx <= au and ay <= bv and by <= av
            inside = ax <= bx and ay <= by and au >= bu and av >= bv
            around = bx <= ax and by <= ay and bu >= au and bv >= av
            if meet and (overlap == "intersects" or not (inside or around)):
                pairs.add((j, i))
    return pairs


@given(random_boxes, st.sampled_from(["cross", "intersects"]), st.integers(1, 50))
def test_vectorised_overlaps_equal_the_double_loop(corners, overlap, at_once):
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in corners], dtype=np.float64).reshape(-1, 4)
    boxes = np.insert(boxes, len(boxes) // 2, np.nan, axis=0)  # one that shows nothing must not shift the others
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dataset.dxf_process_GF.PAIRS_AT_ONCE", at_once)
        found = [
            (int(i), int(j))
            for first, second in overlapping_pairs(boxes, overlap)
            for i, j in zip(first, second, strict=True)
        ]
    assert len(found) == len(set(found))
    assert set(found) == double_loop(boxes.tolist(), overlap)


@given(random_boxes, st.data())
def test_counts_are_consistent_and_never_negative(corners, data):
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in corners], dtype=np.float64).reshape(-1, 4)
    types = np.array(data.draw(st.lists(st.integers(0, 11), min_size=len(boxes), max_size=len(boxes))), dtype=np.int64)
    counts = gf_counts(types, boxes)
    assert counts.min() >= 0
    assert (counts[:, 0] <= np.bincount(types, minlength=12)[:10]).all()
    pairs = np.zeros((10, 10), dtype=np.int64)
    pairs[~np.eye(10, dtype=bool)] = counts[:, 2:].ravel()
    np.testing.assert_array_equal(pairs, pairs.T)
    shifted = boxes * 4 + (100, -7, 100, -7)
    np.testing.assert_array_equal(counts, gf_counts(types, shifted))
    np.testing.assert_array_equal(counts, gf_counts(types, boxes[:, [1, 0, 3, 2]]))


def test_columns_and_rows_are_normalised():
    counts = np.zeros((10, 11), dtype=np.int64)
    counts[0, 0], counts[9, 0] = 3, 1
    counts[2, [2, 5, 10]] = 1, 2, 5
    features = gf_features(counts)
    assert features.dtype == np.float32
    assert features[:, 0].tolist() == [0.75, *[0] * 8, 0.25]
    assert features[2, [2, 5, 10]].tolist() == [0.125, 0.25, 0.625]
    assert features[3, 1:].tolist() == [0] * 10
    assert not gf_features(np.zeros((10, 11), dtype=np.int64)).any()


def test_drawing_without_gf_entities_has_no_graph(tmp_path):
    document, space = new_drawing()
    space.add_solid([(0, 0), (1, 0), (0, 1)])
    content = content_of(document, tmp_path)
    assert len(content) == 1 and gf_graph(content) is None


def test_a_hundred_thousand_entities_take_seconds():
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 1000, (100_000, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(0, 3, (100_000, 2))], axis=1)
    boxes[0] = (-1, -1, 1010, 1010)
    types = rng.integers(0, len(TYPE_INDEX), 100_000)
    started = time.perf_counter()
    counts = gf_counts(types, boxes)
    assert time.perf_counter() - started < 10
    assert counts.sum() > 90_000
