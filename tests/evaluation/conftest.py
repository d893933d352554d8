"""A small archive of odd drawings, read once."""

import numpy as np
import pytest
from ezdxf.math import Matrix44

from evaluation.archive import load_archive
from tests.dataset.building import new_drawing, saved


def part(seed, scale=1.0, words=True):
    """A made-up sheet; the same seed gives the same one."""
    rng = np.random.default_rng(seed)
    document, msp = new_drawing()
    msp.add_lwpolyline([(0, 0), (200, 0), (200, 100 + 10 * seed), (0, 100 + 10 * seed)], close=True)
    for x, y, size in rng.uniform(5, 90, (6 + 4 * seed, 3)):
        msp.add_circle((x, y), size / 4)
        msp.add_line((x, y), (x + size, y + 3))
    if words:
        msp.add_text(f"BRACKET {seed} NOTE {seed * 1234}", height=5).set_placement((10, 10))
    for entity in msp:
        entity.transform(Matrix44.scale(scale, scale, 1))
    return document


@pytest.fixture(scope="session")
def drawings(tmp_path_factory):
    """Six drawings in two folders: 2 is 1 in inches, one has no words, one no graph; and one that cannot be read."""
    folder = tmp_path_factory.mktemp("archive（旧） [a] <b>")
    saved(part(1), folder, "one.dxf")
    saved(part(1, scale=1 / 25.4), folder, "sub/two & a half.dxf")
    saved(part(2), folder, "three.dxf")
    saved(part(3), folder, "four（四）.dxf")
    saved(part(2, words=False), folder, "sub/silent.dxf")
    solid, msp = new_drawing()
    msp.add_solid([(0, 0), (1, 0), (0, 1)])
    saved(solid, folder, "solid.dxf")
    (folder / "broken.dxf").write_text("no drawing")
    return folder


@pytest.fixture(scope="session")
def archive(drawings, tmp_path_factory):
    return load_archive(drawings, tmp_path_factory.mktemp("cache"), "cross", False, workers=1)
