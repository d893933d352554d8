"""The benchmark compares like with like, and says what it found."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.preprocess import ours, straightforward
from dataset.generator import generate
from dataset.storage import read_sequence
from tests.dataset.building import new_drawing, saved

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "preprocess.py"


def test_both_ways_say_the_same_of_a_plain_drawing(tmp_path):
    document, space = new_drawing()
    for i in range(12):
        space.add_line((i, 0), (i * i, 7))
        space.add_circle((3 * i, i), i + 1)
        space.add_lwpolyline([(i, i), (i + 4, i), (i + 4, 9)], close=True)
    path = saved(document, tmp_path)
    straightforward(path, tmp_path)
    ours(path, tmp_path)
    theirs, mine = read_sequence(tmp_path / "sequence.h5"), read_sequence(tmp_path / "our_sequence.h5")
    for name in ("dxf_vec", "gf_counts", "gf_edge_counts"):
        assert np.array_equal(getattr(theirs, name), getattr(mine, name)), name


def test_it_runs_and_leaves_its_ratios(tmp_path):
    generate(tmp_path / "drawings", 2, 2, seed=0)
    figures = tmp_path / "figures.json"
    options = ["--input", tmp_path / "drawings", "--limit", 3, "--repeats", 1, "--json", figures]
    done = subprocess.run([sys.executable, str(SCRIPT), *map(str, options)], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert "2 workers against 1" in done.stdout
    found = json.loads(figures.read_text(encoding="utf-8"))
    assert found["drawings"] == 3 and found["ratio"] > 0 and found["workers_ratio"] > 0
