"""A drawing in memory, as its views are made of it: the rows of entities, and the ink and words that belong to them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np

from dataset.appearance import Appearance, quarter_turns
from dataset.entities import ABSENT, MAX_BIN, N_BINS, SLOT_INDEX, SLOTS, Extents, Kind, model_rows
from dataset.storage import SequenceRecord

N_WORD_BUCKETS = 2048
GRAM_LENGTHS = (2, 3, 4)


@dataclass(frozen=True)
class Drawing:
    """A drawing, upright (see :func:`dataset.appearance.quarter_turns`).

    Attributes:
        rows: ``[L, ROW_LENGTH]`` int16, see :func:`dataset.entities.model_rows`.
        strokes: ``[S, 4]`` float32 start and end points, in units of the larger side of the drawing's extents.
        ink: ``[S]`` uint8, see :class:`dataset.strokes.Ink`.
        stroke_owner: ``[S]`` int32, rows.
        share: how many strokes of the drawing one of these stands for.
        grams: ``[K]`` int32, a bucket for every n-gram of letters on the sheet.
        gram_owner: ``[K]`` int32, rows.
        side: the larger side of the extents in drawing units.
    """

    rows: np.ndarray
    strokes: np.ndarray
    ink: np.ndarray
    stroke_owner: np.ndarray
    share: float
    grams: np.ndarray
    gram_owner: np.ndarray
    side: float

    @classmethod
    def of(cls, record: SequenceRecord) -> Drawing:
        seen, extents = record.appearance, record.extents
        turns = quarter_turns(seen)
        grams, owner = hashed_grams(seen)
        return cls(
            turn_rows_back(model_rows(record.dxf_vec), extents, turns),
            turn_strokes_back(seen.strokes, turns),
            seen.ink,
            seen.stroke_owner,
            seen.share,
            grams,
            owner,
            extents.side,
        )

    def keep(self, entities: np.ndarray) -> Drawing:
        """Only these entities (bool ``[L]``), with their ink and words."""
        index = np.cumsum(entities, dtype=np.int32) - 1
        strokes, grams = entities[self.stroke_owner], entities[self.gram_owner]
        return replace(
            self,
            rows=self.rows[entities],
            strokes=self.strokes[strokes],
            ink=self.ink[strokes],
            stroke_owner=index[self.stroke_owner[strokes]],
            grams=self.grams[grams],
            gram_owner=index[self.gram_owner[grams]],
        )


def hashed_grams(seen: Appearance) -> tuple[np.ndarray, np.ndarray]:
    """The n-grams of every word on the sheet, spaces around it included, as buckets of a hash, and their rows.

    Letters in twos to fours need no dictionary and no language, and forgive a changed digit. The hash is CRC-32, which
    is the same everywhere (feature hashing: Weinberger et al. 2009).
    """
    buckets, owners = [], []
    for text, row in zip(seen.texts, seen.text_owner.tolist(), strict=True):
        found = _grams(text)
        buckets += found
        owners += [row] * len(found)
    return np.array(buckets, dtype=np.int32), np.array(owners, dtype=np.int32)


def _grams(text: str) -> list[int]:
    found = []
    for word in text.lower().split():
        padded = f" {word} "
        for n in GRAM_LENGTHS:
            pieces = (padded[i : i + n] for i in range(len(padded) - n + 1))
            found += [zlib.crc32(piece.encode("utf-8", "surrogatepass")) % N_WORD_BUCKETS for piece in pieces]
    return found


def turn_strokes_back(strokes: np.ndarray, turns: int) -> np.ndarray:
    """Turn strokes by so many quarters clockwise: ``[S, 4]`` -> ``[S, 4]``."""
    points = strokes.reshape(-1, 2)
    for _ in range(turns):
        points = np.column_stack([points[:, 1], -points[:, 0]])
    return points.reshape(-1, 4)


_COLUMNS = {kind: np.array([1 + i for i, slot in enumerate(SLOTS) if slot.kind is kind]) for kind in Kind}
# an arc's angles and the rotations turn with the sheet; knots, bulges and scales are the entity's own
_TURNING = 1 + np.array([SLOT_INDEX[name] for name in ("start_angle", "end_angle", "rotation")])


def turn_rows_back(rows: np.ndarray, extents: Extents, turns: int) -> np.ndarray:
    """Turn the sheet by so many quarters clockwise: rows ``[L, ROW_LENGTH]`` as if drawn so, up to one bin."""
    width, height = extents.width / extents.side, extents.height / extents.side
    for _ in range(turns):
        turned = rows.copy()
        x, y = rows[:, _COLUMNS[Kind.X]], rows[:, _COLUMNS[Kind.Y]]
        turned[:, _COLUMNS[Kind.X]] = y
        low = np.clip(round(width * MAX_BIN) - x, 0, MAX_BIN)
        turned[:, _COLUMNS[Kind.Y]] = np.where(x == ABSENT, ABSENT, low)
        angles = rows[:, _TURNING]
        turned[:, _TURNING] = np.where(angles == ABSENT, ABSENT, (angles - N_BINS // 4) % N_BINS)
        rows, width, height = turned, height, width
    return rows
