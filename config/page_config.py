"""Options of PageDXF.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass
class PageConfig:
    """Search an archive in the browser: drop a drawing, see what is like it, laid on it, and what differs.

    Make the index first: SearchDXF.py index DIR --model_path ... --index archive.idx. The address of the page is
    printed. It is for this machine alone unless --host says otherwise, and asks nothing of any other server.

    Exit status: 0; 1 for a failure.
    """

    index: Path
    """The index to search."""
    model_path: Path = Path("checkpoints/best_model.pth")
    """The model that the index was made with."""
    encoder: Literal["joint", "gf", "deepdxf"] | None = None
    """Who says what is alike; the model's whole one if left out."""
    top: int = 12
    """Answers that are shown."""
    host: str = "127.0.0.1"
    """Address to listen on. With any other than this machine's own, everybody who reaches it sees the archive and can
    download its drawings: there is no login."""
    port: int = 7860
    """0 takes any that is free."""
    max_upload: float = 64.0
    """Largest drawing that is taken, in megabytes."""
    timeout: float = 60.0
    """Seconds after which reading a drawing, or comparing two, is given up."""
    memory: float = 4.0
    """Gigabytes that reading or comparing may take (Linux)."""
    map: Literal["auto", "tsne", "pca", "off"] = "auto"
    """The map of the archive, where drawings that are alike lie near each other. tsne shows groups best and takes about
    ten seconds for 1,000 drawings; pca is instant; auto takes tsne for up to 3,000."""
    device: str = "cpu"
    """cpu, cuda, cuda:N or auto."""

    def __post_init__(self) -> None:
        if self.top < 1:
            raise ValueError(f"top must be 1 or more, not {self.top}")
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port must be 0 to 65535, not {self.port}")
        for name in ("max_upload", "timeout", "memory"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be more than 0, not {getattr(self, name)}")
