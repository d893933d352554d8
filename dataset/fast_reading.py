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
from ezdxf.entities import DXFGraphic
from ezdxf.filemanagement import dxf_file_info
from ezdxf.lldxf.const import DXF2000
from ezdxf.lldxf.tags import Tags
from ezdxf.lldxf.types import BINARY_DATA, POINT_CODES, TYPE_TABLE, DXFBinaryTag, DXFTag, DXFVertex

from dataset.entities import ALIASES, TYPE_INDEX
from dataset.plain_entities import PLACE, SUBCLASS, Plan, make_plan

APPLICATION_GROUP = 102
HANDLE_IN_XDATA = 1005
COMMENT = 999
HANDLE, NAME = 5, 2
ATTRIBUTES_FOLLOW = 66
SECTIONS = ("HEADER", "CLASSES", "TABLES", "BLOCKS", "ENTITIES", "OBJECTS", "THUMBNAILIMAGE", "ACDSDATA")
DRAWN = {"BLOCK", *TYPE_INDEX, *ALIASES}
WITHOUT_ORDER = ("SECTION", "BLOCK", "ENDBLK", "VERTEX", "ATTRIB", "SEQEND")  # stand in no layout
PICTURE = re.compile(r"\*[UEXDAT]\d*", re.IGNORECASE)  # anonymous blocks: shown by whoever names them, or not at all


class UnexpectedError(ValueError):
    """The file is not as CAD programs write them; ezdxf may still be able to read it."""


class DisorderError(UnexpectedError):
    """Sections or blocks are in such a state that ezdxf's reader would pass over some of them without a word."""


def read_fast(path: Path) -> Drawing:
    """Read an ASCII file that is as it should be.

    The document holds all entities, tables and layouts, and every block that is named or used. Attributes that only
    tell how a plain entity looks are missing, and these entities are not in the entity database.

    Raises:
        OSError: the file cannot be read.
        DisorderError: the file is damaged, and ``ezdxf.readfile`` would not say so.
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
        """Raises ValueError (:class:`UnexpectedError` is one) if the lines are not pairs of a number and a value."""
        lines = text.rstrip().split("\n")
        codes, values = list(map(int, lines[::2])), lines[1::2]
        if COMMENT in codes:
            kept = [i for i, code in enumerate(codes) if code != COMMENT]
            codes, values = [codes[i] for i in kept], [values[i] for i in kept]
        starts = [i for i, code in enumerate(codes) if code == 0]
        kinds = [values[i].strip() for i in starts]
        if len(codes) != len(values) or starts[0] != 0:
            raise UnexpectedError("the file does not begin with a section")
        if kinds.index("EOF") != len(kinds) - 1:
            raise DisorderError("the file goes on after its end")
        return cls(codes, values, [*starts, len(codes)], kinds)

    def sections(self) -> dict[str, range]:
        """Name -> its records, the head included, the ENDSEC not."""
        found: dict[str, range] = {}
        record = 0
        while self.kinds[record] != "EOF":
            end = self.kinds.index("ENDSEC", record)
            if self.kinds[record] != "SECTION":
                raise DisorderError("there are entities between the sections")
            if "SECTION" in self.kinds[record + 1 : end]:
                raise UnexpectedError("a section has no end")
            name = self.first(record, NAME)
            if name not in SECTIONS and not DRAWN.isdisjoint(self.kinds[record:end]):
                raise DisorderError(f"there are entities in a section {name[:50]}")
            if name in found:
                raise DisorderError(f"there are two sections {name[:50]}")
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
        if APPLICATION_GROUP in codes and SUBCLASS in codes:
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
    while APPLICATION_GROUP in codes[: codes.index(SUBCLASS)]:
        start = codes.index(APPLICATION_GROUP)
        end = start + 1
        while codes[end] != APPLICATION_GROUP or values[end] not in ("}", values[start][1:] + "}"):
            end += 1
        del codes[start : end + 1], values[start : end + 1]


@dataclass
class _Reader:
    """Builds the document of one file."""

    records: _Records
    version: str  # of the file, like "AC1032"
    plans: dict[tuple[str, tuple[int, ...]], Plan | None] = field(default_factory=dict)
    handles: list[int] = field(default_factory=list)  # of all entities in layouts and blocks
    pinned: frozenset[str] = frozenset()  # handles that an application's data refer to: ezdxf may want those entities

    def document(self) -> Drawing:
        """ezdxf builds the document of the records that are worth it; the plain entities are put in afterwards.

        That changes the order within a layout, which nobody relies on as long as all handles are there and differ.
        """
        records = self.records
        sections = records.sections()
        self.pinned = frozenset(records.values[i] for i in _places(records.codes, HANDLE_IN_XDATA))
        nothing = range(0)
        blocks, unused = _blocks_in_use(records, sections.get("ENTITIES", nothing), sections.get("BLOCKS", nothing))
        loaded = {
            name: [records.compiled(record) for record in chosen]
            for name, chosen in (
                ("HEADER", sections.get("HEADER", nothing)),
                ("TABLES", _tables(records, sections.get("TABLES", nothing), unused)),
                ("OBJECTS", _objects(records, sections.get("OBJECTS", nothing))),
            )
            if chosen
        }
        plain: dict[str, list[DXFGraphic]] = {}  # by the block they stand in, "" for ENTITIES
        if "BLOCKS" in sections:
            loaded["BLOCKS"] = [records.compiled(sections["BLOCKS"][0])]
            for name, content in blocks:
                loaded["BLOCKS"] += self._split(content, plain.setdefault(name, []))
        if "ENTITIES" in sections:
            loaded["ENTITIES"] = self._split(sections["ENTITIES"], plain.setdefault("", []))
        if len(set(self.handles)) < len(self.handles) or 0 in self.handles:
            raise UnexpectedError("handles are not unique")
        document = Drawing()
        document._load_section_dict(loaded)
        _place(document, plain)
        return document

    def _split(self, chosen: range, plain: list[DXFGraphic]) -> list[Tags]:
        """Append the plain entities among some records to ``plain``; return the other records."""
        records = self.records
        others = []
        owing = ""  # an entity that has not got its SEQEND yet
        for record in chosen:
            kind = records.kinds[record]
            entity = self._plain_entity(record) if kind in PLACE else None
            if entity is not None:
                if owing:
                    raise UnexpectedError(f"{kind} follows {owing} without SEQEND")
                self.handles.append(int(entity.dxf.handle, 16))
                plain.append(entity)
                continue
            tags = records.compiled(record)
            if kind not in WITHOUT_ORDER:
                self.handles.append(int(records.first(record, HANDLE), 16))
            if kind == "SEQEND":
                owing = ""
            elif kind == "POLYLINE" or (kind == "INSERT" and tags.get_first_value(ATTRIBUTES_FOLLOW, 0)):
                owing = kind
            others.append(tags)
        return others

    def _plain_entity(self, record: int) -> DXFGraphic | None:
        """The entity if it is plain and nothing but the sheet refers to it."""
        start, end = self.records.starts[record], self.records.starts[record + 1]
        signature = (self.records.kinds[record], tuple(self.records.codes[start:end]))
        if signature not in self.plans:
            # ezdxf has rules of its own for an LWPOLYLINE in a file that is too old to have any
            is_known = self.version >= DXF2000 or signature[0] != "LWPOLYLINE"
            self.plans[signature] = make_plan(*signature) if is_known else None
        plan = self.plans[signature]
        if plan is None:
            return None
        entity = plan.load(self.records.values, start)
        return None if entity.dxf.handle in self.pinned else entity


def _blocks_in_use(
    records: _Records, entities: range, section: range
) -> tuple[list[tuple[str, range]], frozenset[str]]:
    """The blocks that have a name of their own or are used: names and records. And the names of the others."""
    blocks = list(_blocks(records, section))
    places = _places(records.codes, NAME)  # of blocks, and of layers or styles, which do no harm

    def named(chosen: range) -> set[str]:
        """All that a few records name, but for the first one's own name."""
        if not chosen:
            return set()
        first = bisect_left(places, records.starts[chosen[0] + 1])
        last = bisect_left(places, records.starts[chosen[-1] + 1])
        return {records.values[place].lower() for place in places[first:last]}

    names: dict[str, set[str]] = {}
    for name, content in blocks:
        names.setdefault(name.lower(), set()).update(named(content))
    waiting = {*named(entities), *(name for name in names if not PICTURE.fullmatch(name))} & names.keys()
    used: set[str] = set()
    while waiting:
        name = waiting.pop()
        used.add(name)
        waiting |= (names[name] & names.keys()) - used
    return [block for block in blocks if block[0].lower() in used], frozenset(names.keys() - used)


def _blocks(records: _Records, section: range) -> Iterator[tuple[str, range]]:
    """Name and records, from BLOCK to ENDBLK, of every block."""
    record, end = section.start + 1, section.stop
    while record < end:
        if records.kinds[record] != "BLOCK":
            raise DisorderError("there are entities between the blocks")
        try:
            last = records.kinds.index("ENDBLK", record, end)
        except ValueError:
            raise DisorderError("the last block has no end") from None
        if "BLOCK" in records.kinds[record + 1 : last]:
            raise DisorderError("a block has no end")
        name = records.first(record, NAME)
        if not name:
            raise UnexpectedError("a block has no name")
        yield name, range(record, last + 1)
        record = last + 1


def _tables(records: _Records, section: range, unused: frozenset[str]) -> list[int]:
    return [
        record
        for record in section
        if records.kinds[record] != "BLOCK_RECORD" or records.first(record, NAME).lower() not in unused
    ]


def _objects(records: _Records, section: range) -> list[int]:
    """The layouts, and the two dictionaries that lead to them."""
    if not section:
        return []
    head, root = section[0], section[1]
    name = records.values.index("ACAD_LAYOUT", records.starts[root], records.starts[root + 1])
    handle = records.values[name + 1]
    kinds = {kind: [i for i in section[2:] if records.kinds[i] == kind] for kind in ("DICTIONARY", "LAYOUT")}
    names = [record for record in kinds["DICTIONARY"] if records.first(record, HANDLE) == handle]
    if len(names) != 1:
        raise UnexpectedError("the layouts have no dictionary")
    return [head, root, *names, *kinds["LAYOUT"]]


def _places(codes: list[int], wanted: int) -> list[int]:
    return [i for i, code in enumerate(codes) if code == wanted]


def _place(document: Drawing, plain: dict[str, list[DXFGraphic]]) -> None:
    """Put the plain entities where ezdxf would; those of ENTITIES by their owner, else by their flag."""
    records = document.block_records
    model, paper = records.get("*Model_Space"), records.get("*Paper_Space")
    by_owner = {model.dxf.handle: model, paper.dxf.handle: paper}
    for name, entities in plain.items():
        block = records.get(name) if name and entities else None
        for entity in entities:
            home = block or by_owner.get(entity.dxf.owner) or (paper if entity.dxf.get("paperspace", 0) else model)
            entity.doc = document
            entity.dxf.__dict__["owner"] = home.dxf.handle
            home.entity_space.add(entity)
