"""A corpus made by code: every type of entity in every DXF version that has it, as text and as binary, from the folder
to the outputs."""

from __future__ import annotations

import json
from collections import Counter

import ezdxf
import numpy as np
import pytest

from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.dxf_process_GF import gf_adjacency, gf_features
from dataset.entities import ALIASES, DEEPDXF_TYPES, GF_CLASSES
from dataset.reading import read_sheet
from dataset.storage import read_graph, read_sequence
from dataset.worker import process_file
from tests.dataset import specimens
from tests.dataset.building import new_drawing
from tests.dataset.specimens import check_row, points

CURVED = [(10, 20, 0.5), (50, 20, 0), (50, 60, -1)]
CROSSED = [(10, 10), (50, 10), (10, 40), (50, 40)]

SPECIMENS = {
    "line": specimens.line((10, 20), (150, 90)),
    "circle": specimens.circle((50, 50), 30),
    "arc over the zero": specimens.arc((50, 50), 30, 350, 200),
    "lwpolyline": specimens.lwpolyline(CURVED, close=True),
    "polyline": specimens.polyline(CURVED, close=True),
    "polyline in space": specimens.polyline_3d([(10, 10), (60, 20), (80, 70)], close=False),
    "text": specimens.text((50, 20), 20, 30, "AB"),
    "mtext": specimens.mtext((50, 80), 10, 270, ["AB", "ABC"]),
    "hatch": specimens.hatch([(20, 20), (60, 20), (60, 50)], solid=False),
    "hatch of edges": specimens.hatch_of_edges((100, 50), 30, 20),
    "linear dimension": specimens.linear_dimension((10, 20), (60, 30), 20),
    "aligned dimension": specimens.aligned_dimension((10, 20), (40, 60), 5),
    "angular dimension": specimens.angular_dimension((10, 10), 40),
    "diameter dimension": specimens.diameter_dimension((100, 50), 12.3456, 45),
    "radius dimension": specimens.radius_dimension((100, 50), 12.3456, 45),
    "three point dimension": specimens.three_point_dimension((10, 10), 40),
    "ordinate dimension": specimens.ordinate_dimension((10, 10), 60, 20),
    "arc dimension": specimens.arc_dimension((50, 20), 30),
    "jogged radius dimension": specimens.jogged_radius_dimension((50, 50), 40),
    "leader": specimens.leader([(10, 10), (30, 40), (60, 40)]),
    "multileader": specimens.multileader((10, 10), (100, 50), 4),
    "mleader": specimens.multileader((10, 10), (100, 50), 4, spelled="MLEADER"),
    "insert": specimens.insert((50, 40), (2, -1), 200),
    "insert of rows": specimens.insert((50, 30), (1, 1), 0, columns=3, rows=2),
    "solid": specimens.solid(CROSSED),
    "triangle": specimens.solid([(10, 10), (50, 10), (10, 40), (10, 40)]),
    "trace": specimens.solid(CROSSED, spelled="TRACE"),
    "spline": specimens.spline([(10, 10), (30, 60), (70, 10), (90, 50), (120, 30)]),
    "ellipse": specimens.ellipse((100, 40), (40, 10), 0.5),
}

ATTRIBUTE = points((120, 40)) | {"height": 5, "width": 10, "rotation": 0}

R12, *LATER = "R12", "R2000", "R2004", "R2007", "R2010", "R2013", "R2018"
# ezdxf reads these but writes none of them: they are R12 or R2000 under an older name, which is how it takes them
OLDER = {"R10": ("AC1006", R12), "R13": ("AC1012", "R2000"), "R14": ("AC1014", "R2000")}
FORMATS = ("asc", "bin")


def versions(oldest: str) -> list[str]:
    known = (R12, *LATER)
    able = known[known.index(oldest) :]
    return [*able, *(version for version, (_, base) in OLDER.items() if base in able)]


CASES = [
    (name, version, fmt)
    for name, specimen in [*SPECIMENS.items(), ("attribute", None)]
    for version in versions(specimen.oldest if specimen else R12)
    for fmt in FORMATS
]


def written(document, path, version, fmt):
    document.saveas(path, fmt=fmt)
    if version in OLDER:
        code, base = OLDER[version]
        base_code = ezdxf.new(base).dxfversion
        path.write_bytes(path.read_bytes().replace(base_code.encode(), code.encode(), 1))


def rules(space):
    """Two lines that no specimen touches span the sheet, so that a bin is 200 / 255 wide."""
    space.add_line((0, 0), (200, 0))
    space.add_line((0, 100), (200, 100))


def corpus_drawing(name, version):
    document, space = new_drawing(OLDER.get(version, ("", version))[1])
    if name == "attribute":  # only where its INSERT is opened does an ATTRIB stand on the sheet
        rules(document.blocks.new("SHEET"))
        space.add_blockref("SHEET", (0, 0)).add_attrib("NUMBER", "AB", (120, 40), {"height": 5})
        return document, ATTRIBUTE
    rules(space)
    return document, SPECIMENS[name].draw(space)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """The outputs' folder, what the run said of every file, and what every row must say."""
    folder = tmp_path_factory.mktemp("corpus")
    expected = {}
    for name, version, fmt in CASES:
        path = folder / "in" / version / f"{name}.{fmt}.dxf"
        path.parent.mkdir(parents=True, exist_ok=True)
        document, expected[name, version, fmt] = corpus_drawing(name, version)
        written(document, path, version, fmt)
    process_drawings(ProcessConfig(folder / "in", folder / "out", workers=1))
    report = json.loads((folder / "out" / "report.json").read_text(encoding="utf-8"))
    return folder / "out", {file["source"]: file for file in report["files"]}, expected


@pytest.mark.parametrize(("name", "version", "fmt"), CASES)
def test_a_minimal_file_becomes_its_row_and_its_graph(corpus, name, version, fmt):
    output, reports, expected = corpus
    source = f"{version}/{name}.{fmt}.dxf"
    spelled, read_as = ("ATTRIB", "TEXT")
    if name != "attribute":
        spelled, read_as = SPECIMENS[name].spelled, SPECIMENS[name].read_as

    report = reports[source]
    assert (report["status"], report["reason"], report["left_out"], report["approximated"]) == ("read", "", {}, {})
    assert report["represented"] == Counter(LINE=2) + Counter([spelled])

    sequence = read_sequence((output / "DeepDXF" / source).with_suffix(".h5"))
    assert sequence.source == source and sequence.extents.side == 200 and sequence.extents.height == 100
    first, second, row = sequence.dxf_vec
    check_row(first, sequence.extents, "LINE", points((0, 0), (200, 0)))
    check_row(second, sequence.extents, "LINE", points((0, 100), (200, 100)))
    check_row(row, sequence.extents, read_as, expected[name, version, fmt])

    counts = np.zeros((10, 11), dtype=np.int64)
    edges = np.zeros((10, 10), dtype=np.int64)
    for known in {"LINE", read_as} & set(GF_CLASSES):
        counts[GF_CLASSES.index(known), 0] = 1 if known != "LINE" else 3 if read_as == "LINE" else 2
    if read_as in GF_CLASSES and read_as != "LINE":
        i, j = GF_CLASSES.index(read_as), GF_CLASSES.index("LINE")
        edges[i, j] = edges[j, i] = 1
    graph = read_graph((output / "GF" / source).with_suffix(".h5"))
    np.testing.assert_array_equal(graph.counts, counts)
    np.testing.assert_array_equal(graph.edge_counts, edges)
    np.testing.assert_array_equal(graph.features, gf_features(counts))
    np.testing.assert_array_equal(graph.adjacency, gf_adjacency(edges))


def test_the_corpus_is_complete():
    spelled = {specimen.spelled for specimen in SPECIMENS.values()} | {"ATTRIB"}
    assert spelled == set(DEEPDXF_TYPES) | set(ALIASES)
    assert {specimen.read_as for specimen in SPECIMENS.values()} == set(DEEPDXF_TYPES)


LONG = {
    "LWPOLYLINE": lambda space: space.add_lwpolyline([(i, i % 3) for i in range(13)]),
    "LEADER": lambda space: space.add_leader([(i, i % 3) for i in range(13)]),
    "SPLINE": lambda space: space.add_open_spline([(i, i % 3) for i in range(13)]),
}


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("fmt", FORMATS)
def test_what_has_more_points_than_slots_is_counted_as_approximated(tmp_path, name, fmt):
    document, space = new_drawing()
    LONG[name](space)
    document.saveas(tmp_path / "long.dxf", fmt=fmt)
    report = process_file(tmp_path / "long.dxf", "long.dxf").report
    assert report.status == "read" and report.represented == report.approximated == {name: 1}


def mesh(space):
    space.add_polymesh((2, 2))


def faces(space):
    space.add_polyface().append_face([(0, 0), (1, 0), (1, 1)])


def subdivided(space):
    with space.add_mesh().edit_data() as data:
        data.vertices, data.faces = [(0, 0, 0), (1, 0, 0), (1, 1, 0)], [(0, 1, 2)]


# what draws an entity that the table does not know: how the file spells it, and whether R12 has it
UNKNOWN = {
    "point": (lambda space: space.add_point((1, 1)), "POINT", True),
    "face": (lambda space: space.add_3dface([(0, 0), (1, 0), (1, 1)]), "3DFACE", True),
    "mesh of a POLYLINE": (mesh, "POLYLINE", True),
    "faces of a POLYLINE": (faces, "POLYLINE", True),
    "attribute definition": (lambda space: space.add_attdef("TAG", (1, 1)), "ATTDEF", True),
    "ray": (lambda space: space.add_ray((0, 0), (1, 1)), "RAY", False),
    "construction line": (lambda space: space.add_xline((0, 0), (1, 1)), "XLINE", False),
    "mesh": (subdivided, "MESH", False),
    "helix": (lambda space: space.add_helix(1, 1, 1), "HELIX", False),
    "tolerance": (lambda space: space.new_entity("TOLERANCE", {"content": "0.1"}), "TOLERANCE", False),
}


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize(
    ("name", "version"),
    [(name, version) for name in UNKNOWN for version in (R12, "R2000", "R2018") if version != R12 or UNKNOWN[name][2]],
)
def test_what_the_table_does_not_know_is_counted(tmp_path, name, version, fmt):
    add, spelled, _ = UNKNOWN[name]
    document, space = new_drawing(version)
    rules(space)
    add(space)
    document.saveas(tmp_path / "unknown.dxf", fmt=fmt)
    drawing = process_file(tmp_path / "unknown.dxf", "unknown.dxf")
    assert (drawing.report.status, drawing.report.represented) == ("read", {"LINE": 2})
    assert drawing.report.left_out == {spelled: 1}
    assert len(drawing.sequence.dxf_vec) == drawing.graph.counts.sum() == 2


WORDS = {
    "gbk": ("ANSI_936", "引线框架 3±0.05"),
    "cp950": ("ANSI_950", "導線架"),
    "cp932": ("ANSI_932", "リードフレーム"),
    "cp949": ("ANSI_949", "리드 프레임"),
    "cp1251": ("ANSI_1251", "Чертёж"),
    "cp1252": ("ANSI_1252", "Übermaß 3±0,05 µm"),
}


def noted(version, encoding, words):
    document, space = new_drawing(version)
    document.encoding = encoding  # before R2007 it is the file's, named by $DWGCODEPAGE; since then a file is UTF-8
    rules(space)
    space.add_text(words, height=5).set_placement((10, 10))
    if version != R12:
        space.add_mtext(words, dxfattribs={"insert": (10, 60), "char_height": 5})
    return document


def strings(path):
    return [entity.dxf.text if entity.dxftype() == "TEXT" else entity.text for entity in read_sheet(path).entities[2:]]


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("version", ["R12", "R2000", "R2004", "R2007", "R2018"])
@pytest.mark.parametrize("encoding", WORDS)
def test_texts_come_through_in_every_encoding(tmp_path, encoding, version, fmt):
    codepage, words = WORDS[encoding]
    path, modern = tmp_path / "old.dxf", tmp_path / "modern.dxf"
    noted(version, encoding, words).saveas(path, fmt=fmt)
    noted("R2018", encoding, words).saveas(modern)
    is_old = version in ("R12", "R2000", "R2004")
    assert words.encode(encoding if is_old else "utf-8") in path.read_bytes()
    assert codepage.encode() in path.read_bytes() or not is_old

    assert strings(path) == [words] * (1 if version == R12 else 2)
    drawing = process_file(path, path.name)
    assert drawing.report.status == "read"
    rows = process_file(modern, modern.name).sequence.dxf_vec
    np.testing.assert_array_equal(drawing.sequence.dxf_vec, rows[: len(drawing.sequence.dxf_vec)])


@pytest.mark.parametrize("encoding", WORDS)
def test_texts_of_a_damaged_file_come_through_too(tmp_path, encoding):
    _, words = WORDS[encoding]
    path = tmp_path / "damaged.dxf"
    noted("R2000", encoding, words).saveas(path)
    path.write_bytes(path.read_bytes().replace(b"AcDbLine\n 10\n0.0\n", b"AcDbLine\n 10\n0,0x\n"))
    assert read_sheet(path).recovered and strings(path) == [words] * 2


def test_a_file_that_names_the_wrong_encoding_loses_words_and_no_entity(tmp_path):
    """Some programs write GBK and name ANSI_1252."""
    path = tmp_path / "wrong.dxf"
    noted("R2000", "gbk", WORDS["gbk"][1]).saveas(path)
    path.write_bytes(path.read_bytes().replace(b"ANSI_936", b"ANSI_1252"))
    report = process_file(path, path.name).report
    assert (report.status, report.represented) == ("read", {"LINE": 2, "TEXT": 1, "MTEXT": 1})


@pytest.mark.parametrize("escaped", ["\\U+2300\\U+5f15\\U+7EBF", "\\M+5A1C1\\M+5D2FD\\M+5CFDF"])
def test_a_character_is_as_wide_escaped_as_not(tmp_path, escaped):
    """What an encoding lacks is written as its Unicode number, or as its bytes in a code page."""
    plain = "⌀引线" if "U" in escaped else "×引线"
    rows = []
    for words in (plain, escaped):
        noted("R2018", "utf-8", words).saveas(tmp_path / "text.dxf")
        assert strings(tmp_path / "text.dxf") == [words] * 2
        rows.append(process_file(tmp_path / "text.dxf", "text.dxf").sequence.dxf_vec)
    np.testing.assert_array_equal(*rows)
