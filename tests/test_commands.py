"""The command line of every script, as a user types it, on a tiny set the generator makes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from compare.percent import percent
from dataset.storage import read_sequence
from model.embedding import Embedder, similarity
from tests.dataset.test_pool import large_file
from utils.checkpoint import load_checkpoint

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = [
    "dataset/dxf_generate.py",
    "dataset/dxf_benchmark.py",
    "dataset/dxf_process.py",
    "dataset/dxf_pack.py",
    "GF_main.py",
    "DeepDXF_train.py",
    "joint_main.py",
    "SimDeepDXF.py",
    "SearchDXF.py index",
    "SearchDXF.py query",
    "SearchDXF.py dedupe",
    "SearchDXF.py clusters",
    "PageDXF.py",
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
    output = run(*script.split(), "--help", cwd=tmp_path).stdout
    assert "usage:" in output
    assert "default" in output
    assert list(tmp_path.iterdir()) == [], "asking for help must leave nothing behind"


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_misspelt_option_is_refused(script, tmp_path):
    done = run(*script.split(), "--no_such_option", "1", cwd=tmp_path, expect=2)
    assert "no_such_option" in done.stderr + done.stdout


def test_joint_run_leaves_what_it_promises(joint_run):
    checkpoints = {path.name for path in (joint_run / "checkpoints").iterdir()}
    assert checkpoints >= {"fold_1.pth", "fold_2.pth", "best_model.pth"}
    log = joint_run / "logs" / "joint"
    assert {path.name for path in log.iterdir()} == {
        "train.log",
        "metrics.jsonl",
        "steps.jsonl",
        "config.json",
        "curves.png",
        "summary.json",
        "summary.md",
    }
    summary = json.loads((log / "summary.json").read_text(encoding="utf-8"))
    assert len(summary["folds"]) == 2
    for part in ("loss", "gf", "deepdxf", "cross_modal"):
        assert np.isfinite(summary["test"][part])
    assert "\x1b" not in (log / "train.log").read_text(encoding="utf-8")


def test_gf_alone_gives_the_same_weights_every_time(workplace):
    """Bit for bit on a CPU; folds trained one by one reach the same up to rounding."""
    models = []
    for folder, folds in (("gf 1", "together"), ("gf 2", "together"), ("gf 3", "one_by_one")):
        options = ["--checkpoint_dir", folder, "--n_folds", 2, "--conv", "ggnn", "--folds", folds, "--batch_size", 4]
        run("GF_main.py", *options, *SMALL_RUN, cwd=workplace)
        assert {path.name for path in (workplace / folder).iterdir()} == {"fold_1.pth", "fold_2.pth", "best_model.pth"}
        models.append(torch.load(workplace / folder / "best_model.pth", weights_only=True)["model"])
    assert all(torch.equal(models[0][name], models[1][name]) for name in models[0])
    for name in models[0]:
        torch.testing.assert_close(models[0][name], models[2][name], rtol=1e-3, atol=1e-5)


def test_deepdxf_alone_twice_gives_the_same_model_bit_for_bit(workplace):
    small = [item for key, value in SMALL_DEEPDXF.items() for item in (f"--{key}", value)]
    small += ["--tokens_at_once", "300"]  # several passes a step: what is computed again draws the same masks
    models = []
    for folder, seed in (("one", 3), ("two", 3), ("other seed", 4)):
        options = ["--n_folds", 1, "--epochs", 2, "--device", "cpu", "--seed", seed, *small]
        run("DeepDXF_train.py", "--checkpoint_dir", f"deepdxf {folder}", *options, cwd=workplace)
        models.append(load_checkpoint(workplace / f"deepdxf {folder}" / "best_model.pth").model)
    one, two, other = models
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(("script", "prefix"), [("DeepDXF_train.py", ""), ("joint_main.py", "deepdxf.")])
def test_the_reference_recipe_trains_the_plain_encoders_and_is_recorded(workplace, script, prefix):
    small = [item for key, value in SMALL_DEEPDXF.items() for item in (f"--{prefix}{key}", value)]
    name = f"reference {Path(script).stem}"
    options = ["--recipe", "reference", "--checkpoint_dir", name, "--run_name", name, "--n_folds", 1]
    run(script, *options, *SMALL_RUN, *small, cwd=workplace)
    checkpoint = load_checkpoint(workplace / name / "best_model.pth")
    saved = json.loads((workplace / "logs" / name / "config.json").read_text(encoding="utf-8"))
    for config in (checkpoint.config, saved):
        assert config["recipe"] == "reference"
        deepdxf = config["deepdxf"] if prefix else config
        assert (deepdxf["reads"], deepdxf["views"], deepdxf["d_model"]) == ("sequence", "dropout", 32)
    assert not any("sheet" in part or "cross_modal" in part for part in checkpoint.model)


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


@pytest.mark.parametrize("method", ["cosine", "euclidean"])
def test_compare_says_what_a_score_is_worth(joint_run, method):
    """Behind the scores, by the model that ships and by that of a fold."""

    def lines(model, second):
        files = ["--file1", vectors[0], "--file2", second, "--method", method]
        return run("SimDeepDXF.py", "--model_path", f"checkpoints/{model}", *files, cwd=joint_run).stdout.splitlines()

    vectors = sorted((joint_run / "data" / "DeepDXF").rglob("*.h5"))
    found = lines("best_model.pth", vectors[-1])
    names = ("joint", "gf", "deepdxf")
    assert [line[:9] for line in found] == [f"{name:<9}" for name in names] * 2
    embedder = Embedder(joint_run / "checkpoints" / "best_model.pth", torch.device("cpu"))
    first, last = (embedder(read_sequence(path)) for path in (vectors[0], vectors[-1]))
    for line, name in zip(found[3:], names, strict=True):
        share = embedder.share_below(name, similarity(first[name], last[name], "cosine"))
        assert line == f"{name:<9}more alike than {percent(share)} % of pairs of training drawings"
    assert found[3] != found[4], "each encoder has its own"
    assert lines("best_model.pth", vectors[0])[3].startswith("joint    more alike than 99.9 % of")
    assert len(lines("fold_1.pth", vectors[-1])) == 6


def test_compare_says_what_is_wrong_in_one_sentence(joint_run):
    drawing = next((joint_run / "drawings").rglob("*.dxf"))
    broken = joint_run / "broken（坏）.dxf"
    broken.write_text("this is no drawing", encoding="utf-8")
    for model, other in (("missing.pth", drawing), ("checkpoints/best_model.pth", broken)):
        files = ["--file1", drawing, "--file2", other]
        done = run("SimDeepDXF.py", "--model_path", model, *files, cwd=joint_run, expect=1)
        assert done.stderr.startswith("error: ")
        assert "Traceback" not in done.stderr


def test_a_pair_with_a_huge_drawing_ends_with_one_sentence(joint_run):
    """As reading it in a process with a time limit does; the limit is that of preprocessing."""
    drawing = next((joint_run / "drawings").rglob("*.dxf"))
    huge = joint_run / "huge（大）.dxf"
    large_file(huge, 500_000)
    for options in ([], ["--changes"]):
        files = ["--file1", drawing, "--file2", huge, "--timeout", 3]
        done = run("SimDeepDXF.py", *files, *options, cwd=joint_run, expect=1)
        assert done.stderr == f"error: cannot read {huge}: took longer than 3 s (--timeout)\n"


def test_training_without_data_says_what_to_do(tmp_path):
    done = run("joint_main.py", "--data_dir", "nowhere", cwd=tmp_path, expect=1)
    assert "dxf_process.py" in done.stderr
    assert list(tmp_path.iterdir()) == [], "a run that could not start must leave nothing behind"


def test_too_many_folds_says_what_would_work(workplace):
    done = run("joint_main.py", "--n_folds", 40, cwd=workplace, expect=1)
    assert "fewer folds" in done.stderr


@pytest.fixture(scope="module")
def revised(workplace):
    """A drawing and its revision."""
    records = json.loads((workplace / "drawings" / "truth.json").read_text(encoding="utf-8"))["files"]
    record = next(
        record for record in records if record["original"] and any(edit["places"] for edit in record["edits"])
    )
    return [workplace / "drawings" / record[key] for key in ("original", "file")]


def test_changes_and_their_picture_need_no_model_and_the_exit_status_tells(workplace, revised, tmp_path):
    files = ["--file1", revised[0], "--file2", revised[1]]
    outputs = ["--picture", tmp_path / "changes.svg", "--json", tmp_path / "changes.json", "--exit_code"]
    done = run("SimDeepDXF.py", *files, "--changes", *outputs, cwd=tmp_path, expect=4)
    data = json.loads((tmp_path / "changes.json").read_text(encoding="utf-8"))
    assert not data["same"] and data["changes"] and "scores" not in data
    for change in data["changes"]:
        assert change["words"] in done.stdout
    assert (tmp_path / "changes.svg").read_text(encoding="utf-8").startswith("<svg")
    again = ["--file1", revised[0], "--file2", revised[0], "--picture", "same.svg", "--exit_code"]
    done = run("SimDeepDXF.py", *again, cwd=tmp_path)
    assert "no changes" in done.stdout and "no scores" in done.stderr


def test_an_explanation_is_a_picture_and_numbers(joint_run, revised, tmp_path):
    files = ["--file1", revised[0], "--file2", revised[1], "--encoder", "joint", "--explain_parts", 4]
    outputs = ["--explain", tmp_path / "why.svg", "--json", tmp_path / "why.json"]
    done = run("SimDeepDXF.py", *files, *outputs, cwd=joint_run)
    assert done.stderr == ""
    data = json.loads((tmp_path / "why.json").read_text(encoding="utf-8"))
    assert list(data["scores"]) == ["joint"]
    assert data["explained"]["score"] == data["scores"]["joint"]["score"]
    assert len(data["explained"]["node_matching"]["weights"]) == 10
    assert len(data["explained"]["right"]["entities"]) > 4
    assert "Why are they alike?" in (tmp_path / "why.svg").read_text(encoding="utf-8")


def test_one_against_many_and_a_folder_against_itself_go_on_past_a_bad_file(joint_run, tmp_path):
    vectors = sorted((joint_run / "data" / "DeepDXF").rglob("*.h5"))[:3]
    for number, path in enumerate((*vectors, vectors[0])):
        (tmp_path / f"{number}.h5").write_bytes(path.read_bytes())
    (tmp_path / "bad（坏）.h5").write_bytes(b"no drawing")
    folder = joint_run / "many"
    tmp_path.rename(folder)
    done = run("SimDeepDXF.py", "--file1", vectors[0], "--file2", "many", "--json", "-", cwd=joint_run, expect=3)
    data = json.loads(done.stdout)
    assert {Path(each["file2"]).name for each in data["drawings"][:2]} == {"0.h5", "3.h5"}
    assert data["drawings"][1]["scores"]["joint"]["score"] == 1.0 > data["drawings"][2]["scores"]["joint"]["score"]
    assert "bad（坏）.h5" in done.stderr and list(data["skipped"]) == [str(Path("many") / "bad（坏）.h5")]
    options = ["--matrix", "all.csv", "--heatmap", "all.png", "--encoder", "gf"]
    done = run("SimDeepDXF.py", "--file1", "many", *options, cwd=joint_run, expect=3)
    assert len(done.stderr.splitlines()) == 1
    rows = [line.split(",") for line in (joint_run / "all.csv").read_text(encoding="utf-8-sig").splitlines()]
    scores = np.array([row[1:] for row in rows[1:]], dtype=float)
    assert rows[0][1:] == [row[0] for row in rows[1:]] == ["0.h5", "1.h5", "2.h5", "3.h5"]
    assert np.array_equal(scores, scores.T) and scores[0, 3] == scores[1, 1] == 1.0 > scores[0, 1]
    assert (joint_run / "all.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--file1", "a.dxf"], "--file2"),
        (["--file1", "a.dxf", "--file2", "b.dxf", "c.dxf", "--changes"], "two drawings"),
        (["--file1", "a.dxf", "--file2", "b.dxf", "--matrix", "m.csv"], "--matrix"),
        (["--file1", "a.dxf", "--file2", "b.dxf", "--exit_code"], "--changes"),
    ],
)
def test_options_of_a_comparison_that_say_nothing_are_refused(tmp_path, options, said):
    for name in ("a.dxf", "b.dxf", "c.dxf"):
        (tmp_path / name).write_bytes(b"")
    done = run("SimDeepDXF.py", *options, cwd=tmp_path, expect=1)
    assert done.stderr.startswith("error: ") and said in done.stderr
