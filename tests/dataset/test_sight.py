"""What is switched off is read like the rest, unless ``visible_only`` is asked for."""

import pytest

from dataset.content import measure
from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.reading import read_sheet
from tests.dataset.building import new_drawing, saved


def layered():
    """A document with layers that are shown, frozen and off."""
    document, space = new_drawing()
    document.layers.add("SHOWN")
    document.layers.add("Frozen").freeze()
    document.layers.add("OFF").off()
    return document, space


def fill(space, layers=("SHOWN", "FROZEN", "off", "0", "not in the table")):
    """One circle a layer, its radius the layer's position, and an invisible one of radius 9."""
    for i, layer in enumerate(layers, start=1):
        space.add_circle((0, 0), i, dxfattribs={"layer": layer})
    space.add_circle((0, 0), 9, dxfattribs={"invisible": 1})


def radii(path, visible_only):
    return [entity.dxf.radius for entity in read_sheet(path, visible_only).entities]


def test_on_the_sheet(tmp_path):
    document, space = layered()
    fill(space)
    path = saved(document, tmp_path)
    assert radii(path, visible_only=False) == [1, 2, 3, 4, 5, 9]
    assert radii(path, visible_only=True) == [1, 4, 5]
    assert measure(read_sheet(path, visible_only=True)).left_out == {"CIRCLE: not visible": 3}


@pytest.mark.parametrize(
    ("layer", "shown"), [("SHOWN", [1, 4, 5]), ("0", [1, 4, 5]), ("OFF", [1, 5]), ("FROZEN", None)]
)
def test_inside_wrappers_layer_0_is_that_of_the_insert(tmp_path, layer, shown):
    document, space = layered()
    fill(document.blocks.new("SHEET"))
    document.blocks.new("OUTER").add_blockref("SHEET", (0, 0))
    space.add_blockref("OUTER", (0, 0), dxfattribs={"layer": layer})
    path = saved(document, tmp_path)
    assert radii(path, visible_only=False) == [1, 2, 3, 4, 5, 9]
    if shown is None:
        sheet = read_sheet(path, visible_only=True)
        assert not sheet.entities and sheet.left_out == {"INSERT: not visible": 1}
    else:
        assert radii(path, visible_only=True) == shown


def test_inside_blocks_it_does_not_count_for_the_box(tmp_path):
    document, space = layered()
    fill(document.blocks.new("PART"))
    for i in range(2):
        space.add_blockref("PART", (20 * i, 0))
    path = saved(document, tmp_path)
    assert measure(read_sheet(path)).boxes[0].tolist() == [-9, -9, 9, 9]
    assert measure(read_sheet(path, visible_only=True)).boxes[0].tolist() == [-5, -5, 5, 5]


def test_as_an_option_of_the_run(tmp_path):
    document, space = layered()
    fill(space)
    saved(document, tmp_path / "in")
    folders = {"input": tmp_path / "in", "output": tmp_path / "out", "workers": 1}
    assert process_drawings(ProcessConfig(**folders)).totals["represented"] == {"CIRCLE": 6}
    again = process_drawings(ProcessConfig(**folders, visible_only=True))
    assert again.totals["represented"] == {"CIRCLE": 3} and again.causes == {"other options": 1}
