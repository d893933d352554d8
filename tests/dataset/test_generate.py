"""The drawing generator: reproducible, valid, true to what it says about its drawings."""

import json
import math
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import ezdxf
import pytest
from ezdxf import bbox

from dataset.generator import EDITS, KINDS, Family, OutputNotEmptyError, draw, generate
from dataset.generator.items import Arc, Circle, Dim, Hatch, Insert, Line, Poly, Text
from dataset.generator.placement import Placement
from dataset.generator.sheet import Sheet, wrapped
from dataset.generator.writer import build_document, document_bytes, pattern_lines

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "dataset" / "dxf_generate.py"
TYPES = {"ARC", "TEXT", "MTEXT", "LWPOLYLINE", "INSERT", "DIMENSION", "LEADER", "CIRCLE", "HATCH", "LINE", "SOLID"}
TYPES |= {"SPLINE"}


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    """Each kind once, with variants and revisions."""
    folder = tmp_path_factory.mktemp("archive")
    generate(folder, families=len(KINDS), per_family=4, seed=0)
    return folder


@pytest.fixture(scope="module")
def truth(archive) -> list[dict]:
    return json.loads((archive / "truth.json").read_text(encoding="utf-8"))["files"]


@pytest.fixture(scope="module")
def documents(archive, truth) -> dict:
    return {entry["file"]: ezdxf.readfile(archive / entry["file"]) for entry in truth}


def run_script(*arguments: str, cwd: Path, hash_seed: str = "0") -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], cwd=cwd, env=environment, capture_output=True, text=True
    )


def plain_sheet(kind: str) -> Sheet:
    """The first drawing of a kind as it is before any edit, in an office that does not wrap its sheets."""
    family = next(Family(0, i) for i, k in enumerate(KINDS) if k.name == kind)
    sheet = family.first_sheet(0)
    return replace(sheet, style=replace(sheet.style, wrapped=False))


def edited(sheet: Sheet, name: str, seed: int = 1) -> Sheet:
    result = EDITS[name][0](sheet, Random(seed))
    assert result is not None, f"{name} finds nothing to do"
    assert [edit.name for edit in result.edits] == [name]
    return result


def modelspace(sheet: Sheet, version: str = "R2000"):
    return build_document(sheet, version).modelspace()


def types(sheet: Sheet) -> Counter:
    return Counter(entity.dxftype() for entity in modelspace(sheet))


def everything(document) -> list:
    """Entities of the modelspace and of the blocks that people made, anonymous ones left out."""
    own = [block for block in document.blocks if not block.name.startswith("*")]
    return [entity for layout in (document.modelspace(), *own) for entity in layout]


# -- the archive -----------------------------------------------------------------------------------------------------


def test_the_command_writes_the_same_bytes_in_any_process(tmp_path):
    """Three hash seeds, since a set of two names has the same order in half of the processes."""
    arguments = ("--families", "6", "--per_family", "2", "--seed", "5")
    contents = []
    for hash_seed in ("1", "4", "7"):
        folder = tmp_path / f"a b (Cu)（{hash_seed}） [x]"
        done = run_script("--output", str(folder), *arguments, cwd=tmp_path, hash_seed=hash_seed)
        assert done.returncode == 0, done.stderr
        assert "12 drawings" in done.stdout
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert contents[0] == contents[1] == contents[2]
    assert len(contents[0]) == 12 + 2  # groups.json and truth.json, nothing temporary


def test_another_seed_gives_other_drawings():
    one, two = (document_bytes(draw(seed, family=4, number=0)) for seed in (0, 1))
    assert one != two


def test_a_family_is_the_same_however_many_are_asked_for(tmp_path, archive):
    generate(tmp_path, families=2, per_family=4, seed=0)
    for path in tmp_path.glob("*.dxf"):
        assert path.read_bytes() == (archive / path.name).read_bytes()


def test_groups_name_every_file_once_and_are_the_families(archive, truth):
    groups = json.loads((archive / "groups.json").read_text(encoding="utf-8"))
    named = [name for group in groups for name in group]
    assert sorted(named) == sorted(path.name for path in archive.glob("*.dxf"))
    assert len(set(named)) == len(named) == len(KINDS) * 4
    family = {entry["file"]: entry["family"] for entry in truth}
    assert [{family[name] for name in group} for group in groups] == [{i} for i in range(len(KINDS))]


def test_names_are_valid_on_windows_and_unique_without_regard_to_case(truth):
    names = [entry["file"] for entry in truth]
    assert not set("".join(names)) & set('<>:"/\\|?*')
    assert len({name.casefold() for name in names}) == len(names)
    assert any(" " in n for n in names) and any("(" in n for n in names) and any("（" in n or "×" in n for n in names)


def test_truth_tells_variants_from_revisions(truth):
    by_name = {entry["file"]: entry for entry in truth}
    for entry in truth:
        if entry["original"] is None:
            assert entry["edits"] == []
            continue
        original = by_name[entry["original"]]
        assert original["original"] is None
        assert (original["family"], original["variant"]) == (entry["family"], entry["variant"])
        assert 1 <= len(entry["edits"]) <= 3
        assert all(edit["name"] in EDITS for edit in entry["edits"])
    assert sum(entry["original"] is not None for entry in truth) == len(truth) / 2


def test_places_of_edits_lie_in_the_drawing(truth, documents):
    for entry in truth:
        document = documents[entry["file"]]
        (x0, y0, _), (x1, y1, _) = document.header["$EXTMIN"], document.header["$EXTMAX"]
        slack = 0.1 * max(x1 - x0, y1 - y0)
        for box in (box for edit in entry["edits"] for box in edit["places"]):
            assert x0 - slack <= box[0] <= box[2] <= x1 + slack
            assert y0 - slack <= box[1] <= box[3] <= y1 + slack


def test_the_auditor_finds_nothing(documents):
    for name, document in documents.items():
        auditor = document.audit()
        assert not auditor.errors, (name, auditor.errors[0].message)
        assert not auditor.fixes, (name, auditor.fixes[0].message)


def test_all_entity_types_and_versions_appear(documents):
    found = Counter(e.dxftype() for document in documents.values() for e in document.modelspace())
    assert set(found) >= TYPES
    assert {document.acad_release for document in documents.values()} == {"R12", "R2000", "R2018"}


def test_every_dimension_is_rendered(documents):
    for document in documents.values():
        dimensions = [entity for entity in everything(document) if entity.dxftype() == "DIMENSION"]
        assert all(len(document.blocks.get(dimension.dxf.geometry)) > 2 for dimension in dimensions)


def test_drawings_have_the_size_of_real_ones(documents):
    counts = sorted(len(everything(document)) for document in documents.values())
    assert counts[0] >= 50
    assert 130 <= counts[len(counts) // 2] <= 500
    assert counts[-1] <= 2000


def test_some_curves_are_long_and_some_are_bulged(documents):
    curves = [e for document in documents.values() for e in everything(document) if e.dxftype() == "LWPOLYLINE"]
    assert any(len(curve) > 20 for curve in curves)
    assert any(curve.has_arc for curve in curves)
    hatches = [e for document in documents.values() for e in everything(document) if e.dxftype() == "HATCH"]
    assert {bool(hatch.dxf.solid_fill) for hatch in hatches} == {True, False}
    assert {path.type.name for hatch in hatches for path in hatch.paths} == {"POLYLINE", "EDGE"}


def test_some_inserts_are_turned_scaled_mirrored_and_nested(documents):
    inserts = [e for document in documents.values() for e in everything(document) if e.dxftype() == "INSERT"]
    assert any(insert.dxf.rotation % 360 for insert in inserts)
    assert any(abs(insert.dxf.xscale) not in (0.0, 1.0) for insert in inserts)
    assert any(insert.dxf.xscale * insert.dxf.yscale < 0 for insert in inserts)
    assert any(insert.get_layout().is_block_layout for insert in inserts)


def test_all_families_can_be_drawn_beyond_one_lap():
    """Three laps around the kinds: every style and plan meets most kinds."""
    for index in range(0, 3 * len(KINDS), 2):
        family = Family(7, index)
        plan = family.plans(3)[2]
        assert len(family.document(plan).modelspace()) > 0


def test_two_families_of_a_kind_have_different_habits():
    for index in range(len(KINDS)):
        one, two = Family(0, index), Family(0, index + len(KINDS))
        assert one.kind is two.kind
        differing = [name for name, value in vars(one.style).items() if value != getattr(two.style, name)]
        assert len(differing) >= 6


# -- the folder ------------------------------------------------------------------------------------------------------


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("keep me", encoding="utf-8")
    with pytest.raises(OutputNotEmptyError, match=r"mine\.txt"):
        generate(tmp_path, families=1, per_family=1, seed=0)
    done = run_script("--output", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 1
    assert "mine.txt" in done.stderr and "Traceback" not in done.stderr
    generate(tmp_path, families=1, per_family=1, seed=0, overwrite=True)
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "keep me"


def test_an_earlier_run_is_replaced_even_a_stopped_one(tmp_path):
    generate(tmp_path, families=2, per_family=2, seed=0)
    (tmp_path / "truth.json").rename(tmp_path / "unfinished.json")  # what a run leaves that was stopped at the end
    generate(tmp_path, families=1, per_family=1, seed=3)
    assert len(list(tmp_path.glob("*.dxf"))) == 1
    assert len(list(tmp_path.iterdir())) == 3


def test_wrong_arguments_end_with_a_usage_error(tmp_path):
    assert run_script("--output", "x", "--families", "0", cwd=tmp_path).returncode == 2
    assert run_script("--output", "x", "--familes", "2", cwd=tmp_path).returncode == 2


# -- the versions ----------------------------------------------------------------------------------------------------


def test_r12_loses_nothing():
    sheet = plain_sheet("gasket")
    r12, r2000 = (Counter(e.dxftype() for e in modelspace(sheet, version)) for version in ("R12", "R2000"))
    assert not {"LWPOLYLINE", "MTEXT", "HATCH", "SPLINE", "LEADER"} & set(r12)
    assert r12["POLYLINE"] == r2000["LWPOLYLINE"] + r2000["SPLINE"]
    for name in ("CIRCLE", "ARC", "DIMENSION"):
        assert r12[name] == r2000[name]
    boxes = [bbox.extents(modelspace(sheet, version), fast=True) for version in ("R12", "R2000")]
    assert boxes[0].extmin.isclose(boxes[1].extmin, abs_tol=0.5)
    assert boxes[0].extmax.isclose(boxes[1].extmax, abs_tol=0.5)


@pytest.mark.parametrize("pattern", ["ANSI31", "ANSI32", "DOTS"])
def test_r12_patterns_cover_the_area(pattern):
    square = ((0.0, 0.0, 0.0), (30.0, 0.0, 0.0), (30.0, 20.0, 0.0), (0.0, 20.0, 0.0))
    lines = pattern_lines(Hatch(paths=(square,), pattern=pattern))
    xs = [point.x for line in lines for point in line]
    assert min(xs) < 3 and max(xs) > 27
    if pattern == "ANSI31":  # lines 3.175 apart: their length says how much they cover
        assert sum(a.distance(b) for a, b in lines) * 3.175 == pytest.approx(600, rel=0.05)


def test_a_dimension_says_the_size_of_the_part():
    """At any scale of the view and of the sheet, the number is the part's."""
    family = Family(0, 0)
    part = family.part(0)
    document = build_document(family.first_sheet(0), "R2000")
    measured = set()
    for dimension in document.modelspace().query("DIMENSION"):
        factor = dimension.override().get("dimlfac", 1.0)
        measured.add(round(dimension.get_measurement() * factor, 4))
    assert {part.width, part.height, part.pitch, part.thick} <= measured


# -- the edits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("version", ["R12", "R2018"])
def test_an_edited_sheet_is_a_valid_drawing(name, version):
    auditor = build_document(edited(plain_sheet("qfn"), name), version).audit()
    assert not auditor.errors and not auditor.fixes


@pytest.mark.parametrize("name", EDITS)
def test_every_edit_changes_the_file(name):
    sheet = plain_sheet("qfn")
    assert document_bytes(build_document(edited(sheet, name), "R2000")) != document_bytes(
        build_document(sheet, "R2000")
    )


def test_rotation_turns_the_extents():
    sheet = plain_sheet("bracket")
    before = bbox.extents(modelspace(sheet), fast=True)
    for seed in range(4):
        after = bbox.extents(modelspace(edited(sheet, "rotate_90", seed)), fast=True)
        assert after.size.x == pytest.approx(before.size.y, rel=0.02)
        assert after.size.y == pytest.approx(before.size.x, rel=0.02)
        assert after.extmin.isclose((0, 0), abs_tol=0.1 * before.size.x)


def test_inches_are_smaller_millimetres_and_say_so():
    sheet = plain_sheet("bracket")
    inches = edited(sheet, "units_to_inch")
    one, other = build_document(sheet, "R2000"), build_document(inches, "R2000")
    before, after = (bbox.extents(document.modelspace(), fast=True) for document in (one, other))
    assert before.size.x / after.size.x == pytest.approx(25.4, rel=0.01)
    assert (one.header["$INSUNITS"], other.header["$INSUNITS"]) == (4, 1)
    assert inches.placed.scale == pytest.approx(1 / 25.4)
    for mm, inch in zip(*(d.modelspace().query("DIMENSION") for d in (one, other)), strict=True):
        if mm.dimtype in (0, 1):
            shown = [d.get_measurement() * d.override().get("dimlfac", 1.0) for d in (mm, inch)]
            assert shown[0] / shown[1] == pytest.approx(25.4)
    assert all("inch" in item.text for item in inches.items if item.feature == "title_unit")


def test_an_exploded_block_is_replaced_by_its_content():
    sheet = plain_sheet("qfn")
    before, after = types(sheet), types(edited(sheet, "explode_block"))
    assert after["INSERT"] < before["INSERT"]
    assert sum(after.values()) > sum(before.values())


@pytest.mark.parametrize("sx, sy", [(2.0, 2.0), (-2.0, 2.0), (2.0, -2.0), (-2.0, -2.0)])
def test_explosion_puts_everything_where_the_insert_showed_it(sx, sy):
    content = [
        Line(start=(0.0, 0.0), end=(3.0, 1.0)),
        Circle(center=(1.0, 2.0), radius=0.5),
        Arc(center=(2.0, 0.0), radius=1.0, start=20.0, end=130.0),
        Poly(vertices=((0.0, 0.0, 0.4), (2.0, 0.0, 0.0), (2.0, 1.0, -0.3))),
    ]
    insert = Insert(block="B", at=(7.0, -2.0), reach=(0, 0, 3, 3), sx=sx, sy=sy, angle=30.0)
    style = Family(0, 0).style
    sheet = Sheet([insert], {"B": content}, style, style.scheme)
    [inserted] = modelspace(sheet)
    shown = list(inserted.virtual_entities())
    exploded = list(modelspace(edited(sheet, "explode_block")))
    for one, other in zip(shown, exploded, strict=True):
        assert one.dxftype() == other.dxftype()
        boxes = [bbox.extents([entity]) for entity in (one, other)]
        assert boxes[0].extmin.isclose(boxes[1].extmin, abs_tol=1e-6)
        assert boxes[0].extmax.isclose(boxes[1].extmax, abs_tol=1e-6)


def test_exploded_polylines_are_lines_and_arcs_of_the_same_length():
    sheet = plain_sheet("bracket")
    before, after = types(sheet), types(edited(sheet, "explode_polylines"))
    assert after["LWPOLYLINE"] < before["LWPOLYLINE"]
    assert after["LINE"] + after["ARC"] > before["LINE"] + before["ARC"]


@pytest.mark.parametrize("seed", range(6))
def test_drawing_order_moves_handles_and_nothing_else(seed):
    sheet = plain_sheet("flange")
    before, after = modelspace(sheet), modelspace(edited(sheet, "draw_order", seed))
    one, other = ([e.dxftype() for e in sorted(m, key=lambda e: int(e.dxf.handle, 16))] for m in (before, after))
    assert one != other
    assert Counter(one) == Counter(other)


@pytest.mark.parametrize("seed", range(8))
def test_a_changed_hole_pattern_changes_the_circles(seed):
    sheet = plain_sheet("flange")
    changed = edited(sheet, "change_holes", seed)
    before, after = (
        Counter((round(c.dxf.center.x, 4), round(c.dxf.center.y, 4), round(c.dxf.radius, 4)) for c in circles)
        for circles in (modelspace(sheet).query("CIRCLE"), modelspace(changed).query("CIRCLE"))
    )
    assert before != after
    [edit] = changed.edits
    assert edit.places and edit.before
    for x, y, r in after - before:  # what is new lies in a place that the truth names
        assert any(box[0] - r <= x <= box[2] + r and box[1] - r <= y <= box[3] + r for box in edit.places)


def test_another_layer_scheme_changes_layers_only():
    sheet = plain_sheet("soic")
    before, after = modelspace(sheet), modelspace(edited(sheet, "layer_scheme"))
    assert {e.dxf.layer for e in before} != {e.dxf.layer for e in after}
    assert [e.dxftype() for e in before] == [e.dxftype() for e in after]


def test_dimensions_are_moved_added_removed_and_reworded():
    sheet = plain_sheet("heat_sink")
    count = types(sheet)["DIMENSION"]
    assert types(edited(sheet, "move_dimensions"))["DIMENSION"] == count
    assert types(edited(sheet, "add_dimensions"))["DIMENSION"] > count
    assert types(edited(sheet, "remove_dimensions"))["DIMENSION"] < count
    moved = edited(sheet, "move_dimensions")
    pairs = [(a, b) for a, b in zip(sheet.items, moved.items, strict=True) if a != b]
    assert len(pairs) == len(moved.edits[0].places) == len(moved.edits[0].before)
    assert all(isinstance(b, Dim) and a.points[:2] == b.points[:2] for a, b in pairs)
    texts = [{e.dxf.text for e in modelspace(s).query("DIMENSION")} for s in
             (sheet, edited(sheet, "change_dimension_text"))]  # fmt: skip
    assert texts[0] != texts[1]


def test_notes_are_added_edited_and_moved():
    sheet = plain_sheet("soic")
    assert len(edited(sheet, "add_note").items) > len(sheet.items)
    callout = edited(sheet, "add_callout")
    assert types(callout)["LEADER"] + types(callout)["SOLID"] > types(sheet)["LEADER"] + types(sheet)["SOLID"]
    for name in ("edit_note", "move_note", "revise_title_block", "move_view"):
        after = edited(sheet, name)
        assert types(after) == types(sheet)
        assert after.items != sheet.items
        assert after.edits[0].places and after.edits[0].before


def test_a_wrapped_sheet_is_one_insert_that_shows_the_same():
    sheet = plain_sheet("flange")
    document = build_document(edited(sheet, "wrap_sheet"), "R2000")
    [insert] = document.modelspace()
    assert Counter(e.dxftype() for e in document.blocks.get(insert.dxf.name)) == types(sheet)
    assert wrapped(sheet).items[0].feature == "wrap"


def test_the_truth_leads_from_the_original_to_the_revision():
    sheet = plain_sheet("bracket")
    turned = EDITS["units_to_inch"][0](edited(sheet, "rotate_90"), Random(0))
    for before, after in zip(sheet.items, turned.items, strict=True):
        if isinstance(before, Line):
            assert math.dist(turned.placed.point(before.start), after.start) < 1e-9


def test_placements_combine():
    first, second = (
        Placement(scale=2.0, angle=90.0, shift=(1.0, 2.0)),
        Placement(scale=0.5, angle=30.0, shift=(-3.0, 4.0)),
    )
    point = (5.0, -7.0)
    assert second.after(first).point(point) == pytest.approx(second.point(first.point(point)))


def test_text_boxes_are_never_too_small():
    """What is kept free for a text holds it, whatever font the reader has."""
    item = Text(at=(0.0, 0.0), text="COPLANARITY 0.08 MAX", height=2.5)
    family = Family(0, 0)
    sheet = Sheet([item], {}, family.style, family.style.scheme)
    shown = bbox.extents(modelspace(sheet))
    assert item.box()[2] >= shown.extmax.x
