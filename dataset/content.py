"""What a sheet holds, measured once for both encoders: type, box, parameters, strokes and texts of every entity."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from ezdxf.entities import DXFGraphic

from dataset.entities import ALIASES, N_POINTS, TYPE_INDEX
from dataset.geometry import Geometry
from dataset.parameters import parameters
from dataset.reading import DAMAGE, Sheet, type_of
from dataset.text_size import is_cut_short
from dataset.texts import Texts
from dataset.trace import Trace


@dataclass(frozen=True)
class Content:
    """The represented entities in drawing order, and what became of every entity.

    ``types`` ``[N]`` int64 are indices into ``entities.DEEPDXF_TYPES`` (the first ten are the GF classes), ``boxes``
    ``[N, 4]`` float64 hold min_x, min_y, max_x, max_y, a row of NaN for an entity that shows nothing. ``parameters``
    has one mapping of slot names to physical values an entity, ``strokes`` one array ``[n, 5]`` (see
    :class:`~dataset.strokes.Strokes`), ``texts`` one list of strings.
    The counters are by DXF type as the file spells it; ``approximated`` is a part of ``represented``.
    """

    types: np.ndarray
    boxes: np.ndarray
    parameters: list[dict[str, float]]
    strokes: list[np.ndarray]
    texts: list[list[str]]
    represented: Counter[str]
    approximated: Counter[str]
    left_out: Counter[str]

    def __len__(self) -> int:
        return len(self.types)


NO_BOX = (math.nan,) * 4


def measure(sheet: Sheet) -> Content:
    """Measure every entity that the table knows; count the others, and the damaged ones, by type and reason."""
    geometry, written = Geometry(sheet.document, sheet.sight, Trace), Texts(sheet.document, sheet.sight)
    types, boxes, values, strokes, texts = [], [], [], [], []
    represented: Counter[str] = Counter()
    approximated: Counter[str] = Counter()
    left_out = Counter(sheet.left_out)
    for entity in sheet.entities:
        spelled, name = _spelled(entity), type_of(entity)
        if name is None:
            left_out[spelled] += 1
            continue
        try:
            shown = geometry.trace(entity)
            box = shown.box()
            found = parameters(entity, name, box)
            if not math.isfinite(sum(found.values())):
                raise ValueError("parameters are not finite")
            ink, said = shown.strokes.array(), written.of(entity)
        except DAMAGE as error:
            left_out[f"{spelled}: {error}"[:200]] += 1
            continue
        types.append(TYPE_INDEX[name])
        boxes.append(box or NO_BOX)
        values.append(found)
        strokes.append(ink)
        texts.append(said)
        represented[spelled] += 1
        is_shortened = name in RESAMPLED and found["count"] > N_POINTS
        if spelled not in KNOWN or is_shortened or (name in TEXTS and is_cut_short(entity)):
            approximated[spelled] += 1
    left_out.update({f"{reason}"[:200]: count for reason, count in geometry.damaged.items()})
    return Content(
        np.array(types, dtype=np.int64),
        np.array(boxes, dtype=np.float64).reshape(-1, 4),
        values,
        strokes,
        texts,
        represented,
        approximated,
        left_out,
    )


def _spelled(entity: DXFGraphic) -> str:
    """The type as the file has it: a part of a proxy graphic is counted as the entity that it is the picture of."""
    origin = entity.origin_of_copy
    return entity.dxftype() if origin is None or type_of(origin) else origin.dxftype()


KNOWN = TYPE_INDEX.keys() | ALIASES.keys()
TEXTS = ("TEXT", "MTEXT")
RESAMPLED = ("LWPOLYLINE", "LEADER", "SPLINE")  # with more points than slots
