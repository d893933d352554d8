"""Benchmark sets: reproducible, train and test apart, and true to what they say of their drawings."""

import json
import os
import subprocess
import sys
from pathlib import Path

import ezdxf
import numpy as np
import pytest
from ezdxf.disassemble import recursive_decompose
from scipy.spatial import cKDTree

from dataset.editing.draft import moved_point
from dataset.generator import KINDS
from dataset.generator.benchmark import PER_FAMILY, generated_jobs
from dataset.generator.hand import House, Member
from dataset.generator.placement import union
from dataset.generator.shapes import SPLITS, dealt, shapes_of
from dataset.generator.symbols import SYMBOLS
from dataset.generator.symbols.library import LibrarySymbol, dealt_symbols

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "dataset" / "dxf_benchmark.py"


def make(output: Path, *arguments: object, hash_seed: str = "0") -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, str(SCRIPT), "--output", str(output), *map(str, arguments)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def truth_of(folder: Path) -> dict:
    return json.loads((folder / "truth.json").read_text(encoding="utf-8"))


def groups_of(folder: Path) -> list[list[str]]:
    return json.loads((folder / "groups.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def sets(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sets")
    for benchmark, size in (("families", 16), ("symbols", 24), ("revisions", 20), ("saveas", 20)):
        finished = make(folder / benchmark, "--benchmark", benchmark, "--size", size, "--seed", 3)
        assert finished.returncode == 0, finished.stderr
        assert f"{size} drawings" in finished.stdout
    return {path.name: path for path in folder.iterdir()}


# -- shapes and hands ------------------------------------------------------------------------------------------------


def test_training_and_testing_share_no_shape_and_leave_none_out():
    for seed in range(5):
        train, test = ([shape.name for shape in dealt(seed, split)] for split in SPLITS)
        assert not set(train) & set(test)
        assert sorted(train + test) == sorted(shape.name for kind in KINDS for shape in shapes_of(kind))
        assert len({name.split("/")[0] for name in test}) == len(KINDS)
    assert dealt(0, "test") != dealt(1, "test")


def test_a_shape_is_what_the_design_of_every_member_has():
    for shape in dealt(0, "test"):
        for number in range(2):
            member = Member(0, "test", shape, number)
            assert {question: getattr(member.design, question) for question, _ in shape.answers} == dict(shape.answers)
            shown = {view for row in member.design.plan for view in row}
            assert set(shape.kind.shown_in) <= shown


def test_no_style_belongs_to_a_family():
    """Every house draws: the houses of a family are not its own, and no family has but one."""
    shapes = dealt(0, "test")[:8]
    houses = [{Member(0, "test", shape, number).style for number in range(12)} for shape in shapes]
    known = {House(0, "test", number).style for number in range(3)}
    assert all(len(styles) >= 2 and styles <= known for styles in houses)


def test_members_of_a_family_differ_in_size():
    for shape in dealt(1, "train")[:15]:
        sizes = {shape.kind.size(Member(1, "train", shape, number).part) for number in range(6)}
        assert len(sizes) >= 2


def test_a_large_set_has_families_of_the_stated_size(tmp_path):
    jobs = generated_jobs(tmp_path, "families", 40 * PER_FAMILY, 0, "test")
    families = [job.origin.shape.name for job in jobs]
    assert len(set(families)) == 40 and {families.count(name) for name in families} == {PER_FAMILY}
    assert len({job.name for job in jobs}) == len(jobs)
    assert [job.name for job in jobs] != sorted(job.name for job in jobs)  # no name tells the family


# -- the sets --------------------------------------------------------------------------------------------------------


def test_the_files_depend_on_the_seed_alone(tmp_path):
    contents = []
    for workers, hash_seed in ((1, "1"), (2, "4")):
        folder = tmp_path / f"{workers} (Cu)（321）"
        arguments = ("--benchmark", "saveas", "--size", 10, "--seed", 7, "--workers", workers)
        finished = make(folder, *arguments, hash_seed=hash_seed)
        assert finished.returncode == 0, finished.stderr
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert contents[0] == contents[1]
    assert len(contents[0]) == 10 + 2


def test_classes_of_symbols_are_in_one_split_and_none_is_left_out():
    for seed in range(5):
        train, test = (dealt_symbols(seed, split) for split in SPLITS)
        assert not set(train) & set(test)
        assert sorted(train + test) == sorted(SYMBOLS) and abs(len(train) - len(test)) <= 1


@pytest.mark.parametrize("name", SYMBOLS)
def test_symbols_of_a_class_differ_and_are_drawn_from_their_number_alone(name):
    sheets = [LibrarySymbol(0, "test", name, number).sheet() for number in range(6)]
    assert LibrarySymbol(0, "test", name, 3).sheet() == sheets[3]
    assert len({repr(sheet.items) for sheet in sheets}) == 6
    for sheet in sheets:
        low_x, low_y, high_x, high_y = union(item.box() for item in sheet.items)
        assert max(high_x - low_x, high_y - low_y) > 0


def test_groups_of_symbols_are_classes(sets):
    family = {entry["file"]: entry["family"] for entry in truth_of(sets["symbols"])["files"]}
    groups = groups_of(sets["symbols"])
    assert [len({family[name] for name in group}) for group in groups] == [1] * len(groups) == [1, 1]
    assert set(family.values()) <= set(dealt_symbols(3, "test"))


def test_groups_are_families(sets):
    family = {entry["file"]: entry["family"] for entry in truth_of(sets["families"])["files"]}
    groups = groups_of(sets["families"])
    assert sorted(name for group in groups for name in group) == sorted(family)
    assert sorted(path.name for path in sets["families"].glob("*.dxf")) == sorted(family)
    assert [len({family[name] for name in group}) for group in groups] == [1] * len(groups)
    assert len(set(family.values())) == len(groups) == 2


@pytest.mark.parametrize("benchmark", ["revisions", "saveas"])
def test_groups_are_an_original_and_its_edited_self(sets, benchmark):
    truth = {entry["file"]: entry for entry in truth_of(sets[benchmark])["files"]}
    groups = groups_of(sets[benchmark])
    assert len(groups) == 4 and len(truth) == 20
    for original, edited in groups:
        assert truth[edited]["original"] == original and truth[original]["original"] is None
        assert truth[edited]["edits"] and not truth[original]["edits"]
        assert truth[edited]["family"] == truth[original]["family"]


@pytest.mark.parametrize("benchmark", ["families", "symbols", "revisions", "saveas"])
def test_every_drawing_is_valid(sets, benchmark):
    for path in sets[benchmark].glob("*.dxf"):
        document = ezdxf.readfile(path)
        auditor = document.audit()
        assert len(document.modelspace()) and not auditor.errors, path.name


def test_saving_as_changes_the_version(sets):
    truth = {entry["file"]: entry for entry in truth_of(sets["saveas"])["files"]}
    for name, entry in truth.items():
        assert ezdxf.readfile(sets["saveas"] / name).acad_release == entry["version"]
        if entry["original"]:
            assert entry["version"] != truth[entry["original"]]["version"]


def drawn_points(path: Path) -> np.ndarray:
    """Ends of lines and middles of circles, wherever they are nested; what all spellings of a sheet share."""
    points = []
    for entity in recursive_decompose(ezdxf.readfile(path).modelspace()):
        kind = entity.dxftype()
        if kind == "LINE":
            points += [entity.dxf.start, entity.dxf.end]
        elif kind == "LWPOLYLINE":
            points += list(entity.vertices_in_wcs())
        elif kind == "POLYLINE":
            points += [vertex.dxf.location for vertex in entity.vertices]
        elif kind in ("CIRCLE", "ARC"):
            points.append(entity.ocs().to_wcs(entity.dxf.center))
    return np.array([(point[0], point[1]) for point in points])


def found_again(original: np.ndarray, edited: np.ndarray, placed: list[float]) -> float:
    """Share of the original's points that the edited drawing has where `placed` puts them."""
    moved = np.array([moved_point(tuple(placed), point) for point in original])
    tolerance = 1e-4 * max(np.ptp(edited, axis=0).max(), 1e-9)
    distances, _ = cKDTree(edited).query(moved)
    return float(np.mean(distances < tolerance))


@pytest.mark.parametrize("benchmark, least", [("revisions", 0.3), ("saveas", 0.6)])
def test_an_edited_drawing_has_the_geometry_of_its_original_and_of_no_other(sets, benchmark, least):
    folder = sets[benchmark]
    truth = truth_of(folder)["files"]
    originals = {entry["file"]: drawn_points(folder / entry["file"]) for entry in truth if not entry["original"]}
    for entry in (entry for entry in truth if entry["original"]):
        edited = drawn_points(folder / entry["file"])
        shares = {name: found_again(points, edited, entry["placed"]) for name, points in originals.items()}
        assert shares[entry["original"]] >= least
        assert max(shares, key=shares.get) == entry["original"]


# -- of given drawings -----------------------------------------------------------------------------------------------


@pytest.fixture
def drawings(tmp_path) -> Path:
    folder = tmp_path / "real ones（321）"
    (folder / "deeper").mkdir(parents=True)
    for number, place in enumerate((folder, folder / "deeper", folder)):
        document = ezdxf.new("R2000")
        space = document.modelspace()
        space.add_lwpolyline([(0, 0), (80, 0), (80, 50), (0, 50)], close=True)
        for i in range(12):
            space.add_circle((5 + 6 * i, 10 + 7 * number), 1 + number)
            space.add_text(f"T{i}", height=2).set_placement((5 + 6 * i, 40))
        document.saveas(place / f"A [{number if number < 2 else 'x'}] (Cu).dxf")
    return folder


def test_given_drawings_are_copied_and_edited(tmp_path, drawings):
    output = tmp_path / "out"
    finished = make(output, "--benchmark", "revisions", "--from", drawings)
    assert finished.returncode == 0, finished.stderr
    assert len(groups_of(output)) == 3
    by_name = {path.name: path for path in drawings.rglob("*.dxf")}
    for original, edited in groups_of(output):
        assert (output / original).read_bytes() == by_name[original].read_bytes()
        assert (output / edited).read_bytes() != (output / original).read_bytes()


def test_a_given_drawing_that_cannot_be_edited_is_named_and_left_out(tmp_path, drawings):
    (drawings / "broken.dxf").write_text("no drawing at all", encoding="utf-8")
    ezdxf.new("R2000").saveas(drawings / "blank.dxf")
    output = tmp_path / "out"
    finished = make(output, "--benchmark", "saveas", "--from", drawings, "--size", 0)
    assert finished.returncode == 3
    assert "skipped broken.dxf" in finished.stderr and "skipped blank.dxf" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert set(truth_of(output)["skipped"]) == {"broken.dxf", "blank.dxf"}
    assert len(groups_of(output)) == 3
    assert not (output / "broken.dxf").exists() and not (output / "blank.dxf").exists()


def test_a_number_of_given_drawings_gets_an_edited_self(tmp_path, drawings):
    finished = make(tmp_path / "out", "--benchmark", "saveas", "--from", drawings, "--size", 1)
    assert finished.returncode == 0, finished.stderr
    assert len(groups_of(tmp_path / "out")) == 1 and len(truth_of(tmp_path / "out")["files"]) == 4


def test_wrong_arguments_are_refused(tmp_path, drawings):
    assert make(tmp_path / "out", "--benchmark", "families", "--from", drawings).returncode == 2
    assert make(tmp_path / "out", "--benchmark", "revisions", "--size", -1).returncode == 2
    finished = make(drawings, "--benchmark", "revisions", "--from", drawings)
    assert finished.returncode == 1 and "another folder" in finished.stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    finished = make(tmp_path / "out", "--benchmark", "revisions", "--from", empty)
    assert finished.returncode == 1 and "no .dxf drawings" in finished.stderr
