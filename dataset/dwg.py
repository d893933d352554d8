"""DWG drawings, by way of the ODA File Converter if it is installed."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ezdxf.addons import odafc

SIGNATURE = re.compile(rb"AC1[0-9]{3}")  # the version, which no DXF file begins with


class NeedsConverterError(ValueError):
    """The drawing is a DWG file and the program that turns it into DXF is not installed or cannot run."""


def is_dwg(path: Path) -> bool:
    """By its name or, since some bear the wrong one, by its first bytes. Raises OSError if it cannot be read."""
    if path.suffix.lower() == ".dwg":
        return True
    with path.open("rb") as file:
        return SIGNATURE.match(file.read(6)) is not None


@contextmanager
def converted(path: Path) -> Iterator[Path]:
    """A DWG drawing as a temporary DXF file.

    Raises:
        NeedsConverterError: the ODA File Converter is not installed.
        odafc.ODAFCError: it cannot convert the drawing.
    """
    if not odafc.is_installed():
        raise NeedsConverterError("DWG: needs the ODA File Converter, which is not installed")
    with tempfile.TemporaryDirectory(prefix="dwg_") as folder:
        # under a plain name: the converter takes brackets and spaces of real ones for wildcards
        source, target = Path(folder, "drawing.dwg"), Path(folder, "converted.dxf")
        shutil.copyfile(path, source)
        try:
            odafc.convert(source, target, version="R2018")
        except KeyError as error:  # "DISPLAY"
            raise NeedsConverterError("DWG: the ODA File Converter needs a display, or Xvfb installed") from error
        if not target.exists():
            raise odafc.UnknownODAFCError("the ODA File Converter wrote nothing")
        yield target
