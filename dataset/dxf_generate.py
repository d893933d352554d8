"""Draw an archive of DXF files whose likeness is known.

    python dataset/dxf_generate.py --output archive --families 20 --per_family 6 --seed 0

Each family is one kind of part (a package outline, a flange, a gasket, ...) in the hand of one office. The first half
of a family's files (rounded up) are variants: the same part in other sizes. The other half are revisions: one of the
variants after one to three edits of a designer. Files are R12, R2000 and R2018, mixed within a family.

Beside the drawings it writes groups.json, a list of families, each a list of file names: the files that an expert
would call alike; and truth.json, which tells for each file its family, kind, variant and version, and for a revision
the file it came from, the edits, and where in the drawing they were made.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

if __package__ in (None, ""):  # started as a file: make the repository root importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from config.errors import UserError
from dataset.generator import OutputNotEmptyError, generate
from utils.cli import run_script


@dataclass(frozen=True)
class GenerateConfig:
    """What to draw, and where to put it."""

    output: Path
    """Folder for the drawings; made if it is missing. It must be empty or hold an earlier run, which is replaced."""
    families: int = 20
    """Number of families. Kinds of parts take turns; family 7 is the same however many are asked for."""
    per_family: int = 6
    """Drawings in a family: half variants (rounded up), half revisions of those."""
    seed: int = 0
    """The same seed gives the same files, byte for byte (on a machine with the same fonts: they set text widths)."""
    overwrite: bool = False
    """Write into a folder that holds other files too; those are left alone unless they have the same name."""

    def __post_init__(self) -> None:
        if self.families < 1 or self.per_family < 1:
            raise ValueError("--families and --per_family must be at least 1")


def main(config: GenerateConfig) -> None:
    try:
        records = generate(
            config.output,
            config.families,
            config.per_family,
            config.seed,
            progress=True,
            overwrite=config.overwrite,
        )
    except (OutputNotEmptyError, OSError) as error:
        raise UserError(str(error)) from error
    print(f"{len(records)} drawings in {config.families} families: {config.output}")


if __name__ == "__main__":
    run_script(GenerateConfig, main, description=__doc__)
