"""What changed between two drawings: told by what is drawn, wherever it lies and whoever drew it."""

import json
import math
from dataclasses import replace

import ezdxf
import numpy as np
import pytest

from compare.alignment import Alignment, align
from compare.changes import compare
from compare.figure import Figure, figure_of_content, figure_of_record, load, require_all_strokes
from compare.words import same_value
from config.errors import UserError
from dataset.content import measure
from dataset.generator.archive import generate
from dataset.reading import sheet_of
from dataset.storage import write_sequence
from dataset.strokes import boxes_of
from dataset.worker import process_file


def plate(edit=None, version="R2018"):
    """A plate with a border, three holes, a slot, a dimension and words; nothing about it is symmetric."""
    document = ezdxf.new(version)
    space = document.modelspace()
    space.add_lwpolyline([(0, 0), (420, 0), (420, 297), (0, 297)], close=True)
    space.add_lwpolyline([(60, 80), (210, 80), (210, 180), (60, 180)], close=True)
    holes = [space.add_circle(center, 6) for center in ((80, 100), (190, 100), (80, 160))]
    slot = document.blocks.new("SLOT")
    slot.add_line((-10, -3), (10, -3))
    slot.add_line((-10, 3), (10, 3))
    slot.add_arc((10, 0), 3, 270, 90)
    slot.add_arc((-10, 0), 3, 90, 270)
    insert = space.add_blockref("SLOT", (150, 140))
    dimension = space.add_linear_dim(base=(60, 60), p1=(60, 80), p2=(210, 80))
    dimension.render()
    note = space.add_text("BREAK ALL EDGES", height=5).set_placement((260, 40))
    space.add_text("PLATE A", height=8).set_placement((260, 20))
    if edit:
        edit(space, {"holes": holes, "insert": insert, "dimension": dimension.dimension, "note": note})
    return document


def figure(document, name="drawing.dxf"):
    return figure_of_content(measure(sheet_of(document, "", {})), name)


@pytest.fixture(scope="module")
def original():
    return figure(plate())


def edited(edit):
    return figure(plate(edit))


def moved(of: Figure, to: Alignment) -> Figure:
    strokes = to(of.strokes)
    return replace(of, strokes=strokes, boxes=boxes_of(strokes, of.owner, len(of)))


def kinds(found):
    return [(change.kind, change.what) for change in found.changes]


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("scale", [1.0, 25.4, 0.37])
def test_the_same_drawing_is_found_wherever_it_lies(original, scale, turns, mirrored):
    there = Alignment(scale, turns, mirrored, (1234.5, -77.0))
    lying = moved(original, there)
    found = align(original, lying)
    assert np.abs(found(lying.strokes) - original.strokes).max() < 1e-6 * original.side
    assert np.abs(found.back(original.strokes) - lying.strokes).max() < 1e-6 * lying.side
    comparison = compare(original, lying)
    assert comparison.is_same
    assert comparison.counts() == {"common": len(original), "only_left": 0, "only_right": 0}
    assert comparison.ink_left.all() and comparison.ink_right.all()


def test_what_came_what_went_and_both_ways_round(original):
    def edit(space, parts):
        space.delete_entity(parts["holes"][1])
        space.add_line((300, 100), (380, 160))

    changed = edited(edit)
    assert kinds(compare(original, changed)) == [("removed", "1 CIRCLE"), ("added", "1 LINE")]
    assert kinds(compare(changed, original)) == [("removed", "1 LINE"), ("added", "1 CIRCLE")]
    change = compare(original, changed).changes[0]
    assert change.box_left == pytest.approx((184, 94, 196, 106)) and change.box_right is None
    assert change.left == (3,) and change.right == ()


def test_a_larger_hole_is_resized_not_another_one(original):
    found = compare(original, edited(lambda space, parts: parts["holes"][0].dxf.__setattr__("radius", 7.5)))
    assert [change.words() for change in found.changes] == ["1 CIRCLE resized to 1.25 times the size"]


def test_things_that_moved_together_are_one_change(original):
    def edit(space, parts):
        for hole in parts["holes"]:
            hole.translate(4, -7, 0)

    assert [change.words() for change in compare(original, edited(edit)).changes] == ["3 CIRCLE moved by 4, -7"]


def test_a_move_is_told_in_the_left_drawings_units_though_the_sheet_is_turned_and_scaled(original):
    changed = edited(lambda space, parts: [hole.translate(4, -7, 0) for hole in parts["holes"]])
    lying = moved(changed, Alignment(1 / 25.4, 1, True, (3.0, 4.0)))
    assert [change.words() for change in compare(original, lying).changes] == ["3 CIRCLE moved by 4, -7"]


def test_dimensions_and_words_that_say_something_else(original):
    def edit(space, parts):
        parts["dimension"].dxf.text = "<> REF"
        for part in parts["dimension"].get_geometry_block():
            if part.dxftype() == "MTEXT":
                part.text = "150 REF"
        parts["note"].dxf.text = "DO NOT SCALE"

    found = compare(original, edited(edit))
    assert [change.words() for change in found.changes] == [
        "dimension 150 → 150 REF",
        "text BREAK ALL EDGES → DO NOT SCALE",
    ]


def test_other_words_of_the_same_length_are_a_change(original):
    found = compare(original, edited(lambda space, parts: parts["note"].dxf.__setattr__("text", "BREAK ALL EGDES")))
    assert [change.kind for change in found.changes] == ["text"]


def test_an_exploded_block_a_split_polyline_and_a_circle_of_two_halves_change_nothing(original):
    def edit(space, parts):
        parts["insert"].explode()
        for polyline in space.query("LWPOLYLINE"):
            polyline.explode()
        hole = parts["holes"][0]
        (x, y, _), r = hole.dxf.center, hole.dxf.radius
        space.add_lwpolyline([(x - r, y, 1.0), (x + r, y, 1.0)], format="xyb", close=True)
        space.delete_entity(hole)

    changed = edited(edit)
    for found in (compare(original, changed), compare(changed, original)):
        assert found.is_same, [change.words() for change in found.changes]
        assert found.common_left.all() and found.common_right.all()


def test_a_paragraph_and_its_single_lines_say_the_same():
    def paragraph(space, parts):
        space.add_mtext("NOTES:\\P1. DEBURR\\P2. NO SCRATCHES", dxfattribs={"char_height": 4, "insert": (260, 250)})

    def lines(space, parts):
        for i, line in enumerate(("NOTES:", "1. DEBURR", "2. NO SCRATCHES")):
            space.add_text(line, height=4).set_placement((260, 246 - 6.67 * i))

    assert compare(edited(paragraph), edited(lines)).is_same


def pad(space, at=(0.0, 0.0)):
    """A filled square with a round hole, as a hatch."""
    hatch = space.add_hatch(color=1)
    x, y = at
    hatch.paths.add_polyline_path([(x, y), (x + 30, y), (x + 30, y + 30), (x, y + 30)])
    hatch.paths.add_edge_path().add_arc((x + 15, y + 15), 5)


def tiled(space, at=(0.0, 0.0), leave_out=0):
    """The same in triangles, as R12 has it: the arc in other steps than ours."""
    outer = [(x, y) for t in range(64) for x, y in [(math.cos(math.tau * t / 64), math.sin(math.tau * t / 64))]]
    for (x0, y0), (x1, y1) in zip(outer[leave_out:], [*outer[1:], outer[0]][leave_out:], strict=False):
        corners = [
            (at[0] + 15 + reach * x / side, at[1] + 15 + reach * y / side)
            for x, y in ((x0, y0), (x1, y1))
            for reach, side in ((5, 1.0), (15, max(abs(x), abs(y))))
        ]
        space.add_solid([corners[0], corners[1], corners[2]])
        space.add_solid([corners[1], corners[3], corners[2]])


def square(space):
    space.add_hatch(color=1).paths.add_polyline_path([(0, 0), (30, 0), (30, 30), (0, 30)])


def halves(space):
    space.add_solid([(0, 0), (30, 0), (0, 30)])
    space.add_solid([(30, 0), (30, 30), (0, 30)])


def framed(fill):
    def edit(space):
        fill(space)
        space.add_lwpolyline([(-5, -5), (35, -5), (35, 35), (-5, 35)], close=True)

    return edit


def in_block(fill):
    def edit(space, parts):
        block = space.doc.blocks.new("PAD")
        fill(block)
        space.add_blockref("PAD", (300, 150))

    return edit


@pytest.mark.parametrize(
    ("filled", "triangles"),
    [
        (lambda space, parts: pad(space, (300, 150)), lambda space, parts: tiled(space, (300, 150))),
        (in_block(pad), lambda space, parts: tiled(space, (300, 150))),
        (in_block(pad), in_block(tiled)),
        (in_block(framed(square)), in_block(framed(halves))),
    ],
    ids=["hatch", "exploded block", "block", "block with an outline"],
)
def test_a_fill_is_the_same_in_triangles(filled, triangles):
    one, other = edited(filled), edited(triangles)
    for found in (compare(one, other), compare(other, one)):
        assert found.is_same, [change.words() for change in found.changes]


def test_triangles_elsewhere_or_beyond_a_fill_are_added(original):
    filled = edited(lambda space, parts: pad(space, (300, 150)))

    def with_one_more(at):
        def edit(space, parts):
            pad(space, (300, 150))
            space.add_solid([at, (at[0] + 6, at[1]), (at[0], at[1] + 6)])

        return edited(edit)

    assert compare(filled, with_one_more((302, 152))).is_same, "on what is filled it is not to be seen"
    assert kinds(compare(filled, with_one_more((312, 162)))) == [("added", "1 SOLID")], "in the hole"
    assert kinds(compare(filled, with_one_more((326, 176)))) == [("added", "1 SOLID")], "half outside"
    assert ("added", "1 SOLID") in kinds(compare(original, with_one_more((100, 250))))


def test_an_arrow_of_triangles_is_a_leaders(original):
    def leader(space, parts):
        space.add_leader([(190, 100), (250, 160), (270, 160)])

    def drawn(back, end):
        def edit(space, parts):
            space.add_line((190, 100), (250, 160))
            space.add_line((250, 160), (270, 160))
            space.add_solid([(190, 100), back, end])

        return edited(edit)

    one = edited(leader)
    for found in (compare(one, drawn((196, 108), (198, 106))), compare(drawn((198, 106), (196, 108)), one)):
        assert found.is_same, [change.words() for change in found.changes]
    assert kinds(compare(one, drawn((182, 108), (184, 110)))) == [("added", "1 SOLID")], "it points elsewhere"


def test_a_pattern_is_the_same_as_a_block_of_its_lines():
    def hatched(space, parts):
        hatch = space.add_hatch(color=1)
        hatch.set_pattern_fill("ANSI31", scale=0.5)
        hatch.paths.add_polyline_path([(300, 150), (340, 150), (340, 180), (300, 180)])

    def lines(space, parts):
        block = space.doc.blocks.new("*X5")
        for step in range(6, 66, 6):
            block.add_line((max(0, step - 30), min(30, step)), (min(40, step), max(0, step - 40)))
        space.add_blockref("*X5", (300, 150))

    one, other = edited(hatched), edited(lines)
    for found in (compare(one, other), compare(other, one)):
        assert found.is_same, [change.words() for change in found.changes]


def test_part_of_a_block_that_changed_leaves_its_other_ink_in_common(original):
    def edit(space, parts):
        block = parts["insert"].block()
        block.delete_entity(next(iter(block)))

    found = compare(original, edited(edit))
    assert [(change.kind, change.what) for change in found.changes] == [("redrawn", "1 INSERT")]
    entity = found.changes[0].left[0]
    ink = found.ink_left[original.owner == entity]
    assert (~ink).sum() == 1 and ink.sum() > 20


def test_drawings_of_two_parts_have_nothing_in_common(original):
    other = ezdxf.new()
    rng = np.random.default_rng(0)
    for x, y, dx, dy in rng.uniform(0, 100, (60, 4)):
        other.modelspace().add_line((x, y), (x + dx / 3, y - dy / 7))
    found = compare(original, figure(other))
    assert not found.common_left.any() and not found.common_right.any()
    assert {change.kind for change in found.changes} == {"added", "removed"}


def test_one_entity_and_a_point_without_size_are_enough():
    one = ezdxf.new()
    one.modelspace().add_line((0, 0), (10, 0))
    assert compare(figure(one), figure(one)).is_same
    dot = ezdxf.new()
    dot.modelspace().add_line((5, 5), (5, 5))
    assert compare(figure(dot), figure(dot)).is_same
    assert not compare(figure(one), figure(dot)).is_same


def test_a_thousand_copies_on_one_spot_find_a_partner_each(original):
    def pile(count):
        return edited(lambda space, parts: [space.add_circle((300, 200), 4) for _ in range(count)])

    assert compare(pile(1000), pile(1000)).is_same
    found = compare(pile(1000), pile(997))
    assert kinds(found) == [("removed", "3 CIRCLE")]


def test_every_entity_is_in_common_or_in_a_change_once(tmp_path):
    """And what the generator changed is found where it was changed: of revisions with a note or callout added."""
    generate(tmp_path, families=4, per_family=6, seed=3)
    records = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))["files"]
    checked = 0
    for record in records:
        if not record["original"]:
            continue
        left, right = (load(tmp_path / record[key]).figure for key in ("original", "file"))
        found = compare(left, right)
        for common, name in ((found.common_left, "left"), (found.common_right, "right")):
            listed = [entity for change in found.changes for entity in getattr(change, name)]
            assert set(listed) == set(np.flatnonzero(~common).tolist())
        placed = record["placed"]
        angle = math.radians(placed["angle"])
        turn = placed["scale"] * np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        points = left.strokes.reshape(-1, 2)
        assert np.abs(found.alignment(points @ turn + placed["shift"]) - points).max() < 1e-6 * left.side
        for edit in record["edits"]:
            if edit["name"] in ("add_note", "add_callout"):
                x0, y0, x1, y1 = edit["places"][0]
                added = right.boxes[~found.common_right]
                middles = (added[:, :2] + added[:, 2:]) / 2
                reach = 0.01 * right.side
                inside = (middles >= (x0 - reach, y0 - reach)) & (middles <= (x1 + reach, y1 + reach))
                assert inside.all(axis=1).any()
                checked += 1
    assert checked >= 3


def test_a_preprocessed_drawing_compares_as_the_drawing_itself(tmp_path):
    plate().saveas(tmp_path / "a.dxf")
    record = process_file(tmp_path / "a.dxf", "a.dxf").sequence
    write_sequence(tmp_path / "a.h5", record)
    loaded = [load(tmp_path / name) for name in ("a.dxf", "a.h5")]
    assert compare(*(each.figure for each in loaded)).is_same
    assert compare(*(each.figure for each in loaded[::-1])).is_same
    thinned = replace(loaded[1], record=replace(record, appearance=replace(record.appearance, share=2.0)))
    with pytest.raises(UserError, match=r"a\.h5 keeps .* give the \.dxf"):
        require_all_strokes(thinned)


def test_words_of_a_record_belong_to_their_entities(tmp_path):
    plate().saveas(tmp_path / "a.dxf")
    record = process_file(tmp_path / "a.dxf", "a.dxf").sequence
    exact = load(tmp_path / "a.dxf").figure
    kept = figure_of_record(record, "a.h5")
    assert kept.texts == exact.texts
    assert np.allclose(kept.measurements, exact.measurements, atol=1e-3, equal_nan=True)
    assert np.allclose(kept.strokes, exact.strokes, atol=1e-4)


@pytest.mark.parametrize(
    ("old", "new", "scale", "same"),
    [
        ("12", "12", 1.0, True),
        ("12", "13", 1.0, False),
        ("25.40", "1.000", 25.4, True),
        ("25.40", "1.010", 25.4, False),
        ("R6", "R0.236", 25.4, True),
        ("4x Ø6,5", "4x Ø0,256", 25.4, True),
        ("12 REF", "0.472", 25.4, False),
        ("mm", "inch", 25.4, False),
    ],
)
def test_numbers_in_another_unit_are_the_same_as_far_as_they_are_rounded(old, new, scale, same):
    assert same_value(old, new, scale) is same


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.dxf", b"", "empty"),
        ("foreign.dxf", b"this is no drawing", "cannot read"),
        ("foreign.h5", b"nor is this", "not HDF5"),
        ("missing.dxf", None, "no such file"),
    ],
)
def test_bad_files_are_told_in_one_sentence(tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=said) as caught:
        load(tmp_path / name)
    assert name in str(caught.value) and "\n" not in str(caught.value)
