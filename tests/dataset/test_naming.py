"""Drawings keep their path as their id; their outputs have names that every file system takes and keeps apart."""

import os
import unicodedata
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.naming import MAX_BYTES, find_drawings, output_names, portable
from dataset.storage import read_sequence
from tests.dataset.building import new_drawing, saved


def test_names_that_differ_only_in_case_or_folder_stay_apart():
    sources = ["a.dxf", "A.DXF", "a.DXF", "b/a.dxf", "B/a.dxf", "c.dxf", "c.dxf.dxf", "x.y.dxf", "（321）.dxf"]
    names = output_names(sources)
    assert len({name.casefold() for name in names.values()}) == len(sources)
    assert names["x.y.dxf"] == "x.y.h5" and names["（321）.dxf"] == "（321）.h5"
    assert names["a.dxf"].startswith("a.dxf.") and names["A.DXF"].startswith("A.DXF.")
    assert output_names(["a.dxf", "sub/x.dxf"])["sub/x.dxf"] == "sub/x.h5"


@pytest.mark.parametrize(
    ("part", "safe"),
    [
        ("CON", "%43ON"),
        ("nul.h5", "%6Eul.h5"),
        ("COM1 .x", "%43OM1 .x"),
        ("console", "console"),
        ("end.", "end%2E"),
        ("end ", "end%20"),
        ('a<b>:"|?*\\', "a%3Cb%3E%3A%22%7C%3F%2A%5C"),
        ("100%", "100%25"),
        ("tab\t", "tab%09"),
        ("QFN21LA(Cu) -508 Rev1_5", "QFN21LA(Cu) -508 Rev1_5"),
        ("（321）客户", "（321）客户"),
    ],
)
def test_what_windows_forbids_is_encoded_reversibly(part, safe):
    assert portable(part) == safe
    assert unquote(safe) == part


NAMES = st.text(st.sampled_from("aA.%~é\u0301 :5hCON/\udc80客"), min_size=1, max_size=12)


@given(st.sets(NAMES.map(lambda name: f"{name}.dxf"), min_size=1, max_size=12))
def test_no_two_drawings_share_an_output_and_no_output_is_a_folder_of_another(sources):
    sources = [source for source in sources if all(source.split("/"))]
    outputs = list(output_names(sources).values())
    keys = [unicodedata.normalize("NFC", output).casefold() for output in outputs]
    assert len(set(keys)) == len(sources)
    folders = {key.rsplit("/", depth)[0] for key in keys for depth in range(1, key.count("/") + 1)}
    assert not folders & set(keys)
    assert all(part[-1] not in ". " and ":" not in part for output in outputs for part in output.split("/"))


def test_a_folder_called_like_an_output_leaves_it_the_name():
    assert output_names(["a.dxf", "a.h5/b.dxf", "a.H5/b.dxf"])["a.h5/b.dxf"] != "a.h5/b.h5"
    assert output_names(["a.dxf"])["a.dxf"] == "a.h5"


@pytest.mark.parametrize("character", ["x", "图", "%"])
def test_long_names_are_cut_and_stay_apart(character):
    longest = character * (MAX_BYTES // len(character.encode()) - 4)
    sources = [f"{longest}{end}.dxf" for end in ("a", "b", "A")] + [f"{longest}12345/{end}.dxf" for end in "ab"]
    names = output_names(sources)
    assert len({name.casefold() for name in names.values()}) == len(sources)
    assert all(len(part.encode()) <= MAX_BYTES for name in names.values() for part in name.split("/"))


def line_drawing(folder, name):
    document, space = new_drawing()
    space.add_line((0, 0), (1, 0))
    return saved(document, folder, name)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_odd_names_get_through_with_their_path_as_their_id(tmp_path):
    path = line_drawing(tmp_path, "drawing.dxf")
    not_utf8 = os.fsdecode(b"gr\xf6\xdfe.dxf")
    names = ["CON.dxf", "a: b?.dxf", "dots./NUL/x.dxf", f"{'长' * 83}.dxf", f"{'長' * 80}/x.dxf", "a\nb.DXF", not_utf8]
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(path.read_bytes())
    config = ProcessConfig(tmp_path / "in", tmp_path / "out", workers=1)
    assert process_drawings(config).statuses == {"read": len(names)}
    outputs = list((tmp_path / "out" / "DeepDXF").rglob("*.h5"))
    assert {read_sequence(output).source for output in outputs} == set(names)
    assert process_drawings(config).statuses == {"unchanged": len(names)}


def test_drawings_are_found_in_any_case_and_in_a_fixed_order(tmp_path):
    for name in ("b.DXF", "a.dxf", "sub/c.Dxf", "d.txt", ".dxf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.dxf").mkdir()
    found = find_drawings(tmp_path)
    assert found.sources == [".dxf", "a.dxf", "b.DXF", "sub/c.Dxf"] and not found.unreadable
    assert output_names(found.sources)[".dxf"] == ".dxf.h5"
    one = find_drawings(tmp_path / "a.dxf")
    assert one.sources == ["a.dxf"] and one.path("a.dxf") == tmp_path / "a.dxf"
    assert find_drawings(tmp_path / "absent").sources == []


def test_links_are_followed_once_and_circles_end(tmp_path):
    archive, elsewhere = tmp_path / "in", tmp_path / "elsewhere"
    line_drawing(archive / "z real", "a.dxf")
    line_drawing(elsewhere, "b.dxf")
    try:
        (archive / "again").symlink_to(archive / "z real", target_is_directory=True)
        (archive / "z real" / "up").symlink_to(archive, target_is_directory=True)
        (archive / "linked").symlink_to(elsewhere, target_is_directory=True)
        (archive / "itself.dxf").symlink_to("itself.dxf")
        (archive / "nowhere.dxf").symlink_to("gone")
    except OSError:
        pytest.skip("the platform allows no symbolic links")
    assert find_drawings(archive).sources == ["itself.dxf", "linked/b.dxf", "nowhere.dxf", "z real/a.dxf"]


def test_a_folder_that_cannot_be_searched_is_named(tmp_path, monkeypatch):
    line_drawing(tmp_path / "in", "a.dxf")
    (tmp_path / "in" / "secret").mkdir()
    scandir = os.scandir

    def guarded(folder):  # root may read everything, so permissions cannot show it
        if Path(folder).name == "secret":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", guarded)
    report = process_drawings(ProcessConfig(tmp_path / "in", tmp_path / "out", workers=1))
    assert report.statuses == {"read": 1, "skipped": 1}
    (skipped,) = report.named["skipped"]
    assert skipped.source == "secret/" and "Permission denied" in skipped.reason
