"""A drawing in memory, as its views are made of it: the rows of entities, and the ink and words that belong to them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dataset.appearance import quarter_turns
from dataset.entities import ABSENT, MAX_BIN, N_BINS, SLOT_INDEX, SLOTS, TYPE_INDEX, Extents, Kind, model_rows
from dataset.storage import SequenceRecord

N_LETTER_BUCKETS = 2048
N_WORD_BUCKETS = 8192
N_GRAM_BUCKETS = N_LETTER_BUCKETS + N_WORD_BUCKETS
LETTERS = (2, 3, 4)  # of an n-gram
WORDS = (1, 2)
NOBODY = -1  # owns what is still on the sheet while its row is gone


@dataclass(frozen=True)
class Drawing:
    """A drawing. What training and comparison read is upright, see :meth:`upright`.

    Attributes:
        rows: ``[L, ROW_LENGTH]`` int16, see :func:`dataset.entities.model_rows`.
        strokes: ``[S, 4]`` float32 start and end points, in units of the larger side of the drawing's extents.
        ink: ``[S]`` uint8, see :class:`dataset.strokes.Ink`.
        stroke_owner: ``[S]`` int32, rows in ascending order, but for ``NOBODY``.
        share: how many strokes of the drawing one of these stands for.
        grams: ``[K]`` uint16, a bucket for every n-gram on the sheet: the first ``N_LETTER_BUCKETS`` of letters, the
            others of words.
        gram_owner: ``[K]`` int32, likewise.
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
        """What a sequence file holds, upright."""
        seen, extents = record.appearance, record.extents
        grams, owner = hashed_grams(seen.texts, seen.text_owner)
        rows = model_rows(record.dxf_vec)
        drawn = cls(rows, seen.strokes, seen.ink, seen.stroke_owner, seen.share, grams, owner, extents.side)
        return drawn.upright(extents)

    def upright(self, extents: Extents) -> Drawing:
        """This drawing, lying as it was drawn in ``extents``, as its texts are read."""
        turns = quarter_turns(self.strokes, self.ink)
        return replace(
            self,
            rows=turn_rows_back(self.rows, extents, turns),
            strokes=turn_strokes_back(self.strokes, turns),
        )

    def keep(self, entities: np.ndarray) -> Drawing:
        """Only these entities (bool ``[L]``), with their ink and words; nobody's stays."""
        index = np.append(np.cumsum(entities, dtype=np.int32) - 1, np.int32(NOBODY))  # NOBODY finds the last place
        stays = np.append(entities, True)
        strokes, grams = stays[self.stroke_owner], stays[self.gram_owner]
        return replace(
            self,
            rows=self.rows[entities],
            strokes=self.strokes[strokes],
            ink=self.ink[strokes],
            stroke_owner=index[self.stroke_owner[strokes]],
            grams=self.grams[grams],
            gram_owner=index[self.gram_owner[grams]],
        )


def hashed_grams(texts: Sequence[str], text_owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The n-grams of the letters of every word, spaces around it included, and of the words of every text, as buckets
    of a hash, and their rows.

    Args:
        texts, text_owner: see :class:`dataset.appearance.Appearance`.

    Letters in twos to fours need no dictionary and no language, and forgive a changed digit; words, alone and in twos,
    tell one sheet from all others; no pair is of two texts. The hash is CRC-32, which is the same everywhere (feature
    hashing: Weinberger et al. 2009).
    """
    buckets, owners = [], []
    for text, row in zip(texts, text_owner.tolist(), strict=True):
        words = text.lower().split()
        found = [_bucket(piece, 0, N_LETTER_BUCKETS) for word in words for piece in _pieces(f" {word} ", LETTERS)]
        found += [_bucket(" ".join(some), N_LETTER_BUCKETS, N_WORD_BUCKETS) for some in _pieces(words, WORDS)]
        buckets += found
        owners += [row] * len(found)
    return np.array(buckets, dtype=np.uint16), np.array(owners, dtype=np.int32)


def _pieces(whole: Sequence[str], lengths: Sequence[int]) -> Iterator[Sequence[str]]:
    """All runs of these lengths."""
    return (whole[i : i + n] for n in lengths for i in range(len(whole) - n + 1))


def _bucket(piece: str, first: int, count: int) -> int:
    return first + zlib.crc32(piece.encode("utf-8", "surrogatepass")) % count


def turn_strokes_back(strokes: np.ndarray, turns: int) -> np.ndarray:
    """Turn strokes by so many quarters clockwise: ``[S, 4]`` -> ``[S, 4]``."""
    points = strokes.reshape(-1, 2)
    for _ in range(turns):
        points = np.column_stack([points[:, 1], -points[:, 0]])
    return points.reshape(-1, 4)


_COLUMNS = {kind: np.array([1 + i for i, slot in enumerate(SLOTS) if slot.kind is kind]) for kind in Kind}
# an arc's angles and the rotations turn with the sheet; knots, bulges and scales are the entity's own
_TURNING = 1 + np.array([SLOT_INDEX[name] for name in ("start_angle", "end_angle", "rotation")])
# a hatch has the lower left and the upper right corner of its box, which a turn makes the two others
_LOWER, _UPPER = 1 + SLOT_INDEX["y0"], 1 + SLOT_INDEX["y1"]


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
        boxes = np.flatnonzero(rows[:, 0] == TYPE_INDEX["HATCH"])[:, None]
        turned[boxes, [_LOWER, _UPPER]] = turned[boxes, [_UPPER, _LOWER]]
        rows, width, height = turned, height, width
    return rows
