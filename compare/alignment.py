"""Where one drawing lies on another: moved, scaled, turned by quarters, mirrored.

Strokes of equal length and direction vote for the shift between them, a Hough transform (Ballard 1981) in which a
stroke that has few equals counts more. It needs no initial guess, and what was edited votes for nothing in common.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy.spatial import cKDTree

from compare.figure import Figure, is_text

TOLERANCE = 1e-4  # of the larger side: how far apart what is equal may lie; 0.04 mm on an A3 sheet
CELL = 2e-3  # of the larger side: a vote
BUDGET = 6_000  # pairs that vote for one placement
LENGTH_STEP, ANGLE_STEP = 0.01, 1.0  # 1 % and 1 degree: strokes this alike may be the same
SCALE_STEP = 0.001
SCALE_PEAKS = 4
INCH = 25.4
FINALISTS = 6
MIN_WORDS = 3  # lines of text in common that have a say
WORDS_SHARE = 0.3
LEAST = 0.05  # score of a placement that is better than none
MOST_SCORED = 6_000  # strokes of each drawing that a placement is scored by


@dataclass(frozen=True)
class Alignment:
    """Puts points of the right drawing where they lie on the left one.

    Mirrored (x to -x) first, then turned by ``turns`` quarters counter-clockwise, scaled, shifted. ``score`` is the
    share, 0..1, of the strokes of the drawing that has fewer which then lie on strokes of the other, each weighted by
    its length: the sheet's frame and the outlines of views say more than a thousand letters or holes, which may have
    moved together.
    """

    scale: float = 1.0
    turns: int = 0
    mirrored: bool = False
    shift: tuple[float, float] = (0.0, 0.0)
    score: float = 1.0

    @property
    def matrix(self) -> np.ndarray:
        """``[2, 2]``, to multiply row vectors by from the right."""
        turned = np.linalg.matrix_power(np.array([[0.0, 1.0], [-1.0, 0.0]]), self.turns)
        return self.scale * np.diag([-1.0 if self.mirrored else 1.0, 1.0]) @ turned

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Points, strokes or other rows of x, y pairs: ``[n, 2k] -> [n, 2k]``."""
        return (points.reshape(-1, 2) @ self.matrix + self.shift).reshape(points.shape)

    def back(self, points: np.ndarray) -> np.ndarray:
        """From the left drawing to the right one: the inverse."""
        return ((points.reshape(-1, 2) - self.shift) @ np.linalg.inv(self.matrix)).reshape(points.shape)

    @property
    def is_shift(self) -> bool:
        return self.scale == 1.0 and not self.turns and not self.mirrored

    def words(self) -> str:
        """What it does, for people; nothing where both lie alike but for a shift."""
        parts = []
        if self.mirrored:
            parts.append("mirrored")
        if self.turns:
            parts.append(f"turned by {90 * self.turns}°")
        if abs(self.scale - 1.0) > 1e-9:
            parts.append(f"scaled by {self.scale:.6g}")
        return ", ".join(parts)


def align(left: Figure, right: Figure) -> Alignment:
    """The placement of ``right`` under which most of its strokes lie on those of ``left``.

    Of placements that are as good (a symmetric part without a word on it) the simplest is taken. Drawings with next
    to nothing in common are laid middle on middle.
    """
    a, b = _solid(left.strokes), _solid(right.strokes)
    if not len(a) or not len(b):
        return _middle_on_middle(left, right)
    side, weights = left.side, _lengths(a)
    found: list[tuple[float, Alignment]] = []
    for scale, mirrored, turns in product(_scales(a, b, side, right.side), (False, True), range(4)):
        candidate = Alignment(scale, turns, mirrored)
        moved = candidate(b)
        votes, shift = vote(_keys(a, side), _middles(a), _keys(moved, side), _middles(moved), CELL * side, weights)
        if votes:
            found.append((votes, replace(candidate, shift=shift)))
    found.sort(key=lambda pair: -pair[0])
    a, b = _thinned(a), _thinned(b)
    words = _common_words(left, right)
    finalists = [
        _with_words(_refined(candidate, a, b, side), *words, 10 * TOLERANCE * side)
        for _, candidate in found[:FINALISTS]
    ]
    best = max(finalists, key=lambda each: each.score - 1e-3 * _effort(each), default=Alignment(score=0.0))
    return best if best.score >= LEAST else _middle_on_middle(left, right)


def vote(
    left_keys: np.ndarray,
    left: np.ndarray,
    right_keys: np.ndarray,
    right: np.ndarray,
    cell: float,
    weights: np.ndarray | None = None,
) -> tuple[float, tuple[float, float]]:
    """The shift from ``right`` to ``left`` that most things of equal key ask for, and how many do.

    Every thing has one vote, shared among its equals; of at most ``BUDGET`` pairs, the rarest keys first.

    Args:
        left_keys, right_keys: int64, ``[n]`` and ``[m]``.
        left, right: points ``[n, 2]`` and ``[m, 2]``.
        cell: shifts nearer than this are one.
        weights: ``[n]``, what each of ``left`` has to say; 1 if left out.
    """
    keys, inverse = np.unique(np.concatenate([left_keys, right_keys]), return_inverse=True)
    of_left, of_right = inverse[: len(left)], inverse[len(left) :]
    n, m = np.bincount(of_left, minlength=len(keys)), np.bincount(of_right, minlength=len(keys))
    pairs = n * m
    order = np.argsort(np.where(pairs == 0, np.iinfo(np.int64).max, pairs), kind="stable")
    order = order[: np.count_nonzero(pairs)]
    if not len(order):
        return 0.0, (0.0, 0.0)
    chosen = order[np.cumsum(pairs[order]) <= BUDGET]
    chosen = chosen if len(chosen) else order[:1]
    by_key_left, by_key_right = np.argsort(of_left, kind="stable"), np.argsort(of_right, kind="stable")
    start_left, start_right = np.cumsum(n) - n, np.cumsum(m) - m
    count = np.minimum(pairs[chosen], BUDGET)
    key = np.repeat(chosen, count)
    place = np.arange(len(key)) - np.repeat(np.cumsum(count) - count, count)
    i = by_key_left[start_left[key] + place // m[key]]
    j = by_key_right[start_right[key] + place % m[key]]
    delta, weight = left[i] - right[j], 1.0 / np.maximum(n[key], m[key])
    if weights is not None:
        weight *= weights[i]
    best, shift = 0.0, (0.0, 0.0)
    for offset in product((0.0, 0.5), repeat=2):  # what one grid cuts in two, another holds together
        cells = np.floor(delta / cell + offset).astype(np.int64)
        _, where = np.unique(cells[:, 0] * 2_000_003 + cells[:, 1], return_inverse=True)
        sums = np.bincount(where, weights=weight)
        if sums.max() > best + 1e-9:
            best = float(sums.max())
            inside = where == int(sums.argmax())
            shift = tuple(np.median(delta[inside], axis=0).tolist())
    return best, shift


def as_points(strokes: np.ndarray) -> np.ndarray:
    """Strokes as points ``[S, 4]`` that are near where the strokes are alike, whichever end comes first.

    Middle, and half the stroke as a vector of twice its angle.
    """
    delta = strokes[:, 2:] - strokes[:, :2]
    length = np.hypot(delta[:, 0], delta[:, 1])
    twice = 2.0 * np.arctan2(delta[:, 1], delta[:, 0])
    return np.column_stack([_middles(strokes), length / 2 * np.cos(twice), length / 2 * np.sin(twice)])


def _solid(strokes: np.ndarray) -> np.ndarray:
    """Without strokes that have no length or no place."""
    length = _lengths(strokes)
    return strokes[np.isfinite(length) & (length > 0)]


def _lengths(strokes: np.ndarray) -> np.ndarray:
    return np.hypot(strokes[:, 2] - strokes[:, 0], strokes[:, 3] - strokes[:, 1])


def _middles(strokes: np.ndarray) -> np.ndarray:
    return (strokes[:, :2] + strokes[:, 2:]) / 2


def _keys(strokes: np.ndarray, side: float) -> np.ndarray:
    """Strokes of one length and direction have one key; very short ones are told apart by length less finely."""
    delta = strokes[:, 2:] - strokes[:, :2]
    length = np.hypot(delta[:, 0], delta[:, 1])
    angle = (np.degrees(np.arctan2(delta[:, 1], delta[:, 0])) + ANGLE_STEP / 2) % 180.0
    steps = np.floor(np.log(length / side + 1e-3) / LENGTH_STEP + 0.37).astype(np.int64)
    return steps * 1_000 + np.floor(angle / ANGLE_STEP).astype(np.int64)


def _scales(a: np.ndarray, b: np.ndarray, side: float, other_side: float) -> list[float]:
    """Factors that the right drawing may have to be scaled by, the likeliest first.

    As drawn, between inches and millimetres, by the drawings' sizes, and where the distributions of the strokes'
    logarithmic lengths lie best on each other: neither turn nor mirror nor shift changes these.
    """
    peaks = scale_peaks(a, b)
    scales: list[float] = []
    for scale in (1.0, INCH, 1.0 / INCH, side / other_side, *peaks):
        if all(abs(scale / known - 1.0) >= 2 * SCALE_STEP for known in scales):
            scales.append(scale)
    return scales


def scale_peaks(a: np.ndarray, b: np.ndarray, most: int = SCALE_PEAKS) -> list[float]:
    """Factors by which the lengths of strokes ``b`` meet those of ``a``, the likeliest first."""
    logs = [np.log(length[length > 0]) for length in map(_lengths, (a, b))]
    if not len(logs[0]) or not len(logs[1]):
        return []
    low = min(log.min() for log in logs)
    size = int((max(log.max() for log in logs) - low) / SCALE_STEP) + 2
    histograms = [np.sqrt(np.bincount(((log - low) / SCALE_STEP).astype(int), minlength=size)) for log in logs]
    width = 1 << (2 * size - 1).bit_length()
    spectra = [np.fft.rfft(histogram, width) for histogram in histograms]
    common = np.fft.irfft(spectra[0] * np.conj(spectra[1]), width)
    smooth = common + np.roll(common, 1) + np.roll(common, -1)
    peaks = []
    for _ in range(most):
        lag = int(smooth.argmax())
        if smooth[lag] < 1.0:
            break
        peaks.append(float(np.exp((lag if lag < width // 2 else lag - width) * SCALE_STEP)))
        smooth[np.arange(lag - 5, lag + 6) % width] = 0.0
    return peaks


def _thinned(strokes: np.ndarray) -> np.ndarray:
    """At most ``MOST_SCORED`` of them: the longest, which say most."""
    if len(strokes) <= MOST_SCORED:
        return strokes
    length = _lengths(strokes)
    return strokes[np.argsort(-length, kind="stable")[:MOST_SCORED]]


def _refined(candidate: Alignment, a: np.ndarray, b: np.ndarray, side: float) -> Alignment:
    """The candidate fitted to the strokes that it brings together (least squares), and its score."""
    tree = cKDTree(as_points(a))
    for share in (4 * CELL, CELL, TOLERANCE):
        points = as_points(candidate(b))
        distance, nearest = tree.query(points, distance_upper_bound=share * side)
        met = np.isfinite(distance)
        if met.sum() < 2:
            break
        raw = b.reshape(-1, 2, 2).mean(axis=1)[met] @ (candidate.matrix / candidate.scale)
        wanted = _middles(a)[nearest[met]]
        candidate = _fitted(candidate, raw, wanted)
    distance, _ = tree.query(as_points(candidate(b)), distance_upper_bound=2 * TOLERANCE * side)
    weights = _lengths(b)
    least = min(weights.sum(), (_lengths(a) / candidate.scale).sum())
    return replace(candidate, score=min(1.0, float(weights[np.isfinite(distance)].sum() / least)))


def _common_words(left: Figure, right: Figure) -> tuple[np.ndarray, np.ndarray, int]:
    """Lines of text that both drawings have: points ``[n, 3]`` and ``[m, 3]``, the middle and a number for the string;
    and how many pairs they can make."""
    known: dict[str, int] = {}
    counts: list[Counter[int]] = []
    points = []
    for figure in (left, right):
        lines = np.flatnonzero(is_text(figure))
        single = lines[np.bincount(figure.owner[lines], minlength=len(figure))[figure.owner[lines]] == 1]
        said = [known.setdefault(figure.says(entity), len(known)) for entity in figure.owner[single].tolist()]
        points.append(np.column_stack([_middles(figure.strokes[single]), np.array(said, dtype=np.float64)]))
        counts.append(Counter(said))
    common = counts[0] & counts[1]
    kept = [point[np.isin(point[:, 2], list(common))] for point in points]
    return kept[0], kept[1], sum(common.values())


def _with_words(candidate: Alignment, left: np.ndarray, right: np.ndarray, pairs: int, reach: float) -> Alignment:
    """The candidate, its score a mean of what strokes and words say: a frame is the same upside down, words are not."""
    if pairs < MIN_WORDS:
        return candidate
    far = 100.0 * reach  # different strings are never near
    points = np.column_stack([candidate(right[:, :2]), far * right[:, 2]])
    tree = cKDTree(np.column_stack([left[:, :2], far * left[:, 2]]))
    distance, _ = tree.query(points, distance_upper_bound=reach)
    share = min(1.0, float(np.isfinite(distance).sum()) / pairs)
    return replace(candidate, score=(1.0 - WORDS_SHARE) * candidate.score + WORDS_SHARE * share)


def _fitted(candidate: Alignment, raw: np.ndarray, wanted: np.ndarray) -> Alignment:
    """Scale and shift that bring ``raw`` nearest to ``wanted``; a scale that is nearly 1 or an inch is that."""
    centred, target = raw - raw.mean(axis=0), wanted - wanted.mean(axis=0)
    spread = float((centred**2).sum())
    scale = float((centred * target).sum() / spread) if spread > 0 else candidate.scale
    if not 0.9 < scale / candidate.scale < 1.1:
        scale = candidate.scale
    scale = next((known for known in (1.0, INCH, 1.0 / INCH) if abs(scale / known - 1.0) < 1e-4), scale)
    shift = np.median(wanted - scale * raw, axis=0)
    return replace(candidate, scale=scale, shift=tuple(shift.tolist()))


def _effort(alignment: Alignment) -> int:
    is_unit = any(abs(alignment.scale / unit - 1) < 1e-9 for unit in (INCH, 1 / INCH))
    return (
        bool(alignment.turns)
        + alignment.mirrored
        + (alignment.scale != 1.0)
        + 50 * (alignment.scale != 1.0 and not is_unit)
    )


def _middle_on_middle(left: Figure, right: Figure) -> Alignment:
    if not len(left.strokes) or not len(right.strokes):
        return Alignment(score=0.0)
    middles = [(ends.min(axis=0) + ends.max(axis=0)) / 2 for ends in (f.strokes.reshape(-1, 2) for f in (left, right))]
    scale = left.side / right.side
    scale = 1.0 if 0.2 < scale < 5.0 else scale
    return Alignment(scale, shift=tuple((middles[0] - scale * middles[1]).tolist()), score=0.0)
