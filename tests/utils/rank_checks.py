"""What one, two and three processes make of the same steps, for tests/utils/test_distributed.py.

    python -m tests.utils.rank_checks DATA OUTPUT

Imports once and then forks, so that six processes cost little more than one. Leaves ``results.pt``: by number of
processes what each of them found.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from benchmarks.processes import on_processes
from config.DeepDXF_config import DeepDXFConfig
from config.GF_config import GFConfig
from config.run_config import RunConfig
from model.DeepDXF_dataset import DeepDXFData
from model.DeepDXF_task import DeepDXFTask
from model.GF_dataset import GFData
from model.GF_task import GFTask
from model.joint_dataset import JointDataLoader
from model.joint_task import JointTask
from tests.model.batches import gf_config, joint_config, sheet_config
from tests.utils.test_trainer import Batches, Data, Regression
from utils.checkpoint import load_checkpoint
from utils.distributed.exchange import gather, sharing_a_step, step_group
from utils.distributed.world import world
from utils.early_stopping import EarlyStopping
from utils.engine.cross_validation import CrossValidation
from utils.engine.device import Precision
from utils.engine.program import make_program
from utils.engine.trainer import NonFiniteError
from utils.run_log import RunLog
from utils.seeding import seed_everything

SIZES = (1, 2, 3)
ROWS = (3, 0, 2)  # of each process in the gather; the first two are what two processes have
RUN = {"n_folds": 2, "test_fraction": 0.35, "epochs": 2, "lr": 1e-3, "accumulation_steps": 2, "device": "cpu"}


class Failing(Regression):
    """Its loss is not finite, on the last process only."""

    def forward(self, batch):
        out = super().forward(batch)
        return {"loss": out["loss"] * (float("nan") if world().rank == world().size - 1 else 1.0)}


class Drawing(nn.Module):
    """Says what it drew for the step and what for itself."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def draw(self, batch):
        return torch.rand(3)

    def forward(self, batch):
        self.drawn = batch["noise"], torch.rand(3)
        return {"loss": self.weight}


class ManyProcesses(Batches):
    most_processes = 9


class FakeData(Data):
    def get_final_loader(self):
        return ManyProcesses([4, 4, 4])

    def get_fold_loaders(self, fold):
        return ManyProcesses([4, 4]), ManyProcesses([3])


def small_joint(data: Path, **options: Any):
    """No dropout in DeepDXF, whose masks no two processes share; GF's default dropout."""
    encoders = {"gf": gf_config(), "deepdxf": sheet_config(views="drawing", max_view_entities=16)}
    return joint_config(data_dir=data, gf_batch_pairs=2, **encoders, **RUN, **options)


def cases(data: Path) -> dict[str, tuple[Any, Any, Any]]:
    """For each case a config, its data and what builds its task."""
    configs = {
        "uncertainty": small_joint(data),
        "grad_norm": small_joint(data, weighting="grad_norm"),
        "few sequences": small_joint(data, weighting="fixed", deepdxf_batch=2),
        "gf": GFConfig(data_dir=data, **vars(gf_config()), batch_size=3, **RUN),
        "deepdxf": DeepDXFConfig(data_dir=data, **vars(sheet_config(views="drawing")), batch_size=4, **RUN),
    }
    kinds = {GFConfig: (GFData, GFTask), DeepDXFConfig: (DeepDXFData, DeepDXFTask)}
    made = {}
    for name, config in configs.items():
        data_of, task_of = kinds.get(type(config), (JointDataLoader, JointTask))
        made[name] = (config, data_of(config), task_of)
    return made


def first_epoch(config: Any, data: Any, build_task: Any) -> list[tuple[dict[str, float], dict[str, Tensor], int]]:
    """Each step's numbers, gradients, and the drawings that this process had of it."""
    seed_everything(5)
    task = build_task(config)
    task.train()
    data.prepare(task, 0)
    program = make_program([task], Precision(torch.device("cpu"), None))
    steps = []
    for step, batch in enumerate(data.get_fold_loaders(0)[0].epoch(0)):
        out = program([batch], [100 + step], torch.ones(1))
        gradients = {name: parameter.grad.clone() for name, parameter in task.named_parameters()}
        steps.append(({name: value.item() for name, value in out.items()}, gradients, count_drawings(batch)))
        program.zero_grad(0)
    return steps


def count_drawings(batch: dict[str, Any]) -> int:
    if "gf" in batch:
        return len(batch["gf"]["features"]) + batch["deepdxf"]["n_drawings"] // 2
    return len(batch["features"]) if "features" in batch else batch["n_drawings"] // 2


def whole_run(kind: str, config: Any, data: Any, build_task: Any, folder: Path) -> tuple[dict[str, Any], dict]:
    config.checkpoint_dir, config.log_dir, config.run_name = folder / "checkpoints", folder / "logs", "run"
    run = CrossValidation(kind, config, data, build_task, lambda config: EarlyStopping(config.patience), kind == "gf")
    summary = run.run()
    if dist.is_initialized():
        dist.barrier()
    return summary, load_checkpoint(config.checkpoint_dir / "best_model.pth").model


def gathering(rank: int) -> dict[str, Any]:
    """Gather uneven rows and pull at them with weights of one's own."""
    rows = own_rows(rank).requires_grad_()
    with sharing_a_step(step_group()):
        everyone, own = gather(rows)
        ((rank + 1) * everyone.pow(2)).sum().backward()
        nothing = torch.zeros(0, 2, requires_grad=True)
        none, _ = gather(nothing)
        none.sum().backward()
    return {"rows": everyone.detach(), "own": everyone[own].detach(), "gradient": rows.grad, "none": none.shape}


def own_rows(rank: int) -> Tensor:
    return torch.randn(ROWS[rank], 2, 4, generator=torch.Generator().manual_seed(rank))


def failing(folder: Path) -> str:
    """How a run ends whose numbers are not finite on one process."""
    config = RunConfig(device="cpu", checkpoint_dir=folder / "checkpoints", log_dir=folder / "logs", run_name="run")
    try:
        CrossValidation("test", config, FakeData(), lambda config: Failing(), lambda config: EarlyStopping(3)).run()
    except NonFiniteError as error:
        return str(error)
    return "it went on"


def work(data: Path, output: Path) -> dict[str, Any]:
    torch.set_num_threads(1)
    RunLog.draw_curves = lambda self, **options: None  # most of the time, and no part of this
    size = world().size
    found: dict[str, Any] = {}
    if size > 1:
        found["gather"] = gathering(world().rank)
        found["failing"] = failing(output / "failing" / str(size))
        task = Drawing()
        make_program([task], Precision(torch.device("cpu"), None))([{}], [7])
        found["drawn"] = task.drawn
    for name, (config, its_data, build_task) in cases(data).items():
        found[f"first epoch, {name}"] = first_epoch(config, its_data, build_task)
        if name in ("grad_norm", "gf"):
            folder = output / name / str(size)
            found[f"run, {name}"] = whole_run(name, config, its_data, build_task, folder)
    return found


if __name__ == "__main__":
    data, output = (Path(argument) for argument in sys.argv[1:3])
    results = {size: on_processes(size, lambda: work(data, output)) for size in SIZES}
    torch.save(results, output / "results.pt")
