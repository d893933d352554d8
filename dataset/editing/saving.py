"""A document as the bytes of a DXF file of a given version, the same bytes every time."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from contextlib import contextmanager

from ezdxf.addons import r12export
from ezdxf.document import Drawing

from dataset.generator.writer import document_bytes, fixed_meta_data


def saved(document: Drawing, version: str) -> bytes:
    """The file's content. What R12 does not know is drawn with what it knows, as ezdxf's R12 exporter does."""
    if version != "R12" or document.dxfversion == "AC1009":
        document.dxfversion = version
        return document_bytes(document)
    stream = io.StringIO(newline="\n")
    with fixed_meta_data(), fixed_chance():
        r12export.write(document, stream)
    return stream.getvalue().encode(document.encoding, errors="dxfreplace")


@contextmanager
def fixed_chance() -> Iterator[None]:
    """ezdxf shifts hatch patterns by a little chance; let it be the same each time, and put the generator back."""
    before = random.getstate()
    random.seed(0)
    try:
        yield
    finally:
        random.setstate(before)
