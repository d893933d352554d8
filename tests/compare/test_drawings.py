"""A drawing that takes too long, or too much, costs itself only: one sentence, and the rest is read."""

import sys

import pytest

from compare.drawings import FEW, Reader, find, record_of, whole_of
from config.errors import UserError
from config.limits import Limits
from dataset.dxf_process import load_drawing
from dataset.storage import write_sequence
from tests.dataset.building import new_drawing, saved
from tests.dataset.test_pool import large_file


@pytest.fixture(scope="module")
def drawings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawings [1]（旧）")
    document, space = new_drawing()
    space.add_line((0, 0), (3, 1))
    saved(document, folder, "small.dxf")
    write_sequence(folder / "small.h5", load_drawing(folder / "small.dxf"))
    large_file(folder / "large.dxf", 500_000)
    return folder


@pytest.mark.parametrize("copies", [1, FEW])
@pytest.mark.parametrize("limits", [Limits(1, timeout=2.0), Limits(1, memory=0.1)], ids=["--timeout", "--memory"])
def test_a_huge_drawing_is_one_sentence_and_the_rest_is_read(drawings, limits, copies):
    if limits.memory and sys.platform != "linux":
        pytest.skip("the platform cannot limit the memory of a process")
    paths = [drawings / "small.dxf", drawings / "large.dxf", *[drawings / "small.h5"] * copies]
    with Reader(paths, limits, record_of) as reader:
        small, large, *others = reader.read()
    assert large.startswith(f"cannot read {drawings / 'large.dxf'}: ")
    assert ("--memory" if limits.memory else "longer than 2 s (--timeout)") in large
    assert "\n" not in large
    assert {each.entity_count for each in (small, *others)} == {1}


def test_what_a_process_reads_is_what_is_read_here(drawings):
    with Reader([drawings / "small.dxf"], Limits(), whole_of) as reader:
        (found,) = reader.read(overlap="intersects", visible_only=True)
    here = load_drawing(drawings / "small.dxf", "intersects", True)
    assert found.record.dxf_vec.tolist() == here.dxf_vec.tolist()
    assert (found.record.overlap, found.record.visible_only) == ("intersects", True)
    assert found.figure.strokes.tolist() == [[0.0, 0.0, 3.0, 1.0]]


def test_a_few_sequence_files_start_no_process(drawings):
    with Reader([drawings / "small.h5"] * FEW, Limits(), record_of) as reader:
        assert reader._pool is None
        assert len(list(reader.read())) == FEW


def test_a_folder_without_drawings_is_said_to_have_none(drawings, tmp_path):
    assert [path.name for path in find(drawings)] == ["large.dxf", "small.dxf", "small.h5"]
    with pytest.raises(UserError, match="holds no drawings"):
        find(tmp_path)


@pytest.mark.parametrize("wrong", [{"workers": -1}, {"timeout": 0}, {"memory": -1}])
def test_limits_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Limits(**wrong)
