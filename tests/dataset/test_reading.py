"""What a person sees on the sheet is what is read, in drawing order."""

from collections import Counter

import ezdxf
import pytest

from dataset.geometry import Geometry
from dataset.reading import (
    MAX_OPENED_LEVELS,
    _model_space,
    in_drawing_order,
    open_wrappers,
    read_document,
    read_sheet,
    type_of,
)
from tests.dataset.building import content_of, new_drawing, saved, sheet_of


def test_handles_are_sorted_as_numbers_not_as_text(tmp_path):
    document, space = new_drawing()
    for handle, radius in (("1000", 3), ("FF0", 1), ("FFA", 2)):  # as text "1000" would come first
        circle = space.add_circle((0, 0), radius)
        document.entitydb.discard(circle)
        circle.dxf.handle = handle
        document.entitydb.add(circle)
    assert [entity.dxf.radius for entity in sheet_of(document, tmp_path).entities] == [1, 2, 3]


def test_entities_without_a_valid_handle_follow_in_file_order():
    _, space = new_drawing()
    lines = [space.add_line((0, 0), (i, 0)) for i in range(4)]
    for line, handle in zip(lines, (None, "10", "rubbish", "F"), strict=True):
        line.dxf.handle = handle
    assert [line.dxf.end.x for line in in_drawing_order(lines)] == [3, 1, 0, 2]


def test_r12_file_without_handles_keeps_its_order(tmp_path):
    path = tmp_path / "r12.dxf"
    lines = "".join(f"0\nLINE\n8\n0\n10\n{i}\n20\n0\n11\n{i}\n21\n1\n" for i in range(20))
    path.write_text(f"0\nSECTION\n2\nENTITIES\n{lines}0\nENDSEC\n0\nEOF\n")
    assert [line.dxf.start.x for line in read_sheet(path).entities] == list(range(20))


def test_binary_files_are_read_and_damaged_ones_recovered(tmp_path):
    document, space = new_drawing()
    space.add_line((0, 0), (1, 1))
    document.saveas(tmp_path / "binary.dxf", fmt="bin")
    assert read_document(tmp_path / "binary.dxf")[1] == ""

    text = saved(document, tmp_path).read_text(encoding="utf-8")
    damaged = tmp_path / "damaged.dxf"
    damaged.write_text(text.replace("AcDbLine\n 10\n0.0\n", "AcDbLine\n 10\n0,0x\n"), encoding="utf-8")
    assert damaged.read_text(encoding="utf-8") != text
    sheet = read_sheet(damaged)
    assert sheet.recovered and len(sheet.entities) == 1


def test_no_dxf_at_all_raises(tmp_path):
    path = tmp_path / "noise.dxf"
    path.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(Exception):  # noqa: B017 - whatever ezdxf makes of noise
        read_sheet(path)
    with pytest.raises(FileNotFoundError):
        read_sheet(tmp_path / "absent.dxf")


def test_other_spellings_are_known_and_meshes_are_not():
    _, space = new_drawing()
    spelled = {
        "LWPOLYLINE": [space.add_polyline2d([(0, 0), (1, 1)]), space.add_polyline3d([(0, 0, 0), (1, 1, 1)])],
        "SOLID": [space.add_trace([(0, 0), (1, 0), (0, 1), (1, 1)])],
        "SPLINE": [space.add_ellipse((0, 0), (1, 0), 0.5)],
    }
    assert all(type_of(entity) == name for name, entities in spelled.items() for entity in entities)
    assert type_of(space.add_polymesh((3, 3))) is None
    assert type_of(space.add_point((0, 0))) is None


def test_what_the_table_does_not_know_is_counted(tmp_path):
    document, space = new_drawing()
    space.add_line((0, 0), (1, 1))
    space.add_point((0, 0))
    space.add_point((1, 0))
    space.add_polymesh((3, 3))
    document.layout("Layout1").add_line((0, 0), (1, 1))
    content = content_of(document, tmp_path)
    assert content.represented == {"LINE": 1}
    assert content.left_out == {"POINT": 2, "POLYLINE": 1}
    assert sheet_of(document, tmp_path).paper_space == 1


def test_damaged_entities_cost_only_themselves_and_are_counted_with_a_reason(tmp_path):
    document, space = new_drawing()
    space.add_line((0, 0), (1, 1))
    space.add_circle((float("nan"), 0), 1)
    space.add_circle((0, 0), float("inf"))
    content = content_of(document, tmp_path)
    assert content.represented == {"LINE": 1}
    assert content.left_out.total() == 2 and all("finite" in reason for reason in content.left_out)


def wrapped(document, name, entities=3):
    block = document.blocks.new(name, base_point=(1, 0))
    for i in range(entities):
        block.add_line((i, 0), (i, 2))
    return block


def test_a_lone_insert_is_opened_where_it_stands(tmp_path):
    document, space = new_drawing()
    wrapped(document, "SH1")
    space.add_blockref("SH1", (10, 5), dxfattribs={"xscale": 2, "yscale": 2})
    sheet = sheet_of(document, tmp_path)
    assert sheet.opened_blocks == ("SH1",)
    assert [tuple(line.dxf.end)[:2] for line in sheet.entities] == [(8, 9), (10, 9), (12, 9)]


def test_opened_entities_come_in_handle_order_of_the_block(tmp_path):
    document, space = new_drawing()
    block = wrapped(document, "SH1", 0)
    lines = [block.add_line((i, 0), (i, 1)) for i in range(3)]
    block.entity_space.entities = [lines[2], lines[0], lines[1]]
    space.add_blockref("SH1", (0, 0))
    assert [line.dxf.start.x for line in sheet_of(document, tmp_path).entities] == [-1, 0, 1]


@pytest.mark.parametrize(("others", "opened"), [(2, True), (3, False)])
def test_nine_tenths_of_what_one_sees_make_a_wrapper(tmp_path, others, opened):
    document, space = new_drawing()
    wrapped(document, "FRAME", 18)
    space.add_blockref("FRAME", (0, 0))
    for i in range(others):
        space.add_circle((i, 0), 1)
    sheet = sheet_of(document, tmp_path)
    assert sheet.opened_blocks == (("FRAME",) if opened else ())
    assert len(sheet.entities) == (18 + others if opened else 1 + others)


def test_wrappers_in_wrappers_open_level_by_level_up_to_a_limit(tmp_path):
    document, space = new_drawing()
    wrapped(document, "L0", 5)
    for level in range(1, 7):
        document.blocks.new(f"L{level}").add_blockref(f"L{level - 1}", (0, 0))
    space.add_blockref("L2", (0, 0))
    assert sheet_of(document, tmp_path).opened_blocks == ("L2", "L1", "L0")
    document.modelspace()[0].dxf.name = "L6"
    assert len(sheet_of(document, tmp_path).opened_blocks) == MAX_OPENED_LEVELS


def test_destroyed_entities_are_passed_over():
    document, space = new_drawing()
    space.add_circle((0, 0), 1).destroy()
    space.add_line((0, 0), (1, 0))
    assert [entity.dxftype() for entity in _model_space(document)[0]] == ["LINE"]


def test_one_damaged_entity_does_not_keep_its_wrapper_closed():
    document, space = new_drawing()
    wrapped(document, "SH1", 3).add_linear_dim(base=(0, 9), p1=(0, 0), p2=(10, 2)).render()
    dimension = document.blocks.get("SH1").query("DIMENSION").first
    dimension.dxf.extrusion = (0, 0, -1)
    dimension.dxf.discard("text_midpoint")  # ezdxf cannot copy it without
    left_out = Counter()
    entities, opened = open_wrappers([space.add_blockref("SH1", (0, 0))], left_out)
    assert opened == ("SH1",) and len(entities) == 3
    assert left_out.total() == 1 and "DIMENSION" in next(iter(left_out))


def test_a_block_of_one_symbol_stays_an_insert(tmp_path):
    document, space = new_drawing()
    wrapped(document, "MARK", 1)
    space.add_blockref("MARK", (0, 0))
    assert sheet_of(document, tmp_path).opened_blocks == ()


def test_the_picture_of_a_hatch_is_not_a_wrapper(tmp_path):
    document, space = new_drawing("R12")
    wrapped(document, "*X3", 100)
    space.add_blockref("*X3", (0, 0))
    assert sheet_of(document, tmp_path).opened_blocks == ()


def test_a_block_that_contains_itself_is_opened_once_and_measured():
    document, space = new_drawing()
    block = wrapped(document, "LOOP", 3)
    block.add_blockref("LOOP", (5, 0))
    insert = space.add_blockref("LOOP", (0, 0))
    assert Geometry(document).box(insert) is not None
    entities, opened = open_wrappers([insert], Counter())
    assert opened == ("LOOP",) and len(entities) == 4


def test_array_insert_is_opened_copy_by_copy(tmp_path):
    document, space = new_drawing()
    wrapped(document, "CELL", 2)
    space.add_blockref("CELL", (0, 0), dxfattribs={"column_count": 3, "column_spacing": 10})
    sheet = sheet_of(document, tmp_path)
    assert [line.dxf.start.x for line in sheet.entities] == [-1, 0, 9, 10, 19, 20]


@pytest.mark.parametrize("placed", [{"xscale": 2, "yscale": 2}, {"xscale": -3, "yscale": 3, "rotation": 30}])
def test_an_array_in_a_wrapper_grows_with_it(placed):
    document, space = new_drawing()
    document.blocks.new("PART").add_line((0, 0), (2, 1))
    block = document.blocks.new("SHEET")
    array = {"column_count": 3, "column_spacing": 5, "row_count": 2, "row_spacing": 7, "rotation": 40}
    block.add_blockref("PART", (1, 1), dxfattribs=array)
    block.add_point((1, 1))
    block.add_point((1, 1))  # with these the array is not the whole sheet, and stays closed
    wrapper = space.add_blockref("SHEET", (9, 9), dxfattribs=placed)
    (opened, *_), names = open_wrappers([wrapper], Counter())
    assert names == ("SHEET",) and opened.mcount == 6
    geometry = Geometry(document)
    assert geometry.box(opened) == pytest.approx(geometry.box(wrapper))


def test_attributes_of_an_opened_wrapper_are_read_as_text(tmp_path):
    document, space = new_drawing()
    wrapped(document, "TITLE", 4).add_attdef("NAME", (0, 0))
    space.add_blockref("TITLE", (0, 0)).add_attrib("NAME", "lead frame", (3, 3))
    content = content_of(document, tmp_path)
    assert content.represented == {"LINE": 4, "ATTRIB": 1}


def test_non_uniform_scale_turns_arcs_into_splines(tmp_path):
    document, space = new_drawing()
    block = wrapped(document, "SH1", 2)
    block.add_circle((0, 0), 1)
    space.add_blockref("SH1", (0, 0), dxfattribs={"xscale": 3, "yscale": 1})
    content = content_of(document, tmp_path)
    assert content.represented == {"LINE": 2, "ELLIPSE": 1}
    assert content.boxes[2] == pytest.approx([-6, -1, 0, 1])


def test_full_model_space_block_behind_an_empty_model_space(tmp_path):
    """The trap of eight real drawings: the layout "Model" points to an empty *Paper_Space block."""
    document, space = new_drawing()
    for i in range(3):
        space.add_line((i, 0), (i, 1))
    empty = document.layouts.new("Layout2").block_record_handle
    text = saved(document, tmp_path).read_text(encoding="utf-8")
    layout = text.index("AcDbLayout\n  1\nModel\n")
    pointer = f"330\n{space.block_record_handle}\n"
    trap = tmp_path / "trap.dxf"
    trap.write_text(text[:layout] + text[layout:].replace(pointer, f"330\n{empty}\n", 1), encoding="utf-8")
    assert len(ezdxf.readfile(trap).modelspace()) == 0

    sheet = read_sheet(trap)
    assert sheet.opened_blocks == ("*Model_Space",)
    assert [line.dxf.start.x for line in sheet.entities] == [0, 1, 2]


def test_an_empty_model_space_without_such_a_block_is_empty():
    document, _ = new_drawing()
    document.blocks.new("*MODEL_SPACE_OTHER").add_line((0, 0), (2, 0))
    assert _model_space(document) == ([], ())


@pytest.mark.parametrize("version", ["R12", "R2000", "R2018"])
def test_every_version_gives_the_same_entities(tmp_path, version):
    document, space = new_drawing(version)
    points = [(0, 0), (4, 0), (4, 3)]
    space.add_polyline2d(points) if version == "R12" else space.add_lwpolyline(points)
    space.add_text("A", height=1)
    content = content_of(document, tmp_path)
    assert content.types.tolist() == [3, 1]
    assert content.parameters[0]["count"] == 3
    assert ezdxf.readfile(tmp_path / "drawing.dxf").acad_release == version
