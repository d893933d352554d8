"""All folds of a run, then the held-out test, once."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from config.run_config import RunConfig, to_dict
from utils.checkpoint import load_checkpoint, save_checkpoint
from utils.distributed.exchange import from_first, on_first
from utils.distributed.world import world
from utils.early_stopping import EarlyStopping
from utils.engine.device import Precision, keep_freed_memory, to_device, training_device
from utils.engine.learner import FitResult, Learner
from utils.engine.trainer import Trainer
from utils.files import require_writable
from utils.follower_log import open_log
from utils.protocol import RunData
from utils.run_log import RunLog, logger
from utils.seeding import seed_everything


@dataclass
class CrossValidation:
    """A run: a fresh task per fold, then the best fold's model meets the held-out drawings once.

    Args:
        kind: name of the task, written into every checkpoint.
        build_task: makes a task with fresh weights.
        build_early_stopping: makes a fresh early stopper.
        together: train all folds side by side in one batched program instead of one after the other; their tasks must
            be stackable (:class:`utils.protocol.StackableTask`).
    """

    kind: str
    config: RunConfig
    data: RunData
    build_task: Callable[[], nn.Module]
    build_early_stopping: Callable[[], EarlyStopping]
    together: bool = False

    def run(self) -> dict[str, Any]:
        """Train and test; writes ``fold_<k>.pth``, ``best_model.pth`` and the run's log folder.

        Returns:
            The summary: every fold, mean and standard deviation over folds, the test.
        """
        device = self._check()
        keep_freed_memory()
        started = time.perf_counter()
        with open_log(self.kind, self.config) as log:
            logger.info("device %s, %d fold(s) of at most %d epochs", device, self.data.n_folds, self.config.epochs)
            self._report_processes()
            self.data.to(device)
            folds = list(range(self.data.n_folds))
            together = self.together and world().size == 1
            if self.together and not together:
                logger.info("one fold after the other: %d processes share each", world().size)
            groups = [folds] if together else [[fold] for fold in folds]
            results = [result for group in groups for result in self._run_folds(group, device, log)]
            best = min(range(len(results)), key=lambda fold: results[fold].metrics["loss"])
            test = self._test(best, device, log)
            summary = {
                "folds": [{"best_epoch": result.epoch, "val": result.metrics} for result in results],
                "val": _mean_and_spread([result.metrics for result in results]),
                "best_fold": best,
                "test": test,
                "seconds": round(time.perf_counter() - started, 1),
            }
            log.summary(summary)
            self._report(summary)
        return summary

    def _check(self) -> torch.device:
        """What cannot work must fail now, not in the night. Raises UserError; returns the device."""
        device = training_device(self.config)
        Precision.choose(self.config.precision, device)
        for fold in range(self.data.n_folds):
            self.data.get_fold_loaders(fold)
        self.data.get_test_loaders()
        for option in ("checkpoint_dir", "log_dir"):
            require_writable(getattr(self.config, option), f"--{option}")
        return device

    def _report_processes(self) -> None:
        size = world().size
        if size == 1:
            return
        logger.info("%d processes share every step", size)
        most = min(self.data.get_fold_loaders(fold)[0].most_processes for fold in range(self.data.n_folds))
        if most < size:
            logger.warning(
                "a step has something to do for %d of the %d processes: use %d, a larger batch size, or more drawings",
                *(most, size, most),
            )

    def _run_folds(self, folds: Sequence[int], device: torch.device, log: RunLog) -> list[FitResult]:
        learners = [self._learner(fold, device) for fold in folds]

        def save(learner: Learner) -> None:
            epoch, metrics = learner.best.epoch, {"val": learner.best.metrics}
            self._save(self._fold_path(learner.fold), learner.task, learner.fold, epoch, metrics, log)

        Trainer(learners, self.config, device, log).fit(on_better=save)
        log.draw_curves()
        for fold, best in ((learner.fold, learner.best) for learner in learners):
            logger.info("fold %d: best loss %.4f in epoch %d", fold + 1, best.metrics["loss"], best.epoch + 1)
        return [learner.best for learner in learners]

    def _test(self, fold: int, device: torch.device, log: RunLog) -> dict[str, float]:
        learner = self._learner(fold, device)
        checkpoint = from_first(lambda: load_checkpoint(self._fold_path(fold)))  # its disk may be another machine's
        learner.task.load_state_dict(checkpoint.model)
        archive = (to_device(batch, device) for batch in self.data.archive(fold))
        on_first(lambda: learner.task.settle(archive))
        (test,) = Trainer([learner], self.config, device, log).evaluate([self.data.get_test_loaders()], "test")
        metrics, epoch = {**checkpoint.metrics, "test": test}, checkpoint.info["epoch"]
        self._save(self.config.checkpoint_dir / "best_model.pth", learner.task, fold, epoch, metrics, log)
        return test

    def _learner(self, fold: int, device: torch.device) -> Learner:
        """New weights, a new optimizer, a new early stopper: nothing learned in one fold reaches another."""
        seed_everything(self.config.seed + fold)
        task = self.build_task().to(device)
        on_first(lambda: self.data.prepare(task, fold))
        train, val = self.data.get_fold_loaders(fold)
        precision = Precision.choose(self.config.precision, device)
        return Learner(fold, task, train, val, self.build_early_stopping(), self.config, precision)

    def _fold_path(self, fold: int) -> Path:
        return self.config.checkpoint_dir / f"fold_{fold + 1}.pth"

    def _save(self, path: Path, task: nn.Module, fold: int, epoch: int, metrics: dict[str, Any], log: RunLog) -> None:
        save_checkpoint(
            path,
            kind=self.kind,
            config=to_dict(self.config),
            model=task.state_dict(),
            metrics=metrics,
            info={"fold": fold, "epoch": epoch, "run": log.folder.name, "data": self.data.facts},
        )

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
        logger.info("best model: %s (%.0f s)", self.config.checkpoint_dir / "best_model.pth", summary["seconds"])


def _mean_and_spread(records: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Mean and standard deviation over folds (0 for a single fold) of every number."""
    return {
        name: {
            "mean": statistics.fmean(record[name] for record in records),
            "std": statistics.stdev(record[name] for record in records) if len(records) > 1 else 0.0,
        }
        for name in records[0]
    }
