"""How fast does DeepDXF train, and in how much memory? Against the public reference's way, on the same drawings.

    python benchmarks/deepdxf_step.py --data_dir data --json figures.json
    python benchmarks/deepdxf_step.py --input "/path to/drawings" --profile

The reference's way, plainly written: every drawing padded to 4,096 rows, the bins of all parameter slots embedded with
64 numbers each and concatenated ([4096, slots * 64] floats), one linear layer, the mean of every 64 rows, a transformer
over the 64 means; one encoder pass a drawing, whose two views are two dropouts behind it. Longer drawings are dropped,
so none is compared. Ours makes two encoder passes a drawing, over views of their own, and attends from entity to
entity: the ratio by drawing charges us for both passes, the ratio by pass does not. --full_attention adds the same
padding with a transformer over all 4,096 rows (fused, without dropout of attention weights, which takes ten times as
long). Both read what the reference reads, rows of entities; "ours, sheet" also makes and learns the views of ink and
letters.

One thread, float32, the same model sizes, loss, batch and optimizer; the ways take turns on the same drawings; CPU
time, so that others on the machine disturb little. Peak memory is that of a process of its own. Printed: ratios with
their spread over rounds, memory, and how far from the floor: the FLOPs of the matrix products for the tokens read, at
the rate at which the machine multiplies matrices in this run. Without drawings it generates some.
"""

from __future__ import annotations

import cProfile
import json
import multiprocessing
import os
import pstats
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

# before torch is imported
for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"

if __package__ in (None, ""):  # started as a file: make the repository root importable
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
import torch
from torch import Tensor, nn

from config.DeepDXF_config import DeepDXFConfig
from config.errors import UserError
from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.entities import ABSENT, N_BINS, N_SLOTS, N_TYPES, PAD, ROW_LENGTH
from dataset.generator import generate
from model.data_folder import DataFolder
from model.DeepDXF_dataset import DeepDXFDataset, DeepDXFLoader
from model.DeepDXF_loss import nt_xent
from model.DeepDXF_task import DeepDXFTask
from utils.cli import run_script
from utils.DeepDXF_early_stopping import DeepDXFEarlyStopping
from utils.engine.device import Precision
from utils.engine.learner import Learner
from utils.engine.optimizer import build_optimizer
from utils.engine.trainer import Trainer
from utils.progress import progress
from utils.run_log import RunLog
from utils.seeding import stream

WINDOW = 64
Step = Callable[[np.ndarray], int]  # drawings to the tokens that were read in training on them


@dataclass(frozen=True)
class BenchmarkConfig:
    """Speed and memory of DeepDXF's training step."""

    data_dir: Path | None = None
    """Folder that dataset/dxf_process.py wrote."""
    input: Path | None = None
    """Folder of drawings, preprocessed first. Neither this nor --data_dir: generated drawings."""
    batch_size: int = 8
    """Drawings in a step, of every way."""
    rounds: int = 6
    """Steps of each way."""
    longest: int = 4096
    """Rows that the reference pads to; a multiple of 64."""
    full_attention: bool = False
    """Also measure the padded way with attention over all rows; minutes."""
    profile: bool = False
    """Also say where the time of a training epoch goes."""
    seed: int = 0
    """Which drawings meet in a step, and which are generated."""
    json: Path | None = None
    """Also write the figures here."""


class PaddedModel(nn.Module):
    """The reference's network; ``windows`` pools every 64 rows before the transformer, else it sees all rows."""

    def __init__(self, config: DeepDXFConfig, longest: int, windows: bool) -> None:
        super().__init__()
        d = config.d_model
        self.windows = windows
        self.bins = nn.Embedding(N_BINS + 1, 64, padding_idx=0)
        self.to_token = nn.Linear(N_SLOTS * 64, d)
        self.types = nn.Embedding(N_TYPES, d)
        self.positions = nn.Parameter(torch.randn(longest, d))
        layer = nn.TransformerEncoderLayer(d, config.n_heads, config.d_feedforward, config.dropout, batch_first=True)
        self.transformer = nn.TransformerEncoder(layer, config.n_layers, enable_nested_tensor=False)
        if not windows:  # else torch writes out [heads, 4096, 4096] weights
            for layer in self.transformer.layers:
                layer.self_attn.dropout = 0.0
        self.to_latent = nn.Linear(d, config.latent_size)
        self.view = nn.Dropout(config.latent_dropout)
        self.projection = nn.Sequential(
            nn.Linear(config.latent_size, config.latent_size),
            nn.ReLU(),
            nn.Linear(config.latent_size, config.projection_size),
        )

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Shape: ``[B, longest, ROW_LENGTH]`` -> two views ``[B, projection_size]``."""
        bins = self.bins(rows[..., 1:] - ABSENT).flatten(-2)  # [B, longest, N_SLOTS * 64]
        tokens = self.to_token(bins) + self.types(rows[..., 0]) + self.positions
        valid = rows[..., 0] != PAD
        if self.windows:
            tokens = tokens.unflatten(1, (-1, WINDOW)).mean(dim=2)
            valid = valid.unflatten(1, (-1, WINDOW)).any(dim=2)
        tokens = self.transformer(tokens, src_key_padding_mask=~valid)
        pooled = (tokens * valid[..., None]).sum(dim=1) / valid.sum(dim=1, keepdim=True)
        latent = self.to_latent(pooled)
        return self.projection(self.view(latent)), self.projection(self.view(latent))


def padded_step(dataset: DeepDXFDataset, config: BenchmarkConfig, windows: bool) -> Step:
    options = DeepDXFConfig()
    torch.manual_seed(config.seed)
    model = PaddedModel(options, config.longest, windows).train()
    optimizer = build_optimizer(model, options)

    def step(indices: np.ndarray) -> int:
        rows = np.full((len(indices), config.longest, ROW_LENGTH), ABSENT, dtype=np.int64)
        rows[..., 0] = PAD
        for place, index in enumerate(indices):
            sequence = dataset.drawing(index).rows
            rows[place, : len(sequence)] = sequence
        loss = nt_xent(*model(torch.from_numpy(rows)), options.temperature)
        _learn(model, optimizer, loss)
        return rows[..., 0].size

    return step


def our_step(dataset: DeepDXFDataset, config: BenchmarkConfig, options: DeepDXFConfig) -> Step:
    torch.manual_seed(config.seed)
    task = DeepDXFTask(options).train()
    optimizer = build_optimizer(task, options)

    def step(indices: np.ndarray) -> int:
        rngs = [stream(config.seed, int(index)) for index in indices]
        batch = dataset.two_views(indices, options, rngs, options.max_view_entities)
        _learn(task, optimizer, task(batch)["loss"])
        return len(batch["rows"])

    return step


def _learn(model: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()


def product_flops(lengths: Sequence[int], config: DeepDXFConfig) -> float:
    """FLOPs of the matrix products that one forward pass of the transformer over such chunks cannot do without.

    A token costs ``2 (4 d^2 + 2 d f)`` a layer in the linear layers (d wide, feed-forward f) and ``4 T d`` in the
    attention over its chunk of T. The embedding is a look-up. A training step costs three times as much.
    """
    tokens = np.asarray(lengths, dtype=float)
    d, f = config.d_model, config.d_feedforward
    return config.n_layers * float((tokens * 2 * (4 * d * d + 2 * d * f) + 4 * tokens**2 * d).sum())


def product_rate(config: DeepDXFConfig, rows: int = 4096) -> float:
    """FLOPs a second of CPU time of this machine in the largest product of a layer."""
    a, b = torch.randn(rows, config.d_model), torch.randn(config.d_model, 3 * config.d_model)
    started = time.process_time()
    for _ in range(20):
        a @ b
    return 20 * 2 * rows * b.numel() / (time.process_time() - started)


OURS = {
    "ours": DeepDXFConfig(reads="sequence"),
    "ours, all entities": DeepDXFConfig(reads="sequence", max_view_entities=0),
    "ours, sheet": DeepDXFConfig(reads="sheet"),
}
WAYS: dict[str, Callable[[DeepDXFDataset, BenchmarkConfig], Step]] = {
    "padded, windows of 64": partial(padded_step, windows=True),
    "padded, full attention": partial(padded_step, windows=False),
    **{way: partial(our_step, options=options) for way, options in OURS.items()},
}
REFERENCE = "padded, windows of 64"


def _ways(config: BenchmarkConfig) -> list[str]:
    return [way for way in WAYS if config.full_attention or way != "padded, full attention"]


def peak_memory(way: str | None, data_dir: Path, config: BenchmarkConfig, batches: list[np.ndarray]) -> float:
    """GB that a fresh process takes for a few steps; with ``way`` None, for its imports and the data alone."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measure_memory, way, data_dir, config, batches).result()


def _measure_memory(way: str | None, data_dir: Path, config: BenchmarkConfig, batches: list[np.ndarray]) -> float:
    import resource  # not on Windows

    dataset = DeepDXFDataset(DataFolder(data_dir).deepdxf)
    if way is not None:
        step = WAYS[way](dataset, config)
        for indices in batches:
            step(indices)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)


def compare(
    dataset: DeepDXFDataset, config: BenchmarkConfig, batches: list[np.ndarray]
) -> tuple[dict[str, list[float]], dict[str, list[int]], list[float]]:
    """CPU seconds and tokens of every way in every round, and the rate of matrix products in it."""
    steps = {way: WAYS[way](dataset, config) for way in _ways(config)}
    for step in steps.values():
        step(batches[0])  # caches and the optimizer's state
    seconds: dict[str, list[float]] = {way: [] for way in steps}
    tokens: dict[str, list[int]] = {way: [] for way in steps}
    rates = []
    for number, indices in enumerate(progress(batches, "compare", unit="round")):
        for way in list(steps) if number % 2 else list(steps)[::-1]:
            started = time.process_time()
            tokens[way].append(steps[way](indices))
            seconds[way].append(time.process_time() - started)
        rates.append(product_rate(DeepDXFConfig()))
    return seconds, tokens, rates


def floor_seconds(
    dataset: DeepDXFDataset, config: BenchmarkConfig, options: DeepDXFConfig, batches: list[np.ndarray], rate: float
) -> float:
    """CPU seconds of the matrix products of training on these batches, at that rate."""
    flops = 0.0
    for indices in batches:
        rngs = [stream(config.seed, int(index)) for index in indices]
        views = dataset.two_views(indices, options, rngs, options.max_view_entities)
        flops += 3 * product_flops(views["lengths"], options)
    return flops / rate


def profile_epoch(dataset: DeepDXFDataset, indices: np.ndarray, config: BenchmarkConfig) -> dict[str, float]:
    """Shares of the CPU time of an epoch of the real training loop."""
    parts = {
        "forward": ("DeepDXF_task.py", "forward"),
        "backward": ("_tensor.py", "backward"),
        "clipping": ("clip_grad.py", "clip_grad_norm_"),
        "optimizer": ("adam.py", "adam"),
        "data loading": ("DeepDXF_dataset.py", "two_views"),
    }
    with tempfile.TemporaryDirectory() as folder:
        options = DeepDXFConfig(epochs=1, batch_size=config.batch_size, log_dir=Path(folder), seed=config.seed)
        train = DeepDXFLoader(dataset, indices, options.batch_size, options, train=True)
        shortest = indices[np.argsort(_lengths(dataset)[indices])[:2]]
        val = DeepDXFLoader(dataset, shortest, 2, options, train=False)
        device = torch.device("cpu")
        stopping = DeepDXFEarlyStopping(options.patience, options.min_delta)
        precision = Precision.choose(options.precision, device)
        learner = Learner(0, DeepDXFTask(options), train, val, stopping, options, precision)
        with RunLog("deepdxf", options) as log:
            trainer = Trainer([learner], options, device, log)
            profiler = cProfile.Profile(time.process_time)
            profiler.runcall(trainer.fit, lambda better: None)
    spent = dict.fromkeys(parts, 0.0)
    total = 0.0
    for (file, _, name), (_, _, _, cumulative, _) in pstats.Stats(profiler).stats.items():
        for part, key in parts.items():
            if (Path(file).name, name) == key:
                spent[part] += cumulative
        if (Path(file).name, name) == ("trainer.py", "fit"):
            total = cumulative
    spent["logging and all else"] = total - sum(spent.values())
    return {part: taken / total for part, taken in spent.items()}


def _lengths(dataset: DeepDXFDataset) -> np.ndarray:
    """Entities of every drawing."""
    return np.array([len(dataset.drawing(index).rows) for index in range(len(dataset.names))])


def _batches(dataset: DeepDXFDataset, config: BenchmarkConfig) -> list[np.ndarray]:
    readable = np.flatnonzero(_lengths(dataset) <= config.longest)
    if len(readable) < 2:
        raise UserError(
            f"fewer than two drawings of at most {config.longest} entities: correct --data_dir or --longest"
        )
    size = min(config.batch_size, len(readable))
    return [stream(config.seed, number).choice(readable, size, replace=False) for number in range(config.rounds)]


def _data_dir(config: BenchmarkConfig, folder: Path) -> Path:
    if config.data_dir is not None:
        return config.data_dir
    source = config.input
    if source is None:
        source = folder / "drawings"
        generate(source, 10, 6, config.seed)
    process_drawings(ProcessConfig(input=source, output=folder / "data"))
    return folder / "data"


def main(config: BenchmarkConfig) -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        data_dir = _data_dir(config, Path(name))
        dataset = DeepDXFDataset(DataFolder(data_dir).deepdxf)
        batches = _batches(dataset, config)
        # first: a child starts out with the peak of the process that starts it
        resting = peak_memory(None, data_dir, config, batches)
        memory = {way: peak_memory(way, data_dir, config, batches[:2]) for way in _ways(config)}
        seconds, tokens, rates = compare(dataset, config, batches)
        shares = profile_epoch(dataset, np.unique(np.concatenate(batches)), config) if config.profile else None

    lengths = _lengths(dataset)
    read = np.concatenate(batches)
    print(
        f"{len(dataset.names)} drawings, {np.mean(lengths > config.longest):.0%} longer than {config.longest}; "
        f"{config.rounds} rounds of {len(batches[0])}, "
        f"{1 - lengths[read].mean() / config.longest:.0%} of the padded rows are padding; "
        f"matrix products {np.median(rates) / 1e9:.0f} GFLOP/s; load {os.getloadavg()[0]:.1f}\n"
    )
    figures = {"ratio": None, "ways": {}}
    print(
        "| way | CPU s a drawing | ratio by drawing (rounds) | ratio by pass | rows a drawing | peak GB | of a floor |"
    )
    print("|---|---|---|---|---|---|---|")
    for way, taken in seconds.items():
        ratios = [theirs / mine for theirs, mine in zip(seconds[REFERENCE], taken, strict=True)]
        ratio = sum(seconds[REFERENCE]) / sum(taken)
        found = {
            "seconds_per_drawing": sum(taken) / len(read),
            "ratio": ratio,
            "ratio_rounds": ratios,
            "ratio_per_pass": ratio * (2 if way in OURS else 1),
            "rows_per_drawing": sum(tokens[way]) / len(read),
            "peak_gb": memory[way],
        }
        if way in OURS:
            found["times_floor"] = sum(taken) / floor_seconds(dataset, config, OURS[way], batches, np.median(rates))
        figures["ways"][way] = found
        print(
            f"| {way} | {found['seconds_per_drawing']:.3f} | {ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f}) | "
            f"{found['ratio_per_pass']:.2f} | {found['rows_per_drawing']:.0f} | {memory[way]:.2f} | "
            f"{found.get('times_floor', float('nan')):.2f} |"
        )
    figures["ratio"] = figures["ways"]["ours"]["ratio"]
    figures["memory_ratio"] = memory[REFERENCE] / memory["ours"]
    print(f"\nA process takes {resting:.2f} GB before its first step.")
    if shares:
        figures["shares"] = shares
        print("\n| part of an epoch | share |\n|---|---|")
        for part, share in shares.items():
            print(f"| {part} | {share:.1%} |")
    if config.json:
        config.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    run_script(BenchmarkConfig, main)
