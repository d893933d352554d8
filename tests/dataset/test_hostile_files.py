"""Files that no program should have written, each with what must become of it."""

from __future__ import annotations

import io
import os
import zipfile

import pytest

from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.naming import find_drawings
from dataset.worker import Task, run_task
from tests.dataset.building import new_drawing


def outcome(folder, content: bytes):
    """What the report says of a file with this content."""
    path = folder / "hostile.dxf"
    path.write_bytes(content)
    return run_task(Task(path, path.name, folder / "s.h5", folder / "g.h5", "cross"))


def r12(*entities: str, before: str = "", after: str = "0\nENDSEC\n0\nEOF\n") -> bytes:
    return f"{before}0\nSECTION\n2\nENTITIES\n{''.join(entities)}{after}".encode()


def line(x=0, handle="", end=1) -> str:
    return f"0\nLINE\n{handle and f'5{chr(10)}{handle}{chr(10)}'}8\n0\n10\n{x}\n20\n0\n11\n{end}\n21\n1\n"


def circle(x="0", radius="1") -> str:
    return f"0\nCIRCLE\n8\n0\n10\n{x}\n20\n0\n40\n{radius}\n"


def modern(version="R2018", lines=3) -> bytes:
    document, space = new_drawing(version)
    for i in range(lines):
        space.add_line((i, 0), (i, 5))
    stream = io.StringIO()
    document.write(stream)
    return stream.getvalue().encode()


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("drawing.dxf", modern())
    return stream.getvalue()


def block(name: str, content: str) -> str:
    return f"0\nBLOCK\n8\n0\n2\n{name}\n70\n0\n10\n0\n20\n0\n{content}0\nENDBLK\n"


def blocks(*content: str) -> str:
    return f"0\nSECTION\n2\nBLOCKS\n{''.join(content)}0\nENDSEC\n"


def insert(name: str) -> str:
    return f"0\nINSERT\n8\n0\n2\n{name}\n10\n0\n20\n0\n"


CIRCULAR = blocks(block("A", line() + line(3) + insert("B")), block("B", line(5) + insert("A")))
DEEP = blocks(block("D0", line()), *(block(f"D{i}", insert(f"D{i - 1}") + line(i)) for i in range(1, 300)))
LONG_LINE = f"0\nTEXT\n8\n0\n10\n0\n20\n0\n40\n1\n1\n{'x' * 20_000_000}\n"
SPLINE = "0\nSPLINE\n100\nAcDbEntity\n8\n0\n100\nAcDbSpline\n70\n8\n71\n3\n72\n5\n73\n4\n" + "40\n0\n" * 5
SPLINE += "".join(f"10\n{x}\n20\n{x % 2}\n30\n0\n" for x in range(4))
DIMENSION = "0\nDIMENSION\n8\n0\n2\n*D9\n10\n0\n20\n5\n11\n5\n21\n5\n70\n0\n13\n0\n23\n0\n14\n9\n24\n0\n"
HATCH = "0\nHATCH\n100\nAcDbEntity\n8\n0\n100\nAcDbHatch\n"
HATCH += "10\n0\n20\n0\n30\n0\n2\nSOLID\n70\n1\n71\n0\n91\n0\n75\n0\n76\n1\n98\n0\n"

# name: content, status, how many entities of each type are represented or (-) left out
TABLE = {
    "empty": (b"", "skipped", {}),
    "one byte": (b"0", "skipped", {}),
    "binary noise": (bytes(range(256)) * 64, "skipped", {}),
    "a renamed ZIP": (zipped(), "recovered", {"LINE": 3}),
    "a renamed DWG": (b"AC1032" + bytes(1000), "skipped", {}),
    "the signature of a binary DXF and no more": (b"AutoCAD Binary DXF\r\n\x1a\x00", "skipped", {}),
    "only an end": (b"0\nEOF\n", "skipped", {}),
    "no sections but one": (r12(line()), "read", {"LINE": 1}),
    "no end of the section": (r12(line(), line(2), after=""), "skipped", {}),
    "duplicate handles": (r12(line(1, "2F"), line(2, "2F"), line(3, "2F")), "read", {"LINE": 3}),
    "some handles missing": (r12(line(1, "2F"), line(2), line(3, "30")), "read", {"LINE": 3}),
    "handles that are no numbers": (r12(line(1, "XYZ"), line(2, "")), "recovered", {"LINE": 2}),
    "a block that contains itself": (
        r12(insert("A"), before=blocks(block("A", line() + line(2) + insert("A")))),
        "read",
        {"LINE": 2, "INSERT": 1},
    ),
    "two blocks that contain each other": (
        r12(insert("A"), circle(), before=CIRCULAR),
        "read",
        {"INSERT": 1, "CIRCLE": 1},
    ),
    "blocks three hundred deep": (r12(insert("D299"), circle(), before=DEEP), "read", {"CIRCLE": 1, "INSERT": 1}),
    "an INSERT of no block": (r12(insert("NOWHERE"), line()), "read", {"LINE": 1, "INSERT": 1}),
    "NaN": (r12(line(), circle("nan")), "read", {"LINE": 1, "-CIRCLE": 1}),
    "infinite": (r12(line(), circle("inf"), circle("0", "-inf")), "read", {"LINE": 1, "-CIRCLE": 2}),
    "1e+20 is far away but there": (r12(*map(line, range(9)), line("1e+20")), "read", {"LINE": 10}),
    "1e+308 squared": (r12(line(), circle("1e308", "1e308")), "read", {"LINE": 1, "-CIRCLE": 1}),
    "a number that is none": (r12(line(), circle("1,5x")), "recovered", {"LINE": 1, "CIRCLE": 1}),
    "zero radius": (r12(line(), circle("0", "0")), "read", {"LINE": 1, "CIRCLE": 1}),
    "an arc of no radius and equal angles": (
        r12(line(), "0\nARC\n8\n0\n10\n0\n20\n0\n40\n0\n50\n90\n51\n90\n"),
        "read",
        {"LINE": 1, "ARC": 1},
    ),
    "a SPLINE with too few knots": (r12(line(), SPLINE), "read", {"LINE": 1, "SPLINE": 1}),
    "a HATCH without boundary": (r12(line(), HATCH), "read", {"LINE": 1, "HATCH": 1}),
    "a DIMENSION without block": (r12(line(), DIMENSION), "read", {"LINE": 1, "DIMENSION": 1}),
    "an unknown type": (r12(line(), "0\nFLYING_SAUCER\n8\n0\n"), "read", {"LINE": 1, "-FLYING_SAUCER": 1}),
    "a POLYLINE without vertices": (
        r12(line(), "0\nPOLYLINE\n8\n0\n66\n1\n0\nSEQEND\n"),
        "read",
        {"LINE": 1, "POLYLINE": 1},
    ),
    "UTF-16": (modern().decode().encode("utf-16"), "skipped", {}),
    "a UTF-8 mark in front": (b"\xef\xbb\xbf" + modern(), "recovered", {"LINE": 3}),
    "carriage returns only": (modern().replace(b"\n", b"\r"), "read", {"LINE": 3}),
}


@pytest.mark.parametrize("name", TABLE)
def test_outcome(tmp_path, name):
    content, status, entities = TABLE[name]
    report = outcome(tmp_path, content)
    left_out = {f"-{reason.partition(':')[0]}": count for reason, count in report.left_out.items()}
    assert (report.status, {**report.represented, **left_out}) == (status, entities)
    assert (status == "read") == (not report.reason)
    assert (tmp_path / "s.h5").exists() == (status != "skipped")


@pytest.mark.parametrize("tenths", range(10))
def test_truncated_anywhere_it_is_never_taken_for_whole(tmp_path, tenths):
    whole = modern(lines=200)
    report = outcome(tmp_path, whole[: len(whole) * tenths // 10])
    assert report.status in ("recovered", "skipped") and report.reason


def test_a_folder_called_like_a_drawing_is_searched(tmp_path):
    (tmp_path / "x.dxf").mkdir()
    (tmp_path / "x.dxf" / "y.dxf").write_bytes(modern())
    assert find_drawings(tmp_path).sources == ["x.dxf/y.dxf"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the platform has no named pipes")
def test_a_pipe_is_named_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.dxf")
    report = run_task(Task(tmp_path / "pipe.dxf", "pipe.dxf", tmp_path / "s.h5", tmp_path / "g.h5", "cross"))
    assert report.status == "skipped" and "no regular file" in report.reason


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="this user may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path):
    (tmp_path / "secret.dxf").write_bytes(modern())
    (tmp_path / "secret.dxf").chmod(0)
    report = run_task(Task(tmp_path / "secret.dxf", "secret.dxf", tmp_path / "s.h5", tmp_path / "g.h5", "cross"))
    assert report.status == "skipped" and "Permission" in report.reason


def test_a_line_without_end_costs_only_its_file(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "long.dxf").write_bytes(r12(line(), LONG_LINE))
    (tmp_path / "in" / "short.dxf").write_bytes(r12(line()))
    report = process_drawings(ProcessConfig(tmp_path / "in", tmp_path / "out", workers=1, timeout=3.0))
    assert report.statuses.total() == 2 and report.statuses["read"] >= 1
    assert all("--timeout" in file.reason for file in report.named["skipped"])
