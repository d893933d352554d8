"""Read a DXF file into the document that ezdxf would make of it, less what no sheet shows.

``ezdxf.readfile`` compiles every tag of a file into an object and every entity from these. Here the text is split at
once, whole sections, objects and anonymous blocks that nothing refers to are passed over, and the plain entities, nine
tenths of a drawing, are filled straight from its lines. All the rest goes through ezdxf's own loader.

The result is either a document in which every sheet looks as in ezdxf's, or an exception: whatever is not as a CAD
program leaves it (missing or repeated handles, sections or blocks that do not end, numbers that are none) is left to
the readers that can cope with it.
"""

from __future__ import annotations

import gc
import re
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ezdxf.document import Drawing
from ezdxf.entities import DXFGraphic, factory
from ezdxf.entities.lwpolyline import LWPolylinePoints
from ezdxf.filemanagement import dxf_file_info
from ezdxf.lldxf.const import DXF2000
from ezdxf.lldxf.tags import Tags
from ezdxf.lldxf.types import BINARY_DATA, POINT_CODES, TYPE_TABLE, DXFBinaryTag, DXFTag, DXFVertex
from ezdxf.math import Vec3

# Plain entities and the attributes that say where they lie; whatever else a record holds must be in LOOKS.
PLAIN = {
    "LINE": ("start", "end", "extrusion"),
    "POINT": ("location", "extrusion"),
    "CIRCLE": ("center", "radius", "extrusion"),
    "ARC": ("center", "radius", "start_angle", "end_angle", "extrusion"),
    "SOLID": ("vtx0", "vtx1", "vtx2", "vtx3", "extrusion"),
    "TRACE": ("vtx0", "vtx1", "vtx2", "vtx3", "extrusion"),
    "TEXT": (
        *("text", "insert", "align_point", "height", "width", "rotation", "oblique", "style"),
        *("text_generation_flag", "halign", "valign", "extrusion"),
    ),
    "INSERT": (
        *("name", "insert", "xscale", "yscale", "zscale", "rotation", "extrusion"),
        *("column_count", "row_count", "column_spacing", "row_spacing"),
    ),
    "LWPOLYLINE": ("flags", "elevation", "const_width", "extrusion"),
}
ALWAYS = ("handle", "owner", "paperspace", "layer", "invisible", "color")
# type and subclass marks, linetype and its scale, lineweight, thickness, colors, transparency, styles
LOOKS = frozenset((0, 100, 6, 48, 370, 39, 420, 430, 440, 284, 347, 348, 380, 390))
VERTEX = {10: 0, 20: 1, 40: 2, 41: 3, 42: 4}  # group code -> column of an LWPOLYLINE's points
VERTEX_IDENTIFIER, VERTEX_COUNT = 91, 90
XDATA = 1000  # group codes from here on are an application's own data, at the end of a record
HANDLE_IN_XDATA = 1005

COMMENT = 999
WITH_FOLLOWERS = ("POLYLINE", "VERTEX", "ATTRIB")  # a SEQEND must come before any other entity
WITHOUT_ORDER = (*WITH_FOLLOWERS[1:], "SEQEND", "BLOCK", "ENDBLK")  # stand in no layout: their handles do not matter
PICTURE = re.compile(r"\*[UEXDAT]\d*", re.IGNORECASE)  # anonymous blocks: shown by whoever names them, or not at all


class UnexpectedError(ValueError):
    """The file is not as CAD programs write them; ezdxf may still be able to read it."""


def read_fast(path: Path) -> Drawing:
    """Read an ASCII file that is as it should be.

    The document holds all entities, tables and layouts, and every block that is named or used. Attributes that only
    tell how a plain entity looks are missing, and these entities are not in the entity database.

    Raises:
        OSError: the file cannot be read.
        Exception: the file is not as it should be; :class:`UnexpectedError` or whatever ezdxf raises.
    """
    info = dxf_file_info(path)
    with path.open(encoding=info.encoding, errors="surrogateescape") as file, _garbage_kept():
        return _Reader(_Records.of(file.read()), info.version).document()


@contextmanager
def _garbage_kept() -> Iterator[None]:
    """Nothing that is read becomes garbage, but looking for some after every few hundred objects costs a fifth."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@dataclass(frozen=True)
class _Records:
    """A file's tags: group codes and values side by side, and where each record (from one code 0 to the next) starts.

    The last entry of ``starts`` is the end of the last record.
    """

    codes: list[int]
    values: list[str]
    starts: list[int]
    kinds: list[str]  # of each record: "LINE", "SECTION" ...

    @classmethod
    def of(cls, text: str) -> _Records:
        lines = text.rstrip().split("\n")
        codes, values = list(map(int, lines[::2])), lines[1::2]
        if COMMENT in codes:
            kept = [i for i, code in enumerate(codes) if code != COMMENT]
            codes, values = [codes[i] for i in kept], [values[i] for i in kept]
        starts = [i for i, code in enumerate(codes) if code == 0]
        kinds = [values[i].strip() for i in starts]
        if len(codes) != len(values) or starts[0] != 0 or kinds.index("EOF") != len(kinds) - 1:
            raise UnexpectedError("the file does not begin with a section or does not end with EOF")
        return cls(codes, values, [*starts, len(codes)], kinds)

    def sections(self) -> dict[str, range]:
        """Name -> its records, the head included, the ENDSEC not."""
        found: dict[str, range] = {}
        record = 0
        while self.kinds[record] != "EOF":
            end = self.kinds.index("ENDSEC", record)
            name = self.values[self.starts[record] + 1]
            if self.kinds[record] != "SECTION" or "SECTION" in self.kinds[record + 1 : end] or name in found:
                raise UnexpectedError("sections are not in order")
            found[name] = range(record, end)
            record = end + 1
        return found

    def first(self, record: int, code: int) -> str:
        """The first value of a group code in a record. Raises ValueError if there is none."""
        return self.values[self.codes.index(code, self.starts[record], self.starts[record + 1])]

    def compiled(self, record: int) -> Tags:
        """A record as ezdxf's loader takes it, without the handles of dictionaries and reactors at its head."""
        start, end = self.starts[record], self.starts[record + 1]
        codes, values = self.codes[start:end], self.values[start:end]
        if 102 in codes and 100 in codes:
            _drop_application_groups(codes, values)
        tags = Tags([DXFTag(0, values[0].strip())])
        i, end = 1, len(codes)
        codes.append(0)
        while i < end:
            code, value = codes[i], values[i]
            if code in POINT_CODES:
                if codes[i + 1] != code + 10:
                    raise UnexpectedError("a point has no y")
                size = 3 if codes[i + 2] == code + 20 else 2
                tags.append(DXFVertex(code, map(float, values[i : i + size])))
                i += size
                continue
            if code in BINARY_DATA:
                tags.append(DXFBinaryTag.from_string(code, value))
            else:
                tags.append(DXFTag(code, TYPE_TABLE.get(code, str)(value)))
            i += 1
        return tags


def _drop_application_groups(codes: list[int], values: list[str]) -> None:
    """Cut ``102 {NAME ... 102 }`` out of a record's head, in place; later ones mean something else."""
    while 102 in codes[: codes.index(100)]:
        start = codes.index(102)
        end = start + 1
        while codes[end] != 102 or values[end] not in ("}", values[start][1:] + "}"):
            end += 1
        del codes[start : end + 1], values[start : end + 1]


@dataclass(frozen=True)
class _Plan:
    """Which lines of a record fill which attributes: the same for all records with the same sequence of group codes."""

    kind: type[DXFGraphic]
    numbers: list[tuple[str, int, type]]  # attribute, line, type
    points: list[tuple[str, int, int]]  # attribute, first line, line after the last
    vertices: list[list[int | None]] | None  # lines of x, y, both widths, bulge; of an LWPOLYLINE

    def load(self, values: list[str], start: int) -> DXFGraphic:
        entity = self.kind()
        attributes = entity.dxf.__dict__  # as ezdxf's loader: without the checks that are for programmers
        for name, i, convert in self.numbers:
            attributes[name] = convert(values[start + i])
        for name, i, end in self.points:
            attributes[name] = Vec3(*map(float, values[start + i : start + end]))
        if self.vertices is not None:
            entity.lwpoints = LWPolylinePoints(
                [[0.0 if i is None else float(values[start + i]) for i in row] for row in self.vertices]
            )
        return entity


def _plan(kind: str, codes: tuple[int, ...]) -> _Plan | None:
    """How to fill a plain entity from a record, or None if there is more to it than lines to copy."""
    own = next((i for i, code in enumerate(codes) if code >= XDATA), len(codes))
    codes = codes[:own]
    vertices = None
    rest = {i: code for i, code in enumerate(codes) if code not in LOOKS}
    if kind == "LWPOLYLINE":
        vertices = _vertex_lines(codes)
        if vertices is None:
            return None
        known = (*VERTEX, VERTEX_COUNT, VERTEX_IDENTIFIER)
        rest = {i: code for i, code in rest.items() if code not in known}
    entity = factory.cls(kind)
    names = {entity.DXFATTRIBS.get(name).code: name for name in (*ALWAYS, *PLAIN[kind])}
    numbers, points = [], []
    for i, code in rest.items():
        if codes.count(code) > 1:
            return None
        if code in names and code in POINT_CODES:
            size = 3 if codes[i + 1 : i + 3] == (code + 10, code + 20) else 2
            if codes[i + 1 : i + 2] != (code + 10,):
                return None
            points.append((names[code], i, i + size))
        elif code in names:
            numbers.append((names[code], i, TYPE_TABLE.get(code, str)))
    taken = {name for name, *_ in numbers} | {name for name, *_ in points}
    accounted = len(numbers) + sum(end - i for _, i, end in points)
    if accounted != len(rest) or "handle" not in taken:
        return None
    return _Plan(entity, numbers, points, vertices)


def _vertex_lines(codes: tuple[int, ...]) -> list[list[int | None]] | None:
    """Of every vertex of an LWPOLYLINE the lines of x, y, both widths and bulge; None if they are not in order."""
    if codes.count(100) != 2:
        return None
    marker = codes.index(100, codes.index(100) + 1)
    rows: list[list[int | None]] = []
    for i, code in enumerate(codes):
        column = VERTEX.get(code)
        if column is None:
            if i < marker and code in (70, 38, 43, 210):
                return None
            continue
        if i < marker or (code == 10 and codes[i + 1 : i + 2] != (20,)) or (code == 20 and codes[i - 1] != 10):
            return None
        if code == 10:
            rows.append([None] * len(VERTEX))
        if not rows or rows[-1][column] is not None:
            return None
        rows[-1][column] = i
    return rows


@dataclass
class _Reader:
    records: _Records
    version: str
    plans: dict[tuple[str, tuple[int, ...]], _Plan | None] = field(default_factory=dict)
    handles: list[int] = field(default_factory=list)  # of all entities in layouts and blocks
    pinned: frozenset[str] = frozenset()  # handles that an application's data refer to: ezdxf may want those entities

    def document(self) -> Drawing:
        records = self.records
        sections = records.sections()
        self.pinned = frozenset(records.values[i] for i in _places(records.codes, HANDLE_IN_XDATA))
        blocks = _Blocks(records, sections.get("ENTITIES", range(0)), sections.get("BLOCKS", range(0)))
        loaded = {
            name: [records.compiled(record) for record in chosen]
            for name, chosen in (
                ("HEADER", sections.get("HEADER", ())),
                ("TABLES", _tables(records, sections.get("TABLES", ()), blocks.unused)),
                ("OBJECTS", _objects(records, sections.get("OBJECTS", ()))),
            )
            if chosen
        }
        plain: dict[str, list[DXFGraphic]] = {}  # by the block they stand in, "" for ENTITIES
        if "BLOCKS" in sections:
            loaded["BLOCKS"] = [records.compiled(sections["BLOCKS"][0])]
            for name, content in blocks.used:
                loaded["BLOCKS"] += self._split(content, plain.setdefault(name, []))
        if "ENTITIES" in sections:
            loaded["ENTITIES"] = self._split(sections["ENTITIES"], plain.setdefault("", []))
        if len(set(self.handles)) < len(self.handles) or 0 in self.handles:
            raise UnexpectedError("handles are not unique")
        document = Drawing()
        document._load_section_dict(loaded)
        _place(document, plain)
        return document

    def _split(self, records: range, plain: list[DXFGraphic]) -> list[Tags]:
        """Append the plain entities among some records to ``plain``; return the other records."""
        codes, values, starts, kinds = self.records.codes, self.records.values, self.records.starts, self.records.kinds
        others = []
        previous = ""
        for record in records:
            kind, start, end = kinds[record], starts[record], starts[record + 1]
            plan = None
            if kind in PLAIN:
                signature = (kind, tuple(codes[start:end]))
                plan = self.plans.get(signature, self)
                if plan is self:
                    plan = self.plans[signature] = self._plan(*signature)
            if plan is not None:
                entity = plan.load(values, start)
                handle = entity.dxf.handle
                if handle not in self.pinned:
                    if previous in WITH_FOLLOWERS or previous == "INSERT":
                        raise UnexpectedError(f"{kind} follows {previous} without SEQEND")
                    self.handles.append(int(handle, 16))
                    plain.append(entity)
                    previous = ""
                    continue
            tags = self.records.compiled(record)
            if kind not in WITHOUT_ORDER and kind != "SECTION":
                self.handles.append(int(self.records.first(record, 5), 16))
            others.append(tags)
            previous = kind if kind != "INSERT" or 66 in codes[start:end] else ""
        return others

    def _plan(self, kind: str, codes: tuple[int, ...]) -> _Plan | None:
        if kind == "LWPOLYLINE" and self.version < DXF2000:  # ezdxf reads those by other rules
            return None
        return _plan(kind, codes)


class _Blocks:
    """The blocks that a sheet can show, with their records from BLOCK to ENDBLK, and the names of the others."""

    def __init__(self, records: _Records, entities: range, section: range) -> None:
        contents = list(_blocks(records, section))
        places = _places(records.codes, 2)  # a name of a block, or of something else, which does no harm

        def named(chosen: range) -> Iterator[str]:
            if chosen:
                first = bisect_left(places, records.starts[chosen[0] + 1])  # past the own name
                last = bisect_left(places, records.starts[chosen[-1] + 1])
                yield from (records.values[place].lower() for place in places[first:last])

        refers: dict[str, set[str]] = {}
        for name, content in contents:
            refers.setdefault(name.lower(), set()).update(named(content))
        waiting = {*named(entities), *(name for name in refers if not PICTURE.fullmatch(name))} & refers.keys()
        seen: set[str] = set()
        while waiting:
            name = waiting.pop()
            seen.add(name)
            waiting |= (refers[name] & refers.keys()) - seen
        self.used = [(name, content) for name, content in contents if name.lower() in seen]
        self.unused = refers.keys() - seen


def _blocks(records: _Records, section: range) -> Iterator[tuple[str, range]]:
    record, end = section.start + 1, section.stop
    while record < end:
        last = records.kinds.index("ENDBLK", record, end)
        if records.kinds[record] != "BLOCK" or "BLOCK" in records.kinds[record + 1 : last]:
            raise UnexpectedError("blocks are not in order")
        name = records.first(record, 2)
        if not name:
            raise UnexpectedError("a block has no name")
        yield name, range(record, last + 1)
        record = last + 1


def _tables(records: _Records, section: range, unused: set[str]) -> list[int]:
    return [
        record
        for record in section
        if records.kinds[record] != "BLOCK_RECORD" or records.first(record, 2).lower() not in unused
    ]


def _objects(records: _Records, section: range) -> list[int]:
    """The layouts, and the two dictionaries that lead to them."""
    if not section:
        return []
    head, root = section[0], section[1]
    start, end = records.starts[root], records.starts[root + 1]
    layouts = records.values[records.values.index("ACAD_LAYOUT", start, end) + 1]
    return [
        head,
        root,
        *(
            record
            for record in section[2:]
            if records.kinds[record] == "LAYOUT"
            or (records.kinds[record] == "DICTIONARY" and records.first(record, 5) == layouts)
        ),
    ]


def _places(codes: list[int], wanted: int) -> list[int]:
    return [i for i, code in enumerate(codes) if code == wanted]


def _place(document: Drawing, plain: dict[str, list[DXFGraphic]]) -> None:
    """Put the plain entities where ezdxf would; those of ENTITIES by their owner, else by their flag."""
    records = document.block_records
    model, paper = records.get("*Model_Space"), records.get("*Paper_Space")
    by_owner = {model.dxf.handle: model, paper.dxf.handle: paper}
    in_model: list[DXFGraphic] = []
    in_paper: list[DXFGraphic] = []
    for entity in plain.pop("", ()):
        home = by_owner.get(entity.dxf.owner) or (paper if entity.dxf.get("paperspace", 0) else model)
        (in_paper if home is paper else in_model).append(entity)
    homes = [
        (model, in_model),
        (paper, in_paper),
        *((records.get(name), found) for name, found in plain.items() if found),
    ]
    for home, entities in homes:
        flag = {"paperspace": 1} if home.is_any_paperspace else {}
        for entity in entities:
            entity.doc = document
            entity.dxf.__dict__.update(flag, owner=home.dxf.handle)
            home.entity_space.add(entity)
