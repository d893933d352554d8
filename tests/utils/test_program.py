"""Folds trained side by side equal folds trained one after the other, whatever the task."""

import json

import pytest
import torch
from torch import nn

from config.run_config import RunConfig
from utils.early_stopping import EarlyStopping
from utils.engine import trainer
from utils.engine.cross_validation import CrossValidation
from utils.engine.device import Precision
from utils.engine.learner import Learner
from utils.engine.program import Abreast, Single, Stack
from utils.engine.trainer import NonFiniteError, Trainer
from utils.run_log import RunLog

CPU = torch.device("cpu")


class Noisy(nn.Module):
    """A regression on inputs with noise; rows of zeros are left out. Has a buffer, and hears the end of epochs."""

    def __init__(self, config=None):
        super().__init__()
        self.hidden, self.out = nn.Linear(3, 4), nn.Linear(4, 1)
        self.register_buffer("scale", torch.rand(()) + 1)
        self.heard = []

    def batched(self):
        pass

    def draw(self, batch):
        return {"x": torch.rand(batch["x"].shape)}

    def forward(self, batch):
        noise = batch["noise"] if "noise" in batch else self.draw(batch)
        there = (batch["x"] != 0).any(dim=1)
        guess = self.out(torch.tanh(self.hidden(batch["x"] + 0.3 * noise["x"]))).squeeze(1) * self.scale
        error = torch.where(there, guess - batch["y"], 0).square().sum() / there.sum().clamp(min=1)
        return {"loss": error, "noise": torch.where(there, noise["x"].sum(dim=1), 0).sum().detach()}

    def on_epoch_end(self, train_means):
        self.heard.append(train_means)

    def settle(self, archive):
        pass


class Deck:
    """Batches of given sizes, in another order every epoch."""

    def __init__(self, sizes, seed, slope=1.0):
        generator = torch.Generator().manual_seed(seed)
        self.batches = []
        for size in sizes:
            x = torch.randn(size, 3, generator=generator)
            self.batches.append({"x": x, "y": slope * x.sum(1), "names": [f"{seed} {size} {i}" for i in range(size)]})

    def __len__(self):
        return len(self.batches)

    def epoch(self, epoch, first_step=0):
        yield from (self.batches[epoch % 2 :] + self.batches[: epoch % 2])[first_step:]


class Data:
    """Folds of unlike size and number of batches; the validation of the second gets worse, so that it stops early."""

    n_folds = 3
    facts: dict = {}  # noqa: RUF012
    fingerprint = "of these"
    sizes = ([4, 4, 5], [5, 5], [4, 5, 4, 4])

    def to(self, device):
        pass

    def prepare(self, task, fold):
        pass

    def archive(self, fold):
        yield from ()

    def get_fold_loaders(self, fold):
        return Deck(self.sizes[fold], fold), Deck([3, 2] if fold else [4], fold + 10, slope=-9.0 if fold == 1 else 1.0)

    def get_final_loader(self):
        return Deck([5, 5, 5], 7)

    def get_test_loaders(self):
        return Deck([5], 99)


def run_both_ways(tmp_path, **changes):
    """Of each way the epochs' records by fold and epoch, the best epochs, the saved and the last weights."""
    found = []
    for together in (True, False):
        folder = tmp_path / str(together)
        options = {"lr": 0.03, "epochs": 12, "patience": 3, "lr_patience": 1, "weight_decay": 0.1} | changes
        config = RunConfig(log_dir=folder, checkpoint_dir=folder / "c", run_name="run", device="cpu", **options)
        tasks = []

        def build(config, tasks=tasks):
            tasks.append(Noisy())
            return tasks[-1]

        CrossValidation("test", config, Data(), build, lambda config: EarlyStopping(3), together=together).run()
        lines = map(json.loads, (folder / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines())
        records = {(line["fold"], line["epoch"]): line for line in lines if line["event"] == "epoch"}
        summary = json.loads((folder / "run" / "summary.json").read_text(encoding="utf-8"))
        saved = [torch.load(folder / "c" / f"fold_{fold + 1}.pth", weights_only=True)["model"] for fold in range(3)]
        found.append((records, summary, saved, tasks[:3]))
    return found


@pytest.fixture(params=["threads", "batched"])
def program(request, monkeypatch):
    """How tasks are side by side: as on a processor, or as on a GPU."""
    if request.param == "batched":
        monkeypatch.setattr(trainer, "make_program", stack_or_single)
    return request.param


def stack_or_single(tasks, precision):
    return Stack(tasks, precision) if len(tasks) > 1 else Single(*tasks, precision)


@pytest.mark.parametrize(
    "changes",
    [{}, {"accumulation_steps": 2}, {"clip_norm": 0.1}, {"precision": "bf16"}],
    ids=["plain", "accumulated", "clipped", "bf16"],
)
def test_side_by_side_equals_one_by_one(tmp_path, program, changes):
    (records, summary, saved, tasks), (want_records, want_summary, want_saved, want_tasks) = run_both_ways(
        tmp_path, **changes
    )
    tolerance = {"rel": 2e-2, "abs": 1e-2} if changes.get("precision") else {"rel": 1e-4, "abs": 1e-5}
    if program == "threads":
        tolerance = {"rel": 0.0, "abs": 0.0}
    assert records.keys() == want_records.keys()
    for key, record in records.items():
        for name in ("loss", "noise"):
            assert record["train"][name] == pytest.approx(want_records[key]["train"][name], **tolerance), key
            if key[0] != "final":
                assert record["val"][name] == pytest.approx(want_records[key]["val"][name], **tolerance), key
        assert record["lr"] == want_records[key]["lr"]
        assert record["grad_norm"] == pytest.approx(want_records[key]["grad_norm"], **tolerance)
    best = [fold["best_epoch"] for fold in summary["folds"]]
    assert best == [fold["best_epoch"] for fold in want_summary["folds"]]
    assert summary["best_fold"] == want_summary["best_fold"]
    for got, want in ((saved, want_saved), ([t.state_dict() for t in tasks], [t.state_dict() for t in want_tasks])):
        for one, other in zip(got, want, strict=True):
            for name in one:
                torch.testing.assert_close(one[name], other[name], rtol=tolerance["rel"], atol=10 * tolerance["abs"])
    epochs = [max(epoch for fold, epoch in records if fold == wanted) + 1 for wanted in range(3)]
    assert epochs[1] < max(epochs), "the case needs a fold that stops before the others"
    assert [len(task.heard) for task in tasks] == epochs, "a stopped fold is left alone"


def test_random_numbers_follow_from_seed_fold_epoch_and_step_alone(tmp_path):
    """The 'noise' that a step reports is the same whatever ran before, and never the same twice in training."""
    config = RunConfig(log_dir=tmp_path, device="cpu", epochs=2)
    seen = []
    for disturb in (False, True):
        torch.manual_seed(0)
        task = Noisy()
        learner = Learner(4, task, Deck([4, 4], 0), Deck([3], 1), EarlyStopping(5), config, Precision(CPU, None))
        if disturb:
            torch.manual_seed(123)
        with RunLog("test", config) as log:
            Trainer([learner], config, CPU, log).fit(lambda learner: None)
        seen.append([(record["train"]["noise"], record["val"]["noise"]) for record in log.history])
    assert seen[0] == seen[1]
    assert seen[0][0][0] != seen[0][1][0], "another epoch, other noise"
    assert seen[0][0][1] == seen[0][1][1], "validation always draws the same"


def test_a_task_without_a_batch_gets_no_gradient_and_the_others_theirs():
    torch.manual_seed(0)
    tasks = [Noisy(), Noisy()]
    batch = Deck([4], 0).batches[0]
    alone = Single(Noisy())
    alone.tasks[0].load_state_dict(tasks[1].state_dict())
    alone([batch], [7])["loss"].sum().backward()
    stack = Stack(tasks)
    stack([None, batch], [6, 7])["loss"].sum().backward()
    assert all((parameter.grad == 0).all() for parameter in tasks[0].parameters())
    for got, want in zip(tasks[1].parameters(), alone.tasks[0].parameters(), strict=True):
        torch.testing.assert_close(got.grad, want.grad)
    stack.zero_grad(1)
    assert all((parameter.grad == 0).all() for parameter in tasks[1].parameters())


def test_stacking_changes_no_weight_and_optimizers_move_the_stack():
    torch.manual_seed(0)
    tasks = [Noisy(), Noisy(), Noisy()]
    before = [[parameter.clone() for parameter in task.parameters()] for task in tasks]
    stack, batch = Stack(tasks), Deck([4], 0).batches[0]
    for task, parameters in zip(tasks, before, strict=True):
        assert all(torch.equal(now, old) for now, old in zip(task.parameters(), parameters, strict=True))
    first = stack([batch] * 3, [1, 1, 1])["loss"]
    with torch.no_grad():
        for parameter in tasks[1].parameters():
            parameter.add_(1)
    second = stack([batch] * 3, [1, 1, 1])["loss"]
    assert (first != second).tolist() == [False, True, False]


def test_what_fails_in_a_thread_fails_with_its_traceback():
    class Failing(Noisy):
        def forward(self, batch):
            raise ValueError("this task fell")

    batch = Deck([4], 0).batches[0]
    with pytest.raises(ValueError, match="this task fell") as error:
        Abreast([Noisy(), Failing()], threads=2)([batch, batch], [1, 2])
    assert any("fell" in str(entry) for entry in error.traceback)


def test_threads_leave_torch_its_own():
    before = torch.get_num_threads()
    batch = Deck([4], 0).batches[0]
    program = Abreast([Noisy(), Noisy()], threads=2)
    with torch.no_grad():
        assert not program([batch, batch], [1, 2])["loss"].requires_grad
    program([batch, batch], [1, 2], torch.ones(2))
    assert set(program.each(lambda _: torch.get_num_threads(), range(8))) == {1}
    assert torch.get_num_threads() == before
    with program.at_work():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_what_is_not_finite_is_named_by_its_fold(tmp_path, program):
    class Bad(Data):
        def get_fold_loaders(self, fold):
            train, val = super().get_fold_loaders(fold)
            if fold == 2:
                train.batches[1]["x"][0, 0] = float("nan")
            return train, val

    config = RunConfig(log_dir=tmp_path, checkpoint_dir=tmp_path / "c", run_name="run", device="cpu", epochs=2)
    run = CrossValidation("test", config, Bad(), Noisy, lambda config: EarlyStopping(3), together=True)
    with pytest.raises(NonFiniteError, match="fold 3, epoch 1, step 2"):
        run.run()
    failure = json.loads((tmp_path / "run" / "failure.json").read_text(encoding="utf-8"))
    assert failure["fold"] == 2
    assert failure["drawings"] == Data().get_fold_loaders(2)[0].batches[1]["names"]
