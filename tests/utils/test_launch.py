"""Starting several processes, and how they end: with scripts of their own, as a user types them."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from config.errors import UserError
from config.GF_config import GFConfig
from config.joint_config import JointConfig
from config.run_config import RunConfig
from joint_train import train_joint
from tests.model.batches import gf_config, sheet_config
from tests.model.test_sheet_task import write
from utils.distributed.launch import across_processes, count_processes
from utils.engine import device as devices
from utils.engine.device import training_device

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import os, signal, sys
sys.path.insert(0, {root!r})
import torch.distributed as dist
from torch import ones
from config.errors import UserError
from config.run_config import RunConfig
from utils.cli import run_script
from utils.distributed.launch import across_processes
from utils.distributed.world import world

def main(config):
    if config.run_name == "all":
        raise UserError("nothing to train on")
    if world().rank == 1 and config.run_name == "one":
        raise ValueError("the second process fell")
    if world().rank == 1 and config.run_name == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    dist.all_reduce(ones(1))  # the first process waits here for the second

run_script(RunConfig, across_processes(main))
"""


def start(*command, cwd):
    environment = {name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    return subprocess.Popen(
        [sys.executable, *map(str, command)], cwd=cwd, env=environment | {"OMP_NUM_THREADS": "1"}, **pipes
    )


def run(*command, cwd):
    process = start(*command, cwd=cwd)
    out, err = process.communicate(timeout=200)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("one", ["ValueError: the second process fell", "process 1 of the 2 failed"]),
        ("killed", ["process 1 of the 2 was ended by SIGKILL"]),
        ("all", ["error: nothing to train on"]),
    ],
)
def test_a_process_that_ends_ends_all(tmp_path, how, said):
    script = tmp_path / "a script.py"
    script.write_text(SCRIPT.format(root=str(ROOT)), encoding="utf-8")
    done = run(script, "--nproc", 2, "--run_name", how, "--log_dir", tmp_path / "logs", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    for sentence in said:
        assert done.stderr.count(sentence) == 1, done.stderr
    if how == "one":
        assert done.stderr.count("Traceback") == 1, "no second one of the process that waited"


def test_two_machines_are_one_run(tmp_path):
    """torchrun --nnodes 2, both on this machine: the processes meet, and each knows its place on its own machine."""
    script = tmp_path / "a script.py"
    say = "dist.all_reduce(ones(1))\n    print(world(), dist.get_world_size(), flush=True)\n    dist.barrier()"
    script.write_text(SCRIPT.format(root=str(ROOT)).replace("dist.all_reduce(ones(1))", say), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        meeting = ("--rdzv_backend", "c10d", "--rdzv_endpoint", f"localhost:{free.getsockname()[1]}", "--rdzv_id", 1)
    torchrun = ("-m", "torch.distributed.run", "--nnodes", 2, "--nproc_per_node", 1, *meeting, script)
    machines = [start(*torchrun, "--device", "cpu", cwd=tmp_path) for _ in range(2)]
    ends = [machine.communicate(timeout=200) for machine in machines]
    said = sorted(line for out, _ in ends for line in out.splitlines() if line.startswith("World"))
    assert said == [f"World(rank={rank}, size=2, local_rank=0) 2" for rank in range(2)], ends


def test_two_processes_give_what_one_gives(tmp_path):
    """joint_main.py as a user starts it; no dropout in DeepDXF, whose masks are each process's own."""
    for number in range(16):
        write(tmp_path / "data", number)
    gf, deepdxf = gf_config(), sheet_config(views="drawing")
    options = {"n_folds": 1, "epochs": 2, "gf_batch_pairs": 3, "lr": 1e-3, "device": "cpu", "shared_size": 8}
    arguments = [item for name, value in options.items() for item in (f"--{name}", value)]
    for prefix, encoder in (("gf", gf), ("deepdxf", deepdxf)):
        arguments += [item for name, value in vars(encoder).items() for item in (f"--{prefix}.{name}", value)]
    done = run(ROOT / "joint_main.py", "--nproc", 2, "--run_name", "two", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    two = json.loads((tmp_path / "logs" / "two" / "summary.json").read_text(encoding="utf-8"))
    places = {f"{name}_dir": tmp_path / name for name in ("data", "log")} | {"checkpoint_dir": tmp_path / "one"}
    one = train_joint(JointConfig(gf=gf, deepdxf=deepdxf, run_name="one", **places, **options))
    for part in ("loss", "gf", "deepdxf", "cross_modal", "gf_weight", "deepdxf_weight"):
        assert two["test"][part] == pytest.approx(one["test"][part], rel=1e-4)
        assert two["val"][part]["mean"] == pytest.approx(one["val"][part]["mean"], rel=1e-4)
    lines = (tmp_path / "logs" / "two" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if '"epoch"' in line]) == 2, "one process writes"
    log = (tmp_path / "logs" / "two" / "train.log").read_text(encoding="utf-8")
    assert log.count("2 processes share every step") == 1
    assert sorted(path.name for path in (tmp_path / "checkpoints").glob("*.pth")) == ["best_model.pth", "fold_1.pth"]


@pytest.fixture
def gpus(monkeypatch):
    """A machine of as many GPUs as a test says."""

    def have(count):
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)

    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    return have


@pytest.mark.parametrize(
    ("present", "options", "count"),
    [
        (0, {}, 1),
        (1, {}, 1),
        (4, {}, 4),
        (4, {"device": "cuda"}, 4),
        (4, {"device": "cuda:1"}, 1),
        (4, {"device": "cpu"}, 1),
        (4, {"device": "cpu", "nproc": 3}, 3),
        (0, {"nproc": 3}, 3),
        (4, {"gpus": "0,2"}, 2),
        (4, {"gpus": "3"}, 1),
        (4, {"nproc": 2}, 2),
        (4, {"gpus": "0,2,3", "nproc": 2}, 2),
    ],
)
def test_one_process_for_each_gpu(gpus, present, options, count):
    gpus(present)
    assert count_processes(RunConfig(**options)) == count


@pytest.mark.parametrize(
    ("present", "options", "said"),
    [(2, {"gpus": "0,2"}, "no GPU 2"), (2, {"nproc": 3}, "only 2 GPU"), (0, {"gpus": "0"}, "no GPU 0")],
)
def test_gpus_that_are_not_there_are_named(gpus, present, options, said):
    gpus(present)
    with pytest.raises(UserError, match=said):
        count_processes(RunConfig(**options))


def test_each_process_has_a_gpu_of_its_own(gpus, monkeypatch):
    gpus(4)
    monkeypatch.setenv("RANK", "5")
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert training_device(RunConfig()) == torch.device("cuda:1")
    assert training_device(RunConfig(gpus="0,2")) == torch.device("cuda:2")
    assert training_device(RunConfig(device="cpu")) == torch.device("cpu")
    with pytest.raises(UserError, match="no GPU of its own"):
        training_device(RunConfig(gpus="3"))
    assert devices.choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(
    "options",
    [{"gpus": "0,0"}, {"gpus": "a"}, {"gpus": "0,"}, {"gpus": "1", "device": "cpu"}, {"nproc": -1},
     {"nproc": 2, "device": "cuda:1"}],
)  # fmt: skip
def test_contradictions_are_refused(options):
    with pytest.raises(ValueError):
        RunConfig(**options)


@pytest.mark.parametrize("config", [GFConfig(device="cpu"), JointConfig(device="cpu")])
def test_memory_that_runs_out_names_what_to_lower(config):
    """The real thing: more than any machine has."""

    def ask(_):
        torch.empty(2**50)

    with pytest.raises(UserError, match=f"lower {config.MEMORY_OPTIONS[0]}"):
        across_processes(ask)(config)


def test_other_errors_keep_their_traceback():
    def fail(_):
        torch.ones(2) @ torch.ones(3)

    with pytest.raises(RuntimeError, match="size"):
        across_processes(fail)(RunConfig(device="cpu"))
