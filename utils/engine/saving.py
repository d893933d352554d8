"""Saving what an unfinished run needs to go on, and going on from it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from config.errors import UserError
from config.run_config import RunConfig
from utils.distributed.exchange import from_first
from utils.distributed.world import world
from utils.engine.learner import FitResult, Learner, Position
from utils.run_log import RunLog, logger
from utils.run_states import RunStates, require_same_run
from utils.seeding import generator_states, set_generator_states

# behind an epoch a state is saved only if that takes less than a twentieth of the time since the last one
WORTH = 20


class Saving:
    """The states of one run: when to save one, what is in it, where a continued run stands.

    Args:
        fingerprint: of the run's data.

    Attributes:
        resumed: the state that the run goes on from, if it is a continued one.
        results: of the stages (see :class:`utils.engine.plan.Stage`) that are behind.
        candidate: of a run with one fold, the best setting's weights so far.

    Raises:
        UserError: nothing to resume, or not with this config or data; an unfinished run in the way.
    """

    def __init__(self, kind: str, config: RunConfig, fingerprint: str) -> None:
        self.kind = kind
        self.config = config
        self.fingerprint = fingerprint
        self._states = RunStates(config.checkpoint_dir, config.keep_last)
        self.resumed = from_first(self._find)
        self._restored = self.resumed is None
        self.results = [[_result(each) for each in stage] for stage in self.resumed["results"]] if self.resumed else []
        self.candidate: dict[str, Any] | None = self.resumed and self.resumed["candidate"]
        self.position = Position(*self.resumed["position"]) if self.resumed else Position()
        self._seconds_before = self.resumed["seconds"] if self.resumed else 0.0
        self._began = self._last = time.perf_counter()
        self._cost = 0.0

    @property
    def seconds(self) -> float:
        """How long the run has worked, before it was continued too."""
        return self._seconds_before + time.perf_counter() - self._began

    def _find(self) -> dict[str, Any] | None:
        folder = self.config.checkpoint_dir
        if self.config.resume:
            state = self._states.newest()
            require_same_run(state, self.kind, self.config, self.fingerprint)
            self._states.remove_torn()
            return state
        if self._states and not self.config.discard:
            raise UserError(
                f"{folder} holds the states of an unfinished run: continue it with --resume, throw it away with "
                "--discard, or choose another --checkpoint_dir"
            )
        self._states.clear()
        return None

    def restore(self, learners: Sequence[Learner]) -> Position:
        """Put fresh learners where the continued run's stand, if it has not been done; where to go on."""
        if self._restored:
            return Position()
        self._restored = True
        for learner, state in zip(learners, self.resumed.pop("learners"), strict=True):
            learner.load_state_dict(state)
        set_generator_states(self.resumed["generators"])
        place = f"epoch {self.position.epoch + 1}, step {self.position.step + 1}"
        logger.info("continuing %s at %s", " and ".join(dict.fromkeys(each.name for each in learners)), place)
        return self.position

    def offer(self, position: Position, learners: Sequence[Learner], log: RunLog) -> None:
        """Save a state if it is time to. The learners are between two steps, ``position`` is the next. All processes
        of a run stand alike there; the first saves."""
        if not world().is_first:
            return
        waited = time.perf_counter() - self._last
        behind_epoch = position.step == 0 and waited >= WORTH * self._cost
        if waited >= self.config.save_every or behind_epoch:
            self._save(position, learners, log)

    def _save(self, position: Position, learners: Sequence[Learner], log: RunLog) -> None:
        began = time.perf_counter()
        content = {
            "log": log.state(),
            "fingerprint": self.fingerprint,
            "results": [[_plain(each) for each in stage] for stage in self.results],
            "candidate": self.candidate,
            "position": [position.epoch, position.step],
            "learners": [learner.state_dict() for learner in learners],
            "generators": generator_states(),
            "seconds": self.seconds,
        }
        self._states.save(self.kind, self.config, content)
        self._last = time.perf_counter()
        self._cost = self._last - began

    def finish(self) -> None:
        """The run is complete: nothing is left to continue."""
        if world().is_first:
            self._states.clear()

    def consider(self, setting: int, learner: Learner) -> None:
        """Remember the weights of a run with one fold, if they are the best of all settings so far."""
        loss = learner.best.metrics["loss"]
        if loss < (self.candidate["loss"] if self.candidate else math.inf):
            self.candidate = {"setting": setting, "loss": loss, "weights": learner.best_weights}


def _plain(result: FitResult) -> dict[str, Any]:
    return {**asdict(result), "lr_factors": list(result.lr_factors)}


def _result(plain: dict[str, Any]) -> FitResult:
    return FitResult(plain["epoch"], plain["metrics"], tuple(plain["lr_factors"]))
