"""The table of entities: what its version stands for, and what a network sees of a row."""

import hashlib

import numpy as np

from dataset.entities import (
    ABSENT,
    DEEPDXF_TYPES,
    MEASUREMENT_COLUMN,
    MEASUREMENT_LIMIT,
    ROW_LENGTH,
    SCHEMA_VERSION,
    SLOTS,
    TYPE_SLOTS,
    model_rows,
)


def test_the_table_does_not_change_without_its_version():
    """If this fails, files on disk and models no longer mean what the table says: raise SCHEMA_VERSION, then this."""
    table = (DEEPDXF_TYPES, [(slot.name, slot.kind.name) for slot in SLOTS], sorted(TYPE_SLOTS.items()))
    digest = hashlib.sha256(repr(table).encode()).hexdigest()[:16]
    assert (SCHEMA_VERSION, digest) == (2, "db7d15d47b098856")


def test_a_network_sees_the_measurement_as_a_growing_bin_and_the_rest_as_it_is():
    rows = np.full((5, ROW_LENGTH), ABSENT, dtype=np.int32)
    rows[:, 1] = [0, 1, 128, 254, 255]
    rows[:, MEASUREMENT_COLUMN] = [ABSENT, 0, 1_000, 2_000, MEASUREMENT_LIMIT]
    seen = model_rows(rows)
    assert seen.dtype == np.int16
    bins = seen[:, MEASUREMENT_COLUMN]
    assert bins[0] == ABSENT
    assert bins[1] == 0
    assert bins[-1] == 255
    assert (np.diff(bins[1:]) > 0).all()
    others = np.delete(seen, MEASUREMENT_COLUMN, axis=1)
    assert np.array_equal(others, np.delete(rows, MEASUREMENT_COLUMN, axis=1))
