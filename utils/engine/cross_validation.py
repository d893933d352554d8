"""A run: folds choose the setting and the number of epochs, one final training ships, the held-out test judges once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from config.run_config import RunConfig, to_dict
from utils.checkpoint import environment, no_room_explained, save_checkpoint
from utils.distributed.exchange import on_first
from utils.distributed.world import world
from utils.early_stopping import EarlyStopping
from utils.engine.choice import Outcome, as_records, best_of
from utils.engine.device import (
    Precision,
    describe_device,
    keep_freed_memory,
    peak_memory_mb,
    to_device,
    training_device,
)
from utils.engine.learner import FitResult, Learner, Position
from utils.engine.optimizer import require_optimizer
from utils.engine.plan import Estimate, Stage, in_words
from utils.engine.saving import Saving
from utils.engine.trainer import Trainer
from utils.files import require_writable
from utils.folder_lock import alone_in
from utils.follower_log import open_log
from utils.grid import Setting, settings_of
from utils.protocol import Loader, RunData
from utils.run_log import RunLog, logger
from utils.seeding import seed_everything
from utils.summary import settings_table


@dataclass
class CrossValidation:
    """What a run is made of.

    With several folds, every setting of the grid trains a fresh task per fold; the setting with the lowest mean
    validation loss then trains one more task on all but the test drawings, for the median of its folds' best epochs
    and along the same learning rates. With one fold, the best epoch of its one training ships.

    Args:
        kind: name of the task, written into every checkpoint.
        build_task: makes a task with fresh weights from a config.
        build_early_stopping: makes a fresh early stopper from a config.
        together: train all folds of a setting side by side instead of one after the other, see
            :mod:`utils.engine.program`; their tasks must be stackable (:class:`utils.protocol.StackableTask`).
    """

    kind: str
    config: RunConfig
    data: RunData
    build_task: Callable[[Any], nn.Module]
    build_early_stopping: Callable[[Any], EarlyStopping]
    together: bool = False

    def run(self) -> dict[str, Any]:
        """Train and test; writes ``fold_<k>.pth``, ``best_model.pth`` and the run's log folder.

        Returns:
            The summary: every fold, mean and standard deviation over folds, the test.

        Raises:
            UserError: something that cannot work, an unfinished or a running run in the way, a full disk.
            NonFiniteError: a loss or gradient is not finite.
        """
        settings = settings_of(self.config)
        device = self._check(settings)
        keep_freed_memory()
        with (
            no_room_explained(self.config.log_dir),
            alone_in(self.config.checkpoint_dir, "choose another --checkpoint_dir"),
        ):
            saving = Saving(self.kind, self.config, self.data.fingerprint)
            with open_log(self.kind, self.config, saving.resumed and saving.resumed["log"]) as log:
                self.data.to(device)
                return _Run(self, settings, device, saving, log).run()

    def data_of(self, setting: Setting) -> RunData:
        return self.data if setting.config is self.config else self.data.with_options(setting.config)

    def _check(self, settings: Sequence[Setting]) -> torch.device:
        """What cannot work must fail now, not in the night. Raises UserError; returns the device."""
        device = training_device(self.config)
        for setting in settings:
            Precision.choose(setting.config.precision, device)
            require_optimizer(setting.config)
            data = self.data_of(setting)
            for fold in range(data.n_folds):
                data.get_fold_loaders(fold)
            data.get_final_loader()
            data.get_test_loaders()
        for option in ("checkpoint_dir", "log_dir"):
            require_writable(getattr(self.config, option), f"--{option}")
        return device


class _Run:
    """One run of a :class:`CrossValidation`, from its plan to its summary."""

    def __init__(
        self, owner: CrossValidation, settings: Sequence[Setting], device: torch.device, saving: Saving, log: RunLog
    ) -> None:
        self.owner = owner
        self.config = owner.config
        self.settings = settings
        self.device = device
        self.saving = saving
        self.log = log
        self.n_folds = owner.data.n_folds
        self.data = [owner.data_of(setting) for setting in settings]
        choosing, final = self._stages()
        self.choosing = choosing
        self.stages = [*choosing, *final]
        self.estimate: Estimate | None = None

    def run(self) -> dict[str, Any]:
        logger.info("device %s; %s", self.device, in_words(self.stages, len(self.settings), self.n_folds))
        self._report_processes()
        for stage in self.choosing[len(self.saving.results) :]:
            self.saving.results.append(self._fit_folds(stage))
        outcomes = self._outcomes()
        chosen = best_of(outcomes)
        if len(outcomes) > 1:
            table = settings_table(as_records(outcomes, chosen))
            logger.info("settings by mean validation loss over %d fold(s):\n%s", self.n_folds, table)
        ship = self._ship_final if self.n_folds > 1 else self._ship_fold
        summary = self._summary(outcomes, chosen, test=ship(chosen, outcomes[chosen]))
        self.log.summary(summary)
        self._report(summary)
        self.saving.finish()
        return summary

    def _report_processes(self) -> None:
        size = world().size
        if size == 1:
            return
        logger.info("%d processes share every step", size)
        if self.owner.together:
            logger.info("one fold after the other: the processes share each")
        trained = [self._loaders(stage.setting, fold)[0] for stage in self.stages for fold in stage.folds]
        most = min(loader.most_processes for loader in trained)
        if most < size:
            logger.warning(
                "a step has something to do for %d of the %d processes: use %d, a larger batch size, or more drawings",
                *(most, size, most),
            )

    def _stages(self) -> tuple[list[Stage], list[Stage]]:
        """The folds of every setting; the final training, of the setting that would take longest."""
        folds: list[int | None] = list(range(self.n_folds))
        groups = [folds] if self.owner.together and world().size == 1 else [[fold] for fold in folds]
        numbers = range(len(self.settings))
        choosing = [self._stage(number, group) for number in numbers for group in groups]
        finals = [self._stage(number, [None]) for number in numbers] if self.n_folds > 1 else []
        return choosing, sorted(finals, key=lambda stage: -stage.epochs * stage.steps)[:1]

    def _stage(self, setting: int, folds: Sequence[int | None]) -> Stage:
        steps = max(len(self._loaders(setting, fold)[0]) for fold in folds)
        return Stage(setting, tuple(folds), self.settings[setting].config.epochs, steps)

    def _fit_folds(self, stage: Stage) -> list[FitResult]:
        learners = [self._learner(stage.setting, fold) for fold in stage.folds]
        self._fit(stage.setting, learners, stage.epochs)
        self.log.draw_curves()
        for learner in learners:
            best = learner.best
            logger.info("%s: best loss %.4f in epoch %d", learner.name, best.metrics["loss"], best.epoch + 1)
            if self.n_folds == 1:
                self.saving.consider(stage.setting, learner)
            learner.task.load_state_dict(learner.best_weights)
            self._settle_and_save(self._fold_path(stage.setting, learner.fold), stage.setting, learner, learner.fold)
        return [learner.best for learner in learners]

    def _fit(self, setting: int, learners: Sequence[Learner], epochs: int) -> None:
        """Train to the end, from where a continued run stands."""
        start = self.saving.restore(learners)
        learning = [learner for learner in learners if not learner.stopped]
        if not learning:
            return
        if self.estimate is None:
            self.estimate = Estimate(self.stages[len(self.saving.results) :], start)

        def on_position(position: Position) -> None:
            estimate = self.estimate.after(position)
            if estimate:
                logger.info(estimate)
            self.saving.offer(position, learners, self.log)

        trainer = Trainer(learning, self.settings[setting].config, self.device, self.log)
        trainer.fit(Learner.keep, epochs, start, on_position)

    def _outcomes(self) -> list[Outcome]:
        found = list(zip(self.choosing, self.saving.results, strict=True))
        return [
            Outcome(setting.name, [fold for stage, folds in found if stage.setting == i for fold in folds])
            for i, setting in enumerate(self.settings)
        ]

    def _ship_final(self, setting: int, outcome: Outcome) -> dict[str, float]:
        """Train on all but the test drawings, along the typical fold's learning rates; then the test, once."""
        learner = self._learner(setting, None, outcome.typical.lr_factors)
        epochs = outcome.final_epochs
        logger.info("final training: %d epoch(s), the folds' median best, on all but the test drawings", epochs)
        self._fit(setting, [learner], epochs)
        self.log.draw_curves()
        learner.best = FitResult(epochs - 1, {name: value["mean"] for name, value in outcome.val.items()})
        return self._ship(setting, learner, None)

    def _ship_fold(self, setting: int, outcome: Outcome) -> dict[str, float]:
        """The only fold's best epoch meets the test, once."""
        learner = self._learner(setting, 0)
        learner.task.load_state_dict(self.saving.candidate["weights"])
        learner.best = outcome.folds[0]
        return self._ship(setting, learner, 0)

    def _ship(self, setting: int, learner: Learner, fold: int | None) -> dict[str, float]:
        """Test first: settling moves the origins that the joint loss is measured from."""
        trainer = Trainer([learner], self.settings[setting].config, self.device, self.log)
        (test,) = trainer.evaluate([self.data[setting].get_test_loaders()], "test")
        self._settle_and_save(self._model_path, setting, learner, fold, {"test": test})
        return test

    def _settle_and_save(
        self, path: Path, setting: int, learner: Learner, fold: int | None, more: Mapping[str, Any] | None = None
    ) -> None:
        archive = (to_device(batch, self.device) for batch in self.data[setting].archive(fold))
        on_first(lambda: learner.task.settle(archive))
        save_checkpoint(
            path,
            kind=self.owner.kind,
            config=to_dict(self.settings[setting].config),
            # clones: a task of a stack holds slices, and with a slice the whole tensor would be saved
            model={name: value.detach().cpu().clone() for name, value in learner.task.state_dict().items()},
            metrics={"val": learner.best.metrics, **(more or {})},
            info={
                "fold": "final" if fold is None else fold,
                "epoch": learner.best.epoch,
                "run": self.log.folder.name,
                "data": self.data[setting].facts,
            },
        )

    def _learner(self, setting: int, fold: int | None, lr_factors: Sequence[float] | None = None) -> Learner:
        """New weights, a new optimizer, a new early stopper: nothing learned in one training reaches another."""
        config, data = self.settings[setting].config, self.data[setting]
        number = self.n_folds if fold is None else fold
        name = "final training" if fold is None else f"fold {fold + 1}"
        several = len(self.settings) > 1
        seed_everything(config.seed + number)
        task = self.owner.build_task(config).to(self.device)
        on_first(lambda: data.prepare(task, fold))
        train, val = self._loaders(setting, fold)
        return Learner(
            number,
            task,
            train,
            val,
            self.owner.build_early_stopping(config) if fold is not None else None,
            config,
            Precision.choose(config.precision, self.device),
            name=f"setting {setting + 1}, {name}" if several and fold is not None else name,
            label={**({"setting": setting} if several else {}), "fold": "final" if fold is None else fold},
            lr_factors=lr_factors,
        )

    def _loaders(self, setting: int, fold: int | None) -> tuple[Loader, Loader | None]:
        data = self.data[setting]
        return (data.get_final_loader(), None) if fold is None else data.get_fold_loaders(fold)

    def _fold_path(self, setting: int, fold: int) -> Path:
        prefix = f"setting_{setting + 1}_" if len(self.settings) > 1 else ""
        return self.config.checkpoint_dir / f"{prefix}fold_{fold + 1}.pth"

    @property
    def _model_path(self) -> Path:
        return self.config.checkpoint_dir / "best_model.pth"

    def _summary(self, outcomes: Sequence[Outcome], chosen: int, test: dict[str, float]) -> dict[str, Any]:
        outcome = outcomes[chosen]
        losses = [fold.metrics["loss"] for fold in outcome.folds]
        return {
            **({"settings": as_records(outcomes, chosen)} if len(outcomes) > 1 else {}),
            "folds": [{"best_epoch": fold.epoch, "val": fold.metrics} for fold in outcome.folds],
            "val": outcome.val,
            "best_fold": losses.index(min(losses)),
            "final": {"epochs": outcome.final_epochs} if self.n_folds > 1 else None,
            "test": test,
            "model": str(self._model_path),
            "skipped_steps": sum(record["skipped_steps"] for record in self.log.history),
            "seconds": round(self.saving.seconds, 1),
            "cost": {"device": describe_device(self.device), "peak_memory_mb": peak_memory_mb(self.device)},
            "environment": environment(),
        }

    def _report(self, summary: dict[str, Any]) -> None:
        for name, number in summary["val"].items():
            logger.info(
                "%-16s validation %.4f ± %.4f over %d fold(s), test %.4f",
                name,
                number["mean"],
                number["std"],
                len(summary["folds"]),
                summary["test"][name],
            )
        logger.info("best model: %s (%.0f s)", self._model_path, summary["seconds"])
