"""What the benchmarks of retrieval share: running the product's scripts, and a table of scores over seeds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]


def run(script: str, *arguments: object) -> None:
    """Run a script of the repository.

    Raises:
        subprocess.CalledProcessError: it ended with another exit status than 0.
    """
    subprocess.run([sys.executable, str(ROOT / script), *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def by_method(runs: Sequence[dict[str, float]]) -> dict[str, list[float]]:
    """Scores of each method over the runs, the best method first."""
    table = {name: [scores[name] for scores in runs] for name in runs[0]}
    return dict(sorted(table.items(), key=lambda row: -float(np.mean(row[1]))))


def print_table(table: dict[str, list[float]]) -> None:
    print("| vectors | mean | standard deviation |\n|---|---|---|")
    for name, values in table.items():
        print(f"| {name} | {np.mean(values):.3f} | {np.std(values, ddof=min(1, len(values) - 1)):.3f} |")


def print_columns(runs: Sequence[dict[str, dict[str, float]]]) -> None:
    """A table of rows and columns, each cell the mean and the standard deviation over the runs."""
    columns = list(dict.fromkeys(column for row in runs[0].values() for column in row))
    print(f"| | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
    for name in runs[0]:
        cells = []
        for column in columns:
            values = [found[name][column] for found in runs if column in found[name]]
            spread = np.std(values, ddof=min(1, len(values) - 1)) if values else 0.0
            cells.append(f"{np.mean(values):.3f} ({spread:.3f})" if values else "")
        print(f"| {name} | {' | '.join(cells)} |")
