"""A run that is killed, wherever it is, and continued, ends with the numbers of one that was let alone."""

import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
SMALL_GF = {"filters": "16", "perspectives": 8}
SMALL_DEEPDXF = {
    "d_model": 16,
    "n_layers": 1,
    "n_heads": 2,
    "d_feedforward": 16,
    "latent_size": 16,
    "reads": "sequence",
}
COMMON = {"n_folds": 2, "device": "cpu", "save_every": 0, "run_name": "run", "lr": 0.003}


def command(script, data_dir, *flags, **options):
    options = {"data_dir": data_dir, **COMMON, **options}
    return [script, *(item for name, value in options.items() for item in (f"--{name}", value)), *flags]


def joint(data_dir, *flags, **options):
    sizes = {**{f"gf.{k}": v for k, v in SMALL_GF.items()}, **{f"deepdxf.{k}": v for k, v in SMALL_DEEPDXF.items()}}
    way = {"epochs": 4, "gf_batch_pairs": 1, "accumulation_steps": 2, "weighting": "grad_norm", "lr_patience": 1}
    return command("joint_main.py", data_dir, *flags, **{**sizes, **way, **options})


def gf(data_dir, *flags, **options):
    way = {"epochs": 4, "batch_size": 4, "patience": 1, "schedule": "cosine", "warmup_epochs": 1}
    way |= {"min_delta": 0.00015, "checkpoint_dir": "c"}
    return command("GF_main.py", data_dir, *flags, **SMALL_GF, **way, **options)


def outcome(folder, checkpoints="checkpoints"):
    """Every weight, metric and step of a run; what was counted in seconds or bytes is left out."""
    models = {}
    for path in sorted((folder / checkpoints).glob("*.pth")):
        content = torch.load(path, weights_only=True)
        models[path.name] = ({**content["model"]}, content["metrics"], content["info"]["epoch"])
    lines = (folder / "logs" / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    metrics = [{k: v for k, v in json.loads(line).items() if k not in ("seconds", "cost")} for line in lines]
    return models, metrics, (folder / "logs" / "run" / "steps.jsonl").read_text(encoding="utf-8").splitlines()


def assert_equal(got, want):
    (models, metrics, steps), (want_models, want_metrics, want_steps) = got, want
    assert steps == want_steps
    assert metrics == want_metrics
    assert models.keys() == want_models.keys()
    for name, (weights, numbers, epoch) in models.items():
        want_weights, want_numbers, want_epoch = want_models[name]
        assert (numbers, epoch) == (want_numbers, want_epoch)
        assert weights.keys() == want_weights.keys()
        assert all(torch.equal(weights[key], want_weights[key]) for key in weights), name


class Watch:
    """What a running run has got to, by its files."""

    def __init__(self, folder, checkpoints="checkpoints"):
        self.states = folder / checkpoints
        self.steps = folder / "logs" / "run" / "steps.jsonl"

    def saving(self):
        return any(path.match("resume_*.tmp") for path in self._files())

    def number(self):
        return max((int(path.stem[7:]) for path in self._files() if path.match("resume_*.pth")), default=0)

    def _files(self):
        return list(self.states.iterdir()) if self.states.exists() else []

    def says(self, text):
        return self.steps.exists() and text in self.steps.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def let_alone(server, data_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("let alone")
    assert server.run(folder, *joint(data_dir, save_every=300)) == 0, server.said()
    return folder


@pytest.fixture(scope="module")
def killed(server, data_dir, tmp_path_factory):
    """A run killed amid its first fold, while it saves its sixth state."""
    folder = tmp_path_factory.mktemp("killed")
    watch = Watch(folder)
    assert server.run(folder, *joint(data_dir), kill_when=lambda: watch.number() >= 5 and watch.saving()) == -9, (
        server.said()
    )
    return folder


def test_killed_anywhere_and_continued_it_ends_with_the_same_numbers(server, data_dir, let_alone, killed, tmp_path):
    folder = shutil.copytree(killed, tmp_path / "run")
    watch = Watch(folder)
    moments = [
        lambda: watch.says('"fold": 0, "epoch": 2, "step": 1') and watch.saving(),
        lambda: (watch.states / "fold_1.pth").exists(),
        lambda: watch.says('"fold": 1, "epoch": 1, "step": 3'),
        lambda: watch.says('"fold": "final"') and watch.number() % 2,
    ]
    for moment in moments:
        assert server.run(folder, *joint(data_dir, "--resume"), kill_when=moment) == -9, server.said()
    assert server.run(folder, *joint(data_dir, "--resume", save_every=300)) == 0, server.said()
    assert_equal(outcome(folder), outcome(let_alone))
    assert not set("\r\x1b") & set(server.said()), "control characters where nobody watches"
    rates = [line["lr"] for line in outcome(folder)[1] if line["event"] == "epoch" and line["fold"] == 0]
    assert rates[-1] < rates[-2], "the case needs a schedule that remembers the epochs before a kill"
    log = (folder / "logs" / "run" / "train.log").read_text(encoding="utf-8")
    assert log.count("continuing") == 5
    assert log.index("plan: 2 fold(s) + 1 final training") < log.index("estimate:") and log.count("estimate:") >= 1
    assert server.run(folder, *joint(data_dir, "--resume")) == 1
    assert "nothing to resume" in server.said()


def test_two_processes_are_killed_and_continued_too(server, data_dir, tmp_path):
    """Amid an epoch, amid saving, and in the final training: the same numbers to the last bit."""
    alone, folder = tmp_path / "alone", tmp_path / "killed"
    for each in (alone, folder):
        each.mkdir()
    way = {"n_folds": 3, "epochs": 2, "gf_batch_pairs": 2, "accumulation_steps": 1, "test_fraction": 0.1}
    assert server.run(alone, *joint(data_dir, save_every=300, **way), nproc=2) == 0, server.said()
    watch = Watch(folder)
    moments = [
        lambda: watch.says('"fold": 0, "epoch": 1, "step": 0') and watch.number() >= 6,
        lambda: watch.says('"fold": 1, "epoch": 0') and watch.saving(),
        lambda: watch.says('"fold": "final"'),
    ]
    for number, moment in enumerate(moments):
        flags = ["--resume"] if number else []
        assert server.run(folder, *joint(data_dir, *flags, **way), kill_when=moment, nproc=2) == -9, server.said()
    assert server.run(folder, *joint(data_dir, "--resume", save_every=300, **way), nproc=2) == 0, server.said()
    assert_equal(outcome(folder), outcome(alone))
    log = (folder / "logs" / "run" / "train.log").read_text(encoding="utf-8")
    assert log.count("continuing") == 3
    assert re.search("continuing fold 1 at epoch 2, step [234]", log), "the case needs a run killed amid an epoch"
    assert log.count("2 processes share every step") == 4


def test_a_folder_in_which_a_run_works_is_left_alone(server, data_dir, tmp_path):
    watch = Watch(tmp_path)
    with server.running(tmp_path, *joint(data_dir), until=lambda: watch.number() >= 2) as first:
        shutil.copytree(tmp_path / "checkpoints", tmp_path / "copy", ignore=shutil.ignore_patterns(".lock*"))
        who = f"(process {first} on {socket.gethostname()}, since "
        lines, states = watch.steps.read_bytes(), sorted((tmp_path / "checkpoints").glob("*.pth"))
        for flag, folder, where, way_out in (
            ("--discard", "checkpoints", "checkpoints", "choose another --checkpoint_dir"),
            ("--resume", "copy", "logs/run", "start one of your own without --resume"),
        ):
            assert server.run(tmp_path, *joint(data_dir, flag, checkpoint_dir=folder)) == 1
            assert f"error: {where} is in use by another run {who}" in server.said()
            assert way_out in server.said() and "Traceback" not in server.said()
        assert watch.steps.read_bytes() == lines
        assert sorted((tmp_path / "checkpoints").glob("*.pth")) == states
    assert server.run(tmp_path, *joint(data_dir, "--resume", save_every=300)) == 0, "a killed run locks nobody out"
    assert not list(tmp_path.rglob(".lock*")), "nobody works there any more"


def test_the_runs_of_this_file_would_fail_if_they_asked_for_a_network(tmp_path):
    """What the others rest on to say that training talks to nobody."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.utils.run_server import without_network\n"
    code += "sys.addaudithook(without_network)\nimport urllib.request; urllib.request.urlopen('http://127.0.0.1:9')"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert "the run asked for a network" in done.stderr


def test_folds_side_by_side_are_continued_too(server, data_dir, tmp_path):
    alone, folder = tmp_path / "alone", tmp_path / "killed"
    for each in (alone, folder):
        each.mkdir()
    assert server.run(alone, *gf(data_dir, n_folds=3, save_every=300)) == 0, server.said()
    watch = Watch(folder, "c")
    stopped = lambda: watch.says('"epoch": 2, "step": 0') and watch.number() >= 6  # noqa: E731
    assert server.run(folder, *gf(data_dir, n_folds=3), kill_when=stopped) == -9, server.said()
    last = {line["fold"]: line["epoch"] for line in map(json.loads, watch.steps.read_text("utf-8").splitlines())}
    assert set(last.values()) == {1, 2}, "the case needs a fold that has stopped and others that go on"
    final = lambda: watch.says('"final", "epoch": 0, "step": 2')  # noqa: E731
    assert server.run(folder, *gf(data_dir, "--resume", n_folds=3), kill_when=final) == -9, server.said()
    assert server.run(folder, *gf(data_dir, "--resume", n_folds=3, save_every=300)) == 0, server.said()
    assert_equal(outcome(folder, "c"), outcome(alone, "c"))


def test_what_cannot_be_continued_is_one_sentence_and_nothing_is_lost(server, data_dir, killed):
    before = {path.name: path.read_bytes() for path in (killed / "checkpoints").glob("*.pth")}
    for flags, options, reason in (
        ([], {}, "continue it with --resume"),
        (["--resume"], {"lr": 0.004, "gf.tau": 0.5}, "--lr 0.003, now 0.004; --gf.tau 0.7, now 0.5"),
        (["--resume"], {"checkpoint_dir": "elsewhere"}, "nothing to resume"),
        (["--resume", "--discard"], {}, "choose one"),
    ):
        arguments = joint(data_dir, *flags)
        arguments += [item for name, value in options.items() for item in (f"--{name}", value)]
        assert server.run(killed, *arguments) in (1, 2)
        said = " ".join(server.said().replace("│", " ").split())
        assert reason in said
        assert "Traceback" not in said
    assert {path.name: path.read_bytes() for path in (killed / "checkpoints").glob("*.pth")} == before


def test_a_full_disk_and_a_damaged_state_cost_nothing_but_time(server, data_dir, let_alone, killed, tmp_path):
    folder = shutil.copytree(killed, tmp_path / "run")
    states = folder / "checkpoints"
    number, good = Watch(folder).number(), {path.name for path in states.glob("resume_*.pth")}
    assert len(good) == 2
    size = min(path.stat().st_size for path in states.glob("*.pth"))
    assert server.run(folder, *joint(data_dir, "--resume"), file_limit=size // 2) == 1
    assert f"resume_{number + 1}.pth" in server.said()
    assert "make room" in server.said() and "Traceback" not in server.said()
    assert {path.name for path in states.glob("resume_*")} == good
    newest = states / f"resume_{number}.pth"
    newest.write_bytes(newest.read_bytes()[:-1000])
    assert server.run(folder, *joint(data_dir, "--resume", save_every=300)) == 0, server.said()
    assert f"{newest.name} is not a checkpoint" in server.said()
    assert_equal(outcome(folder), outcome(let_alone))
