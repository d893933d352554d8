"""What can be had from a damaged DXF file: a damaged entity costs itself, and a file that ends early what is missing.

ezdxf's recover mode gives up a whole file for one number that is none, one entity that lacks its subclass marker or one
line too many, and it drops the section in which a file ends. Here the file is taken apart into records first, from one
group code 0 to the next; records that are no pairs of group code and value are left out, and what follows is found
again at the next record. The rest goes through recover mode, less the records that it cannot load, and less its audit,
which removes what is merely odd: those who measure an entity see whether it can be drawn.
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BytesIO
from itertools import chain, pairwise
from pathlib import Path
from typing import BinaryIO

import ezdxf
from ezdxf.document import Drawing
from ezdxf.entities import DXFObject, factory
from ezdxf.entities.subentity import LINKED_ENTITIES
from ezdxf.lldxf.const import DEFAULT_ENCODING, DXF12, DXF2007, TABLE_NAMES_ACAD_ORDER
from ezdxf.lldxf.extendedtags import ExtendedTags
from ezdxf.lldxf.repair import filter_invalid_point_codes, tag_reorder_layer
from ezdxf.lldxf.tagger import binary_tags_loader
from ezdxf.lldxf.tags import Tags
from ezdxf.lldxf.types import MAX_GROUP_CODE, DXFBinaryTag, DXFTag
from ezdxf.lldxf.validator import binary_dxf_info, is_valid_layer_name
from ezdxf.recover import Recover, byte_tag_compiler, safe_tag_loader
from ezdxf.sections.header import HeaderSection

from dataset.entities import ALIASES, TYPE_INDEX
from dataset.fast_reading import SECTIONS

BINARY_SIGNATURE = b"AutoCAD Binary DXF\r\n\x1a\x00"
HANDLE, LAYER = 5, 8
UTF8_MARK = b"\xef\xbb\xbf"

# What ezdxf raises on damage: besides its own errors, AttributeError where a value that it relies on is missing,
# NotImplementedError of a dimension that it cannot draw, AssertionError where it did not think of damage.
DAMAGE = (
    *(ezdxf.DXFError, ArithmeticError, AssertionError, AttributeError, LookupError, NotImplementedError, TypeError),
    ValueError,
)

_KEYWORD = re.compile(rb"\s*(3D)?[A-Za-z_]")  # what follows a group code 0: LINE, 3DFACE, and never a number
_LOADED = {"TABLES", "BLOCKS", "ENTITIES", "OBJECTS"}
# What a document can do without, the least first: without a table of blocks or layouts ezdxf makes its own.
_DISPENSABLE = ((), ("OBJECTS",), ("OBJECTS", "TABLES"), ("OBJECTS", "TABLES", "BLOCKS"))


def read_damaged(path: Path) -> tuple[Drawing, Counter[str]]:
    """Read what can be read, and count what is left out by type and reason.

    A binary file is read up to its first damage. The last entity of a file that ends early is left out, since nothing
    tells whether it is whole.

    Raises:
        OSError: the file cannot be read.
        ezdxf.DXFError: there is nothing of a DXF file in it.
    """
    content = path.read_bytes()
    if content.startswith(BINARY_SIGNATURE):
        content = _as_text(content)
    tool = _Salvage()
    tool.take_apart(content)
    return _document(tool), tool.left_out


class _Salvage(Recover):
    """ezdxf's recover mode with another reader of tags in front and a trial of each record at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.left_out: Counter[str] = Counter()

    def take_apart(self, content: bytes) -> None:
        """Fill ``section_dict``; the steps are those of ``Recover.run``."""
        self.load_section_dict(self.rebuild_sections(self._tags(content.removeprefix(UTF8_MARK))))
        self.section_dict["HEADER"] = [_header(self.section_dict["HEADER"][0])]
        if "TABLES" in self.section_dict:
            self.section_dict["TABLES"] = self.rebuild_tables(self.section_dict["TABLES"])
        is_r12 = self.dxfversion <= DXF12
        if not is_r12:
            self.recover_rootdict()
        for name in _LOADED & self.section_dict.keys():
            self.section_dict[name] = list(self.check_entities(self.section_dict[name], is_r12))

    def _tags(self, content: bytes) -> list[DXFTag]:
        lines = content.split(b"\n" if b"\n" in content else b"\r")
        records = list(_sectioned(_records(lines, self.left_out), self.left_out))
        if not records:
            raise ezdxf.DXFStructureError("holds nothing of a DXF file")
        try:
            return self._compiled(records)
        except DAMAGE:
            return self._compiled([record for record in records if self._compiles(record)])

    def _compiled(self, records: list[list[DXFTag]]) -> list[DXFTag]:
        def tags(_: BinaryIO) -> Iterator[DXFTag]:
            for record in records:
                yield from record
            yield DXFTag(0, b"EOF")  # without it the last section would not count

        return list(safe_tag_loader(BytesIO(), loader=tags, messages=self.errors))

    def _compiles(self, record: list[DXFTag]) -> bool:
        try:
            # the filters hand out a record when they meet the next one
            for _ in byte_tag_compiler(filter_invalid_point_codes(tag_reorder_layer([*record, DXFTag(0, b"EOF")]))):
                pass
        except DAMAGE as error:
            self.left_out[f"{_kind(record)}: {error}"] += 1
            return False
        return True

    def check_entities(self, entities: list[Tags], is_r12: bool) -> Iterator[Tags]:
        """The records that ezdxf can load; what should end with a SEQEND and does not gets one."""
        document = Drawing(self.dxfversion)
        is_drawn = entities[0][1].value in ("BLOCKS", "ENTITIES")
        owed = ""  # the type of what belongs to the entity before, until a SEQEND
        for entity in entities:
            kind = entity[0].value
            if owed and kind not in (owed, "SEQEND"):
                yield Tags([DXFTag(0, "SEQEND")])
                owed = ""
            try:
                checked = list(super().check_entities([_mended(entity)], is_r12))
                if kind in ("SECTION", "ENDTAB"):
                    yield from checked
                    continue
                loaded = [factory.load(ExtendedTags(Tags(tags)), document) for tags in checked]
                if is_drawn and any(isinstance(each, DXFObject) for each in loaded):
                    raise ValueError("stands among the entities")
            except DAMAGE as error:
                self.left_out[f"{kind}: {error}"] += 1
                continue
            yield from checked
            if kind == "SEQEND":
                owed = ""
            elif kind == "POLYLINE" or (kind == "INSERT" and loaded[0].dxf.get("attribs_follow", 0)):
                owed = LINKED_ENTITIES[kind]
        if owed:
            yield Tags([DXFTag(0, "SEQEND")])


def _mended(entity: Tags) -> Tags:
    """Without a handle or a layer that ezdxf allows nobody; it gives the entity others."""
    return Tags(tag for tag in entity if tag != (HANDLE, "0") and (tag.code != LAYER or is_valid_layer_name(tag.value)))


def _records(lines: list[bytes], left_out: Counter[str]) -> Iterator[list[DXFTag]]:
    """The sound records of a file; the others are counted.

    A record is sound if it is pairs of lines, a group code and a value. Of the head of a section that is not, the
    pairs before the damage are given: it may be the header, with the version and the encoding.
    """
    place, end = _next_record(lines, 0), len(lines) - 1
    record: list[DXFTag] = []
    while place < end:
        code, value = _group_code(lines[place]), lines[place + 1].rstrip(b"\r")
        if code is None and _home(_keyword(value)):
            code = 0  # that the line before an entity's type is damaged must cost neither it nor the one before
        if code is None or (code == 0 and _is_number(value)):
            place = _next_record(lines, place - 1)
            yield from _of_damaged(record, "damaged", left_out)
            record = []
            continue
        if code == 0:
            if record:
                yield record
            record = []
        if code != 999:
            record.append(DXFTag(code, value))
        place += 2
    yield from _of_damaged(record, "the file ends in it", left_out)


def _of_damaged(record: list[DXFTag], reason: str, left_out: Counter[str]) -> Iterator[list[DXFTag]]:
    """Of the head or the end of a section what is there; nothing of another record, which is counted."""
    if record and _kind(record) in ("SECTION", "ENDSEC", "EOF"):
        yield record
    elif record:
        left_out[f"{_kind(record)}: {reason}"] += 1


def _sectioned(records: Iterable[list[DXFTag]], left_out: Counter[str]) -> Iterator[list[DXFTag]]:
    """The records with a head for each section that has lost its own; what belongs to none is counted.

    A block without end gets one. What stands between blocks up to the end of their section has lost the head of the
    section ENTITIES; up to the end of a block, the block's head: nobody can show it then.
    """
    section, is_block = "", False
    between: list[list[DXFTag]] = []  # blocks
    for record in chain(records, [[DXFTag(0, b"EOF")]]):
        kind = _kind(record)
        if kind in ("BLOCK", "ENDBLK", "ENDSEC", "SECTION", "EOF"):
            if between and kind in ("BLOCK", "ENDBLK"):
                left_out.update(f"{_kind(lost)}: in a block without head" for lost in between)
            elif between:
                yield from ([DXFTag(0, b"SECTION"), DXFTag(2, b"ENTITIES")], *between)
            elif is_block and kind != "ENDBLK":
                yield [DXFTag(0, b"ENDBLK")]
            between, is_block = [], section == "BLOCKS" and kind == "BLOCK"
        if kind == "SECTION":
            section = _keyword(record[1].value) if len(record) > 1 and record[1].code == 2 else ""
            if section not in SECTIONS:
                section = ""
                continue
        elif kind in ("ENDSEC", "EOF"):
            section = ""
        elif section == "BLOCKS" and not is_block and kind not in ("BLOCK", "ENDBLK"):
            between.append(record)
            continue
        elif not section:
            section = _home(kind)
            if not section:
                left_out[f"{kind}: in no section"] += 1
                continue
            yield [DXFTag(0, b"SECTION"), DXFTag(2, section.encode())]
            is_block = kind == "BLOCK"
        if kind != "EOF":
            yield record


def _home(kind: str) -> str:
    """The section in which a record like this would be the first; empty if that is not known."""
    if kind == "TABLE" or kind in TABLE_NAMES_ACAD_ORDER:
        return "TABLES"
    if kind == "BLOCK":
        return "BLOCKS"
    return "ENTITIES" if kind in TYPE_INDEX or kind in ALIASES else ""


def _next_record(lines: list[bytes], place: int) -> int:
    """The first line from ``place`` on at which a record begins; the number of lines if none does."""
    for i in range(max(place, 0), len(lines) - 1):
        if lines[i].strip() == b"0" and _KEYWORD.match(lines[i + 1]):
            return i
    return len(lines)


def _group_code(line: bytes) -> int | None:
    try:
        code = int(line)
    except ValueError:
        return None
    return code if 0 <= code <= MAX_GROUP_CODE else None


def _is_number(value: bytes) -> bool:
    """A number after a group code 0 says that lines are missing."""
    if _KEYWORD.match(value):  # NAN
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True


def _kind(record: list[DXFTag]) -> str:
    return _keyword(record[0].value) or "?"


def _keyword(value: bytes) -> str:
    return value.strip().upper()[:50].decode("ascii", "replace")


def _as_text(content: bytes) -> bytes:
    """A binary file as the lines of a text file, up to the first damage."""
    damage = (*DAMAGE, StopIteration, struct.error)
    lines: list[str] = []
    with suppress(*damage):
        for tag in binary_tags_loader(content):
            value = tag.tostring() if isinstance(tag, DXFBinaryTag) else str(tag.value)
            lines += (str(tag.code), value.replace("\n", " "))
    encoding = DEFAULT_ENCODING
    with suppress(*damage):
        info = binary_dxf_info(content)
        encoding = "utf8" if info.version >= DXF2007 else info.encoding
    return "\n".join([*lines, ""]).encode(encoding, "replace")


def _header(tags: Tags) -> Tags:
    """The header, or of a damaged one what the rest cannot be read without: the version and the encoding."""
    try:
        HeaderSection.load(tags)
    except DAMAGE:
        kept = tags[:2]
        for name, value in pairwise(tags):
            if name in ((9, "$ACADVER"), (9, "$DWGCODEPAGE")) and value.code in (1, 3):
                kept += (name, value)
        return Tags(kept)
    return tags


def _document(tool: _Salvage) -> Drawing:
    """The document of the sections, less those that keep it from being made; what that costs is counted."""
    reason: Exception | None = None  # why all of it cannot be had
    for dispensable in _DISPENSABLE:
        document = Drawing()
        sections = {name: list(records) for name, records in tool.section_dict.items() if name not in dispensable}
        try:
            document._load_section_dict(sections)
            require_layouts(document)
        except DAMAGE as error:
            reason = reason or error
            continue
        given_up = tool.section_dict.keys() & dispensable
        tool.left_out.update(f"{name}, the whole section: {reason}" for name in given_up)
        return document
    raise ezdxf.DXFStructureError(str(reason)) from reason


def require_layouts(document: Drawing) -> None:
    """Raises DAMAGE if a layout has lost its block, or the model space is none."""
    document.modelspace()
    for layout in document.layouts:
        len(layout)
