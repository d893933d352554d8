"""The benchmark's own claims: what it counts, what it compares, what it leaves."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.deepdxf_step import PaddedModel, product_flops
from config.DeepDXF_config import DeepDXFConfig
from dataset.entities import ABSENT, PAD
from dataset.generator import generate
from model.transformer_encoder import TransformerEncoder
from tests.model.batches import random_rows

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "deepdxf_step.py"


def test_the_floor_counts_what_torch_counts():
    config = DeepDXFConfig(d_model=32, n_layers=2, n_heads=4, d_feedforward=48)
    encoder = TransformerEncoder(32, 2, 4, 48, 0.0).eval()
    lengths = [3, 7, 7, 40]
    # the fused CPU kernel is unknown to the counter
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        encoder(torch.randn(sum(lengths), 32), lengths)
    assert product_flops(lengths, config) == counter.get_total_flops()


@pytest.mark.parametrize("windows", [True, False])
def test_the_padded_way_reads_every_row_and_no_padding(windows):
    torch.manual_seed(0)
    config = DeepDXFConfig(d_model=32, n_layers=1, n_heads=2, d_feedforward=32)
    model = PaddedModel(config, 256, windows).eval()
    rows = torch.full((2, 256, random_rows(1).shape[1]), ABSENT, dtype=torch.int64)
    rows[..., 0] = PAD
    rows[:, :128] = random_rows(128)
    plain, _ = model(rows)
    assert torch.allclose(plain[0], plain[1], atol=1e-6)
    rows[1, 127, 0] = (rows[1, 127, 0] + 1) % PAD
    rows[0, 200, 1] = 5  # in the padding
    changed, _ = model(rows)
    assert torch.allclose(changed[0], plain[0], atol=1e-6)
    assert not torch.allclose(changed[1], plain[1], atol=1e-6)


def test_it_runs_and_leaves_its_ratios(tmp_path):
    generate(tmp_path / "drawings", 2, 2, seed=0)
    figures = tmp_path / "figures.json"
    options = ["--input", tmp_path / "drawings", "--rounds", 1, "--batch_size", 2, "--longest", 640, "--profile"]
    options += ["--json", figures]
    done = subprocess.run([sys.executable, str(SCRIPT), *map(str, options)], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert "data loading" in done.stdout
    found = json.loads(figures.read_text(encoding="utf-8"))
    assert found["ratio"] == found["ways"]["ours"]["ratio"] > 0
    assert all(way["peak_gb"] > 0 for way in found["ways"].values())
    assert sum(found["shares"].values()) == pytest.approx(1)
    assert all(share > 0 for share in found["shares"].values()), "a part whose function was not found"
