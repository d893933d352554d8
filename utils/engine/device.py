"""Where the arithmetic happens and in which precision."""

from __future__ import annotations

import ctypes
import importlib
import platform
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch

from config.errors import UserError
from config.run_config import RunConfig
from utils.distributed.world import world

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h


def choose_device(name: str) -> torch.device:
    """``auto`` is the first GPU, else the CPU.

    Raises:
        UserError: the named device does not exist here.
    """
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"--device {name} is no device: use auto, cpu, cuda or cuda:N") from error
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise UserError(f"--device {name}: this PyTorch sees no GPU; use --device cpu, or see README, 'GPU'")
        if (device.index or 0) >= torch.cuda.device_count():
            raise UserError(f"--device {name}: there are only {torch.cuda.device_count()} GPUs")
    return device


def training_device(config: RunConfig) -> torch.device:
    """The device of this process: that of its place on this machine where ``auto`` or ``cuda`` leave the choice.

    Raises:
        UserError: it does not exist here.
    """
    if config.device not in ("auto", "cuda") or not torch.cuda.is_available():
        return choose_device(config.device)
    place, count = world().local_rank, torch.cuda.device_count()
    numbers = config.gpu_numbers or range(count)
    if place >= len(numbers):
        raise UserError(f"process {place + 1} of this machine has no GPU of its own: there are {len(numbers)} to use")
    return choose_device(f"cuda:{numbers[place]}")


def keep_freed_memory() -> None:
    """Let glibc keep the memory of freed tensors for the next ones instead of handing it back to Linux at once.

    A training step frees and asks for the same large blocks again and again, and a page that Linux hands out anew must
    be cleared first: a tenth to a quarter of a small step's time. Elsewhere this does nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for option in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
            mallopt(option, 2**30)


def describe_device(device: torch.device) -> str:
    """What a run worked on, for its summary."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()} CPU, {torch.get_num_threads()} thread(s)"


def peak_memory_mb(device: torch.device) -> dict[str, float]:
    """The most main memory that this process has held, where the system says so, and of a GPU the most for tensors."""
    peaks = {}
    if sys.platform != "win32":
        resource = importlib.import_module("resource")
        unit = 1 if sys.platform == "darwin" else 1024  # of bytes there, of kilobytes elsewhere
        peaks["main"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    if device.type == "cuda":
        peaks["gpu"] = torch.cuda.max_memory_allocated(device) / 1e6
    return {name: round(value, 1) for name, value in peaks.items()}


@dataclass(frozen=True)
class Precision:
    """Mixed precision of a run: the autocast type (``None`` is plain fp32) and whether gradients are scaled."""

    device: torch.device
    dtype: torch.dtype | None

    @classmethod
    def choose(cls, name: str, device: torch.device) -> Precision:
        """``auto`` is fp16 with a scaler on a GPU and fp32 on a CPU.

        Raises:
            UserError: fp16 on a CPU, where it is slow and has no scaler.
        """
        if name == "auto":
            name = "fp16" if device.type == "cuda" else "fp32"
        if name == "fp16" and device.type != "cuda":
            raise UserError("--precision fp16 needs a GPU; on a CPU use fp32 or bf16")
        return cls(device, {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}[name])

    def autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype is not None)

    def scaler(self) -> torch.amp.GradScaler:
        """A scaler that passes everything through unless the precision is fp16."""
        return torch.amp.GradScaler(self.device.type, enabled=self.dtype is torch.float16)


def to_device(value: Any, device: torch.device) -> Any:
    """Move every tensor of a (nested) batch; anything else stays."""
    if isinstance(value, torch.Tensor):
        return value.to(device, non_blocking=True)
    if isinstance(value, dict):
        return {key: to_device(item, device) for key, item in value.items()}
    return value
