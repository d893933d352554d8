"""The loop on a task small enough to compute by hand: it must not matter what the task is."""

import json
from typing import ClassVar

import pytest
import torch
from torch import nn

from config.run_config import RunConfig
from utils.early_stopping import EarlyStopping
from utils.engine import cross_validation
from utils.engine.cross_validation import CrossValidation
from utils.engine.device import Precision
from utils.engine.learner import Learner, Position
from utils.engine.trainer import NonFiniteError, Trainer
from utils.run_log import RunLog


class Regression(nn.Module):
    """loss = mean squared error of a linear fit; hears the end of every epoch, and what it is shown around training."""

    def __init__(self, config=None):
        super().__init__()
        self.linear = nn.Linear(3, 1)
        self.register_buffer("offset", torch.zeros(()))
        self.register_buffer("settled", torch.zeros(3))
        self.heard = []

    def forward(self, batch):
        loss = (self.linear(batch["x"]).squeeze(1) + self.offset - batch["y"]).pow(2).mean()
        return {"loss": loss, "twice": 2 * loss.detach()}

    def on_epoch_end(self, train_means):
        self.heard.append(train_means)

    def settle(self, archive):
        self.settled += sum(batch["x"].sum(dim=0) for batch in archive) + self.linear.weight.detach()[0]


class Batches:
    """The same batches every epoch."""

    def __init__(self, sizes, seed=0):
        generator = torch.Generator().manual_seed(seed)
        self.batches = []
        for size in sizes:
            x = torch.randn(size, 3, generator=generator)
            names = [f"drawing {i}" for i in range(size)]
            self.batches.append({"x": x, "y": x.sum(1), "names": names})

    def __len__(self):
        return len(self.batches)

    def epoch(self, epoch, first_step=0):
        yield from self.batches[first_step:]


class Data:
    n_folds = 3
    facts: ClassVar = {"overlap": "cross"}
    fingerprint = "of these"

    def to(self, device):
        self.device = device

    def prepare(self, task, fold):
        task.offset += 0.125 * (fold + 1) if fold is not None else 1.0

    def archive(self, fold):
        yield from Batches([4, 4], seed=7 if fold is None else fold).batches

    def get_final_loader(self):
        return Batches([4, 4, 4], seed=7)

    def get_fold_loaders(self, fold):
        val = Batches([3], seed=fold + 10)
        for batch in val.batches:  # fold 2 of 3 is the easiest, so that the best fold is neither the first nor the last
            batch["y"] *= 0.01 if fold == 1 else 3.0
            batch["x"] *= 0.01 if fold == 1 else 3.0
        return Batches([4, 4], seed=fold), val

    def get_test_loaders(self):
        return Batches([5], seed=99)


def _config(tmp_path, **changes):
    options = {"log_dir": tmp_path / "logs", "checkpoint_dir": tmp_path / "checkpoints", "device": "cpu", "epochs": 2}
    return RunConfig(**{**options, "lr": 0.05, **changes})


def _learner(task, train, val, config, fold=0):
    precision = Precision.choose(config.precision, torch.device("cpu"))
    return Learner(fold, task, train, val, EarlyStopping(config.patience), config, precision)


def _fit_one(task, train, val, config, log, scaler=None, on_better=lambda learner: None):
    learner = _learner(task, train, val, config)
    learner.scaler = scaler or learner.scaler
    Trainer([learner], config, torch.device("cpu"), log).fit(on_better)
    return learner


def _train_one_epoch(tmp_path, batches, **changes):
    config = _config(tmp_path, epochs=1, **changes)
    torch.manual_seed(0)
    task = Regression()
    with RunLog("test", config) as log:
        learner = _fit_one(task, batches, Batches([2]), config, log)
        history = log.history
    return task, learner.best, history


def test_accumulated_steps_equal_one_step_on_the_averaged_gradient(tmp_path):
    small = Batches([4, 4, 4])
    task, _, _ = _train_one_epoch(tmp_path, small, accumulation_steps=3, clip_norm=0)

    torch.manual_seed(0)
    reference = Regression()
    decayed = {"params": [reference.linear.weight], "weight_decay": 1e-4}
    optimizer = torch.optim.AdamW([decayed, {"params": [reference.linear.bias], "weight_decay": 0}], lr=0.05)
    sum(reference(batch)["loss"] for batch in small.batches).div(3).backward()
    optimizer.step()
    torch.testing.assert_close(task.linear.weight, reference.linear.weight)
    torch.testing.assert_close(task.linear.bias, reference.linear.bias)


def test_the_last_incomplete_group_steps_with_its_own_divisor(tmp_path):
    batches = Batches([4, 4, 4])
    task, _, _ = _train_one_epoch(tmp_path, batches, accumulation_steps=2, clip_norm=0, weight_decay=0)
    torch.manual_seed(0)
    reference = Regression()
    optimizer = torch.optim.AdamW(reference.parameters(), lr=0.05, weight_decay=0)
    for group in (batches.batches[:2], batches.batches[2:]):
        optimizer.zero_grad()
        (sum(reference(batch)["loss"] for batch in group) / len(group)).backward()
        optimizer.step()
    torch.testing.assert_close(task.linear.weight, reference.linear.weight)


def test_the_logged_loss_is_undivided_and_a_mean_over_drawings(tmp_path):
    batches = Batches([4, 2])
    torch.manual_seed(0)
    reference = Regression()
    losses = [reference(batch)["loss"].item() for batch in batches.batches]
    _, _, history = _train_one_epoch(tmp_path, batches, accumulation_steps=2)
    assert history[0]["train"]["loss"] == pytest.approx((4 * losses[0] + 2 * losses[1]) / 6)


def test_clipping_limits_every_step(tmp_path):
    batches = Batches([4, 2, 6])
    task, _, history = _train_one_epoch(tmp_path, batches, clip_norm=0.5, weight_decay=0)
    torch.manual_seed(0)
    reference = Regression()
    optimizer = torch.optim.AdamW(reference.parameters(), lr=0.05, weight_decay=0)
    norms = []
    for batch in batches.batches:
        optimizer.zero_grad()
        reference(batch)["loss"].backward()
        norms.append(nn.utils.clip_grad_norm_(reference.parameters(), 0.5).item())
        optimizer.step()
    torch.testing.assert_close(task.linear.weight, reference.linear.weight)
    assert history[0]["grad_norm"] == pytest.approx(sum(norms) / 3), "logged as it was before clipping"
    assert min(norms) > 0.5


class Infinite(Regression):
    """A finite loss with an infinite gradient."""

    def forward(self, batch):
        out = super().forward(batch)
        out["loss"].register_hook(lambda gradient: gradient * float("inf"))
        return out


class Scripted(nn.Module):
    """Validation losses as prescribed; training moves one weight. Tells what mode and random numbers it saw."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.register_buffer("ended_epochs", torch.zeros(()))
        self.seen = []

    def forward(self, batch):
        if torch.is_grad_enabled():
            return {"loss": (self.weight * batch["x"]).pow(2).sum()}
        self.seen.append((self.training, torch.rand(()).item()))
        return {"loss": batch["value"]}

    def on_epoch_end(self, train_means):
        self.ended_epochs += 1


class Curve:
    """A validation loader that gives the next value of a curve every time it is asked."""

    def __init__(self, values):
        self.values = iter(values)

    def __len__(self):
        return 1

    def epoch(self, epoch, first_step=0):
        yield {"value": torch.tensor(next(self.values)), "names": ["a", "b"]}


def _fit(tmp_path, curve, **changes):
    config = _config(tmp_path, epochs=len(curve), **changes)
    task, saved = Scripted(), []
    with RunLog("test", config) as log:

        def save(learner):
            saved.append((learner.best.epoch, task.ended_epochs.item()))

        learner = _fit_one(task, Batches([2]), Curve(curve), config, log, on_better=save)
        return task, learner.best, saved, log.history


def test_validation_sees_views_and_the_same_random_numbers_every_time(tmp_path):
    task, _, _, _ = _fit(tmp_path, [3.0, 2.0, 1.0])
    modes, numbers = zip(*task.seen, strict=True)
    assert all(modes), "in evaluation mode two dropout views would be equal"
    assert len(set(numbers)) == 1


def test_only_better_epochs_are_saved_and_with_the_state_that_was_validated(tmp_path):
    _, result, saved, _ = _fit(tmp_path, [3.0, 2.0, 2.5, 1.0])
    assert saved == [(0, 0.0), (1, 1.0), (3, 3.0)]
    assert (result.epoch, result.metrics["loss"]) == (3, 1.0)


def test_a_fold_stops_after_patience_epochs_without_gain(tmp_path):
    _, result, _, history = _fit(tmp_path, [3.0, 2.0, 2.5, 2.5, 1.0, 0.5], patience=2)
    assert len(history) == 4
    assert result.epoch == 1


def test_the_learning_rate_follows_the_validation_loss_below_zero_too(tmp_path):
    _, _, _, history = _fit(tmp_path, [-3.0, -3.0, -2.999, -2.998, -2.9], lr_patience=1)
    assert [record["lr"] for record in history] == [0.05, 0.05, 0.05, 0.025, 0.025]


def test_a_non_finite_gradient_stops_the_run(tmp_path):
    config = _config(tmp_path)
    with RunLog("test", config) as log, pytest.raises(NonFiniteError, match="gradient"):
        _fit_one(Infinite(), Batches([4]), Batches([2]), config, log)


def test_an_epoch_whose_every_step_the_scaler_skips_is_a_failure(tmp_path):
    config = _config(tmp_path)
    with RunLog("test", config) as log, pytest.raises(NonFiniteError, match="no step"):
        _fit_one(Infinite(), Batches([4, 4]), Batches([2]), config, log, torch.amp.GradScaler("cpu"))


def test_steps_that_the_scaler_skips_are_counted_and_its_scale_is_kept(tmp_path):
    """The scale starts so high that gradients overflow, as they do in fp16."""
    config = _config(tmp_path, epochs=1, run_name="run")
    learner = _learner(Regression(), Batches([4] * 5), Batches([2]), config)
    learner.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127, growth_interval=1000)
    with RunLog("test", config) as log:
        Trainer([learner], config, torch.device("cpu"), log).fit(Learner.keep)
    skipped = log.history[0]["skipped_steps"]
    assert 1 <= skipped < 5
    assert f"{skipped} step(s) skipped" in (tmp_path / "logs" / "run" / "train.log").read_text("utf-8")
    steps = [json.loads(line) for line in (tmp_path / "logs" / "run" / "steps.jsonl").read_text("utf-8").splitlines()]
    assert sum(step["grad_norm"] is None for step in steps) == skipped
    other = _learner(Regression(), Batches([4] * 5), Batches([2]), config)
    other.scaler = torch.amp.GradScaler("cpu")
    other.load_state_dict(learner.state_dict())
    assert other.scaler.get_scale() == learner.scaler.get_scale() == 2.0 ** (127 - skipped)


def test_a_non_finite_loss_stops_the_run_and_says_what_is_needed(tmp_path):
    batches = Batches([4, 4])
    batches.batches[1]["x"][2, 0] = float("nan")
    with pytest.raises(NonFiniteError, match="epoch 1, step 2"):
        _train_one_epoch(tmp_path, batches)
    (failure,) = (tmp_path / "logs").glob("*/failure.json")
    content = json.loads(failure.read_text(encoding="utf-8"))
    assert content["drawings"] == batches.batches[1]["names"]
    assert content["numbers"]["loss"] == "nan"
    assert "NonFiniteError" in (failure.parent / "train.log").read_text(encoding="utf-8")


def test_every_training_starts_with_fresh_weights_and_a_fresh_optimizer(tmp_path, monkeypatch):
    starts, optimizers = [], []
    config = _config(tmp_path)

    class Spy(Learner):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            starts.append(self.task.linear.weight.detach().clone())
            optimizers.append(self.optimizer)
            assert self.early_stopping is None or self.early_stopping.best == float("inf")
            assert not self.optimizer.state

    monkeypatch.setattr(cross_validation, "Learner", Spy)
    CrossValidation("test", config, Data(), Regression, lambda config: EarlyStopping(5)).run()
    assert len(starts) == len({id(optimizer) for optimizer in optimizers}) == Data.n_folds + 1
    for number, start in enumerate(starts):
        torch.manual_seed(config.seed + number)
        assert torch.equal(start, Regression().linear.weight), "what an untrained model of that seed has"


def test_the_final_model_meets_the_test_and_the_files_say_so(tmp_path):
    config = _config(tmp_path, run_name="run")
    summary = CrossValidation("test", config, Data(), Regression, lambda config: EarlyStopping(5)).run()
    names = sorted(path.name for path in config.checkpoint_dir.iterdir())
    assert names == ["best_model.pth", "fold_1.pth", "fold_2.pth", "fold_3.pth"]
    values = [fold["val"]["loss"] for fold in summary["folds"]]
    assert summary["best_fold"] == values.index(min(values)) == 1
    assert summary["val"]["loss"]["mean"] == pytest.approx(sum(values) / 3)
    best = torch.load(config.checkpoint_dir / "best_model.pth", weights_only=True)
    assert best["info"]["data"] == Data.facts
    assert best["info"]["fold"] == "final"
    assert best["metrics"]["val"]["loss"] == summary["val"]["loss"]["mean"]
    task = Regression()
    task.load_state_dict(best["model"])
    (batch,) = Data().get_test_loaders().batches
    assert summary["test"]["loss"] == best["metrics"]["test"]["loss"] == pytest.approx(task(batch)["loss"].item())
    folder = config.log_dir / "run"
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["event"] for line in lines] == ["epoch"] * 8 + ["summary"]
    assert [line["fold"] for line in lines[:-1]] == [0, 0, 1, 1, 2, 2, "final", "final"]
    steps = [json.loads(line) for line in (folder / "steps.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(steps) == 3 * 2 * 2 + 2 * 3
    mean = sum(step["loss"] for step in steps[:2]) / 2
    assert mean == pytest.approx(lines[0]["train"]["loss"])
    assert {path.name for path in folder.iterdir()} >= {"train.log", "config.json", "curves.png", "summary.json"}
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_task_is_prepared_before_training_and_settled_on_the_weights_that_are_kept(tmp_path):
    config = _config(tmp_path, epochs=6)
    CrossValidation("test", config, Data(), Regression, lambda config: EarlyStopping(5)).run()
    names = [f"fold_{k}.pth" for k in (1, 2, 3)] + ["best_model.pth"]
    kept = [torch.load(config.checkpoint_dir / name, weights_only=True)["model"] for name in names]
    assert [each["offset"].item() for each in kept] == [0.125, 0.25, 0.375, 1.0], "once, by its own drawings"
    for number, each in enumerate(kept):
        torch.manual_seed(config.seed + number)
        assert not torch.equal(each["linear.weight"], Regression().linear.weight)
        x = torch.cat([batch["x"] for batch in Data().archive(number if number < 3 else None)])
        torch.testing.assert_close(each["settled"], x.sum(dim=0) + each["linear.weight"][0])


def test_the_test_is_measured_as_validation_is_before_the_task_settles(tmp_path):
    class Moving(Regression):
        def settle(self, archive):
            self.offset += 100

    tests = []
    for task in (Regression, Moving):
        config = _config(tmp_path / task.__name__)
        tests.append(CrossValidation("test", config, Data(), task, lambda config: EarlyStopping(5)).run()["test"])
    assert tests[0] == tests[1]


def test_same_seed_same_weights(tmp_path):
    runs = []
    for name in ("a", "b"):
        config = _config(tmp_path / name)
        CrossValidation("test", config, Data(), Regression, lambda config: EarlyStopping(5)).run()
        runs.append(torch.load(config.checkpoint_dir / "best_model.pth", weights_only=True)["model"])
    assert all(torch.equal(runs[0][key], runs[1][key]) for key in runs[0])


def test_the_task_hears_the_training_means(tmp_path):
    task, _, history = _train_one_epoch(tmp_path, Batches([4]))
    assert task.heard == [history[0]["train"]]


def test_a_learner_continued_from_its_state_remembers_the_rates_of_all_epochs(tmp_path):
    """The last epoch is the best, behind rates that fell before and after the state was taken."""
    curve = [3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 1.0]
    config = _config(tmp_path, epochs=len(curve), lr_patience=1, patience=9)
    whole = _learner(Scripted(), Batches([2]), Curve(curve), config)
    first = _learner(Scripted(), Batches([2]), Curve(curve), config)
    with RunLog("test", config) as log:
        Trainer([whole], config, torch.device("cpu"), log).fit(Learner.keep)
        Trainer([first], config, torch.device("cpu"), log).fit(Learner.keep, epochs=4)
        torch.save(first.state_dict(), tmp_path / "state.pth")
        second = _learner(Scripted(), Batches([2]), Curve(curve[4:]), config)
        second.load_state_dict(torch.load(tmp_path / "state.pth", weights_only=True))
        Trainer([second], config, torch.device("cpu"), log).fit(Learner.keep, start=Position(4))
    assert second.best == whole.best
    assert second.best.lr_factors == (1, 1, 1, 0.5, 0.5, 0.25, 0.25)
    assert second.task.ended_epochs == len(curve)
    assert torch.equal(second.best_weights["weight"], whole.best_weights["weight"])


class Counted(Batches):
    """Knows which of its batches were built."""

    def __init__(self, sizes):
        super().__init__(sizes)
        self.built = []

    def epoch(self, epoch, first_step=0):
        for step in range(first_step, len(self)):
            self.built.append((epoch, step))
            yield self.batches[step]


def test_a_fit_that_starts_amid_an_epoch_builds_no_batch_before_it(tmp_path):
    config, batches = _config(tmp_path, epochs=3), Counted([4, 4, 4])
    learner = _learner(Regression(), batches, Batches([2]), config)
    with RunLog("test", config) as log:
        Trainer([learner], config, torch.device("cpu"), log).fit(Learner.keep, start=Position(1, 2))
    assert batches.built == [(1, 2), (2, 0), (2, 1), (2, 2)]
