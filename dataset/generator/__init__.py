"""Parametric drawings with known relatives: families of parts, their variants, and revisions of those.

    records = generate(Path("archive"), families=20, per_family=6, seed=0)     # an archive on disk
    document = draw(seed=0, family=3, number=4, per_family=6)                   # one drawing in memory

How it fits together, from the outside in:

archive.py    the folder: files, groups.json, truth.json
family.py     a family: kind + style + design; its variants and revisions; which DXF version each is saved in
kind.py       what a kind of part has to say; these say it: leadless.py, gull_wings.py, bga.py (and packages.py, what
              they share), lead_frames.py, mechanical.py, sheet_metal.py, gaskets.py, pin_tables.py
sheet.py      views arranged on paper; frames.py (border and title block), tables.py
canvas.py     lines, holes, words and dimensions of one view, in the habits of style.py
revisions.py  a designer's edits
writer.py     items.py spelled as R12, R2000 or R2018

The sets for measuring likeness (dxf_benchmark.py) are drawn with the same kinds, but by other hands:

benchmark.py  a set: families, revisions or save-as; dataset/editing makes the latter two
shapes.py     what makes a family there: the shape of a part. Training and testing share none
hand.py       a few houses draw every family, each in its own style
"""

from ezdxf.document import Drawing

from dataset.generator.archive import GROUPS, TRUTH, OutputNotEmptyError, generate
from dataset.generator.family import KINDS, Family
from dataset.generator.revisions import EDITS

__all__ = ["EDITS", "GROUPS", "KINDS", "TRUTH", "Family", "OutputNotEmptyError", "draw", "generate"]


def draw(seed: int, family: int, number: int, per_family: int = 6) -> Drawing:
    """One file of an archive as an ezdxf document, without writing anything."""
    relatives = Family(seed, family)
    return relatives.document(relatives.plans(per_family)[number])
