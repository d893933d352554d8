"""A folder of drawings, read and kept."""

import numpy as np
import pytest

from config.errors import UserError
from dataset.storage import read_sequence
from evaluation.archive import load_archive
from tests.dataset.building import new_drawing, saved
from tests.evaluation.conftest import part

NAMES = ["four（四）.dxf", "one.dxf", "solid.dxf", "sub/silent.dxf", "sub/two & a half.dxf", "three.dxf"]


def test_it_holds_what_could_be_read_and_names_what_could_not(archive):
    assert archive.names == NAMES
    assert list(archive.skipped) == ["broken.dxf"]
    assert [drawing.source for drawing in archive.sequences()] == NAMES
    looks = dict(zip(NAMES, archive.looks(), strict=True))
    assert looks["one.dxf"].texts == ("BRACKET 1 NOTE 1234",)
    assert looks["sub/silent.dxf"].texts == ()
    assert all(look.picture.any() for look in looks.values())


def test_a_second_run_reads_nothing_again_and_a_changed_drawing_anew(tmp_path):
    folder, cache = tmp_path / "drawings", tmp_path / "cache"
    paths = [saved(part(seed), folder, f"{seed}.dxf") for seed in (1, 2)]

    def load():
        archive = load_archive(folder, cache, "cross", False, workers=1)
        return archive, [path.stat().st_mtime_ns for path in archive.sequence_paths]

    _, first = load()
    _, again = load()
    assert again == first
    saved(part(3), folder, paths[1].name)
    archive, changed = load()
    assert [new == old for new, old in zip(changed, first, strict=True)] == [True, False]
    assert list(archive.looks())[1].texts == ("BRACKET 3 NOTE 3702",)


def test_a_damaged_file_in_the_cache_is_made_again(tmp_path):
    folder, cache = tmp_path / "drawings", tmp_path / "cache"
    saved(part(1), folder, "1.dxf")
    archive = load_archive(folder, cache, "cross", False, workers=1)
    (whole,) = archive.looks()
    (path,) = archive.sequence_paths
    path.write_bytes(path.read_bytes()[:-200])
    (again,) = load_archive(folder, cache, "cross", False, workers=1).looks()
    assert np.array_equal(again.picture, whole.picture) and again.texts == whole.texts


def test_two_archives_of_one_name_keep_apart(tmp_path):
    for name, seed in (("a", 1), ("b", 2)):
        saved(part(seed), tmp_path / name / "drawings", "x.dxf")
    found = [load_archive(tmp_path / name / "drawings", tmp_path / "cache", "cross", False, 1) for name in "ab"]
    lengths = [read_sequence(archive.sequence_paths[0]).entity_count for archive in found]
    assert lengths[0] < lengths[1]


def test_what_is_no_archive_is_refused(tmp_path):
    with pytest.raises(UserError, match="--archive"):
        load_archive(tmp_path / "nowhere", tmp_path / "cache", "cross", False, 1)
    (tmp_path / "tensors").mkdir()
    (tmp_path / "tensors" / "a.h5").touch()
    with pytest.raises(UserError, match="preprocessed files"):
        load_archive(tmp_path / "tensors", tmp_path / "cache", "cross", False, 1)
    empty, _ = new_drawing()
    saved(empty, tmp_path / "blank", "blank.dxf")
    with pytest.raises(UserError, match=r"blank\.dxf"):
        load_archive(tmp_path / "blank", tmp_path / "cache", "cross", False, 1)
