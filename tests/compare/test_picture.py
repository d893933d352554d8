"""Pages and their two renderings: what is on them, that nothing is lost in silence, and that they stay small."""

import io
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import compare.panel as compare_panel
from compare.changes import compare
from compare.figure import Figure
from compare.page import BLUE, GREY, VERMILION, Label, Lines, Page, Rect, clipped, text_width, wrapped
from compare.picture import comparison_page, overlay_page, write_picture
from compare.png import png
from compare.svg import path_data, svg
from compare.thumbnail import thumbnail_page
from config.errors import UserError
from dataset.entities import TYPE_INDEX
from dataset.strokes import Ink, boxes_of


def figure(strokes, texts=(), name="a.dxf"):
    """Lines, and texts as (x, y, length, words)."""
    strokes = np.array(strokes, dtype=np.float64).reshape(-1, 4)
    words = np.array([(x, y, x + length, y) for x, y, length, _ in texts], dtype=np.float64).reshape(-1, 4)
    every = np.concatenate([strokes, words])
    count = len(every)
    types = np.repeat([TYPE_INDEX["LINE"], TYPE_INDEX["TEXT"]], [len(strokes), len(words)])
    said = ((),) * len(strokes) + tuple((text,) for *_, text in texts)
    ink = np.where(np.arange(count) < len(strokes), int(Ink.LINE), int(Ink.TEXT)).astype(np.uint8)
    owner, nothing = np.arange(count), np.full(count, np.nan)
    return Figure(name, types, every, ink, owner, said, nothing, nothing, boxes_of(every, owner, count))


MOST_STROKES = 300
FRAME = [(0, 0, 300, 0), (300, 0, 300, 200), (300, 200, 0, 200), (0, 200, 0, 0), (20, 30, 140, 60)]
LEFT = figure([*FRAME, (50, 100, 90, 140)], [(200, 20, 40, "PART 7 <&>")], "left（旧） <&>.dxf")
RIGHT = figure([*FRAME, (150, 100, 190, 160)], [(200, 20, 40, "PART 7 <&>")], "right.dxf")


@pytest.fixture(scope="module")
def found():
    return compare(LEFT, RIGHT)


def parsed(page):
    return ElementTree.fromstring(svg(page))


def test_a_path_goes_where_the_strokes_go():
    """Read back, relative steps and all, it is the strokes to a twentieth of a pixel."""
    strokes = np.random.default_rng(0).uniform(-50, 50, (40, 4))
    strokes[10:20, :2] = strokes[9:19, 2:]  # go on where the one before ended
    data = path_data(strokes)
    assert data.count("M") == 30
    back, at = [], None
    for part in data[1:].split("M"):
        move, steps = part.split("l")
        x, y = map(int, re.findall(r"-?\d+", move))
        numbers = list(map(int, re.findall(r"-?\d+", steps)))
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            back.append((x, y, x + dx, y + dy))
            x, y = x + dx, y + dy
        at = x, y
    assert at is not None
    assert np.abs(np.array(back) / 10 - strokes).max() <= 0.05 + 1e-9


def test_a_page_says_what_it_compares_what_changed_and_how_many(found):
    root = parsed(comparison_page(found, "joint similarity 0.987"))
    words = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    page = "\n".join(words)
    for expected in (
        "left（旧） <&>.dxf  →  right.dxf",
        "2 changes from left to right.",
        "joint similarity 0.987",
        "in common: 6 entities",
        "only left: 1 entities",
        "only right: 1 entities",
        "1 LINE removed",
        "1 LINE added",
        "PART 7 <&>",
    ):
        assert expected in page
    colors = {node.get("stroke") for node in root.iter("{http://www.w3.org/2000/svg}path")}
    assert colors >= {GREY, VERMILION, BLUE}


def test_what_is_the_same_is_said_to_be(found):
    page = svg(comparison_page(compare(LEFT, replace(LEFT, name="copy.dxf"))))
    assert "Both show the same." in page
    assert "Changes from left to right" not in page


def test_labels_of_changes_do_not_lie_on_each_other():
    rng = np.random.default_rng(1)
    spots = rng.uniform(30, 160, (60, 2))
    lines = [(x, y, x + 3, y + 2 + i / 10) for i, (x, y) in enumerate(spots)]
    crowded = compare(figure(FRAME), figure([*FRAME, *lines]))
    tags = [thing for thing in overlay_page(crowded).things if isinstance(thing, Rect) and thing.round]
    assert tags
    for i, one in enumerate(tags):
        for other in tags[i + 1 :]:
            assert max(abs(one.x - other.x), abs(one.y - other.y)) >= one.width


def test_a_cap_on_strokes_is_said_and_keeps_the_differences(monkeypatch):
    monkeypatch.setattr(compare_panel, "MOST_STROKES", MOST_STROKES)
    rng = np.random.default_rng(2)
    many = rng.uniform(0, 300, (3 * MOST_STROKES, 4))
    left, right = figure(many), figure([*many, (10, 10, 12, 11)])
    page = overlay_page(compare(left, right))
    drawn = sum(len(thing.strokes) for thing in page.things if isinstance(thing, Lines))
    assert drawn <= MOST_STROKES + 3  # and the legend's
    assert [thing for thing in page.things if isinstance(thing, Lines) and thing.color == BLUE and len(thing.strokes)]
    assert any(isinstance(thing, Label) and "strokes not shown" in thing.text for thing in page.things)
    assert len(svg(page)) < 45 * MOST_STROKES  # bytes: 4,500 strokes are 200 kB


def test_a_thumbnail_is_small_and_whole():
    page = thumbnail_page(LEFT, 160, 120)
    assert page.width <= 160 and page.height <= 120 and 160 in (page.width, page.height * 160 / 120)
    for thing in page.things:
        if isinstance(thing, Lines):
            assert (thing.strokes >= 0).all() and (thing.strokes <= (page.width, page.height) * 2).all()
    assert len(svg(page)) < 5_000


def test_a_png_has_the_page_in_its_colours(found):
    picture = Image.open(io.BytesIO(png(overlay_page(found, 400.0))))
    page = overlay_page(found, 400.0)
    assert picture.size == (400, int(page.height))
    pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    assert (pixels == 255).all(axis=1).mean() > 0.8, "the paper is white"
    for color in ((0xD5, 0x5E, 0), (0, 0x72, 0xB2)):
        assert np.abs(pixels - np.array(color)).sum(axis=1).min() < 40


def test_a_png_of_many_colours_loses_none(found):
    shades = [f"#{i:02x}8040" for i in range(0, 240, 4)]
    boxes = [Rect(8.0 * i, 0.0, 8.0, 20.0, color) for i, color in enumerate((*shades, VERMILION))]
    picture = np.asarray(Image.open(io.BytesIO(png(Page(488.0, 20.0, "", boxes)))).convert("RGB")).astype(int)
    for i, color in enumerate((*shades, VERMILION)):
        wanted = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
        assert np.abs(picture[10, 8 * i + 4] - wanted).max() <= 6, color


def test_a_picture_is_written_whole_or_not_at_all(found, tmp_path):
    for name in ("a.svg", "a.png"):
        write_picture(overlay_page(found), tmp_path / name)
    with pytest.raises(UserError, match=r"a\.jpg"):
        write_picture(overlay_page(found), tmp_path / "a.jpg")
    (tmp_path / "folder.svg").mkdir()
    with pytest.raises(UserError, match=r"folder\.svg"):
        write_picture(overlay_page(found), tmp_path / "folder.svg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.svg", "folder.svg"]


def test_letters_that_xml_forbids_do_not_break_a_page():
    page = Page(10, 10, "a\x00b\ud800", [Label(1, 1, "\x0b<&>\udfff", 5)])
    text = parsed(page).find("{http://www.w3.org/2000/svg}text")
    assert text.text == "\ufffd<&>\ufffd"


def test_lines_of_text_fit_their_width():
    text = "the quick brown fox jumps over the lazy dog and on 技术要求 and averyveryverylongword"
    lines = wrapped(text, 12.0)
    assert all(text_width(line) <= 12.0 for line in lines)
    assert " ".join(lines).startswith("the quick brown fox jumps")
    assert clipped("short", 12.0) == "short" and clipped(text, 12.0).endswith("…")
