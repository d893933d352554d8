"""Spelling a sheet as DXF: R12, R2000 or R2018.

R12 knows no LWPOLYLINE, MTEXT, HATCH, SPLINE or LEADER, and ezdxf leaves out what a version lacks without a word.
So nothing of the kind is handed to it: for R12
- LWPOLYLINE becomes POLYLINE (bulges survive), SPLINE a POLYLINE of short chords,
- MTEXT becomes one TEXT a line,
- a solid HATCH becomes SOLID triangles, a pattern HATCH the lines of its pattern in an anonymous *X block (as R12
  itself did it),
- LEADER becomes lines with a SOLID arrow.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import ezdxf
from ezdxf.document import Drawing
from ezdxf.entities import Hatch as HatchEntity
from ezdxf.enums import TextEntityAlignment
from ezdxf.layouts import BaseLayout
from ezdxf.math import Vec2, Vec3, fit_points_to_cad_cv
from ezdxf.math.triangulation import mapbox_earcut_2d
from ezdxf.render import ARROWS, hatching

from dataset.generator.canvas import drawn_leader
from dataset.generator.items import (
    Arc,
    Circle,
    Dim,
    Hatch,
    Insert,
    Item,
    Leader,
    Line,
    MText,
    Poly,
    Solid,
    Spline,
    Text,
    bulge_arc,
    flattened,
    segments,
)
from dataset.generator.placement import Placement
from dataset.generator.sheet import Sheet
from dataset.generator.style import COLORS, LINETYPES, ROLES, LayerScheme, Style

VERSIONS = ("R12", "R2000", "R2018")
TEXT_STYLE, DIM_STYLE = "DRAFT", "DRAFT"
ARROW_BLOCKS = {"closed": ARROWS.closed_filled, "open": ARROWS.open, "dot": ARROWS.dot, "tick": ARROWS.oblique}


def build_document(sheet: Sheet, version: str) -> Drawing:
    """The sheet as an ezdxf document, ready to be saved or looked into."""
    with fixed_meta_data():
        doc = Drawing.new(
            version
        )  # not ezdxf.new(), which warns that R12 has no $INSUNITS even where none is asked for
        set_up(doc, sheet, version == "R12")
        writer = R12Writer(doc, sheet) if version == "R12" else Writer(doc, sheet)
        for name, items in sheet.blocks.items():
            writer.write(doc.blocks.new(name), items)
        writer.write(doc.modelspace(), sheet.items)
        low, high = extents(sheet)
        doc.modelspace().reset_extents(low, high)
        doc.header["$EXTMIN"], doc.header["$EXTMAX"] = low, high  # ezdxf does not copy a corner at the zero point
        return doc


def document_bytes(doc: Drawing) -> bytes:
    """The file's content; equal documents give equal bytes."""
    for name in sorted(doc.entitydb.dxf_types_in_use()):  # ezdxf would add them in the order of a set
        doc.classes.add_class(name)
    stream = io.StringIO(newline="\n")
    with fixed_meta_data():
        doc.write(stream)
    return stream.getvalue().encode(doc.output_encoding, errors="dxfreplace")


@contextmanager
def fixed_meta_data() -> Iterator[None]:
    """Keep time stamps and GUIDs out of the file, and put ezdxf's option back afterwards."""
    before = ezdxf.options.write_fixed_meta_data_for_testing
    ezdxf.options.write_fixed_meta_data_for_testing = True
    try:
        yield
    finally:
        ezdxf.options.write_fixed_meta_data_for_testing = before


def set_up(doc: Drawing, sheet: Sheet, r12: bool) -> None:
    """Units, layers, line types, text and dimension style."""
    style = sheet.style
    if sheet.style.language == "zh":
        doc.encoding = "gbk"  # the code page of R12 and R2000; R2018 is UTF-8 whatever stands here
    doc.header["$MEASUREMENT"] = 0 if sheet.inch else 1
    doc.header["$LTSCALE"] = sheet.unit
    if not r12:
        doc.units = 1 if sheet.inch else 4
    doc.linetypes.add("CENTER", [10.0, 6.0, -1.5, 1.0, -1.5], description="Center ____ _ ____ _ ____")
    doc.linetypes.add("HIDDEN", [4.5, 3.0, -1.5], description="Hidden __ __ __ __")
    for role in ROLES:
        name = sheet.scheme.layer(role, r12)
        if not doc.layers.has_entry(name):
            doc.layers.add(name, color=COLORS[role], linetype=LINETYPES.get(role, "Continuous"))
    doc.styles.add(TEXT_STYLE, font="simsun.ttf" if style.language == "zh" else "arial.ttf")
    set_up_dimensions(doc, style, sheet.unit, sheet.inch)


def set_up_dimensions(doc: Drawing, style: Style, unit: float, inch: bool) -> None:
    dimstyle = doc.dimstyles.new(DIM_STYLE)
    dxf = dimstyle.dxf
    dxf.dimtxsty = TEXT_STYLE
    dxf.dimtxt = style.text_height * unit
    dxf.dimasz = (1.2 if style.arrow == "dot" else 2.5) * unit
    dxf.dimexe, dxf.dimexo, dxf.dimgap = 1.5 * unit, 1.0 * unit, 0.8 * unit
    dxf.dimtad = 1 if style.dim_text == "above" else 0
    dxf.dimdec = style.decimals + (1 if inch else 0)
    dxf.dimadec = 1
    dxf.dimzin, dxf.dimazin = 8, 2  # no trailing zeros
    dxf.dimdsep = ord(".")
    dxf.dimcen = 0.0
    dxf.dimtofl, dxf.dimtmove, dxf.dimtih, dxf.dimtoh, dxf.dimtix, dxf.dimupt = 1, 2, 0, 0, 0, 1
    dxf.dimclrd, dxf.dimclre, dxf.dimclrt = 256, 256, 256
    if style.arrow == "tick":
        dxf.dimtsz = 1.5 * unit
    else:
        dimstyle.set_arrows(blk=ARROW_BLOCKS[style.arrow])
    doc.header["$DIMSTYLE"] = DIM_STYLE


def extents(sheet: Sheet):
    boxes = [item.box() for item in sheet.items]
    low = (min(b[0] for b in boxes), min(b[1] for b in boxes), 0.0)
    return low, (max(b[2] for b in boxes), max(b[3] for b in boxes), 0.0)


class Writer:
    """R2000 and later: each item has an entity of its own."""

    r12 = False

    def __init__(self, doc: Drawing, sheet: Sheet):
        self.doc, self.scheme, self.inch = doc, sheet.scheme, sheet.inch

    def write(self, layout: BaseLayout, items: list[Item]) -> None:
        for item in items:
            attribs = self.attributes(item)
            getattr(self, f"write_{type(item).__name__.lower()}")(layout, item, attribs)

    def attributes(self, item: Item) -> dict:
        """Layer, and the color and line type where the layer alone cannot tell (everything on layer 0)."""
        scheme: LayerScheme = self.scheme
        attribs = {"layer": scheme.layer(item.role, self.r12)}
        if len(set(scheme.layers)) == 1:
            attribs["color"] = COLORS[item.role]
            if item.role in LINETYPES:
                attribs["linetype"] = LINETYPES[item.role]
        return attribs

    def write_line(self, layout: BaseLayout, item: Line, attribs: dict) -> None:
        layout.add_line(item.start, item.end, attribs)

    def write_circle(self, layout: BaseLayout, item: Circle, attribs: dict) -> None:
        layout.add_circle(item.center, item.radius, attribs)

    def write_arc(self, layout: BaseLayout, item: Arc, attribs: dict) -> None:
        layout.add_arc(item.center, item.radius, item.start, item.end, dxfattribs=attribs)

    def write_solid(self, layout: BaseLayout, item: Solid, attribs: dict) -> None:
        # a SOLID's third and fourth corner are crossed over: 1-2-4-3 goes around
        points = [item.corners[i] for i in ((0, 1, 3, 2) if len(item.corners) == 4 else (0, 1, 2))]
        layout.add_solid(points, attribs)

    def write_insert(self, layout: BaseLayout, item: Insert, attribs: dict) -> None:
        layout.add_blockref(
            item.block,
            item.at,
            {**attribs, "xscale": item.sx, "yscale": item.sy, "zscale": abs(item.sy), "rotation": item.angle},
        )

    def write_text(self, layout: BaseLayout, item: Text, attribs: dict) -> None:
        attribs |= {"height": item.height, "rotation": item.angle, "style": TEXT_STYLE}
        text = layout.add_text(item.text, dxfattribs=attribs)
        text.set_placement(item.at, align=TextEntityAlignment[item.align])

    def write_poly(self, layout: BaseLayout, item: Poly, attribs: dict) -> None:
        layout.add_lwpolyline(item.vertices, format="xyb", close=item.closed, dxfattribs=attribs)

    def write_mtext(self, layout: BaseLayout, item: MText, attribs: dict) -> None:
        attribs |= {"char_height": item.height, "rotation": item.angle, "style": TEXT_STYLE}
        attribs |= {"insert": item.at, "width": item.width, "attachment_point": 1}
        layout.add_mtext("\\P".join(item.lines), attribs)

    def write_spline(self, layout: BaseLayout, item: Spline, attribs: dict) -> None:
        curve = spline_of(item)
        layout.add_spline(dxfattribs=attribs).apply_construction_tool(curve)

    def write_leader(self, layout: BaseLayout, item: Leader, attribs: dict) -> None:
        layout.add_leader(item.through, DIM_STYLE, {"dimasz": item.arrow}, attribs)

    def write_hatch(self, layout: BaseLayout, item: Hatch, attribs: dict) -> None:
        hatch = layout.add_hatch(color=attribs.pop("color", 256), dxfattribs=attribs)
        # in a drawing in inches ezdxf takes the patterns of inches, which are 25.4 times smaller
        fill_hatch(hatch, item, item.pattern_scale * (25.4 if self.inch else 1.0))

    def write_dim(self, layout: BaseLayout, item: Dim, attribs: dict) -> None:
        common = {"text": item.text, "dimstyle": DIM_STYLE, "dxfattribs": attribs}
        common["override"] = {"dimlfac": item.factor}
        DIMENSIONS[item.kind](layout, item, common).render()


class R12Writer(Writer):
    """R12: what it lacks is drawn with what it has."""

    r12 = True

    def write_poly(self, layout: BaseLayout, item: Poly, attribs: dict) -> None:
        layout.add_polyline2d(item.vertices, format="xyb", close=item.closed, dxfattribs=attribs)

    def write_mtext(self, layout: BaseLayout, item: MText, attribs: dict) -> None:
        frame = Placement(angle=item.angle, shift=item.at)
        for i, line in enumerate(item.lines):
            at = frame.point((0.0, -item.height * (1 + 1.667 * i)))
            self.write_text(layout, Text(at=at, text=line, height=item.height, angle=item.angle), dict(attribs))

    def write_spline(self, layout: BaseLayout, item: Spline, attribs: dict) -> None:
        points = list(Vec2.generate(spline_of(item).approximate(6 * len(item.through))))
        layout.add_polyline2d(points[:-1] if item.closed else points, close=item.closed, dxfattribs=attribs)

    def write_leader(self, layout: BaseLayout, item: Leader, attribs: dict) -> None:
        self.write(layout, drawn_leader(item.through, item.arrow, role=item.role))

    def write_hatch(self, layout: BaseLayout, item: Hatch, attribs: dict) -> None:
        if item.pattern:
            block = self.doc.blocks.new_anonymous_block(type_char="X")
            for start, end in pattern_lines(item):
                block.add_line(start, end, attribs)
            layout.add_blockref(block.name, (0, 0), attribs)
            return
        outer, *holes = (Vec2.list(flattened(path, True)) for path in item.paths)
        for triangle in mapbox_earcut_2d(outer, holes):
            layout.add_solid(list(triangle), attribs)


def spline_of(item: Spline):
    points = [*item.through, item.through[0]] if item.closed else item.through
    return fit_points_to_cad_cv(points)


def fill_hatch(hatch: HatchEntity, item: Hatch, pattern_scale: float) -> None:
    if item.pattern:
        hatch.set_pattern_fill(item.pattern, color=hatch.dxf.color, angle=item.pattern_angle, scale=pattern_scale)
    for number, path in enumerate(item.paths):
        flags = 1 if number == 0 else 16  # external, then outermost islands
        if not item.edges:
            hatch.paths.add_polyline_path(path, is_closed=True, flags=flags)
            continue
        edges = hatch.paths.add_edge_path(flags=flags)
        for start, end, bulge in segments(path, True):
            if not bulge:
                edges.add_line(start, end)
                continue
            center, radius, first, sweep = bulge_arc(start, end, bulge)
            a, b = (first, first + sweep) if sweep > 0 else (first + sweep, first)
            edges.add_arc(center, radius, a, b, ccw=sweep > 0)


def pattern_lines(item: Hatch) -> list[tuple[Vec2, Vec2]]:
    """The lines of a pattern hatch, clipped at its boundary.

    A line that runs exactly through a corner is cut wrongly. ezdxf avoids that by a random shift of the pattern;
    files must come out equal every time, so the shift here is a fixed one.
    """
    shift = Vec2(0.0137, 0.0071) * item.pattern_scale
    hatch = HatchEntity.new()
    fill_hatch(hatch, item.moved(Placement(shift=(shift.x, shift.y))), item.pattern_scale)
    lines = [(Vec2(a) - shift, Vec2(b) - shift) for a, b in hatching.hatch_entity(hatch, jiggle_origin=False)]
    dot = Vec2(0.2, 0.0) * item.pattern_scale  # the dots of a pattern are lines without length, which R12 cannot show
    return [(a, b) if a.distance(b) > 1e-9 else (a, a + dot) for a, b in lines]


def linear(layout: BaseLayout, item: Dim, common: dict):
    p1, p2, base = item.points
    return layout.add_linear_dim(base, p1, p2, angle=item.angle, **common)


def aligned(layout: BaseLayout, item: Dim, common: dict):
    p1, p2, base = (Vec2(p) for p in item.points)
    distance = (p2 - p1).orthogonal().normalize().dot(base - p1)
    return layout.add_aligned_dim(p1, p2, distance, **common)


def radius(layout: BaseLayout, item: Dim, common: dict):
    center, on_arc, place = (Vec2(p) for p in item.points)
    common["override"] |= {"dimtoh": 1, "dimtmove": 1, "dimblk": ARROWS.closed_filled, "dimtsz": 0.0}
    return layout.add_radius_dim(center, radius=center.distance(on_arc), location=place, **common)


def diameter(layout: BaseLayout, item: Dim, common: dict):
    center, on_arc, place = (Vec2(p) for p in item.points)
    common["override"] |= {"dimtoh": 1, "dimtmove": 1, "dimblk": ARROWS.closed_filled, "dimtsz": 0.0}
    return layout.add_diameter_dim(center, radius=center.distance(on_arc), location=place, **common)


def angular(layout: BaseLayout, item: Dim, common: dict):
    center, first, second, on_arc = item.points
    common["override"].pop("dimlfac")  # an angle is an angle at any scale
    return layout.add_angular_dim_3p(on_arc, center, first, second, **common)


def ordinate(dtype: int):
    def draw(layout: BaseLayout, item: Dim, common: dict):
        origin, feature, place = item.points
        style = layout.add_ordinate_dim(feature, (0, 0), dtype, origin=origin, rotation=item.angle, **common)
        # the factory turns the points about the zero point of the sheet; ours are where they shall be
        style.dimension.dxf.defpoint2, style.dimension.dxf.defpoint3 = Vec3(feature), Vec3(place)
        return style

    return draw


DIMENSIONS = {
    "linear": linear,
    "aligned": aligned,
    "radius": radius,
    "diameter": diameter,
    "angular": angular,
    "ordinate_x": ordinate(1),
    "ordinate_y": ordinate(0),
}
