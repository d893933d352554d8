"""Fit folds: epochs, accumulation, mixed precision, clipping, validation, early stopping.

The loop trains any number of folds side by side; one fold is a special case of many.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from config.run_config import RunConfig
from utils.distributed.exchange import from_all
from utils.engine.device import Precision, to_device
from utils.engine.learner import Learner
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

    def fit(self, on_better: Callable[[Learner], None]) -> None:
        """Run epochs until the last or until every learner has stopped early; ``best`` of each then says how it went.

        ``on_better`` is called whenever an epoch is a learner's best so far, while its task holds that epoch's weights:
        the moment to save them. Afterwards the tasks hold their last weights.

        Raises:
            NonFiniteError: a loss or gradient is not finite.
        """
        epochs = progress(range(self.config.epochs), _folds(self.learners), unit="epoch")
        for epoch in epochs:
            for learner, record in zip(self.learners, self._run_epoch(epoch), strict=True):
                self._end_epoch(learner, record, on_better)
            learning = [learner for learner in self.learners if not learner.stopped]
            if not learning:
                break
            if len(learning) < len(self.learners):
                self._go_on_with(learning)
        epochs.close()

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
                out = self._forward(batches, [seed] * len(batches))
                numbers, _ = _transfer(out, {})
                found += [(step, i, numbers[i], list(batches[i]["names"])) for i in _present(batches)]
        means = [_Means() for _ in self.learners]
        for _, i, numbers_of_one, names in sorted(from_all(found), key=lambda item: item[:2]):
            self._require_finite(self.learners[i], numbers_of_one, names, desc)
            means[i].add(numbers_of_one, len(names))
        return [mean.result() for mean in means]

    def _go_on_with(self, learners: Sequence[Learner]) -> None:
        self.learners = list(learners)
        self.program = make_program([learner.task for learner in learners])

    def _run_epoch(self, epoch: int) -> list[dict[str, Any]]:
        start = time.perf_counter()
        trained = self._train_epoch(epoch)
        validated = self.evaluate([learner.val for learner in self.learners])
        seconds = round(time.perf_counter() - start, 3)
        return [
            {"fold": learner.fold, "epoch": epoch, **train, "val": val, "lr": learner.lr, "seconds": seconds}
            for learner, train, val in zip(self.learners, trained, validated, strict=True)
        ]

    def _train_epoch(self, epoch: int) -> list[dict[str, Any]]:
        """One pass; for each learner the means of its numbers, and what became of its optimizer steps."""
        means = [_Means() for _ in self.learners]
        norms: list[list[float]] = [[] for _ in self.learners]
        bar = _side_by_side([learner.train for learner in self.learners], epoch, f"epoch {epoch + 1}")
        for step, batches in enumerate(bar):
            where = f"epoch {epoch + 1}, step {step + 1}"
            seeds = [derived_seed(self.config.seed, TRAINING, it.fold, epoch, step) for it in self.learners]
            present = _present(batches)
            due = [i for i in present if self.learners[i].ends_group(step)]
            with self.program.accumulating(not due):
                out = self._forward(batches, seeds)
                self._backward(out["loss"], present, step)
            numbers, clipped = _transfer(out, {i: self.learners[i].clip() for i in due})
            for i in present:
                self._require_finite(self.learners[i], numbers[i], batches[i]["names"], where)
                means[i].add(numbers[i], len(batches[i]["names"]))
            for i in due:
                self._optimizer_step(i, clipped[i], batches[i]["names"], where)
                norms[i].append(clipped[i])
            bar.set_postfix(loss=f"{numbers[present[0]]['loss']:.4f}", refresh=False)
        return [
            {"train": mean.result(), **self._steps_taken(learner, epoch, norm)}
            for learner, mean, norm in zip(self.learners, means, norms, strict=True)
        ]

    def _forward(self, batches: Sequence[Batch | None], seeds: Sequence[int]) -> dict[str, Tensor]:
        self.program.train()
        with self.precision.autocast():
            return self.program([to_device(batch, self.device) for batch in batches], seeds)

    def _backward(self, losses: Tensor, present: Sequence[int], step: int) -> None:
        """Only what is backpropagated is divided; the learners share no parameter, so their losses can be summed."""
        shares = [(self.learners[i], losses[i]) for i in present]
        scaled = [learner.scaler.scale(loss / learner.divisor(step)) for learner, loss in shares]
        torch.stack(scaled).sum().backward()

    def _optimizer_step(self, position: int, norm: float, names: Sequence[str], where: str) -> None:
        learner = self.learners[position]
        if not learner.scaler.is_enabled():  # a scaler skips such a step by itself and lowers its scale
            self._require_finite(learner, {"gradient norm": norm}, names, where)
        learner.step()
        self.program.zero_grad(position)

    def _steps_taken(self, learner: Learner, epoch: int, norms: list[float]) -> dict[str, Any]:
        """Mean gradient norm, and the steps skipped by the gradient scaler, which then lowers its scale."""
        finite = [norm for norm in norms if math.isfinite(norm)]
        if not finite:  # a step is skipped now and then, but an epoch without any has learned nothing
            raise NonFiniteError(
                f"fold {learner.fold + 1}, epoch {epoch + 1}: no step had a finite gradient, nothing was learned; "
                "try --precision bf16 or fp32, or a lower --lr"
            )
        return {"grad_norm": sum(finite) / len(finite), "skipped_steps": len(norms) - len(finite)}

    def _end_epoch(self, learner: Learner, record: dict[str, Any], on_better: Callable[[Learner], None]) -> None:
        self.log.epoch(record)
        logger.info(
            "fold %d, epoch %d: train %.4f, validation %.4f, gradient norm %.3g, %.1f s",
            learner.fold + 1,
            record["epoch"] + 1,
            record["train"]["loss"],
            record["val"]["loss"],
            record["grad_norm"],
            record["seconds"],
        )
        if learner.judge(record["epoch"], record["val"]):
            on_better(learner)
        learner.task.on_epoch_end(record["train"])  # after saving: a checkpoint holds the weights that were validated
        if learner.stopped:
            logger.info("fold %d: no gain for %d epochs, stopped", learner.fold + 1, learner.early_stopping.patience)

    def _require_finite(self, learner: Learner, numbers: dict[str, float], names: Sequence[str], where: str) -> None:
        bad = [name for name, value in numbers.items() if not math.isfinite(value)]
        if not bad:
            return
        path = self.log.failure(
            {
                "fold": learner.fold,
                "where": where,
                "numbers": {name: str(value) for name, value in numbers.items()},
                "drawings": list(names),
                "parameter_norms": {name: str(value) for name, value in learner.parameter_norms().items()},
            }
        )
        raise NonFiniteError(
            f"fold {learner.fold + 1}, {where}: {', '.join(bad)} not finite; the batch's drawings and the norms of all "
            f"parameters are in {path}. Try a lower --lr, --precision fp32, or look at the drawings named there."
        )


class _Means:
    """Running means weighted by the number of drawings."""

    def __init__(self) -> None:
        self.sums: dict[str, float] = defaultdict(float)
        self.weight = 0

    def add(self, numbers: dict[str, float], weight: int) -> None:
        for name, value in numbers.items():
            self.sums[name] += value * weight
        self.weight += weight

    def result(self) -> dict[str, float]:
        return {name: value / self.weight for name, value in self.sums.items()}


def _folds(learners: Sequence[Learner]) -> str:
    numbers = [learner.fold + 1 for learner in learners]
    return f"fold {numbers[0]}" if len(numbers) == 1 else f"folds {numbers[0]} to {numbers[-1]}"


def _side_by_side(loaders: Sequence[Loader], epoch: int, desc: str) -> tqdm:
    """Under a progress bar the steps of an epoch: a batch of each loader, ``None`` behind its last."""
    steps = zip_longest(*(loader.epoch(epoch) for loader in loaders))
    return progress(steps, desc, total=max(map(len, loaders)), leave=False)


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
