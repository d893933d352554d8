"""From a DXF file to what a person sees on its sheet: the entities, in the order in which they were drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import ezdxf
from ezdxf import recover
from ezdxf.document import Drawing
from ezdxf.entities import DXFGraphic, Insert

from dataset.entities import ALIASES, TYPE_INDEX
from dataset.fast_reading import read_fast

BINARY_SIGNATURE = b"AutoCAD Binary DXF\r\n\x1a\x00"

WRAPPER_SHARE = 0.9  # of what one would see after opening an INSERT must come out of its block to make it a wrapper
MAX_OPENED_LEVELS = 4
PICTURES = ("*X", "*D", "*T")  # anonymous blocks that draw one hatch (R12), dimension or table, however many lines
MAX_OPENED_ENTITIES = 500_000  # a MINSERT array beyond that stays one INSERT

# What ezdxf raises on a damaged entity (AttributeError where a value that it relies on is missing).
DAMAGE = (ezdxf.DXFError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True)
class Sheet:
    """What a person sees on a drawing's sheet.

    ``entities`` come in drawing order. ``opened_blocks`` names the blocks whose content was taken for the sheet's own.
    ``recovered`` says why ezdxf's recover mode was needed, or is empty. ``left_out`` counts what could not be carried
    out of an opened block, ``paper_space`` the entities of the layouts that are not read.
    """

    document: Drawing
    entities: list[DXFGraphic]
    opened_blocks: tuple[str, ...]
    recovered: str
    left_out: Counter[str]
    paper_space: int


def read_sheet(path: Path) -> Sheet:
    """Read a drawing, ASCII or binary, damaged or not.

    The sheet is the model space; where that is empty although a block called ``*Model_Space`` holds entities, it is
    that block. Then wrappers are opened, see :func:`open_wrappers`. Paper space is counted, not read.

    Raises:
        OSError: the file cannot be read.
        Exception: whatever ezdxf raises on a file that even its recover mode cannot read.
    """
    document, recovered = read_document(path)
    entities, opened_blocks = _model_space(document)
    left_out: Counter[str] = Counter()
    entities, wrappers = open_wrappers(in_drawing_order(entities), left_out)
    paper_space = sum(len(layout) for layout in document.layouts if not layout.is_modelspace)
    return Sheet(document, entities, (*opened_blocks, *wrappers), recovered, left_out, paper_space)


def read_document(path: Path) -> tuple[Drawing, str]:
    """The document, and why it had to be recovered (empty if it had not).

    The fast reader takes what is as it should be, ezdxf's own what it can make sense of, its recover mode the rest.
    """
    with path.open("rb") as file:  # what cannot be opened is not damaged: this OSError goes up
        is_binary = file.read(len(BINARY_SIGNATURE)) == BINARY_SIGNATURE
    readers = (ezdxf.readfile,) if is_binary else (read_fast, ezdxf.readfile)
    for read in readers:
        try:
            return read(path), ""
        except MemoryError:
            raise
        except Exception as error:  # damaged files raise bare ValueErrors, KeyErrors ... besides ezdxf's own
            reason = error
    if is_binary:  # recover reads text only
        raise reason
    document, _ = recover.readfile(path)
    return document, f"{type(reason).__name__}: {reason}"


def type_of(entity: DXFGraphic) -> str | None:
    """The name under which the table of entities knows this entity, or None.

    A 2-D POLYLINE is an LWPOLYLINE, and so is a 3-D polyline: its projection is the line a person sees on the sheet.
    Meshes are neither.
    """
    name = entity.dxftype()
    if name == "POLYLINE" and (entity.is_polygon_mesh or entity.is_poly_face_mesh):
        return None
    name = ALIASES.get(name, name)
    return name if name in TYPE_INDEX else None


def in_drawing_order(entities: Iterable[DXFGraphic]) -> list[DXFGraphic]:
    """Sort by handle value; entities whose handle is missing or no hexadecimal number follow in file order."""
    return sorted(entities, key=_handle_value)


def _handle_value(entity: DXFGraphic) -> float:
    try:
        return int(entity.dxf.handle, 16)
    except (TypeError, ValueError):
        return float("inf")


def _model_space(document: Drawing) -> tuple[list[DXFGraphic], tuple[str, ...]]:
    """The entities of the model space, and the block they had to be taken from, if any.

    Some programs write a second ``*Model_Space`` block record; ezdxf then shows an empty model space although the
    block of that name is full.
    """
    entities = _alive(document.modelspace())
    if entities:
        return entities, ()
    blocks = [block for block in document.blocks if block.name.casefold() == "*model_space" and len(block)]
    if not blocks:
        return [], ()
    fullest = max(blocks, key=len)
    return _alive(fullest), (fullest.name,)


def _alive(entities: Iterable[DXFGraphic]) -> list[DXFGraphic]:
    """Without what recover mode has destroyed but left in its place."""
    return [entity for entity in entities if entity.is_alive]


def open_wrappers(entities: list[DXFGraphic], left_out: Counter[str]) -> tuple[list[DXFGraphic], tuple[str, ...]]:
    """Open the INSERTs that wrap a whole sheet: a graph of one node would say nothing.

    The rule: an INSERT is a wrapper if, after opening it, at least ``WRAPPER_SHARE`` of the entities one sees directly
    come out of its block, and these are at least two entities or one further INSERT. A lone INSERT therefore always
    is; the picture of one hatch, dimension or table never is. It is opened one level, its content taking its place in
    handle order of the block's entities; then the rule is applied again, at most ``MAX_OPENED_LEVELS`` times and never
    to the same block twice.

    Args:
        entities: a sheet in drawing order.
        left_out: counts what ezdxf cannot transform out of the block, by type and reason.

    Returns:
        The entities one sees after opening, and the names of the opened blocks, outermost first.
    """
    opened: list[str] = []
    for _ in range(MAX_OPENED_LEVELS):
        wrapper = _find_wrapper(entities)
        if wrapper is None or wrapper.dxf.name in opened:
            break
        content, skipped = _content(wrapper)
        if not content:  # nothing could be transformed: the INSERT stays what it is
            break
        position = entities.index(wrapper)
        entities = [*entities[:position], *content, *entities[position + 1 :]]
        left_out.update(skipped)
        opened.append(wrapper.dxf.name)
    return entities, tuple(opened)


def _find_wrapper(entities: list[DXFGraphic]) -> Insert | None:
    inserts = [
        entity for entity in entities if isinstance(entity, Insert) and not entity.dxf.name.upper().startswith(PICTURES)
    ]
    if not inserts:
        return None
    sizes = _block_sizes(inserts)
    wrapper = max(inserts, key=lambda insert: sizes[insert.dxf.name] * insert.mcount)  # the first of equals
    size = sizes[wrapper.dxf.name] * wrapper.mcount
    if size > MAX_OPENED_ENTITIES or size < WRAPPER_SHARE * (len(entities) - 1 + size):
        return None
    if size == 1 and not isinstance(next(iter(_visible(wrapper))), Insert):
        return None
    return wrapper if size else None


def _block_sizes(inserts: list[Insert]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for insert in inserts:
        name = insert.dxf.name
        if name not in sizes:
            sizes[name] = len(_visible(insert))
    return sizes


def _visible(insert: Insert) -> list[DXFGraphic]:
    """The block's entities less the ATTDEFs, which only an ATTRIB makes visible."""
    return [entity for entity in insert.block() or () if entity.dxftype() != "ATTDEF"]


def _content(wrapper: Insert) -> tuple[list[DXFGraphic], Counter[str]]:
    """The block's entities, transformed to where the INSERT shows them, and its attributes."""
    skipped: Counter[str] = Counter()

    def skip(entity: DXFGraphic, reason: str) -> None:
        skipped[f"{entity.dxftype()}: {reason}"] += 1

    copies = list(wrapper.multi_insert()) if wrapper.mcount > 1 else [wrapper]
    content: list[DXFGraphic] = []
    space = wrapper.block().entity_space
    originals = in_drawing_order(_alive(space.entities))
    try:
        for copy in copies:
            # One by one: the copies have no handle to sort them by, and one that fails must not take the rest along.
            for original in originals:
                space.entities = [original]
                try:
                    content += copy.virtual_entities(skipped_entity_callback=skip)
                except DAMAGE as error:
                    skip(original, str(error))
    finally:
        space.entities = originals
    content += [attribute for copy in copies for attribute in copy.attribs if not attribute.is_invisible]
    return content, skipped
