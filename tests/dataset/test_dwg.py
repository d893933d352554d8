"""DWG drawings go through the ODA File Converter, and say so where it is not installed."""

import shutil
import sys
from pathlib import Path

import pytest
from ezdxf.addons import odafc

from dataset.dwg import NeedsConverterError, is_dwg
from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.reading import read_sheet
from dataset.worker import explain
from tests.dataset.building import new_drawing, saved


@pytest.fixture
def dwg(tmp_path):
    """A file that begins like a DWG; its "content" is the DXF file beside it."""
    path = tmp_path / "in" / "a [1] (Cu).dwg"
    path.parent.mkdir()
    path.write_bytes(b"AC1032" + bytes(100))
    return path


def test_dwg_is_known_by_its_name_and_by_its_first_bytes(tmp_path, dwg):
    assert is_dwg(dwg)
    assert is_dwg(dwg.rename(tmp_path / "renamed.dxf"))
    assert not is_dwg(saved(new_drawing()[0], tmp_path))


@pytest.mark.skipif(odafc.is_installed(), reason="the ODA File Converter is installed here")
def test_without_the_converter_every_dwg_is_skipped_with_a_clear_word(tmp_path, dwg):
    document, space = new_drawing()
    space.add_line((0, 0), (1, 0))
    saved(document, dwg.parent, "a [1] (Cu).dxf")
    report = process_drawings(ProcessConfig(dwg.parent, tmp_path / "out", workers=1))
    assert report.statuses == {"read": 1, "skipped": 1}
    (skipped,) = report.named["skipped"]
    assert skipped.source == dwg.name
    assert skipped.reason == "DWG: needs the ODA File Converter, which is not installed"


CONVERTER = """#!{python}
import shutil, sys
source, target, version, kind, recurse, audit, mask = sys.argv[1:]
assert (version, kind, mask) == ("ACAD2018", "DXF", "drawing.dwg"), sys.argv
assert open(f"{{source}}/{{mask}}", "rb").read(6) == b"AC1032"
shutil.copy({drawing!r}, f"{{target}}/drawing.dxf")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="stands in for the converter with a script")
def test_with_the_converter_it_is_read_like_any_other(tmp_path, dwg, monkeypatch):
    document, space = new_drawing()
    space.add_circle((0, 0), 2)
    drawing = saved(document, tmp_path, "content.dxf")
    converter = tmp_path / "ODAFileConverter"
    converter.write_text(CONVERTER.format(python=sys.executable, drawing=str(drawing)))
    converter.chmod(0o755)
    monkeypatch.setattr(odafc, "get_unix_exec_path", lambda: str(converter))
    monkeypatch.setattr(shutil, "which", lambda name: None)  # no virtual display
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(NeedsConverterError, match="display"):
        read_sheet(dwg)
    monkeypatch.setenv("DISPLAY", ":0")
    sheet = read_sheet(dwg)
    assert [entity.dxf.radius for entity in sheet.entities] == [2]

    converter.write_text(f"#!{sys.executable}\n")
    with pytest.raises(odafc.ODAFCError, match="wrote nothing"):
        read_sheet(dwg)
    assert [path.name for path in Path(dwg.parent).iterdir()] == [dwg.name]


def test_the_reason_is_said_in_plain_words():
    assert explain(NeedsConverterError("DWG: needs")) == "DWG: needs"
