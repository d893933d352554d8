"""Random numbers that can be named: every stream follows from the run's seed and what it is for."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch


def stream(seed: int, *purpose: int) -> np.random.Generator:
    """A generator for one purpose, such as ``(epoch, step)``; equal arguments give equal numbers."""
    return np.random.default_rng([seed, len(purpose), *purpose])  # the length: numpy pads with zeros, (1,) is (1, 0)


def derived_seed(seed: int, *purpose: int) -> int:
    """What :func:`stream` is seeded with, as one number for torch's generators."""
    return int(np.random.SeedSequence([seed, len(purpose), *purpose]).generate_state(1)[0])


def seed_everything(seed: int) -> None:
    """Seed the global generators of Python, numpy and torch (all devices)."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def seed_step(seed: int) -> None:
    """Seed torch's generators for a step. ``torch.manual_seed`` also writes down for every kind of device that has not
    been used where it was called from, which takes longer than a tenth of a small step."""
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Run a block under a fixed torch seed and leave the generators as they were."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def generator_states() -> dict[str, Any]:
    """Where the global generators of Python, numpy and torch (all devices) stand, as tensors and plain Python."""
    version, internal, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state()
    return {
        "python": [version, list(internal), gauss],
        "numpy": [name, keys.tolist(), position, has_gauss, cached],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_generator_states(states: Mapping[str, Any]) -> None:
    """Put them there again; those of devices that this machine has not are left out."""
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
    name, keys, position, has_gauss, cached = states["numpy"]
    np.random.set_state((name, np.array(keys, dtype=np.uint32), position, has_gauss, cached))
    torch.set_rng_state(states["torch"])
    for device, state in list(enumerate(states["cuda"]))[: torch.cuda.device_count()]:
        torch.cuda.set_rng_state(state, device)
