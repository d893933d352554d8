"""The fast reader shows exactly the sheet that ezdxf shows, or leaves the file to ezdxf."""

import os
from pathlib import Path

import ezdxf
import pytest
from ezdxf.math import Vec2

from dataset.fast_reading import DisorderError, UnexpectedError, read_fast
from dataset.generator import generate
from dataset.naming import find_drawings
from dataset.reading import DAMAGE, read_document, read_sheet
from tests.dataset.building import assert_same_sheet, new_drawing, saved

VERSIONS = ("R12", "R2000", "R2004", "R2007", "R2010", "R2018")
REAL_DRAWINGS = os.environ.get("DRAWINGS")


def everything(version):
    """Plain entities with every attribute that moves or turns them, and others that hang on other parts of a file."""
    document, space = new_drawing(version)
    document.layers.add("OUTLINE")
    behind = {"extrusion": (0, 0, -1)}
    space.add_line((0, 0, 1), (3, 4), dxfattribs={"layer": "OUTLINE", "color": 3, "ltscale": 2, "thickness": 1})
    space.add_circle((1, 2), 3, dxfattribs=behind)
    space.add_arc((5, 5), 2, 30, 200, dxfattribs=behind)
    space.add_point((7, 7))
    space.add_solid([(0, 0), (2, 0), (0, 2), (2, 2)], dxfattribs=behind)
    space.add_trace([(0, 0), (2, 0), (0, 2)])
    space.add_text("  A tight \\U+03A6 ±5 %%c ", height=2, rotation=30, dxfattribs={"width": 0.7}).set_placement(
        (3, 3), (9, 3), ezdxf.enums.TextEntityAlignment.FIT
    )
    space.add_polyline2d([(0, 0, 0.5), (4, 0, 0), (4, 4, -1)], format="xyb", close=True)
    part = document.blocks.new("PART", base_point=(1, 1))
    part.add_line((0, 0), (5, 1))
    part.add_attdef("NUMBER", (0, 0))
    inner = document.blocks.new_anonymous_block()
    inner.add_arc((0, 0), 3, 0, 90)
    part.add_blockref(inner.name, (2, 2), dxfattribs={"rotation": 45})
    document.blocks.new_anonymous_block().add_circle((0, 0), 1000)  # nothing refers to this one
    space.add_blockref("PART", (10, 10), dxfattribs={"xscale": -2, "yscale": 0.5, "rotation": 15})
    space.add_blockref("PART", (20, 0), dxfattribs={"column_count": 3, "column_spacing": 7, "row_count": 2})
    space.add_blockref("PART", (5, 30)).add_attrib("NUMBER", "17", (6, 31))
    space.add_linear_dim(base=(0, 20), p1=(0, 0), p2=(13, 2), override={"dimlfac": 25.4}).render()
    space.add_diameter_dim((0, 0), radius=4, angle=30).render()
    space.add_line((0, 0), (50, 50)).set_xdata("ACAD", [(1000, "own"), (1010, (1, 2, 3)), (1040, 0.5)])
    document.layout("Layout1").add_line((0, 0), (1, 1))
    if version != "R12":
        space.add_lwpolyline([(0, 0, 0, 0, 1), (4, 0, 0.1, 0.2, 0), (4, 4)], dxfattribs={**behind, "elevation": 3})
        space.add_lwpolyline([(9, 9), (9, 8), (7, 8)], close=True).new_extension_dict()
        space.add_mtext("two\\Plines of text", dxfattribs={"char_height": 2, "width": 30})
        space.add_hatch().paths.add_polyline_path([(0, 0), (6, 0, 1), (6, 6)])
        space.add_spline([(0, 0), (3, 5), (9, 1), (12, 4)])
        space.add_ellipse((3, 3), (5, 1), 0.4, 0.5, 4)
        space.add_leader([(0, 0), (5, 5), (9, 5)])
        multileader = space.add_multileader_mtext("Standard")
        multileader.set_content("see note", char_height=1)
        multileader.add_leader_line(ezdxf.render.mleader.ConnectionSide.left, [Vec2(-20, 15)])
        multileader.build(insert=Vec2(5, 0))
    return document


@pytest.mark.parametrize("version", VERSIONS)
def test_every_entity_of_every_version_is_read_alike(tmp_path, monkeypatch, version):
    path = saved(everything(version), tmp_path)
    assert read_fast(path).loaded_dxfversion == ezdxf.readfile(path).loaded_dxfversion
    assert_same_sheet(path, monkeypatch)


def test_generated_drawings_are_read_alike(tmp_path, monkeypatch):
    generate(tmp_path, 8, 3, seed=5)
    for path in find_drawings(tmp_path).paths():
        read_fast(path)  # does not leave it to ezdxf
        assert_same_sheet(path, monkeypatch)


@pytest.mark.skipif(not REAL_DRAWINGS, reason="the environment variable DRAWINGS names no folder of real drawings")
def test_real_drawings_are_read_alike(monkeypatch):
    drawings = find_drawings(Path(REAL_DRAWINGS)).paths()
    assert drawings
    for path in drawings:
        assert_same_sheet(path, monkeypatch)


def test_a_wrapper_is_opened_alike(tmp_path, monkeypatch):
    document, space = new_drawing()
    sheet = document.blocks.new("SH1", base_point=(3, 3))
    for i in range(5):
        sheet.add_line((i, 0), (i, 9))
        sheet.add_lwpolyline([(i, 0, 0, 0, 1), (i, 4)])
    sheet.add_linear_dim(base=(0, 20), p1=(0, 0), p2=(13, 2)).render()
    part = document.blocks.new("PART")
    part.add_arc((0, 0), 3, 10, 100)
    sheet.add_blockref("PART", (7, 7), dxfattribs={"rotation": 70, "yscale": -1})
    space.add_blockref("SH1", (10, 5), dxfattribs={"xscale": 2, "yscale": 2, "rotation": 30})
    path = saved(document, tmp_path)
    assert read_sheet(path).opened_blocks == ("SH1",)
    assert_same_sheet(path, monkeypatch)


def test_text_before_unicode_is_decoded_by_its_code_page(tmp_path, monkeypatch):
    document, space = new_drawing("R2000")
    document.encoding = "gbk"
    space.add_text("引线框架", height=2)
    path = saved(document, tmp_path)
    assert read_fast(path).modelspace()[0].dxf.text == "引线框架"
    assert_same_sheet(path, monkeypatch)


def test_only_anonymous_blocks_that_nothing_names_are_left_out(tmp_path):
    document, space = new_drawing()
    used, idle, outer, inner = (document.blocks.new(name) for name in ("*U1", "*U2", "NAMED", "*U3"))
    for block in (used, idle, outer, inner):
        block.add_line((0, 0), (1, 1))
    outer.add_blockref("*U3", (0, 0))  # NAMED itself stays although nothing shows it: a style may name it
    space.add_blockref("*u1", (0, 0))
    blocks = read_fast(saved(document, tmp_path)).blocks
    assert "*U1" in blocks and "NAMED" in blocks and "*U3" in blocks
    assert "*U2" not in blocks


def test_an_entity_that_other_data_refer_to_is_left_to_ezdxf(tmp_path, monkeypatch):
    """ezdxf takes the frame of an MTEXT, an LWPOLYLINE of its own, off the sheet."""
    document, space = new_drawing("R2000")
    frame = space.add_lwpolyline([(0, 0), (9, 0), (9, 3)], close=True)
    space.add_line((0, 0), (1, 1))
    name = "ACAD_MTEXT_TEXT_BORDERS"
    data = [(1000, f"{name}_BEGIN"), (1070, 80), (1005, frame.dxf.handle), (1000, f"{name}_END")]
    space.add_mtext("framed").set_xdata("ACAD", data)
    path = saved(document, tmp_path)
    assert frame.dxf.handle in read_fast(path).entitydb
    assert_same_sheet(path, monkeypatch)


def lines_file(tmp_path, change):
    document, space = new_drawing("R2000")
    for i in range(3):
        space.add_line((i, 0), (i, 1))
    path = saved(document, tmp_path)
    text = path.read_text()
    changed = change(text)
    assert changed != text
    path.write_text(changed)
    return path


def without_handle(text):
    entities = text.index("ENTITIES\n")
    start = text.index("  5\n", entities)
    return text[:start] + text[text.index("330\n", start) :]


def same_handles(text):
    head, entities = text.split("ENTITIES\n")
    first, second = (part.split("\n")[1] for part in entities.split("LINE\n")[1:3])
    return f"{head}ENTITIES\n{entities.replace(second, first, 1)}"


@pytest.mark.parametrize(
    "change",
    [
        without_handle,
        same_handles,
        lambda text: text.replace("EOF", "END"),
        lambda text: text.replace("AcDbLine\n 10\n1.0", "AcDbLine\n 10\n1,0"),
        lambda text: text.replace("AcDbLine\n 10\n0.0\n 20\n0.0", "AcDbLine\n 20\n0.0\n 10\n0.0"),
        lambda text: text.replace("  0\nENDSEC\n  0\nSECTION\n  2\nOBJECTS", "  0\nSECTION\n  2\nOBJECTS"),
    ],
)  # fmt: skip
def test_what_is_not_as_it_should_be_is_left_to_ezdxf(tmp_path, monkeypatch, change):
    path = lines_file(tmp_path, change)
    with pytest.raises(DAMAGE):
        read_fast(path)
    assert_same_sheet(path, monkeypatch)


LINES_HEAD = "  0\nSECTION\n  2\nENTITIES\n"


@pytest.mark.parametrize(
    ("change", "types"),
    [
        (lambda text: text.replace("ENDBLK", "ENDBLOCK", 1), "ELLL"),
        (lambda text: text + "  0\nLINE\n", "LLL"),
        (lambda text: text.replace(LINES_HEAD, "  0\nCIRCLE\n  5\nFFF\n 40\n1\n" + LINES_HEAD), "LLLC"),
        (lambda text: text.replace("  0\nENDSEC\n" + LINES_HEAD, ""), "LLL"),
        (lambda text: text.replace("  0\nEOF", LINES_HEAD + "  0\nCIRCLE\n 40\n1\n  0\nENDSEC\n  0\nEOF"), "LLLC"),
    ],
)
def test_what_ezdxf_would_lose_without_a_word_is_salvaged(tmp_path, change, types):
    path = lines_file(tmp_path, change)
    with pytest.raises(DisorderError):
        read_fast(path)
    sheet = read_sheet(path)
    assert sheet.recovered and "".join(entity.dxftype()[0] for entity in sheet.entities) == types


def test_a_polyline_without_end_is_nothing_that_ezdxf_takes(tmp_path):
    path = lines_file(tmp_path, lambda text: text.replace("ENTITIES\n", "ENTITIES\n  0\nPOLYLINE\n  5\nFFF\n"))
    with pytest.raises(UnexpectedError):
        read_fast(path)
    sheet = read_sheet(path)
    assert sheet.recovered and [entity.dxftype() for entity in sheet.entities].count("LINE") == 3


def test_extended_data_in_the_middle_of_an_entity_end_nothing(tmp_path, monkeypatch):
    path = lines_file(tmp_path, lambda text: text.replace("AcDbLine\n 10\n1.0", "AcDbLine\n1040\n2.5\n 10\n1.0"))
    assert sorted(line.dxf.start.x for line in read_fast(path).modelspace()) == [0.0, 1.0, 2.0]
    assert_same_sheet(path, monkeypatch)


def test_comments_and_a_windows_or_old_mac_line_end_do_no_harm(tmp_path, monkeypatch):
    path = lines_file(tmp_path, lambda text: "999\nmade by hand\n" + text.replace("ENTITIES\n", "ENTITIES\n999\n0\n"))
    for end in (b"\n", b"\r\n", b"\r"):
        path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", end))
        assert len(read_fast(path).modelspace()) == 3
        assert_same_sheet(path, monkeypatch)


def test_a_binary_file_is_not_for_the_fast_reader(tmp_path):
    document, space = new_drawing()
    space.add_line((0, 0), (1, 1))
    document.saveas(tmp_path / "binary.dxf", fmt="bin")
    with pytest.raises(DAMAGE):
        read_fast(tmp_path / "binary.dxf")
    assert read_document(tmp_path / "binary.dxf")[1] == ""
