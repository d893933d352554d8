"""The one table of entity types and parameter slots.

Everything that writes, reads or embeds an entity row takes its numbers from here: the order of the GF classes, the
token of every type, the name and meaning of every slot, and how a physical value becomes a bin and comes back.
``SCHEMA_VERSION`` is written into every HDF5 file and every checkpoint; change it with the table.

A row is ``[type, p1, ..., pP]`` (int32). A parameter that an entity does not have is ``ABSENT``; every other one is a
bin in 0..255, except ``measurement``, which keeps ``round(value * 1000)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np

SCHEMA_VERSION = 2

GF_CLASSES = ("ARC", "TEXT", "MTEXT", "LWPOLYLINE", "INSERT", "DIMENSION", "LEADER", "CIRCLE", "HATCH", "LINE")
DEEPDXF_TYPES = (*GF_CLASSES, "SOLID", "SPLINE")
PAD = len(DEEPDXF_TYPES)  # the padding/end token; never stored on disk
N_TYPES = len(DEEPDXF_TYPES) + 1
TYPE_INDEX = {name: index for index, name in enumerate(DEEPDXF_TYPES)}

# Other spellings of a known type: DXF name -> the type it is read as.
ALIASES = {
    "POLYLINE": "LWPOLYLINE",
    "MULTILEADER": "LEADER",
    "MLEADER": "LEADER",
    "TRACE": "SOLID",
    "ARC_DIMENSION": "DIMENSION",
    "LARGE_RADIAL_DIMENSION": "DIMENSION",
    "ATTRIB": "TEXT",  # met on a sheet only where a wrapping INSERT was opened
    "ELLIPSE": "SPLINE",
}

ABSENT = -1
N_BINS = 256
MAX_BIN = N_BINS - 1
N_POINTS = 12  # a longer polyline, leader or spline is resampled to this many points (97 % of real polylines fit)
N_KNOTS = 16  # a cubic spline of N_POINTS control points has exactly this many knots
MEASUREMENT_LIMIT = 2**31 - 1  # int32 on disk


class Kind(Enum):
    """What a slot's number means, and thereby how it is binned."""

    X = "x coordinate relative to the drawing's left edge, in units of its larger side"
    Y = "y coordinate relative to the drawing's bottom edge, in units of its larger side"
    LENGTH = "length in units of the drawing's larger side"
    ANGLE = "angle, 0 to 360 degrees, counter-clockwise"
    BULGE = "swept angle of a bulge, 4 * atan(bulge), -360 to 360 degrees"
    FRACTION = "number in 0..1"
    SCALE = "signed scale factor, logarithmic, 1/256 .. 235"
    COUNT = "count, clipped at 255"
    MEASUREMENT = "round(value * 1000), not binned"


@dataclass(frozen=True)
class Slot:
    """One column of a row behind the type column."""

    name: str
    kind: Kind


def _slots() -> tuple[Slot, ...]:
    points = [Slot(f"{axis.value[0]}{i}", axis) for i in range(N_POINTS) for axis in (Kind.X, Kind.Y)]
    bulges = [Slot(f"bulge{i}", Kind.BULGE) for i in range(N_POINTS)]
    knots = [Slot(f"knot{i}", Kind.FRACTION) for i in range(N_KNOTS)]
    singles = {
        Kind.LENGTH: ("radius", "height", "width"),
        Kind.ANGLE: ("start_angle", "end_angle", "rotation"),
        Kind.SCALE: ("scale_x", "scale_y"),
        Kind.COUNT: (
            "count",  # vertices, control points or boundary paths
            "degree",
            "dimension_type",
            "columns",
            "rows",
            "is_closed",
            "is_solid",
            "is_associative",
            "is_triangle",
        ),
        Kind.MEASUREMENT: ("measurement",),
    }
    return (*points, *bulges, *knots, *(Slot(name, kind) for kind, names in singles.items() for name in names))


SLOTS = _slots()
N_SLOTS = len(SLOTS)
ROW_LENGTH = 1 + N_SLOTS
SLOT_INDEX = {slot.name: index for index, slot in enumerate(SLOTS)}  # position behind the type column
MEASUREMENT_COLUMN = 1 + SLOT_INDEX["measurement"]


def _points(first: int, stop: int) -> tuple[str, ...]:
    return tuple(f"{axis}{i}" for i in range(first, stop) for axis in "xy")


# Which slots a type may fill. Points are shared between types, so that "x of the first point" is one thing to learn.
TYPE_SLOTS: dict[str, tuple[str, ...]] = {
    "LINE": _points(0, 2),
    "CIRCLE": (*_points(0, 1), "radius"),
    "ARC": (*_points(0, 1), "radius", "start_angle", "end_angle"),
    "LWPOLYLINE": ("is_closed", "count", *_points(0, N_POINTS), *(f"bulge{i}" for i in range(N_POINTS))),
    "TEXT": (*_points(0, 1), "height", "width", "rotation"),
    "MTEXT": (*_points(0, 1), "height", "width", "rotation"),
    # the lower left and upper right corner of the boundary's extent
    "HATCH": ("is_solid", "is_associative", "count", *_points(0, 2)),
    # points 0..4 are the DXF definition points (codes 10, 13, 14, 15, 16), point 5 is the middle of the text
    "DIMENSION": ("dimension_type", *_points(0, 6), "rotation", "measurement"),
    "LEADER": ("count", *_points(0, N_POINTS)),
    "INSERT": (*_points(0, 1), "scale_x", "scale_y", "rotation", "columns", "rows"),
    "SOLID": (*_points(0, 4), "is_triangle"),
    "SPLINE": (
        "degree",
        "is_closed",
        "count",
        *_points(0, N_POINTS),
        *(f"knot{i}" for i in range(N_KNOTS)),
    ),
}


@dataclass(frozen=True)
class Extents:
    """The frame that coordinates and lengths are relative to: lower left corner and size, in drawing units."""

    min_x: float
    min_y: float
    width: float
    height: float

    @property
    def side(self) -> float:
        """The larger side; 1 for a drawing without size, so that a single point has coordinates (0, 0)."""
        return max(self.width, self.height) or 1.0


_BINS_PER_OCTAVE = 8  # of a scale factor; 128 bins a sign cover 2**-8 .. 2**7.875


def to_bin(kind: Kind, value: float, extents: Extents) -> int:
    """Turn a physical value (drawing units, degrees, a plain number) into what its slot stores.

    Out-of-range values are clipped to the nearest bin. A measurement is a magnitude, as CAD programs display it, and
    is clipped to int32.

    Raises:
        ValueError: the value is not finite. A NaN must be dealt with where it is read, not binned.
    """
    if not math.isfinite(value):
        raise ValueError(f"{kind.name} value is not finite: {value!r}")
    match kind:
        case Kind.X:
            return _unit_bin((value - extents.min_x) / extents.side)
        case Kind.Y:
            return _unit_bin((value - extents.min_y) / extents.side)
        case Kind.LENGTH:
            return _unit_bin(abs(value) / extents.side)
        case Kind.ANGLE:
            return round(value % 360.0 / 360.0 * N_BINS) % N_BINS
        case Kind.BULGE:
            return _signed_bin(4.0 * math.atan(value) / (2.0 * math.pi))
        case Kind.FRACTION:
            return _unit_bin(value)
        case Kind.SCALE:
            return _scale_bin(value)
        case Kind.COUNT:
            return int(min(max(value, 0), MAX_BIN))
        case Kind.MEASUREMENT:
            return round(min(abs(value) * 1000, MEASUREMENT_LIMIT))


def from_bin(kind: Kind, number: int, extents: Extents) -> float:
    """The physical value at the middle of a bin: the inverse of :func:`to_bin` up to one bin."""
    match kind:
        case Kind.X:
            return extents.min_x + number / MAX_BIN * extents.side
        case Kind.Y:
            return extents.min_y + number / MAX_BIN * extents.side
        case Kind.LENGTH:
            return number / MAX_BIN * extents.side
        case Kind.ANGLE:
            return number / N_BINS * 360.0
        case Kind.BULGE:
            return math.tan((number - 128) / 127.0 * 2.0 * math.pi / 4.0)
        case Kind.FRACTION:
            return number / MAX_BIN
        case Kind.SCALE:
            return _scale_from_bin(number)
        case Kind.COUNT:
            return float(number)
        case Kind.MEASUREMENT:
            return number / 1000.0


def _unit_bin(share: float) -> int:
    return round(min(max(share, 0.0), 1.0) * MAX_BIN)


def _signed_bin(share: float) -> int:
    """-1..1 to 1..255 with 0 exactly in the middle (128), so that a straight segment decodes to a straight one."""
    return 128 + round(min(max(share, -1.0), 1.0) * 127)


def _scale_bin(value: float) -> int:
    """Positive factors use 128..255, negative (mirrored) ones 127..0; the common 1 and -1 decode exactly."""
    octave = math.log2(max(abs(value), 2.0**-8))
    step = min(max(round(octave * _BINS_PER_OCTAVE) + 64, 0), 127)
    return 128 + step if value >= 0 else 127 - step


def _scale_from_bin(number: int) -> float:
    step, sign = (number - 128, 1.0) if number >= 128 else (127 - number, -1.0)
    return sign * 2.0 ** ((step - 64) / _BINS_PER_OCTAVE)


def make_row(type_name: str, values: dict[str, float], extents: Extents) -> np.ndarray:
    """One entity as an int32 row ``[1 + N_SLOTS]``; slots not named in ``values`` are ``ABSENT``.

    Raises:
        KeyError: a slot that ``type_name`` does not have (a slip in a reader, never in a drawing).
        ValueError: a value is not finite.
    """
    row = np.full(ROW_LENGTH, ABSENT, dtype=np.int32)
    row[0] = TYPE_INDEX[type_name]
    allowed = TYPE_SLOTS[type_name]
    for name, value in values.items():
        if name not in allowed:
            raise KeyError(f"{type_name} has no slot {name!r}")
        index = SLOT_INDEX[name]
        row[1 + index] = to_bin(SLOTS[index].kind, value, extents)
    return row


def make_rows(types: np.ndarray, values: list[dict[str, float]], extents: Extents) -> np.ndarray:
    """Many entities at once: the same rows as :func:`make_row`, one numpy pass a kind of slot.

    Args:
        types: ``[L]`` indices into ``DEEPDXF_TYPES``.
        values: one mapping of slot names to finite physical values an entity.

    Returns:
        ``[L, ROW_LENGTH]`` int32.
    """
    columns = [SLOT_INDEX[name] for found in values for name in found]
    lengths = [len(found) for found in values]
    physical = np.full((len(values), N_SLOTS), np.nan)
    physical[np.repeat(np.arange(len(values)), lengths), columns] = [x for found in values for x in found.values()]
    rows = np.full((len(values), ROW_LENGTH), ABSENT, dtype=np.int32)
    rows[:, 0] = types
    for kind in Kind:
        slots = [index for index, slot in enumerate(SLOTS) if slot.kind is kind]
        there = ~np.isnan(physical[:, slots])
        block = rows[:, [1 + index for index in slots]]
        block[there] = _to_bins(kind, physical[:, slots][there], extents)
        rows[:, [1 + index for index in slots]] = block
    return rows


def _to_bins(kind: Kind, values: np.ndarray, extents: Extents) -> np.ndarray:
    """:func:`to_bin` of many values of one kind."""
    match kind:
        case Kind.X:
            return _unit_bins((values - extents.min_x) / extents.side)
        case Kind.Y:
            return _unit_bins((values - extents.min_y) / extents.side)
        case Kind.LENGTH:
            return _unit_bins(np.abs(values) / extents.side)
        case Kind.FRACTION:
            return _unit_bins(values)
        case Kind.ANGLE:
            return np.rint(values % 360.0 / 360.0 * N_BINS) % N_BINS
        case Kind.COUNT:
            return np.trunc(np.clip(values, 0, MAX_BIN))
        case Kind.MEASUREMENT:
            return np.rint(np.minimum(np.abs(values) * 1000, MEASUREMENT_LIMIT))
        case _:  # bulges and scales: few different values
            different, which = np.unique(values, return_inverse=True)
            return np.array([to_bin(kind, value, extents) for value in different.tolist()], dtype=np.int32)[which]


def _unit_bins(shares: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(shares, 0.0, 1.0) * MAX_BIN)


def read_row(row: np.ndarray, extents: Extents) -> tuple[str, dict[str, float]]:
    """Decode a row: the type's name and the physical value of every slot it fills."""
    values = {
        slot.name: from_bin(slot.kind, int(number), extents)
        for slot, number in zip(SLOTS, row[1:], strict=True)
        if number != ABSENT
    }
    return DEEPDXF_TYPES[int(row[0])], values


def model_rows(rows: np.ndarray) -> np.ndarray:
    """Rows as a network reads them, int16: the measurement becomes a bin on a logarithmic scale, the rest stays.

    Args:
        rows: ``[L, ROW_LENGTH]`` int32 as stored on disk.
    """
    tokens = rows.astype(np.int16)  # only the measurement exceeds int16, and it is replaced
    tokens[:, MEASUREMENT_COLUMN] = measurement_bins(rows[:, MEASUREMENT_COLUMN])
    return tokens


def measurement_bins(measurement: np.ndarray) -> np.ndarray:
    """Bins 0..255 on a logarithmic scale of measurements as stored on disk; ABSENT stays."""
    share = np.log1p(np.maximum(measurement, 0)) / math.log1p(MEASUREMENT_LIMIT)
    return np.where(measurement == ABSENT, ABSENT, np.round(share * MAX_BIN))
