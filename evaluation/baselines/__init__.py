"""What a person would try before learning anything: one small function a baseline, archive in, vectors out.

A baseline takes an :class:`evaluation.archive.Archive` and returns vectors ``[N, D]``, a row a drawing, that are
compared by their cosine; a row of NaN where it can say nothing of a drawing. It may look at the whole archive (to
standardise, to weight words), as a person who has it may, but at no groups.
"""

from __future__ import annotations

from collections.abc import Callable

from evaluation.archive import Archive
from evaluation.baselines.chance import random
from evaluation.baselines.counts import counts_aspect, raw_gf
from evaluation.baselines.descriptors import hog, orb
from evaluation.baselines.phash import phash
from evaluation.baselines.words import tfidf
from evaluation.scoring import Vectors

BASELINES: dict[str, Callable[[Archive], Vectors]] = {
    "counts_aspect": counts_aspect,
    "raw_gf": raw_gf,
    "phash": phash,
    "hog": hog,
    "orb": orb,
    "tfidf": tfidf,
    "random": random,
}
