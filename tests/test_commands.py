"""The command line of every script, as a user types it, on a tiny set the generator makes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = [
    "dataset/dxf_generate.py",
    "dataset/dxf_benchmark.py",
    "dataset/dxf_process.py",
    "GF_main.py",
    "DeepDXF_train.py",
    "joint_main.py",
    "SimDeepDXF.py",
    "EvalDXF.py",
]
SMALL_RUN = ["--epochs", "1", "--device", "cpu", "--seed", "3"]
SMALL_DEEPDXF = {"d_model": "32", "n_layers": "1", "n_heads": "2", "d_feedforward": "32"}


def run(script, *arguments, cwd, expect=0):
    command = [sys.executable, str(ROOT / script), *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == expect, f"{script} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder of generated drawings, preprocessed, under a path with spaces, brackets and full-width characters."""
    folder = tmp_path_factory.mktemp("archive (2024)（旧） copy")
    run("dataset/dxf_generate.py", "--output", "drawings", "--families", 4, "--per_family", 4, "--seed", 1, cwd=folder)
    run("dataset/dxf_process.py", "--input", "drawings", "--output", "data", "--workers", 1, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def joint_run(workplace):
    small = [item for key, value in SMALL_DEEPDXF.items() for item in (f"--deepdxf.{key}", value)]
    run("joint_main.py", "--run_name", "joint", "--n_folds", 2, *SMALL_RUN, *small, cwd=workplace)
    return workplace


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_teaches_from_any_directory(script, tmp_path):
    output = run(script, "--help", cwd=tmp_path).stdout
    assert "usage:" in output
    assert "default" in output
    assert list(tmp_path.iterdir()) == [], "asking for help must leave nothing behind"


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_misspelt_option_is_refused(script, tmp_path):
    done = run(script, "--no_such_option", "1", cwd=tmp_path, expect=2)
    assert "no_such_option" in done.stderr + done.stdout


def test_joint_run_leaves_what_it_promises(joint_run):
    checkpoints = {path.name for path in (joint_run / "checkpoints").iterdir()}
    assert checkpoints >= {"fold_1.pth", "fold_2.pth", "best_model.pth"}
    log = joint_run / "logs" / "joint"
    assert {path.name for path in log.iterdir()} == {
        "train.log",
        "metrics.jsonl",
        "config.json",
        "curves.png",
        "summary.json",
    }
    summary = json.loads((log / "summary.json").read_text(encoding="utf-8"))
    assert len(summary["folds"]) == 2
    for part in ("loss", "gf", "deepdxf", "cross_modal"):
        assert np.isfinite(summary["test"][part])
    assert "\x1b" not in (log / "train.log").read_text(encoding="utf-8")


def test_gf_alone(workplace):
    arguments = ["--checkpoint_dir", "gf alone", "--n_folds", 2, "--conv", "gin", *SMALL_RUN]
    run("GF_main.py", *arguments, cwd=workplace)
    assert (workplace / "gf alone" / "best_model.pth").is_file()


def test_deepdxf_alone(workplace):
    small = [item for key, value in SMALL_DEEPDXF.items() for item in (f"--{key}", value)]
    run("DeepDXF_train.py", "--checkpoint_dir", "deepdxf alone", "--n_folds", 1, *SMALL_RUN, *small, cwd=workplace)
    assert (workplace / "deepdxf alone" / "best_model.pth").is_file()


def _score(done):
    """The score that a script would read: the last word of the first line."""
    return float(done.stdout.splitlines()[0].split()[-1])


@pytest.mark.parametrize("method", ["cosine", "euclidean"])
def test_compare_any_mix_of_dxf_and_h5(joint_run, method):
    drawings = sorted((joint_run / "drawings").rglob("*.dxf"))
    vectors = sorted((joint_run / "data" / "DeepDXF").rglob("*.h5"))
    assert len(drawings) == len(vectors) == 16

    def compare(first, second):
        return _score(run("SimDeepDXF.py", "--file1", first, "--file2", second, "--method", method, cwd=joint_run))

    assert compare(drawings[0], vectors[0]) == 1.0, "a drawing and what was preprocessed from it"
    assert compare(drawings[0], drawings[-1]) == compare(vectors[-1], vectors[0]) < 1.0


def test_compare_says_what_is_wrong_in_one_sentence(joint_run):
    drawing = next((joint_run / "drawings").rglob("*.dxf"))
    broken = joint_run / "broken（坏）.dxf"
    broken.write_text("this is no drawing", encoding="utf-8")
    for model, other in (("missing.pth", drawing), ("checkpoints/best_model.pth", broken)):
        files = ["--file1", drawing, "--file2", other]
        done = run("SimDeepDXF.py", "--model_path", model, *files, cwd=joint_run, expect=1)
        assert done.stderr.startswith("error: ")
        assert "Traceback" not in done.stderr


def test_training_without_data_says_what_to_do(tmp_path):
    done = run("joint_main.py", "--data_dir", "nowhere", cwd=tmp_path, expect=1)
    assert "dxf_process.py" in done.stderr
    assert list(tmp_path.iterdir()) == [], "a run that could not start must leave nothing behind"


def test_too_many_folds_says_what_would_work(workplace):
    done = run("joint_main.py", "--n_folds", 40, cwd=workplace, expect=1)
    assert "fewer folds" in done.stderr
