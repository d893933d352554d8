"""Which edits make a revision, and which come of saving a drawing from another program."""

from __future__ import annotations

from random import Random

from dataset.editing import annotations, features, spelling, whole_sheet
from dataset.editing.draft import Draft, EditFunction, apply
from dataset.generator.revisions import sample_weighted

# Name, edit, and how often it is made relative to the others. In the order in which they are applied: what concerns
# a place comes first, the spelling after it, what concerns the whole sheet last.
PART: dict[str, tuple[EditFunction, float]] = {
    "resize_features": (features.resize_features, 2.0),
    "remove_features": (features.remove_features, 2.0),
    "add_features": (features.add_features, 2.0),
    "move_region": (features.move_region, 2.0),
    "resize_region": (features.resize_region, 2.0),
    "mirror_region": (features.mirror_region, 1.0),
    "remove_region": (features.remove_region, 2.0),
    "cut_sheet": (features.cut_sheet, 1.0),
}
WORDS: dict[str, tuple[EditFunction, float]] = {
    "change_dimensions": (annotations.change_dimensions, 1.0),
    "replace_texts": (annotations.replace_texts, 1.0),
    "remove_annotations": (annotations.remove_annotations, 2.0),
    "add_notes": (annotations.add_notes, 2.0),
    "replace_title_block": (annotations.replace_title_block, 2.0),
}
TEXTS: dict[str, tuple[EditFunction, float]] = {
    "outline_texts": (spelling.outline_texts, 1.0),
    "drop_texts": (spelling.drop_texts, 1.0),
}
TEMPLATE: dict[str, tuple[EditFunction, float]] = {"put_on_template": (annotations.put_on_template, 1.0)}
SPELLING: dict[str, tuple[EditFunction, float]] = {
    "open_blocks": (spelling.open_blocks, 2.0),
    "open_dimensions": (spelling.open_dimensions, 2.0),
    "split_polylines": (spelling.split_polylines, 1.0),
    "join_lines": (spelling.join_lines, 1.0),
    "circles_as_polylines": (spelling.circles_as_polylines, 1.0),
    "open_mtexts": (spelling.open_mtexts, 1.0),
    "drop_hatches": (spelling.drop_hatches, 1.0),
    "one_layer": (spelling.one_layer, 1.0),
    "other_font": (spelling.other_font, 1.0),
}
WHOLE: dict[str, tuple[EditFunction, float]] = {
    "quarter_turn": (whole_sheet.quarter_turn, 2.0),
    "mirror": (whole_sheet.mirror, 1.0),
    "change_units": (whole_sheet.change_units, 1.0),
}
LAST: dict[str, tuple[EditFunction, float]] = {"redraw": (spelling.redraw, 1.0)}
EDITS = {**PART, **WORDS, **TEMPLATE, **SPELLING, **TEXTS, **WHOLE, **LAST}
NOT_BY_DESIGNERS = {"open_mtexts", "one_layer", *TEXTS, *TEMPLATE}


def revise(draft: Draft, rng: Random) -> None:
    """Three to five edits of a designer, one of them at least of the part and one of the words."""
    names = [*some(PART, 1, rng), *some(WORDS, 1, rng)]
    others = {name: edit for name, edit in EDITS.items() if name not in {*names, *NOT_BY_DESIGNERS}}
    run(draft, [*names, *some(others, rng.randint(1, 3), rng)], rng)


def save_as(draft: Draft, rng: Random) -> None:
    """What another program makes of a drawing: two to four changes of spelling, new handles, and each on half of the
    sheets no words any more, the sheet of another office around it, a turn, or other units. Nothing of the part
    changes."""
    texts = some(TEXTS, rng.randint(0, 1), rng)
    sheet = [name for name in (*TEMPLATE, "quarter_turn", "change_units") if rng.random() < 0.5]
    run(draft, [*some(SPELLING, rng.randint(2, 4), rng), *texts, *sheet, "redraw"], rng)


def run(draft: Draft, names: list[str], rng: Random) -> None:
    """Make these edits in the order of the table; one that finds nothing to do is left out."""
    for name in sorted(names, key=list(EDITS).index):
        apply(draft, name, EDITS[name][0], rng)


def some(edits: dict[str, tuple[EditFunction, float]], count: int, rng: Random) -> list[str]:
    """`count` different names, the heavier ones more often."""
    return sample_weighted(rng, {name: weight for name, (_, weight) in edits.items()})[:count]
