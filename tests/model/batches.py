"""Small made-up batches and configs, and a few ways to look at tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from config.DeepDXF_config import DeepDXFModelConfig
from config.GF_config import GFModelConfig
from config.joint_config import JointConfig
from dataset.drawing import N_GRAM_BUCKETS, Drawing
from dataset.entities import ABSENT, N_BINS, N_SLOTS, PAD, ROW_LENGTH
from model.DeepDXF_dataset import plain_batch
from utils.DeepDXF_utils import collate, cut_chunks
from utils.GF_utils import draw_partners


def gf_config(**options) -> GFModelConfig:
    return GFModelConfig(**{"filters": "16_16", "perspectives": 12} | options)


def deepdxf_config(**options) -> DeepDXFModelConfig:
    """The plain encoder, small."""
    small = {"d_model": 32, "n_layers": 2, "n_heads": 4, "d_feedforward": 48, "latent_size": 24, "projection_size": 16}
    return DeepDXFModelConfig(**small | {"reads": "sequence"} | options)


def sheet_config(**options) -> DeepDXFModelConfig:
    """The encoder that reads the sheet too, small."""
    return deepdxf_config(**{"reads": "sheet", "sheet_size": 12, "n_layers": 1, "chunk_size": 16} | options)


def joint_config(**options) -> JointConfig:
    return JointConfig(**{"gf": gf_config(), "deepdxf": deepdxf_config(), "shared_size": 8} | options)


def gf_batch(count: int, seed: int = 0) -> dict[str, Tensor]:
    """Graphs of which 40 % of the nodes are absent; present nodes may be isolated."""
    generator = torch.Generator().manual_seed(seed)
    present = torch.rand(count, 10, generator=generator) < 0.6
    features = torch.rand(count, 10, 11, generator=generator) * present[..., None]
    edge = torch.rand(count, 10, 10, generator=generator) < 0.3
    upper = (edge & present[:, :, None] & present[:, None, :]).triu(1).float()
    adjacency = upper + upper.transpose(1, 2)
    return {
        "features": features,
        "adjacency": adjacency,
        "partner": draw_partners(count, np.random.default_rng(seed)) if count > 1 else torch.zeros(1).long(),
    }


def random_rows(length: int, seed: int = 0) -> Tensor:
    """One drawing, int16 ``[length, ROW_LENGTH]``: random types, one slot in six present."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.full((length, ROW_LENGTH), ABSENT, dtype=torch.int16)
    rows[:, 0] = torch.randint(0, PAD, (length,), generator=generator)
    bins = torch.randint(0, N_BINS, (length, N_SLOTS), generator=generator).short()
    present = torch.rand(length, N_SLOTS, generator=generator) < 1 / 6
    rows[:, 1:] = torch.where(present, bins, rows[:, 1:])
    return rows


def random_drawing(length: int, seed: int = 0, words: bool = True) -> Drawing:
    """A drawing of ``length`` entities, each with up to four strokes of any ink and a few n-grams; every second stroke
    begins where the one before it ends."""
    rng = np.random.default_rng(seed)
    stroke_owner = np.repeat(np.arange(length), rng.integers(0, 5, length)).astype(np.int32)
    gram_owner = np.repeat(np.arange(length), rng.integers(0, 4, length) * words).astype(np.int32)
    strokes = rng.random((len(stroke_owner), 4), dtype=np.float32)
    strokes[1::2, :2] = strokes[: len(strokes) // 2 * 2 : 2, 2:]
    return Drawing(
        random_rows(length, seed).numpy(),
        strokes,
        rng.integers(0, 3, len(stroke_owner)).astype(np.uint8),
        stroke_owner,
        1.0,
        rng.integers(0, N_GRAM_BUCKETS, len(gram_owner)).astype(np.int32),
        gram_owner,
        float(rng.uniform(10, 500)),
    )


def stroke_drawing(strokes) -> Drawing:
    """A drawing of one entity with these strokes ``[S, 4]``."""
    strokes = np.array(strokes, np.float32).reshape(-1, 4)
    ink, owner = np.zeros(len(strokes), np.uint8), np.zeros(len(strokes), np.int32)
    return replace(random_drawing(1), strokes=strokes, ink=ink, stroke_owner=owner)


def sheet_batch(drawings: list[Drawing]) -> dict:
    """Drawings with what their sheets show, as a loader puts them together."""
    return plain_batch(drawings, sheet_config())


def deepdxf_batch(drawings: list[Tensor], chunk_size: int = 16) -> dict:
    """Drawings cut into chunks and packed, as a loader does it."""
    return collate([cut_chunks(rows.numpy(), chunk_size) for rows in drawings])


def view_batch(count: int, seed: int = 0) -> dict:
    """A training batch of DeepDXF: ``count`` drawings of 1 to 40 entities, twice."""
    drawings = [random_rows(1 + (7 * index + seed) % 40, seed + index) for index in range(count)]
    return deepdxf_batch(drawings * 2)


def joint_batch(count: int = 5, seed: int = 0) -> dict:
    """Twice as many graphs as drawings; the drawings are the first graphs, in reverse order."""
    pairs = torch.stack([torch.arange(count), torch.arange(count).flip(0)], dim=1)
    return {"gf": gf_batch(2 * count, seed), "deepdxf": view_batch(count, seed), "pairs": pairs}


def gradients(task: nn.Module, batch: dict, seed: int = 0) -> dict[str, Tensor | None]:
    """Every parameter's gradient after one backward pass under a fixed seed."""
    torch.manual_seed(seed)
    task.zero_grad()
    task(batch)["loss"].backward()
    return {name: None if p.grad is None else p.grad.clone() for name, p in task.named_parameters()}


def assert_all_learn(task: nn.Module, batch: dict) -> None:
    for name, gradient in gradients(task, batch).items():
        assert gradient is not None, f"{name} gets no gradient"
        assert gradient.isfinite().all(), f"{name} gets a gradient that is not finite"
        assert gradient.abs().max() > 0, f"{name} gets a gradient of zero"


def assert_finite(task: nn.Module, batch: dict, dtype: torch.dtype | None = None) -> dict[str, Tensor]:
    """One step, under CPU autocast to ``dtype`` if given; the outputs are float32 and everything is finite."""
    task.zero_grad()
    with torch.autocast("cpu", dtype=dtype or torch.bfloat16, enabled=dtype is not None):
        output = task(batch)
    output["loss"].backward()
    assert output["loss"].dtype == torch.float32
    assert all(value.isfinite() for value in output.values()), output
    for name, parameter in task.named_parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all(), name
    return output


def train(task: nn.Module, batch: dict, steps: int, lr: float = 1e-3) -> list[float]:
    """Losses of a few steps on one batch."""
    optimizer = torch.optim.AdamW(task.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        loss = task(batch)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


class _LargestTensor(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.numel = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        outputs = result if isinstance(result, tuple | list) else (result,)
        own = [out for out in outputs if isinstance(out, Tensor) and not out._is_view()]
        self.numel = max([self.numel, *(out.numel() for out in own)])
        return result


@contextmanager
def largest_tensor() -> Iterator[_LargestTensor]:
    """Watch a block; ``.numel`` is the size of the largest tensor that any operation made in it."""
    with _LargestTensor() as watch:
        yield watch


def assert_same(mine, theirs) -> None:
    """Nested dicts and lists of tensors and plain values, bit for bit."""
    assert type(mine) is type(theirs)
    if isinstance(mine, dict):
        assert mine.keys() == theirs.keys()
        for key, value in mine.items():
            assert_same(value, theirs[key])
    elif isinstance(mine, torch.Tensor):
        assert mine.dtype == theirs.dtype and torch.equal(mine, theirs)
    else:
        assert np.array_equal(mine, theirs)
