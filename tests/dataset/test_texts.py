"""What a sheet says, whatever stands in its texts."""

import numpy as np
import pytest

from dataset.appearance import MAX_TEXTS, appearance
from dataset.content import measure
from dataset.drawing import Drawing
from dataset.entities import Extents
from dataset.reading import read_sheet
from dataset.storage import read_sequence
from dataset.texts import MAX_LENGTH
from dataset.worker import Task, run_task
from tests.dataset.building import content_of, new_drawing, saved


def test_words_of_every_entity_without_codes(tmp_path):
    document, msp = new_drawing()
    block = document.blocks.new("TITLE")
    block.add_text("IN A BLOCK")
    block.add_attdef("NAME", (0, 0), "default")
    msp.add_text("%%c5 FIRST")
    msp.add_mtext("{\\fArial|b0;second}\\Pline")
    insert = msp.add_blockref("TITLE", (0, 0))
    insert.add_attrib("NAME", "部品（旧）", (0, 0))
    msp.add_blockref("TITLE", (50, 0))
    msp.add_line((0, 0), (1, 1))
    msp.add_linear_dim(base=(0, -5), p1=(0, 0), p2=(12.5, 0)).render()
    said = content_of(document, tmp_path).texts
    assert said[:5] == [["Ø5 FIRST"], ["second line"], ["IN A BLOCK", "部品（旧）"], ["IN A BLOCK"], []]
    assert said[5] in (["12.5"], ["12,5"])


def test_words_without_end_are_cut(tmp_path):
    document, msp = new_drawing()
    msp.add_text("x" * 2 * MAX_LENGTH)
    assert list(map(len, *content_of(document, tmp_path).texts)) == [MAX_LENGTH]
    seen = appearance([np.zeros((0, 5))] * 9, [["a", "b"] * MAX_TEXTS] * 9, Extents(0, 0, 1, 1))
    assert len(seen.texts) == len(seen.text_owner) == MAX_TEXTS


def test_what_is_switched_off_is_neither_drawn_nor_read(tmp_path):
    document, msp = new_drawing()
    document.layers.add("HIDDEN").freeze()
    msp.add_line((0, 0), (9, 9))
    block = document.blocks.new("B")
    block.add_text("secret", dxfattribs={"layer": "HIDDEN"})
    block.add_text("shown")
    msp.add_blockref("B", (0, 0))
    path = saved(document, tmp_path)
    shown, all_of_it = measure(read_sheet(path, visible_only=True)), measure(read_sheet(path))
    assert shown.texts[1] == ["shown"] and all_of_it.texts[1] == ["secret", "shown"]
    assert sum(map(len, shown.strokes)) == 2 and sum(map(len, all_of_it.strokes)) == 3


@pytest.mark.parametrize("evil", ["\\U+D800", "\\U+DFFF\\U+D800", "\\U+0000", "\udce4rger"])
def test_a_text_that_is_no_text_costs_no_drawing(tmp_path, evil):
    """Half a character, the end of a C string, bytes of another encoding."""
    document, msp = new_drawing()
    msp.add_text(f"before {evil} after")
    msp.add_line((0, 0), (9, 9))
    path, output = saved(document, tmp_path), tmp_path / "s.h5"
    report = run_task(Task(path, path.name, output, tmp_path / "g.h5", "cross"))
    assert report.status == "read", report.reason
    record = read_sequence(output)
    (said,) = record.appearance.texts
    assert said.startswith("before") and said.endswith("after") and len(record.dxf_vec) == 2
    assert len(Drawing.of(record).grams) > 10
