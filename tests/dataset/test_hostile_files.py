"""Files that no program should have written, each with what must become of it."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from ezdxf.math import Vec2

from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.entities import GF_CLASSES
from dataset.naming import find_drawings
from dataset.storage import read_graph, read_sequence
from dataset.text_size import MAX_CHARACTERS
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


def text(content: str) -> str:
    return f"0\nTEXT\n8\n0\n10\n0\n20\n0\n40\n1\n1\n{content}\n"


def long_mtext(content: str) -> bytes:
    document, space = new_drawing()
    space.add_line((0, 0), (1, 1))
    space.add_mtext("CONTENT")
    return written(document).replace(b"CONTENT", content.encode())


def modern(version="R2018", lines=3, binary=False) -> bytes:
    document, space = new_drawing(version)
    for i in range(lines):
        space.add_line((i, 0), (i, 5))
    return written(document, binary)


def written(document, binary=False) -> bytes:
    stream = io.BytesIO() if binary else io.StringIO()
    document.write(stream, fmt="bin" if binary else "asc")
    return stream.getvalue() if binary else stream.getvalue().encode()


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("drawing.dxf", modern())
    return stream.getvalue()


def section(content: bytes, name: str) -> bytes:
    """One section of a file and its end."""
    start = content.index(f"  0\nSECTION\n  2\n{name}\n".encode())
    return content[start : content.index(b"ENDSEC\n", start)] + b"ENDSEC\n  0\nEOF\n"


def without(content: bytes, name: str) -> bytes:
    return content.replace(section(content, name).removesuffix(b"  0\nEOF\n"), b"")


def block(name: str, content: str) -> str:
    return f"0\nBLOCK\n8\n0\n2\n{name}\n70\n0\n10\n0\n20\n0\n{content}0\nENDBLK\n"


def blocks(*content: str) -> str:
    return f"0\nSECTION\n2\nBLOCKS\n{''.join(content)}0\nENDSEC\n"


def insert(name: str) -> str:
    return f"0\nINSERT\n8\n0\n2\n{name}\n10\n0\n20\n0\n"


CIRCULAR = blocks(block("A", line() + line(3) + insert("B")), block("B", line(5) + insert("A")))
DEEP = blocks(block("D0", line()), *(block(f"D{i}", insert(f"D{i - 1}") + line(i)) for i in range(1, 300)))
MILLION = 1_000_000
ENDLESS = blocks(block("A", line()).removesuffix("0\nENDBLK\n"), block("B", line()))
SPLINE = "0\nSPLINE\n100\nAcDbEntity\n8\n0\n100\nAcDbSpline\n70\n8\n71\n3\n72\n5\n73\n4\n" + "40\n0\n" * 5
SPLINE += "".join(f"10\n{x}\n20\n{x % 2}\n30\n0\n" for x in range(4))
DIMENSION = "0\nDIMENSION\n8\n0\n2\n*D9\n10\n0\n20\n5\n11\n5\n21\n5\n70\n0\n13\n0\n23\n0\n14\n9\n24\n0\n"
VERTICES = "".join(f"0\nVERTEX\n8\n0\n10\n{x}\n20\n{x % 2}\n" for x in range(3))
POLYLINE = f"0\nPOLYLINE\n8\n0\n66\n1\n{VERTICES}"
HATCH = "0\nHATCH\n100\nAcDbEntity\n8\n0\n100\nAcDbHatch\n"
HATCH += "10\n0\n20\n0\n30\n0\n2\nSOLID\n70\n1\n71\n0\n91\n0\n75\n0\n76\n1\n98\n0\n"

POINTS = [(0, 0), (3, 5), (9, 1)]
MARKED = {
    "HATCH": ("AcDbHatch", lambda space: space.add_hatch().paths.add_polyline_path(POINTS)),
    "SPLINE": ("AcDbSpline", lambda space: space.add_spline(POINTS)),
    "LWPOLYLINE": ("AcDbPolyline", lambda space: space.add_lwpolyline(POINTS)),
    "MTEXT": ("AcDbMText", lambda space: space.add_mtext("A")),
    "LEADER": ("AcDbLeader", lambda space: space.add_leader(POINTS)),
    "MULTILEADER": ("AcDbMLeader", lambda space: space.add_multileader_mtext("Standard").build(Vec2(5, 0))),
}


def without_marker(kind: str) -> bytes:
    marker, add = MARKED[kind]
    document, space = new_drawing()
    space.add_line((0, 0), (5, 5))
    add(space)
    return written(document).replace(f"100\n{marker}\n".encode(), b"")


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
    "no end of the section": (r12(line(), line(2), after=""), "recovered", {"LINE": 1, "-LINE": 1}),
    "no end of the file": (r12(line(), line(2), after="0\nENDSEC\n"), "recovered", {"LINE": 2}),
    "no head of the section": (line().encode() + b"0\nENDSEC\n0\nEOF\n", "recovered", {"LINE": 1}),
    "no name of the section": (
        b"0\nSECTION\n" + line().encode() + b"0\nENDSEC\n0\nEOF\n",
        "recovered",
        {"LINE": 1},
    ),
    "entities in no section": (b"0\nSAUCER\n8\n0\n" + r12(line()), "recovered", {"LINE": 1, "-SAUCER": 1}),
    "a header that is none": (
        r12(line(), before="0\nSECTION\n2\nHEADER\n9\nACADVER\n1\nAC1009\n0\nENDSEC\n"),
        "recovered",
        {"LINE": 1},
    ),
    "a line too few": (r12(line(), line(2).replace("\n11\n", "\n"), line(3)), "recovered", {"LINE": 2, "-LINE": 1}),
    "a line too many": (
        r12(line(), line(2).replace("\n11\n", "\n\n11\n"), line(3)),
        "recovered",
        {"LINE": 2, "-LINE": 1},
    ),
    "a group code that is none": (
        r12(line(), line(2).replace("\n11\n", "\n1!\n"), line(3)),
        "recovered",
        {"LINE": 2, "-LINE": 1},
    ),
    "a point without y": (r12(line(), circle().replace("20\n0\n", ""), line(3)), "recovered", {"LINE": 2, "CIRCLE": 1}),
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
    "an INSERT without name": (r12(line(), insert("").replace("2\n\n", "")), "read", {"LINE": 1, "-INSERT": 1}),
    "a POLYLINE without end": (
        r12(line(), POLYLINE, circle(), POLYLINE),
        "recovered",
        {"LINE": 1, "CIRCLE": 1, "POLYLINE": 2},
    ),
    "an unknown type": (r12(line(), "0\nFLYING_SAUCER\n8\n0\n"), "read", {"LINE": 1, "-FLYING_SAUCER": 1}),
    "a POLYLINE without vertices": (
        r12(line(), "0\nPOLYLINE\n8\n0\n66\n1\n0\nSEQEND\n"),
        "read",
        {"LINE": 1, "POLYLINE": 1},
    ),
    **{
        f"a {kind} without its subclass marker": (without_marker(kind), "recovered", {"LINE": 1, f"-{kind}": 1})
        for kind in MARKED
    },
    "no ENTITIES": (b"0\nSECTION\n2\nHEADER\n0\nENDSEC\n0\nEOF\n", "skipped", {}),
    "ENTITIES and nothing else of a modern file": (section(modern(), "ENTITIES"), "read", {"LINE": 3}),
    "all but the OBJECTS": (without(modern(), "OBJECTS"), "read", {"LINE": 3}),
    "all but the TABLES": (without(modern(), "TABLES"), "read", {"LINE": 3}),
    "all but the BLOCKS": (without(modern(), "BLOCKS"), "read", {"LINE": 3}),
    "a section twice": (r12(line(), before=r12(line(2)).decode().removesuffix("0\nEOF\n")), "recovered", {"LINE": 2}),
    "a type that reads like a number": (
        r12(line(), "0\nNAN\n8\n0\n", line(2), after="0\nENDSEC\n"),
        "recovered",
        {"LINE": 2, "-NAN": 1},
    ),
    "a section of another name": (r12(line()).replace(b"ENTITIES", b"ENTITLES"), "recovered", {"LINE": 1}),
    "a block without head": (
        r12(line(), before=blocks(block("A", circle()).replace("BLOCK\n8", "BLOCK\n\n8", 1), block("B", line()))),
        "recovered",
        {"LINE": 1, "-BLOCK": 1, "-CIRCLE": 1},
    ),
    "two files in one": (r12(line()) + r12(line(2)), "recovered", {"LINE": 2}),
    "a block without end": (
        r12(insert("A"), insert("B"), circle(), before=ENDLESS),
        "recovered",
        {"INSERT": 2, "CIRCLE": 1},
    ),
    "the end of BLOCKS and the head of ENTITIES lost": (
        r12(line(), before=blocks(block("A", line()))).replace(b"0\nENDSEC\n0\nSECTION\n2\nENTITIES\n", b""),
        "recovered",
        {"LINE": 1},
    ),
    "GBK in a file that says cp1252": (
        r12(line(), text("CONTENT")).replace(b"CONTENT", "铜（321）".encode("gbk")),
        "read",
        {"LINE": 1, "TEXT": 1},
    ),
    "cp1252 in a file that is UTF-8": (
        long_mtext("CONTENT").replace(b"CONTENT", b"\xd820 \xb0"),
        "read",
        {"LINE": 1, "MTEXT": 1},
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
@pytest.mark.parametrize(("version", "binary"), [("R12", False), ("R2018", False), ("R12", True), ("R2018", True)])
def test_a_truncated_file_gives_what_is_there(tmp_path, version, binary, tenths):
    whole = modern(version, lines=200, binary=binary)
    cut = whole[: len(whole) * tenths // 10]
    begun = cut.count(b"\0LINE\0" if binary else b"  0\nLINE\n")
    expected = (
        begun if begun == 200 and tenths == 9 and version != "R12" else max(begun - 1, 0)
    )  # the last is not whole
    report = outcome(tmp_path, cut)
    assert report.represented.get("LINE", 0) == expected
    assert report.status == ("recovered" if expected else "skipped") and report.reason


@pytest.mark.parametrize("damage", [b"0", b"x", b""])
def test_a_damaged_line_costs_at_most_two_entities(tmp_path, damage):
    """The one it is in, and the one before where that might have been damaged too; or none."""
    whole = r12(*(line(i, f"{i + 1:X}") for i in range(4))).split(b"\n")
    for place in range(4, len(whole) - 5):
        report = outcome(tmp_path, b"\n".join([*whole[:place], damage, *whole[place + 1 :]]))
        assert 4 - report.represented.get("LINE", 0) <= (2 if whole[place] == b"LINE" else 1), (place, report)


def test_reasons_are_said_once_and_bounded(tmp_path):
    report = outcome(tmp_path, modern(lines=50).replace(b"ENDSEC", b"ENDSEK"))
    assert "missing ENDSEC" in report.reason and report.reason.count("DXFStructureError") == 1
    report = outcome(tmp_path, r12(line(), line(), f"{'x' * 100_000}\n1\n"))
    assert report.status == "recovered" and len(report.reason) <= 500
    assert all(len(reason) <= 120 for reason in report.left_out)


def test_a_folder_called_like_a_drawing_is_searched(tmp_path):
    (tmp_path / "x.dxf").mkdir()
    (tmp_path / "x.dxf" / "y.dxf").write_bytes(modern())
    assert find_drawings(tmp_path).sources == ["x.dxf/y.dxf"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the platform has no named pipes")
def test_a_pipe_is_named_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.dxf")
    report = run_task(Task(tmp_path / "pipe.dxf", "pipe.dxf", tmp_path / "s.h5", tmp_path / "g.h5", "cross"))
    assert report.status == "skipped" and "no regular file" in report.reason


@contextmanager
def nobody_special():
    """As a user whom permissions hold: root would read everything."""
    if os.name == "nt":
        pytest.skip("the platform has other permissions")
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_may_not_be_read_is_named():
    with tempfile.TemporaryDirectory() as name:  # pytest's own folder is closed to others than its user
        folder = Path(name)
        folder.chmod(0o777)
        assert outcome(folder, modern()).status == "read"  # so that all is imported
        (folder / "secret.dxf").write_bytes(modern())
        (folder / "secret.dxf").chmod(0)
        with nobody_special():
            report = run_task(Task(folder / "secret.dxf", "secret.dxf", folder / "s.h5", folder / "g.h5", "cross"))
    assert report.status == "skipped" and "Permission denied" in report.reason


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="the platform has no file that fails when it is read")
def test_a_file_that_fails_when_it_is_read_is_named(tmp_path):
    (tmp_path / "broken disk.dxf").symlink_to("/proc/self/mem")
    report = run_task(Task(tmp_path / "broken disk.dxf", "a.dxf", tmp_path / "s.h5", tmp_path / "g.h5", "cross"))
    assert report.status == "skipped" and "Input/output error" in report.reason


def test_a_link_to_nowhere_is_named(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "gone.dxf").symlink_to(tmp_path / "nowhere.dxf")
    report = process_drawings(ProcessConfig(tmp_path / "in", tmp_path / "out", workers=1))
    assert report.statuses == {"skipped": 1} and "No such file" in report.named["skipped"][0].reason


# argument 1 is the size of the disk, the others are a command; at the end the names of what is on the disk
ON_A_SMALL_DISK = """
mount -t tmpfs -o size="$1" tmpfs out || exit 99; shift
"$@"; status=$?
cd out && find . -type f
exit $status
"""


@pytest.mark.skipif(not shutil.which("unshare"), reason="the platform cannot make a small disk for a test")
@pytest.mark.parametrize("kilobytes", [4, 128])
def test_a_full_disk_fails_the_run_and_leaves_only_whole_files(tmp_path, kilobytes):
    (tmp_path / "in").mkdir()
    drawing = modern(lines=50)
    for i in range(40):
        (tmp_path / "in" / f"{i:02}.dxf").write_bytes(drawing)
    (tmp_path / "out").mkdir()
    script = Path(__file__).parents[2] / "dataset" / "dxf_process.py"
    command = [sys.executable, str(script), "--input", "in", "--output", "out", "--workers", "2"]
    small = ["unshare", "-rm", "sh", "-c", ON_A_SMALL_DISK, "sh", f"{kilobytes}k", *command]
    done = subprocess.run(small, cwd=tmp_path, capture_output=True, text=True)
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr}")
    assert done.returncode == 1 and "No space left" in done.stderr and "Traceback" not in done.stderr
    left = done.stdout.split()
    assert all(name.endswith(".h5") for name in left)
    assert len(left) < 80 and (kilobytes < 64 or left)


def test_a_hundred_thousand_entities(tmp_path):
    """A comb of lines that touch nobody; a million of them were run by hand, see docs/experiments.md."""
    count = 100_000
    report = outcome(tmp_path, r12(*(line(2 * i, f"{i + 1:X}", 2 * i) for i in range(count))))
    assert (report.status, report.represented) == ("read", {"LINE": count})
    graph = read_graph(tmp_path / "g.h5")
    assert graph.counts.sum() == graph.counts[GF_CLASSES.index("LINE"), 0] == count
    assert read_sequence(tmp_path / "s.h5").entity_count == count


# each of these once took minutes or more, as would a content whose time grows faster than its length
HUGE = {
    "a TEXT": (r12(line(), text(10 * MILLION * "x")), "read", {"LINE": 1, "TEXT": 1}),
    "an MTEXT full of commands": (long_mtext("\\C1;x " * MILLION), "read", {"LINE": 1, "MTEXT": 1}),
    "an MTEXT of commands and spaces": (long_mtext("\\A   " * 1000), "read", {"LINE": 1, "MTEXT": 1}),
    "a group code": (r12(line(), line(2), f"{'1' * MILLION}\n1\n"), "recovered", {"LINE": 1}),
    "a number": (r12(line(), circle("1" * MILLION)), "read", {"LINE": 1}),
    "a type": (r12(line(), f"0\n{'X' * MILLION}\n8\n0\n"), "read", {"LINE": 1}),
    "the only line": (MILLION * b"x", "skipped", {}),
}


def test_a_line_of_millions_of_characters_costs_no_more_than_its_entity(tmp_path):
    """In a worker, so that one that takes for ever fails the test and does not stop it."""
    (tmp_path / "in").mkdir()
    for name, (content, _, _) in HUGE.items():
        (tmp_path / "in" / f"{name}.dxf").write_bytes(content)
    process_drawings(ProcessConfig(tmp_path / "in", tmp_path / "out", workers=1, timeout=60.0, memory=1.0))
    files = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["files"]
    found = {file["source"].removesuffix(".dxf"): [file["status"], file["represented"]] for file in files}
    assert found == {name: expected for name, (_, *expected) in HUGE.items()}
    assert all(len(file["reason"]) <= 500 for file in files)


def test_a_text_that_is_measured_in_part_is_called_approximated(tmp_path):
    report = outcome(tmp_path, r12(text("x" * (MAX_CHARACTERS + 1)), text("x" * MAX_CHARACTERS)))
    assert report.represented == {"TEXT": 2} and report.approximated == {"TEXT": 1}
