"""From a DXF file to what a person sees on its sheet: the entities, in the order in which they were drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import ezdxf
from ezdxf.document import Drawing
from ezdxf.entities import DXFGraphic, Insert
from ezdxf.math import Vec3

from dataset.dwg import converted, is_dwg
from dataset.entities import ALIASES, TYPE_INDEX
from dataset.fast_reading import DisorderError, read_fast
from dataset.proxies import proxy_parts
from dataset.salvage import BINARY_SIGNATURE, DAMAGE, read_damaged, require_layouts
from dataset.sight import BY_INSERT, Sight

WRAPPER_SHARE = 0.9  # of what one would see after opening an INSERT must come out of its block to make it a wrapper
MAX_OPENED_LEVELS = 4
PICTURES = ("*X", "*D", "*T")  # anonymous blocks that draw one hatch (R12), dimension or table, however many lines
MAX_OPENED_ENTITIES = 500_000  # a MINSERT array beyond that stays one INSERT


@dataclass(frozen=True)
class Sheet:
    """What a person sees on a drawing's sheet.

    ``entities`` come in drawing order. ``opened_blocks`` names the blocks whose content was taken for the sheet's own.
    ``sight`` knows what is switched off.
    ``recovered`` says in what the file is damaged, or is empty. ``left_out`` counts what is damaged or could not be
    carried out of an opened block, ``paper_space`` the entities of the layouts that are not read.
    """

    document: Drawing
    sight: Sight
    entities: list[DXFGraphic]
    opened_blocks: tuple[str, ...]
    recovered: str
    left_out: Counter[str]
    paper_space: int


def read_sheet(path: Path, visible_only: bool = False) -> Sheet:
    """Read a drawing, DXF (ASCII or binary, damaged or not) or DWG.

    The sheet is the model space; where that is empty although a block called ``*Model_Space`` holds entities, it is
    that block. Then wrappers are opened, see :func:`open_wrappers`. Paper space is counted, not read.

    Args:
        visible_only: leave out (and count) what is invisible or on a layer that is frozen or off.

    Raises:
        NeedsConverterError: it is a DWG file and the ODA File Converter is not installed.
        OSError: the file cannot be read.
        Exception: whatever ezdxf raises on a file that even its recover mode cannot read.
    """
    with converted(path) if is_dwg(path) else nullcontext(path) as dxf_path:
        return sheet_of(*read_document(dxf_path), visible_only=visible_only)


def sheet_of(document: Drawing, recovered: str, left_out: Counter[str], visible_only: bool = False) -> Sheet:
    """The sheet of a document that has been read, see :func:`read_document`."""
    sight = Sight(document, visible_only)
    entities, opened_blocks = _model_space(document)
    left_out = Counter(left_out)
    entities = [part for entity in in_drawing_order(entities) for part in _shown(entity, sight, left_out)]
    entities, wrappers = open_wrappers(entities, left_out, sight)
    paper_space = sum(len(layout) for layout in document.layouts if not layout.is_modelspace)
    return Sheet(document, sight, entities, (*opened_blocks, *wrappers), recovered, left_out, paper_space)


def read_document(path: Path) -> tuple[Drawing, str, Counter[str]]:
    """The document, in what the file is damaged (empty if it is not), and what that cost, by type and reason.

    The fast reader takes what is as it should be, ezdxf's own what it can make sense of; the rest is salvaged.
    """
    with path.open("rb") as file:  # what cannot be opened is not damaged: this OSError goes up
        is_binary = file.read(len(BINARY_SIGNATURE)) == BINARY_SIGNATURE
    readers = (ezdxf.readfile,) if is_binary else (read_fast, ezdxf.readfile)
    for read in readers:
        try:
            document = read(path)
            require_layouts(document)
            return document, "", Counter()
        except MemoryError:
            raise
        except DisorderError as error:
            reason = one_line(error)
            break
        except Exception as error:  # damaged files raise bare ValueErrors, KeyErrors ... besides ezdxf's own
            reason = one_line(error)
    document, left_out = read_damaged(path)
    return document, reason, left_out


def one_line(error: BaseException) -> str:
    """What went wrong, at a bounded length: some errors quote a line of the file, whatever its length."""
    name, text = type(error).__name__, " ".join(str(error)[:1000].split())
    if isinstance(error, StopIteration):  # of ezdxf, which looks for a next tag
        return "the file ends early"
    return f"{name}: {text.removeprefix(f'{name}: ')}"[:500] if text else name


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


def _shown(
    entity: DXFGraphic, sight: Sight, left_out: Counter[str], inherited: str = BY_INSERT
) -> Iterable[DXFGraphic]:
    """The entity if it is shown, the parts of its picture if only that is known; else nothing, and it is counted."""
    if not sight.shows(entity, inherited):
        left_out[f"{entity.dxftype()}: not visible"] += 1
        return ()
    if not entity.proxy_graphic or type_of(entity):
        return (entity,)
    try:
        return proxy_parts(entity) or (entity,)
    except DAMAGE as error:
        left_out[f"{entity.dxftype()}: {error}"] += 1
        return ()


def open_wrappers(
    entities: list[DXFGraphic], left_out: Counter[str], sight: Sight | None = None
) -> tuple[list[DXFGraphic], tuple[str, ...]]:
    """Open the INSERTs that wrap a whole sheet: a graph of one node would say nothing.

    The rule: an INSERT is a wrapper if, after opening it, at least ``WRAPPER_SHARE`` of the entities one sees directly
    come out of its block, and these are at least two entities or one further INSERT. A lone INSERT therefore always
    is; the picture of one hatch, dimension or table never is. It is opened one level, its content taking its place in
    handle order of the block's entities; then the rule is applied again, at most ``MAX_OPENED_LEVELS`` times and never
    to the same block twice.

    Args:
        entities: a sheet in drawing order.
        left_out: counts what ezdxf cannot transform out of the block, and what is not shown, by type and reason.
        sight: what is shown; all if left out.

    Returns:
        The entities one sees after opening, and the names of the opened blocks, outermost first.
    """
    opened: list[str] = []
    for _ in range(MAX_OPENED_LEVELS):
        wrapper = _find_wrapper(entities, sight)
        if wrapper is None or wrapper.dxf.name in opened:
            break
        content, skipped = _content(wrapper, sight)
        if not content:  # nothing could be transformed: the INSERT stays what it is
            break
        position = entities.index(wrapper)
        entities = [*entities[:position], *content, *entities[position + 1 :]]
        left_out.update(skipped)
        opened.append(wrapper.dxf.name)
    return entities, tuple(opened)


def _find_wrapper(entities: list[DXFGraphic], sight: Sight | None) -> Insert | None:
    inserts = [
        entity
        for entity in entities
        if isinstance(entity, Insert) and not (entity.dxf.name or PICTURES[0]).upper().startswith(PICTURES)
    ]
    if not inserts:
        return None
    sizes = _block_sizes(inserts, sight)
    wrapper = max(inserts, key=lambda insert: sizes[insert.dxf.name] * insert.mcount)  # the first of equals
    size = sizes[wrapper.dxf.name] * wrapper.mcount
    if size > MAX_OPENED_ENTITIES or size < WRAPPER_SHARE * (len(entities) - 1 + size):
        return None
    if size == 1 and not isinstance(_visible(wrapper, sight)[0], Insert):
        return None
    return wrapper if size else None


def _block_sizes(inserts: list[Insert], sight: Sight | None) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for insert in inserts:
        name = insert.dxf.name
        if name not in sizes:
            sizes[name] = len(_visible(insert, sight))
    return sizes


def _visible(insert: Insert, sight: Sight | None) -> list[DXFGraphic]:
    """The block's entities that are shown, less the ATTDEFs, which only an ATTRIB makes visible."""
    entities = [entity for entity in insert.block() or () if entity.dxftype() != "ATTDEF"]
    return [entity for entity in entities if sight is None or sight.shows(entity, insert.dxf.layer)]


def _content(wrapper: Insert, sight: Sight | None) -> tuple[list[DXFGraphic], Counter[str]]:
    """The block's entities, transformed to where the INSERT shows them, and its attributes."""
    skipped: Counter[str] = Counter()

    def skip(entity: DXFGraphic, reason: str) -> None:
        skipped[f"{entity.dxftype()}: {reason}"] += 1

    copies = list(wrapper.multi_insert()) if wrapper.mcount > 1 else [wrapper]
    content: list[DXFGraphic] = []
    space = wrapper.block().entity_space
    whole = space.entities
    originals = in_drawing_order(_alive(whole))
    if sight is not None:
        layer = wrapper.dxf.layer
        originals = [part for entity in originals for part in _shown(entity, sight, skipped, layer)]
    try:
        for copy in copies:
            # One by one: the copies have no handle to sort them by, and one that fails must not take the rest along.
            for original in originals:
                space.entities = [original]
                try:
                    parts = list(copy.virtual_entities(skipped_entity_callback=skip))
                except DAMAGE as error:
                    skip(original, str(error))
                    continue
                _transform_steps(original, parts, copy)
                content += parts
    finally:
        space.entities = whole
    for entity in content:
        if entity.dxf.get("layer", BY_INSERT) == BY_INSERT:
            entity.dxf.layer = wrapper.dxf.layer
    content += [attribute for copy in copies for attribute in copy.attribs if not attribute.is_invisible]
    return content, skipped


def _transform_steps(original: DXFGraphic, parts: list[DXFGraphic], wrapper: Insert) -> None:
    """An array is scaled and mirrored with the wrapper it stands in, its steps too: these ezdxf leaves as they are."""
    if not isinstance(original, Insert) or original.mcount <= 1 or [type(part) for part in parts] != [type(original)]:
        return
    matrix, (array,) = wrapper.matrix44(), parts
    for name, turn in (("column_spacing", 0.0), ("row_spacing", 90.0)):
        before, after = (
            insert.ocs().to_wcs(Vec3.from_deg_angle(insert.dxf.rotation + turn)) for insert in (original, array)
        )
        array.dxf.set(name, original.dxf.get(name, 0.0) * matrix.transform_direction(before).dot(after))
