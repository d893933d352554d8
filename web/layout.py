"""Where the drawings of an archive lie on a map: alike ones near each other."""

from __future__ import annotations

import numpy as np

MOST_TSNE = 3_000  # drawings: about half a minute on one core
MOST_DOTS = 6_000  # that a browser shows without stumbling
PARTS = 30  # principal components that t-SNE starts from


def chosen(count: int, seed: int = 0) -> np.ndarray:
    """Which of so many drawings are shown, ascending: all, or as many as fit, at random."""
    if count <= MOST_DOTS:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, MOST_DOTS, replace=False))


def layout(vectors: np.ndarray, how: str) -> tuple[np.ndarray, str]:
    """Places ``[N, 2]`` in 0..1, the same every time, and the name of how they were found.

    Args:
        vectors: ``[N, D]`` of length 1.
        how: ``pca``; ``tsne`` (van der Maaten and Hinton, 2008, "Visualizing Data using t-SNE"); ``auto`` for t-SNE of
            up to ``MOST_TSNE`` drawings.
    """
    count = len(vectors)
    if how == "auto":
        how = "tsne" if count <= MOST_TSNE else "pca"
    parts = _principal(vectors, PARTS if how == "tsne" else 2)
    if how == "tsne" and count > 4:
        from sklearn.manifold import TSNE

        perplexity = min(30.0, (count - 1) / 3)
        places = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(parts)
        return _into_unit(places), "t-SNE"
    return _into_unit(parts[:, :2]), "PCA"


def _principal(vectors: np.ndarray, parts: int) -> np.ndarray:
    """The largest principal components ``[N, parts]``, zeros where there are not as many."""
    from sklearn.decomposition import PCA

    wanted = min(parts, *vectors.shape)
    out = np.zeros((len(vectors), max(parts, 2)))
    if len(vectors) > 1 and not (vectors == vectors[0]).all():
        out[:, :wanted] = PCA(wanted, svd_solver="full" if wanted == min(vectors.shape) else "auto",
                              random_state=0).fit_transform(vectors)  # fmt: skip
    return out


def _into_unit(places: np.ndarray) -> np.ndarray:
    """One scale for both directions; the middle in the middle."""
    if not len(places):
        return places.reshape(0, 2)
    low, high = places.min(axis=0), places.max(axis=0)
    side = float((high - low).max()) or 1.0
    return 0.5 + (places - (low + high) / 2) / side
