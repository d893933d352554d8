"""How fast is a training step of GF? Pairs per second against the reference's way, on the same graphs in one run.

    python benchmarks/gf_step.py --input "/path to/drawings" --json figures.json

The reference's way, plainly written: float64; Python loops over the graphs of a batch for the views and for the loss;
the six graphs of a pair encoded one after the other; attention as a [B, N, N, D] tensor, and matching outputs for both
sides of every comparison, half of which nothing uses. It computes the same loss, as a test shows. Both ways take turns,
on one thread, over whole steps: drawing the views, forward, backward, clipping, AdamW. What counts is the processor's
time, which other programs on the machine lengthen less than the clock's.

Printed beside the ratio: the arithmetic floor, that is the matrix products of our step at the rate at which this
machine multiplies float32 matrices of that shape, and how far the code is from it.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # before numpy is imported
    os.environ[threads] = "1"

if __package__ in (None, ""):  # started as a file: make the repository root importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.gf_graphs import GraphSource
from config.GF_config import GFConfig
from model.GF_dataset import GFDataset, GFLoader
from model.GF_task import GFTask
from utils.cli import run_script
from utils.early_stopping import EarlyStopping
from utils.engine.device import Precision, keep_freed_memory
from utils.engine.learner import Learner
from utils.engine.program import Single

Graph = tuple[Tensor, Tensor]  # features [10, 11], adjacency [10, 10]


@dataclass
class BenchmarkConfig(GraphSource):
    """Speed of a training step of GF against the reference's way."""

    pairs: int = 64
    """Pairs of graphs in a step."""
    steps: int = 4
    """Steps that each way takes in its turn."""
    repeats: int = 7
    """Turns."""
    json: Path | None = None
    """Also write the figures here."""


class ReferenceWay:
    """One training step, written as the reference writes it."""

    def __init__(self, task: GFTask, config: GFConfig) -> None:
        self.task = task.double()
        self.config = config
        self.optimizer = torch.optim.AdamW(task.parameters(), lr=config.lr, weight_decay=config.weight_decay)

    def step(self, batch: dict[str, Tensor], rng: np.random.Generator) -> float:
        loss = self.loss(batch, rng)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.task.parameters(), self.config.clip_norm)
        self.optimizer.step()
        return loss.item()

    def loss(self, batch: dict[str, Tensor], rng: np.random.Generator) -> Tensor:
        """Mean over the pairs ``p``, ``h`` of the two graphs' losses."""
        features, adjacency = batch["features"].double(), batch["adjacency"].double()
        h = batch["partner"]
        losses = []
        first = (torch.arange(len(h)) < h).nonzero().flatten()  # each pair once: the graphs are of an even number
        sides = [self._side(features[side], adjacency[side], rng) for side in (first, h[first])]
        for (_, present_p, views_p), (plain_h, present_h, _) in (sides, sides[::-1]):
            fused, _ = self._match_both(views_p[0], views_p[1], present_p, present_p)
            fused_1 = views_p[0] + fused
            fused, _ = self._match_both(views_p[1], views_p[0], present_p, present_p)
            fused_2 = views_p[1] + fused
            matched_1, _ = self._compare_both(fused_1, plain_h, present_p, present_h)
            matched_2, _ = self._compare_both(fused_2, plain_h, present_p, present_h)
            z1, z2 = self.task.projection(matched_1), self.task.projection(matched_2)
            for u, v, present in zip(z1, z2, present_p, strict=True):
                if present.any():
                    losses.append(self._graph_loss(u[present], v[present]))
        return torch.stack(losses).mean()

    def _side(
        self, features: Tensor, adjacency: Tensor, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """One graph of every pair: plain nodes, which of them are present, and the nodes of its two views."""
        config, present = self.config, (features != 0).any(dim=-1)
        drops = ((config.feature_drop_1, config.edge_drop_1), (config.feature_drop_2, config.edge_drop_2))
        views = []
        for feature_drop, edge_drop in drops:
            graphs = zip(features, adjacency, present, strict=True)
            changed = [self._view(*graph, feature_drop, edge_drop, rng) for graph in graphs]
            views.append(self._encode(*(torch.stack(part) for part in zip(*changed, strict=True)), present))
        return self._encode(features, adjacency, present), present, views

    def _view(
        self, features: Tensor, adjacency: Tensor, present: Tensor, feature_drop: float, edge_drop: float,
        rng: np.random.Generator,
    ) -> Graph:  # fmt: skip
        features = features.clone()
        features[:, torch.from_numpy(rng.random(features.shape[1]) < feature_drop)] = 0
        nodes = present.nonzero().flatten().tolist()
        matrix = adjacency.numpy().copy()
        free = [(i, j) for i in nodes for j in nodes if i < j and matrix[i, j] == 0]
        edges = [(i, j) for i, j in zip(*np.nonzero(matrix), strict=True) if i < j]
        n_new = min(len(free), round(edge_drop / 2 * len(edges)))
        for i, j in edges:
            if rng.random() < edge_drop:
                matrix[i, j] = matrix[j, i] = 0
        for k in rng.choice(len(free), n_new, replace=False) if n_new else ():
            i, j = free[k]
            matrix[i, j] = matrix[j, i] = 1
        return features, torch.from_numpy(matrix)

    def _encode(self, features: Tensor, adjacency: Tensor, present: Tensor) -> Tensor:
        nodes = features
        for conv in self.task.model.encoder.convs:
            nodes = F.dropout(F.relu(conv(nodes, adjacency, present)), self.config.dropout)
        return nodes

    def _match_both(self, one: Tensor, two: Tensor, present_1: Tensor, present_2: Tensor) -> tuple[Tensor, Tensor]:
        """What the nodes of each graph see in the other one: ``[B, N, D]`` twice."""
        lengths = one.norm(dim=2, keepdim=True) @ two.norm(dim=2, keepdim=True).transpose(1, 2)
        cosine = F.relu((one @ two.transpose(1, 2)) / lengths.clamp(min=1e-12))  # [B, N, M]
        cosine = cosine * present_1[:, :, None] * present_2[:, None, :]
        weighed_2 = two[:, None, :, :] * cosine[..., None]  # [B, N, M, D]
        weighed_1 = one[:, :, None, :] * cosine[..., None]  # [B, N, M, D]
        seen_by_1 = weighed_2.sum(dim=2) / cosine.sum(dim=2)[..., None].clamp(min=1e-6)
        seen_by_2 = weighed_1.sum(dim=1) / cosine.sum(dim=1)[..., None].clamp(min=1e-6)
        return seen_by_1, seen_by_2

    def _compare_both(self, one: Tensor, two: Tensor, present_1: Tensor, present_2: Tensor) -> tuple[Tensor, Tensor]:
        seen_by_1, seen_by_2 = self._match_both(one, two, present_1, present_2)
        matching = self.task.model.matching
        matched_1 = F.linear(torch.cat([one, seen_by_1], dim=-1), matching.weight, matching.bias)
        matched_2 = F.linear(torch.cat([two, seen_by_2], dim=-1), matching.weight, matching.bias)
        return matched_1, matched_2

    def _graph_loss(self, u: Tensor, v: Tensor) -> Tensor:
        return (self._one_direction(u, v) + self._one_direction(v, u)).mean() / 2

    def _one_direction(self, u: Tensor, v: Tensor) -> Tensor:
        u, v = F.normalize(u, eps=1e-6), F.normalize(v, eps=1e-6)
        within, between = torch.exp(u @ u.T / self.config.tau), torch.exp(u @ v.T / self.config.tau)
        return -torch.log(between.diag() / (within.sum(1) + between.sum(1) - within.diag()))


class OurWay:
    """The loop's own step, without its log."""

    def __init__(self, task: GFTask, loader: GFLoader, config: GFConfig) -> None:
        cpu = torch.device("cpu")
        precision = Precision.choose("fp32", cpu)
        self.learner = Learner(0, task, loader, loader, EarlyStopping(1), config, precision)
        self.program = Single(task)

    def step(self, batch: dict[str, Tensor], seed: int) -> float:
        out = self.program([batch], [seed])
        out["loss"].sum().backward()
        norm = self.learner.clip()
        loss, _ = torch.stack([out["loss"][0].detach(), norm]).tolist()
        self.learner.step()
        self.program.zero_grad(0)
        return loss


def floor_seconds(task: GFTask, batch: dict[str, Tensor]) -> tuple[float, float]:
    """Floating point operations of a step's matrix products, and the seconds they take at this machine's best.

    The rate is that of ``[3840, 100] @ [100, 100]`` in float32: three encodings of 128 graphs of ten nodes.
    """
    with FlopCounterMode(display=False) as counter:
        task(batch)["loss"].backward()
    rows, width = 30 * len(batch["features"]), task.model.encoder.width
    x, weight = torch.randn(rows, width), torch.randn(width, width)
    seconds = min(_seconds(lambda: x @ weight, 20) for _ in range(10))
    return counter.get_total_flops(), counter.get_total_flops() * seconds / (2 * rows * width**2)


def _seconds(work: Callable[[], object], times: int) -> float:
    """Mean seconds of processor time of one call."""
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times


def measure(dataset: GFDataset, config: BenchmarkConfig) -> dict[str, list[float]]:
    """Seconds a step of either way, and the floor's, each turn; the ways take turns."""
    options = GFConfig(batch_size=2 * config.pairs, precision="fp32")
    rng = np.random.default_rng(config.seed)
    members = rng.permutation(np.resize(np.arange(len(dataset.names)), 2 * config.pairs * config.steps))
    loader = GFLoader(dataset, members, 2 * config.pairs, config.seed, train=True)
    batches = list(loader.epoch(0))
    torch.manual_seed(config.seed)
    ours, theirs = OurWay(GFTask(options), loader, options), ReferenceWay(GFTask(options), options)
    ways = {
        "ours": lambda: [ours.step(batch, seed) for seed, batch in enumerate(loader.epoch(0))],
        "reference": lambda: [theirs.step(batch, rng) for batch in batches],
    }
    seconds = {"ours": [], "reference": [], "floor": []}
    flop_task = GFTask(options)
    for turn in range(config.repeats + 1):
        for name, way in ways.items():
            took = _seconds(way, 1) / config.steps
            if turn > 0:  # the first turn warms up
                seconds[name].append(took)
        if turn > 0:
            seconds["floor"].append(floor_seconds(flop_task, batches[0])[1])
    return seconds


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}, {max(values):.2f})"


def main(config: BenchmarkConfig) -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    dataset = config.load()
    seconds = measure(dataset, config)
    ratios = [theirs / ours for theirs, ours in zip(seconds["reference"], seconds["ours"], strict=True)]
    above = [ours / floor for ours, floor in zip(seconds["ours"], seconds["floor"], strict=True)]
    present = (dataset.features != 0).any(dim=-1).float().mean()
    print(
        f"{len(dataset.names)} graphs, {present:.0%} of the nodes present; {config.pairs} pairs a step, one thread;"
        f" median (least, most) of {config.repeats} turns; load {os.getloadavg()[0]:.1f}\n"
    )
    print("| | ms a step | pairs a second |\n|---|---|---|")
    for name in ("reference", "ours", "floor"):
        print(
            f"| {name} | {spread([1000 * s for s in seconds[name]])} |"
            f" {config.pairs / statistics.median(seconds[name]):.0f} |"
        )
    print(f"\npairs a second, ours against the reference's way: {spread(ratios)}")
    print(f"our step against the floor: {spread(above)}")
    if config.json:
        figures = {"ratio": statistics.median(ratios), "ratios": ratios, "above_floor": above, "seconds": seconds}
        config.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    run_script(BenchmarkConfig, main)
