"""Entities of unknown programs are read by their picture, and damage inside blocks and pictures is counted."""

import struct

import numpy as np
import pytest

from dataset.content import measure
from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.proxies import MAX_PARTS
from dataset.reading import read_sheet
from dataset.report import format_report
from tests.dataset.building import content_of, decoded, new_drawing, saved, sheet_of


def picture(*chunks):
    """Proxy graphic: its size, the number of chunks, and of every chunk its size, type and data."""
    body = b"".join(struct.pack("<2L", 8 + len(data), kind) + data for kind, data in chunks)
    return struct.pack("<2L", 8 + len(body), len(chunks)) + body


CIRCLE = (2, struct.pack("<3d d 3d", 5, 6, 0, 2, 0, 0, 1))
LINE = (6, struct.pack("<L6d", 2, 0, 0, 0, 4, 3, 0))


def with_proxy(folder, graphic, kind="ACAD_PROXY_ENTITY"):
    """A drawing of one line and one entity of an unknown kind."""
    document, space = new_drawing()
    space.add_line((0, 0), (10, 10))
    path = saved(document, folder)
    subclass = "AcDbProxyEntity" if kind == "ACAD_PROXY_ENTITY" else "AcDbUnknown"
    data = "".join(f"310\n{graphic[i : i + 127].hex().upper()}\n" for i in range(0, len(graphic), 127))
    graphic_tags = f"160\n{len(graphic)}\n{data}"
    tags = f"  0\n{kind}\n  5\nFFFF\n330\n{space.block_record_handle}\n100\nAcDbEntity\n  8\n0\n"
    if kind == "ACAD_PROXY_ENTITY":
        tags += f"100\n{subclass}\n 90\n498\n 91\n500\n{graphic_tags}"
    else:
        tags += f"{graphic_tags}100\n{subclass}\n"
    text = path.read_text(encoding="utf-8")
    head, entities = text.split("ENTITIES\n", 1)
    end = "  0\nENDSEC"
    path.write_text(f"{head}ENTITIES\n{entities.replace(end, tags + end, 1)}", encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ["ACAD_PROXY_ENTITY", "STRANGE_OBJECT"])
def test_the_picture_is_read_and_counted_as_approximated(tmp_path, kind):
    content = measure(read_sheet(with_proxy(tmp_path, picture(CIRCLE, LINE), kind)))
    assert content.represented == {"LINE": 1, kind: 2} and content.approximated == {kind: 2}
    assert content.boxes[1:].tolist() == [[3, 4, 7, 8], [0, 0, 4, 3]] and not content.left_out


def test_without_a_picture_it_is_left_out(tmp_path):
    content = measure(read_sheet(with_proxy(tmp_path, picture())))
    assert content.represented == {"LINE": 1} and content.left_out == {"ACAD_PROXY_ENTITY": 1}


@pytest.mark.parametrize("graphic", [picture(CIRCLE)[:20], picture(*[LINE] * (MAX_PARTS + 1))])
def test_a_damaged_or_boundless_picture_costs_only_itself(tmp_path, graphic):
    content = measure(read_sheet(with_proxy(tmp_path, graphic)))
    assert content.represented == {"LINE": 1}
    assert content.left_out.total() == 1 and next(iter(content.left_out)).startswith("ACAD_PROXY_ENTITY")


def test_the_table_says_what_was_exact_approximated_and_left_out(tmp_path):
    with_proxy(tmp_path / "in", picture(CIRCLE, LINE))
    table = format_report(process_drawings(ProcessConfig(tmp_path / "in", tmp_path / "out", workers=1)))
    rows = [line.split() for line in table.splitlines()]
    assert ["entities", "exactly", "approximated", "left", "out"] in rows
    assert ["LINE", "1"] in rows and ["ACAD_PROXY_ENTITY", "2"] in rows and ["sum", "1", "2"] in rows


def test_arc_and_large_radial_dimensions_are_dimensions(tmp_path):
    document, space = new_drawing()
    common = {"text_midpoint": (1, 3, 0), "defpoint": (0, 2, 0), "actual_measurement": 3.5}
    space.new_entity("ARC_DIMENSION", {**common, "defpoint2": (2, 0, 0), "defpoint3": (0, 2, 0), "dimtype": 8})
    space.new_entity("LARGE_RADIAL_DIMENSION", {**common, "chord_point": (2, 0, 0), "dimtype": 9})
    rows, size = decoded(document, tmp_path)
    assert [name for name, _ in rows] == ["DIMENSION", "DIMENSION"]
    arc, radial = (values for _, values in rows)
    assert (arc["dimension_type"], radial["dimension_type"]) == (5, 4)
    assert arc["measurement"] == radial["measurement"] == 3.5  # the length of the arc, no angle
    assert arc["x1"] == pytest.approx(2, abs=size) and radial["x3"] == pytest.approx(2, abs=size)
    assert content_of(document, tmp_path).represented == {"ARC_DIMENSION": 1, "LARGE_RADIAL_DIMENSION": 1}


def test_damage_inside_blocks_and_dimension_pictures_is_counted(tmp_path):
    document, space = new_drawing()
    block = document.blocks.new("PART")
    block.add_circle((0, 0), 1)
    block.add_circle((float("nan"), 0), 1)
    for i in range(3):
        space.add_blockref("PART", (10 * i, 0))
    dimension = space.add_linear_dim(base=(0, 9), p1=(0, 0), p2=(10, 0)).render().dimension
    dimension.get_geometry_block().add_line((0, float("inf")), (1, 1))
    content = measure(sheet_of(document, tmp_path))
    assert content.represented == {"INSERT": 3, "DIMENSION": 1} and not np.isnan(content.boxes).any()
    counts = {reason.partition(":")[0]: count for reason, count in content.left_out.items()}
    assert counts == {"CIRCLE in a block": 1, "LINE in a block": 1}
