"""The vectorised rows equal the table's plain ones."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dataset.entities import DEEPDXF_TYPES, SLOT_INDEX, SLOTS, TYPE_SLOTS, Extents, Kind, make_row, make_rows

numbers = st.floats(allow_nan=False, allow_infinity=False)
near = st.floats(-1000, 1000)
extents = st.builds(Extents, near, near, st.floats(0, 1e6), st.floats(0, 1e6))


@st.composite
def entities(draw):
    name = draw(st.sampled_from(DEEPDXF_TYPES))
    slots = draw(st.lists(st.sampled_from(TYPE_SLOTS[name]), unique=True))
    return name, {slot: draw(st.one_of(near, numbers)) for slot in slots}


@given(st.lists(entities(), max_size=8), extents)
def test_many_rows_at_once_equal_single_rows(drawn, frame):
    types = np.array([DEEPDXF_TYPES.index(name) for name, _ in drawn], dtype=np.int64)
    with np.errstate(over="ignore"):
        rows = make_rows(types, [values for _, values in drawn], frame)
    assert rows.dtype == np.int32 and rows.shape == (len(drawn), 1 + len(SLOTS))
    for row, (name, values) in zip(rows, drawn, strict=True):
        np.testing.assert_array_equal(row, make_row(name, values, frame))


def test_angles_use_the_whole_range_and_radii_and_scales_keep_apart():
    frame = Extents(0.0, 0.0, 100.0, 50.0)
    column = 1 + SLOT_INDEX["rotation"]
    turns = [{"rotation": 360.0 * i / 256} for i in range(256)]
    inserts = np.full(256, DEEPDXF_TYPES.index("INSERT"))
    assert make_rows(inserts, turns, frame)[:, column].tolist() == list(range(256))

    one, two, mirrored = make_rows(inserts[:3], [{"scale_x": s} for s in (1.0, 2.0, -1.0)], frame)
    column = 1 + SLOT_INDEX["scale_x"]
    assert len({one[column], two[column], mirrored[column]}) == 3

    small, large = make_rows(np.full(2, DEEPDXF_TYPES.index("CIRCLE")), [{"radius": 60.0}, {"radius": 100.0}], frame)
    column = 1 + SLOT_INDEX["radius"]
    assert (small[column], large[column]) == (153, 255)


def test_every_kind_of_slot_is_covered_by_the_property():
    assert {slot.kind for slot in SLOTS} == set(Kind)
