"""GF's node matching of two drawings: how much each entity class of one is like each of the other.

GF compares two graphs by letting every node look at the other graph's nodes, weighted by the cosines of their vectors
(:func:`model.layers.DenseGraphMatching.attend`; Jin et al., IJCAI 2022, section 3.4). Its vector for search is the
node vectors side by side, so the score is a sum over the classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dataset.entities import GF_CLASSES


@dataclass(frozen=True)
class NodeMatching:
    """Classes are in the order of ``GF_CLASSES``; one that a drawing does not have is zero throughout.

    Attributes:
        weights: ``[10, 10]``, 0..1: how much a class of the left drawing (row) looks at one of the right (column).
        adds: ``[10]``, what each class adds to GF's cosine; they sum to it.
        left, right: bool ``[10]``, the classes that each drawing has.
    """

    weights: np.ndarray
    adds: np.ndarray
    left: np.ndarray
    right: np.ndarray

    @property
    def matched(self) -> np.ndarray:
        """``[10]``, 0..1: how much each class is like the same class of the other drawing."""
        return np.diag(self.weights)

    def as_dict(self) -> dict[str, Any]:
        """Plain Python, for JSON."""
        return {
            "classes": list(GF_CLASSES),
            "weights": self.weights.tolist(),
            "adds": self.adds.tolist(),
            "left": self.left.tolist(),
            "right": self.right.tolist(),
        }

    def words(self) -> list[str]:
        """By class that either drawing has, the worst matched first."""
        lines = ["GF's node matching: how alike a class of both is, and what it adds to GF's cosine"]
        either = np.flatnonzero(self.left | self.right)
        for i in either[np.argsort(self.matched[either], kind="stable")].tolist():
            where = "" if self.left[i] and self.right[i] else "  only " + ("left" if self.left[i] else "right")
            lines.append(f"{GF_CLASSES[i]:<12}{self.matched[i]:10.4f}{self.adds[i]:10.4f}{where}")
        return lines


def node_matching(left: np.ndarray, right: np.ndarray) -> NodeMatching:
    """From GF's vectors of two drawings, ``[10 * D]`` each: the node vectors side by side, zeros for absent classes."""
    nodes = [vector.reshape(len(GF_CLASSES), -1).astype(np.float64) for vector in (left, right)]
    lengths = [np.linalg.norm(each, axis=1) for each in nodes]
    units = [each / np.maximum(length, 1e-12)[:, None] for each, length in zip(nodes, lengths, strict=True)]
    whole = np.linalg.norm(lengths[0]) * np.linalg.norm(lengths[1])
    return NodeMatching(
        np.clip(units[0] @ units[1].T, 0.0, 1.0),
        (nodes[0] * nodes[1]).sum(axis=1) / max(whole, 1e-12),
        lengths[0] > 0,
        lengths[1] > 0,
    )
