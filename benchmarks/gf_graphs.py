"""Graphs for the benchmarks of GF: preprocessed ones, those of a folder of drawings, or those of generated drawings."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from config.errors import UserError
from model.data_folder import DataFolder
from model.GF_dataset import GFDataset

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class GraphSource:
    """Where the graphs come from."""

    data_dir: Path | None = None
    """Folder that dataset/dxf_process.py wrote."""
    input: Path | None = None
    """Folder of drawings to preprocess first; generated ones if both are left out. Generated sheets hold more of the
    ten classes than real ones, so their graphs are denser."""
    seed: int = 0
    """Of everything drawn at random."""

    def load(self) -> GFDataset:
        """Raises UserError: both folders are named, or there are no graphs."""
        if self.data_dir and self.input:
            raise UserError("--data_dir and --input exclude each other")
        if self.data_dir:
            return GFDataset(DataFolder(self.data_dir).gf)
        with tempfile.TemporaryDirectory() as folder:
            drawings = self.input or Path(folder) / "drawings"
            if not self.input:
                size = ("--families", 20, "--per_family", 6)
                _run("dataset/dxf_generate.py", "--output", drawings, *size, "--seed", self.seed)
            _run("dataset/dxf_process.py", "--input", drawings, "--output", Path(folder) / "data", accept=(0, 3))
            return GFDataset(DataFolder(Path(folder) / "data").gf)


def _run(script: str, *arguments: object, accept: tuple[int, ...] = (0,)) -> None:
    """``accept``: exit status 3 of dxf_process.py means that some files were skipped."""
    command = [sys.executable, str(ROOT / script), *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL)
    if done.returncode not in accept:
        raise UserError(f"{script} ended with {done.returncode}, see above")
