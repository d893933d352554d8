"""What a sheet shows, as vectors: of its ink, its strokes, its shapes and its text, as measured and as learned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dataset.drawing import N_GRAM_BUCKETS, N_LETTER_BUCKETS, N_WORD_BUCKETS
from model.contrastive import unit
from model.precision import full_precision
from utils.joints import N_JOINTS
from utils.point_pairs import N_PAIRS
from utils.sheet_features import N_CHANNELS, N_STATISTICS, N_STROKE_STATISTICS

COARSE = 8  # cells a side of the image as measured
JOINT_SKETCH, WORD_SKETCH = 256, 512  # sizes of joints and of words as measured
LEARNED = ("image", "statistics", "joints", "letters")
MEASURED = (
    "coarse_image",
    "stroke_statistics",
    "type_counts",
    "pair_histogram",
    "pair_deviations",
    "joint_counts",
    "words",
)
RARITIES = ("gram_rarity", "joint_rarity")  # buffers
FITTED = ("mean", "deviation", "pair_mean", "pair_deviation", *RARITIES)


class SheetEncoder(nn.Module):
    """Four small networks, and beside them what they read, standardised but not learned.

    A learned vector groups sheets of a kind; in doing so it forgets what tells two revisions of one sheet apart. What
    was measured does not forget. Search gets both (docs/experiments.md has each alone).

    :meth:`fit` sets what standardisation needs. That is no learning from the task, but it is learning from drawings, so
    it sees the training drawings of a fold and no others.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        widths = (N_CHANNELS, 32, 64, 128)
        blocks = [_block(*pair) for pair in pairwise(widths)]
        self.image = nn.Sequential(*blocks, nn.Flatten(1), nn.Linear(128 * 16, size))
        self.statistics = nn.Sequential(nn.Linear(N_STATISTICS, 2 * size), nn.GELU(), nn.Linear(2 * size, size))
        self.joints = nn.Linear(N_JOINTS, size, bias=False)
        self.letters = nn.Linear(N_LETTER_BUCKETS, size, bias=False)
        self.register_buffer("word_sketch", _signs(N_WORD_BUCKETS, WORD_SKETCH, seed=0))
        self.register_buffer("joint_sketch", _signs(N_JOINTS, JOINT_SKETCH, seed=1))
        for name, width in (("mean", N_STATISTICS), ("pair_mean", N_PAIRS)):
            self.register_buffer(name, torch.zeros(width))
            self.register_buffer(name.replace("mean", "deviation"), torch.ones(width))
        self.register_buffer("gram_rarity", torch.ones(N_GRAM_BUCKETS))
        self.register_buffer("joint_rarity", torch.ones(2, N_JOINTS))

    @torch.no_grad()
    def fit(self, features: Mapping[str, Tensor]) -> None:
        """Standardise by the training drawings: statistics and pairs to mean 0 and deviation 1, and :meth:`weigh`.

        Shape: ``[N, .]`` for each of ``statistics``, ``pairs``, ``grams``, ``joints``.
        """
        for features_of, prefix in (("statistics", ""), ("pairs", "pair_")):
            rows = features[features_of]
            getattr(self, f"{prefix}mean").copy_(rows.mean(dim=0))
            getattr(self, f"{prefix}deviation").copy_(rows.std(dim=0, correction=0) + 0.01)
        self.weigh(features)

    @torch.no_grad()
    def weigh(self, features: Mapping[str, Tensor]) -> None:
        """Let letters, words and joints count by how rare they are in these drawings (inverse document frequency).

        Shape: ``[N, .]`` for each of ``grams``, ``joints``.
        """
        self.gram_rarity.copy_(_rarity(features["grams"]))
        self.joint_rarity.copy_(_rarity(features["joints"]).sqrt())  # its square is what a cosine sums up

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What is learned. Shape: ``image [B, C, H, W]``, ``statistics``, ``joints``, ``grams`` -> four vectors
        ``[B, size]``."""
        return {
            "image": self.image(batch["image"]),
            "statistics": self.statistics(self._standardised(batch["statistics"])),
            "joints": self.joints(10 * unit(self._joints(batch)[0])),
            "letters": self.letters(10 * unit(self._letters_and_words(batch)[0])),
        }

    def measured(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What is not: an image in ``COARSE`` cells, statistics of strokes, counts of types, the histogram of pairs,
        what is unusual in it, a sketch of long joints and one of words."""
        statistics, pairs = self._standardised(batch["statistics"]), batch["pairs"]
        any_pairs = (pairs != 0).any(dim=-1, keepdim=True)  # without any nothing is unusual
        with full_precision(statistics):
            return {
                "coarse_image": F.adaptive_avg_pool2d(batch["image"], COARSE).flatten(1),
                "stroke_statistics": statistics[:, :N_STROKE_STATISTICS],
                "type_counts": statistics[:, N_STROKE_STATISTICS:],
                "pair_histogram": pairs,
                "pair_deviations": (pairs - self.pair_mean) / self.pair_deviation * any_pairs,
                "joint_counts": _sketched(self._joints(batch)[1], self.joint_sketch),
                "words": _sketched(self._letters_and_words(batch)[1], self.word_sketch),
            }

    def _joints(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """All of them, and the long ones, by how rare they are: each ``[B, N_JOINTS]``."""
        return (batch["joints"] * self.joint_rarity).unbind(dim=1)

    def _letters_and_words(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """By how rare they are: ``[B, N_LETTER_BUCKETS]`` and ``[B, N_WORD_BUCKETS]``."""
        return (batch["grams"] * self.gram_rarity).split([N_LETTER_BUCKETS, N_WORD_BUCKETS], dim=1)

    def _standardised(self, statistics: Tensor) -> Tensor:
        return (statistics - self.mean) / self.deviation


def measured_sizes() -> dict[str, int]:
    """The sizes of what :meth:`SheetEncoder.measured` gives."""
    return {
        "coarse_image": N_CHANNELS * COARSE**2,
        "stroke_statistics": N_STROKE_STATISTICS,
        "type_counts": N_STATISTICS - N_STROKE_STATISTICS,
        "pair_histogram": N_PAIRS,
        "pair_deviations": N_PAIRS,
        "joint_counts": JOINT_SKETCH,
        "words": WORD_SKETCH,
    }


def _signs(size_in: int, size_out: int, seed: int) -> Tensor:
    """Random signs ``[size_in, size_out]`` int8: a projection on them keeps cosines (Achlioptas 2003, theorem 1.1)."""
    signs = torch.randint(0, 2, (size_in, size_out), generator=torch.Generator().manual_seed(seed))
    return (2 * signs - 1).to(torch.int8)


def _sketched(rows: Tensor, signs: Tensor) -> Tensor:
    """Shape: ``[B, size_in]``, ``[size_in, size_out]`` -> ``[B, size_out]``, of length about 1."""
    if rows.device.type == "cpu":  # of thousands of words a drawing has hundreds; a GPU would have to wait for which
        some = (rows != 0).any(dim=0)
        rows, signs = rows[:, some], signs[some]
    return unit(rows) @ signs.float() / signs.shape[1] ** 0.5


def _rarity(counts: Tensor) -> Tensor:
    """Inverse document frequency: ``[N, D]`` -> ``[D]``; exactly 0 for what every drawing has."""
    holding = (counts > 0).sum(dim=0)
    rarity = math.log1p(len(counts)) - torch.log1p(holding.float())
    return torch.where(holding < len(counts), rarity, 0.0)  # rounding would leave a little, of either sign


def _block(width_in: int, width_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width_in, width_out, 3, padding=1), nn.GroupNorm(8, width_out), nn.GELU(), nn.MaxPool2d(2)
    )
