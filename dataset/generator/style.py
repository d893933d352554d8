"""The habits of one office: what all drawings of a family have in common beside the part itself."""

from dataclasses import dataclass
from random import Random

ROLES = ("outline", "hidden", "center", "thin", "hatch", "dim", "text", "frame")
COLORS = {"outline": 7, "hidden": 3, "center": 1, "thin": 8, "hatch": 9, "dim": 2, "text": 4, "frame": 5}
LINETYPES = {"hidden": "HIDDEN", "center": "CENTER"}


@dataclass(frozen=True)
class LayerScheme:
    """Names of the layers by role; `plain` is how R12, which knows no Unicode in names, calls them."""

    name: str
    layers: tuple[str, ...]
    plain: tuple[str, ...] = ()

    def layer(self, role: str, r12: bool = False) -> str:
        names = self.plain if r12 and self.plain else self.layers
        return names[ROLES.index(role)]


SCHEMES = (
    LayerScheme("english", ("OUTLINE", "HIDDEN", "CENTER", "THIN", "HATCH", "DIM", "TEXT", "BORDER")),
    LayerScheme(
        "chinese",
        ("轮廓实线层", "虚线层", "中心线层", "细线层", "剖面线层", "标注层", "文字层", "图框"),
        ("LUNKUO", "XUXIAN", "ZHONGXIN", "XIXIAN", "POUMIAN", "BIAOZHU", "WENZI", "TUKUANG"),
    ),
    LayerScheme("numbers", ("1", "2", "3", "4", "5", "6", "7", "8")),
    LayerScheme("everything on 0", ("0",) * 8),
    LayerScheme("tool", ("L1_CUT", "L2_HALF", "L3_AXIS", "L2_HALF", "L4_FILL", "L9_NOTE", "L9_NOTE", "L9_FRAME")),
)


@dataclass(frozen=True)
class Style:
    """Lengths are millimetres on paper. Each field is read in one place: the canvas, the sheet or the writer."""

    paper: tuple[float, float]
    border: str  # single | double | zones | corners
    title: str  # grid | strip | column | compact
    language: str  # en | zh
    real_scale: bool  # the part is drawn 1:1 and the frame scaled, instead of the other way round
    scheme: LayerScheme
    text_height: float
    outline_as: str  # lines | polylines
    notes_as: str  # mtext | text
    leader_as: str  # leader | lines
    arrow: str  # closed | open | tick | dot
    dim_text: str  # above | inline
    decimals: int
    hole_mark: str  # none | cross | block
    hatch: str  # name of a pattern, or "" for a solid fill
    hatch_edges: bool
    frame_block: bool  # border and title block are one INSERT
    frame_first: bool  # drawn before the views, or after them
    wrapped: bool  # the whole sheet lies in one INSERT
    labels: bool  # a caption below each view
    extra: str  # tolerances | revisions | both | none: small tables beside the title block
    company: str
    people: tuple[str, str, str]


COMPANIES = {
    "en": ("NORTHGATE TOOLING", "Halden Micro Ltd.", "VERIDIAN LEADFRAME", "Ostrava Precision", "BAYLINE PACKAGING"),
    "zh": ("宁海精密电子", "东陵引线框架有限公司", "华泽模具", "远昌机械厂"),
}
PEOPLE = {
    "en": ("J. Maas", "L. Ortiz", "P. Novak", "K. Ito", "S. Webb", "T. Lind"),
    "zh": ("王磊", "陈静", "李强", "赵敏"),
}


CAPTIONS_ZH = {
    "TOP VIEW": "俯视图",
    "BOTTOM VIEW": "底视图",
    "SIDE VIEW": "侧视图",
    "FRONT VIEW": "主视图",
    "BACK VIEW": "后视图",
    "END VIEW": "端视图",
    "PLAN VIEW": "平面图",
    "LAND PATTERN": "推荐焊盘图",
    "RECOMMENDED LAND PATTERN": "推荐焊盘图",
    "FLAT PATTERN": "展开图",
    "STRIP LAYOUT": "条带排布图",
    "UNIT DETAIL": "单元放大图",
    "PROFILE": "截面图",
}


class Cycle:
    """Choices that two families of the same kind must not share while there are others left.

    The n-th family of a kind takes the n-th entry of a list shuffled by the seed, so neighbours always differ.
    """

    def __init__(self, seed: int, kind: str, lap: int):
        self.source, self.lap = f"{seed}/{kind}", lap

    def pick(self, question: str, options):
        shuffled = list(options)
        Random(f"{self.source}/{question}").shuffle(shuffled)
        return shuffled[self.lap % len(shuffled)]


def draw_style(rng: Random, cycle: Cycle) -> Style:
    language = cycle.pick("language", ("en", "en", "zh"))
    return Style(
        paper=cycle.pick("paper", ((297.0, 210.0), (420.0, 297.0), (210.0, 297.0), (330.0, 210.0))),
        border=cycle.pick("border", ("single", "double", "zones", "corners", "zones")),
        title=cycle.pick("title", ("grid", "strip", "column", "compact")),
        language=language,
        real_scale=cycle.pick("real_scale", (True, False)),
        scheme=cycle.pick("scheme", SCHEMES),
        text_height=rng.choice((2.2, 2.5, 2.5, 3.0)),
        outline_as=cycle.pick("outline", ("lines", "polylines")),
        notes_as=cycle.pick("notes", ("mtext", "text")),
        leader_as=cycle.pick("leader", ("leader", "leader", "lines")),
        arrow=cycle.pick("arrow", ("closed", "tick", "open", "dot", "closed")),
        dim_text=rng.choice(("above", "above", "inline")),
        decimals=rng.choice((2, 2, 3)),
        hole_mark=cycle.pick("hole_mark", ("cross", "none", "block")),
        hatch=cycle.pick("hatch", ("ANSI31", "", "ANSI37", "ANSI32", "DOTS")),
        hatch_edges=rng.random() < 0.5,
        frame_block=rng.random() < 0.4,
        frame_first=rng.random() < 0.6,
        wrapped=rng.random() < 0.12,
        labels=rng.random() < 0.7,
        extra=cycle.pick("extra", ("tolerances", "none", "revisions", "both")),
        company=rng.choice(COMPANIES[language]),
        people=tuple(rng.sample(PEOPLE[language], 3)),
    )


def title_values(rng: Random, style: Style, **values: str) -> dict[str, str]:
    """What the title block says: `values` (title, number, rev, material), the date, the company and its people."""
    drawn, checked, approved = style.people
    return {
        **values,
        "date": f"20{rng.randint(14, 25)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
        "drawn": drawn,
        "checked": checked,
        "approved": approved,
        "sheet": "1/1",
        "unit": "mm",
        "company": style.company,
    }
