"""Fit folds: epochs, accumulation, mixed precision, clipping, validation, early stopping.

The loop trains any number of folds side by side; one fold is a special case of many.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from config.run_config import RunConfig
from utils.distributed.exchange import from_all
from utils.engine.device import Precision, to_device
from utils.engine.learner import Learner, Position
from utils.engine.means import Means
from utils.engine.program import make_program
from utils.progress import progress
from utils.protocol import Batch, Loader
from utils.run_log import RunLog, logger
from utils.seeding import derived_seed, seeded

TRAINING, VALIDATION = 0, 1  # what a step draws random numbers for


class NonFiniteError(RuntimeError):
    """A loss or gradient is NaN or infinite: going on would ruin the weights."""


class Trainer:
    """Trains learners, each as if it were alone.

    The random numbers of a step follow from the run's seed, the fold, the epoch and the step: it makes no difference
    what ran before or runs beside it.

    Args:
        learners: fresh ones, their tasks on ``device``. The tasks of several must be stackable, see
            :class:`utils.protocol.StackableTask`.
    """

    def __init__(self, learners: Sequence[Learner], config: RunConfig, device: torch.device, log: RunLog) -> None:
        self.config = config
        self.device = device
        self.log = log
        self.precision = Precision.choose(config.precision, device)
        self._go_on_with(learners)

    def fit(
        self,
        on_better: Callable[[Learner], None],
        epochs: int | None = None,
        start: Position = Position(),  # noqa: B008 - frozen
        on_position: Callable[[Position], None] = lambda position: None,
    ) -> None:
        """Run epochs until the last or until every learner has stopped early; ``best`` of each then says how it went.

        Args:
            on_better: called whenever an epoch is a learner's best so far, while its task holds that epoch's weights:
                the moment to keep them. Afterwards the tasks hold their last weights.
            epochs: the config's if left out.
            start: where learners that have been trained before go on.
            on_position: called behind optimizer steps and epochs, when all that a continued run needs is in the
                learners, with the place to go on from.

        Raises:
            NonFiniteError: a loss or gradient is not finite.
        """
        last = self.config.epochs if epochs is None else epochs
        bar = progress(range(start.epoch, last), _names(self.learners), unit="epoch", initial=start.epoch, total=last)
        for epoch in bar:
            first_step = start.step if epoch == start.epoch else 0
            for learner, record in zip(self.learners, self._run_epoch(epoch, first_step, on_position), strict=True):
                self._end_epoch(learner, record, on_better)
            learning = [learner for learner in self.learners if not learner.stopped]
            on_position(Position(epoch + 1))
            if not learning:
                break
            if len(learning) < len(self.learners):
                self._go_on_with(learning)
        bar.close()

    def evaluate(self, loaders: Sequence[Loader], desc: str = "validation") -> list[dict[str, float]]:
        """For each learner the mean of every number its task reports on its loader, over drawings.

        The tasks stay in training mode under fixed seeds: views are drawn and dropout is on, as in training, but the
        same way every time. In evaluation mode dropout views would be equal and the loss would say nothing. Several
        processes deal the steps out among themselves, whole: each is computed as one process alone computes it.
        """
        found: list[tuple[int, int, dict[str, float], list[str]]] = []
        with torch.no_grad(), seeded(self.config.seed, self.device):
            for step, batches in enumerate(_side_by_side(loaders, 0, desc)):
                if not _present(batches):  # another process does it
                    continue
                seed = derived_seed(self.config.seed, VALIDATION, step)
                out = self._run(batches, [seed] * len(batches))
                numbers, _ = _transfer(out, {})
                found += [(step, i, numbers[i], list(batches[i]["names"])) for i in _present(batches)]
        means = [Means() for _ in self.learners]
        for _, i, numbers_of_one, names in sorted(from_all(found), key=lambda item: item[:2]):
            self._require_finite(self.learners[i], numbers_of_one, names, desc)
            means[i].add(numbers_of_one, len(names))
        return [mean.result() for mean in means]

    def _go_on_with(self, learners: Sequence[Learner]) -> None:
        self.learners = list(learners)
        self.program = make_program([learner.task for learner in learners], self.precision)

    def _run_epoch(self, epoch: int, first_step: int, on_position: Callable[[Position], None]) -> list[dict[str, Any]]:
        start = time.perf_counter()
        with self.program.at_work():
            trained = self._train_epoch(epoch, first_step, on_position)
            validated = self._validate()
        seconds = round(time.perf_counter() - start, 3)
        return [
            {**learner.label, "epoch": epoch, **train, **val, "lr": learner.lr, "seconds": seconds}
            for learner, train, val in zip(self.learners, trained, validated, strict=True)
        ]

    def _validate(self) -> list[dict[str, Any]]:
        loaders = [learner.val for learner in self.learners if learner.val is not None]
        if not loaders:  # the final training: nothing is left to validate on
            return [{} for _ in self.learners]
        return [{"val": val} for val in self.evaluate(loaders)]

    def _train_epoch(
        self, epoch: int, first_step: int, on_position: Callable[[Position], None]
    ) -> list[dict[str, Any]]:
        """One pass; for each learner the means of its numbers, and what became of its optimizer steps.

        Their running means are the learners', so that an epoch can be continued behind any optimizer step.
        """
        if first_step == 0:
            for learner in self.learners:
                learner.start_epoch()
        bar = _side_by_side([learner.train for learner in self.learners], epoch, f"epoch {epoch + 1}", first_step)
        for step, batches in enumerate(bar, first_step):
            for learner in self.learners:
                learner.start_step(epoch, step)
            where = f"epoch {epoch + 1}, step {step + 1}"
            seeds = [derived_seed(self.config.seed, TRAINING, it.fold, epoch, step) for it in self.learners]
            present = _present(batches)
            due = [i for i in present if self.learners[i].ends_group(step)]
            with self.program.accumulating(not due):
                out = self._run(batches, seeds, self._weights(present, step))
            norms = self.program.each(Learner.clip, [self.learners[i] for i in due])
            numbers, clipped = _transfer(out, dict(zip(due, norms, strict=True)))
            for i in present:
                self._require_finite(self.learners[i], numbers[i], batches[i]["names"], where)
                self.learners[i].means.add(numbers[i], len(batches[i]["names"]))
            for i in due:
                self._require_finite_gradient(self.learners[i], clipped[i], batches[i]["names"], where)
                self.learners[i].norms.append(clipped[i])
            self.program.each(self._optimizer_step, due)
            for i in present:
                self._log_step(self.learners[i], epoch, step, numbers[i], clipped.get(i))
            bar.set_postfix(loss=f"{numbers[present[0]]['loss']:.4f}", refresh=False)
            if (step + 1) % self.config.accumulation_steps == 0:  # then no learner has half a gradient
                on_position(Position(epoch, step + 1))
        return [
            {"train": learner.means.result(), **self._steps_taken(learner, epoch, learner.norms)}
            for learner in self.learners
        ]

    def _log_step(
        self, learner: Learner, epoch: int, step: int, numbers: Mapping[str, float], norm: float | None
    ) -> None:
        """``grad_norm`` is null where the optimizer did not step: amid a group, or skipped by the gradient scaler."""
        record = {**learner.label, "epoch": epoch, "step": step, **numbers, "lr": learner.lr}
        self.log.step({**record, "grad_norm": norm if norm is not None and math.isfinite(norm) else None})

    def _run(
        self, batches: Sequence[Batch | None], seeds: Sequence[int], weights: Tensor | None = None
    ) -> dict[str, Tensor]:
        self.program.train()
        return self.program([to_device(batch, self.device) for batch in batches], seeds, weights)

    def _weights(self, present: Sequence[int], step: int) -> Tensor:
        """What each loss counts for in the gradient: its share of an optimizer step, by the gradient scaler's scale."""
        weights = torch.zeros(len(self.learners), device=self.device)
        for i in present:
            share = torch.full((), 1 / self.learners[i].divisor(step), device=self.device)
            weights[i] = self.learners[i].scaler.scale(share)
        return weights

    def _require_finite_gradient(self, learner: Learner, norm: float, names: Sequence[str], where: str) -> None:
        if not learner.scaler.is_enabled():  # a scaler skips such a step by itself and lowers its scale
            self._require_finite(learner, {"gradient norm": norm}, names, where)

    def _optimizer_step(self, position: int) -> None:
        self.learners[position].step()
        self.program.zero_grad(position)

    def _steps_taken(self, learner: Learner, epoch: int, norms: list[float]) -> dict[str, Any]:
        """Mean gradient norm, and the steps skipped by the gradient scaler, which then lowers its scale."""
        finite = [norm for norm in norms if math.isfinite(norm)]
        if not finite:  # a step is skipped now and then, but an epoch without any has learned nothing
            raise NonFiniteError(
                f"{learner.name}, epoch {epoch + 1}: no step had a finite gradient, nothing was learned; "
                "try --precision bf16 or fp32, or a lower --lr"
            )
        return {"grad_norm": sum(finite) / len(finite), "skipped_steps": len(norms) - len(finite)}

    def _end_epoch(self, learner: Learner, record: dict[str, Any], on_better: Callable[[Learner], None]) -> None:
        self.log.epoch(record)
        logger.info("%s, epoch %d: %s", learner.name, record["epoch"] + 1, _in_words(record))
        if learner.judge(record["epoch"], record.get("val", {})):
            on_better(learner)
        learner.task.on_epoch_end(record["train"])  # after saving: a checkpoint holds the weights that were validated
        if learner.stopped:
            logger.info("%s: no gain for %d epochs, stopped", learner.name, learner.early_stopping.patience)

    def _require_finite(self, learner: Learner, numbers: dict[str, float], names: Sequence[str], where: str) -> None:
        bad = [name for name, value in numbers.items() if not math.isfinite(value)]
        if not bad:
            return
        path = self.log.failure(
            {
                **learner.label,
                "where": where,
                "numbers": {name: str(value) for name, value in numbers.items()},
                "drawings": list(names),
                "parameter_norms": {name: str(value) for name, value in learner.parameter_norms().items()},
            }
        )
        raise NonFiniteError(
            f"{learner.name}, {where}: {', '.join(bad)} not finite; the batch's drawings and the norms of all "
            f"parameters are in {path}. Try a lower --lr, --precision fp32, or look at the drawings named there."
        )


def _names(learners: Sequence[Learner]) -> str:
    return learners[0].name if len(learners) == 1 else f"{learners[0].name} to {learners[-1].fold + 1}"


def _in_words(record: Mapping[str, Any]) -> str:
    numbers = [f"train {record['train']['loss']:.4f}"]
    if "val" in record:
        numbers.append(f"validation {record['val']['loss']:.4f}")
    numbers.append(f"gradient norm {record['grad_norm']:.3g}")
    if record["skipped_steps"]:
        numbers.append(f"{record['skipped_steps']} step(s) skipped")
    return ", ".join([*numbers, f"{record['seconds']:.1f} s"])


def _side_by_side(loaders: Sequence[Loader], epoch: int, desc: str, first_step: int = 0) -> tqdm:
    """Under a progress bar the steps of an epoch: a batch of each loader, ``None`` behind its last."""
    steps = zip_longest(*(loader.epoch(epoch, first_step) for loader in loaders))
    total = max(map(len, loaders))
    return progress(steps, desc, total=total, initial=first_step, leave=False)


def _present(batches: Sequence[Batch | None]) -> list[int]:
    return [i for i, batch in enumerate(batches) if batch is not None]


def _transfer(
    out: Mapping[str, Tensor], norms: Mapping[int, Tensor]
) -> tuple[list[dict[str, float]], dict[int, float]]:
    """All numbers of a step, and the gradient norms, in one transfer from the device: it waits for all work there.

    Shape: every value of ``out`` ``[F]``, every norm ``[]`` -> a dict of numbers for each of the F tasks, the norms.
    """
    numbers = torch.stack([value.detach().float() for value in out.values()], dim=1)  # [F, names]
    flat = torch.cat([numbers.flatten(), *(norm.float().reshape(1) for norm in norms.values())]).tolist()
    rows = [flat[i : i + len(out)] for i in range(0, numbers.numel(), len(out))]
    return (
        [dict(zip(out, row, strict=True)) for row in rows],
        dict(zip(norms, flat[numbers.numel() :], strict=True)),
    )
