"""Tiny drawings for the tests, written with ezdxf."""

from __future__ import annotations

from pathlib import Path

import ezdxf
import numpy as np
import pytest
from ezdxf.document import Drawing

from dataset import reading
from dataset.content import Content, measure
from dataset.dxf_process_DeepDXF import decode_rows, sequence_rows
from dataset.entities import TYPE_INDEX
from dataset.extents import drawing_extents
from dataset.reading import Sheet, read_sheet


def new_drawing(version: str = "R2018"):
    """A document and its model space."""
    document = ezdxf.new(version)
    return document, document.modelspace()


def saved(document: Drawing, folder: Path, name: str = "drawing.dxf") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    document.saveas(path)
    return path


def sheet_of(document: Drawing, folder: Path) -> Sheet:
    """What is read of a document once it has been on disk."""
    return read_sheet(saved(document, folder))


def content_of(document: Drawing, folder: Path) -> Content:
    return measure(sheet_of(document, folder))


def decoded(document: Drawing, folder: Path) -> tuple[list[tuple[str, dict[str, float]]], float]:
    """The sequence's rows decoded again, and the size of one bin in drawing units."""
    content = content_of(document, folder)
    extents = drawing_extents(content.boxes)
    return decode_rows(sequence_rows(content, extents), extents), extents.side / 255


def assert_same_sheet(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the fast reader and without, all that both encoders' tensors are made of is equal, to the last bit."""
    quick = read_sheet(path)
    with monkeypatch.context() as patch:
        patch.setattr(reading, "read_fast", _refuse)
        full = read_sheet(path)
    for name in ("opened_blocks", "recovered", "left_out", "paper_space"):
        assert getattr(quick, name) == getattr(full, name), name
    assert [entity.dxftype() for entity in quick.entities] == [entity.dxftype() for entity in full.entities]
    assert [entity.dxf.layer for entity in quick.entities] == [entity.dxf.layer for entity in full.entities]
    quick, full = measure(quick), measure(full)
    for name in ("represented", "approximated", "left_out", "parameters"):
        assert getattr(quick, name) == getattr(full, name), name
    assert np.array_equal(quick.types, full.types)
    assert np.array_equal(quick.boxes, full.boxes, equal_nan=True)


def _refuse(path: Path) -> Drawing:
    raise ValueError("left to ezdxf")


def types_of(*names: str) -> np.ndarray:
    return np.array([TYPE_INDEX[name] for name in names], dtype=np.int64)
