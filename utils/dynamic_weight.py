"""How much each task's loss counts: four weightings behind one interface.

``weighting(losses, parameters)`` returns the total to backpropagate and the weights that made it. Whatever a weighting
learns is in its ``state_dict``. Without gradients (validation, test) the weights stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from config.joint_config import JointConfig
from utils.distributed.exchange import mean

Losses = Mapping[str, Tensor]


class Weighting(nn.Module):
    """What the four have in common.

    Args:
        names: the tasks, in the order of every state kept here.
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = tuple(names)

    def forward(self, losses: Losses, parameters: Sequence[nn.Parameter]) -> tuple[Tensor, dict[str, Tensor]]:
        """Combine the tasks' losses.

        Args:
            losses: a scalar for each name.
            parameters: where the tasks' gradients are compared (only GradNorm looks).

        Returns:
            the total, and each task's weight in it (detached).
        """
        raise NotImplementedError

    def on_epoch_end(self, train_means: Mapping[str, float]) -> None:
        """Take in each task's mean training loss of the epoch that has ended."""

    def _stack(self, losses: Losses) -> Tensor:
        return torch.stack([losses[name].float() for name in self.names])

    def _named(self, weights: Tensor) -> dict[str, Tensor]:
        return dict(zip(self.names, weights.detach().unbind(), strict=True))


class FixedWeighting(Weighting):
    """Constant weights."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        super().__init__(tuple(weights))
        self.register_buffer("weights", torch.tensor(list(weights.values())), persistent=False)

    def forward(self, losses: Losses, parameters: Sequence[nn.Parameter]) -> tuple[Tensor, dict[str, Tensor]]:
        return (self.weights * self._stack(losses)).sum(), self._named(self.weights)


class UncertaintyWeighting(Weighting):
    """Homoscedastic uncertainty (Kendall et al. 2018, equation 10): learned log-variances ``s = log sigma^2``.

    In the form for classification losses, which both encoders' are: ``exp(-s) L + s / 2``. For a constant loss it is
    lowest at ``s = log(2 L)``, that is, at the weight ``1 / (2 L)``.
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(names)
        self.log_variance = nn.Parameter(torch.zeros(len(self.names)))

    def forward(self, losses: Losses, parameters: Sequence[nn.Parameter]) -> tuple[Tensor, dict[str, Tensor]]:
        weights = torch.exp(-self.log_variance)
        total = (weights * self._stack(losses) + self.log_variance / 2).sum()
        return total, self._named(weights)


class LossRatioWeighting(Weighting):
    """Dynamic weight averaging (Liu et al. 2019, equation 7): the loss that falls more slowly counts more.

    With ``r`` a task's mean loss of the last epoch over that of the epoch before, the weights are
    ``K softmax(r / T)``; they sum to the number of tasks ``K`` and are equal in the first two epochs.
    """

    TEMPERATURE = 2.0

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(names)
        self.register_buffer("history", torch.zeros(2, len(self.names)))  # the epoch before the last, the last

    def forward(self, losses: Losses, parameters: Sequence[nn.Parameter]) -> tuple[Tensor, dict[str, Tensor]]:
        weights = self.current()
        return (weights * self._stack(losses)).sum(), self._named(weights)

    def current(self) -> Tensor:
        """The weights of the running epoch. Shape: ``[K]``."""
        before, last = self.history
        # 0: no epoch yet, or a loss that cannot fall further; without a ratio it counts as one that stands still
        ratio = torch.where(before != 0, last / before, torch.ones_like(last))
        return len(self.names) * torch.softmax(ratio / self.TEMPERATURE, dim=0)

    def on_epoch_end(self, train_means: Mapping[str, float]) -> None:
        last = self.history.new_tensor([train_means[name] for name in self.names])
        self.history.copy_(torch.stack([self.history[1], last]))


class GradNormWeighting(Weighting):
    """GradNorm (Chen et al. 2018, section 3, algorithm 1): gradients of like size, larger for the slower learner.

    ``G_i`` is the norm of task ``i``'s weighted gradient on the given parameters, ``r_i`` its loss over its first one,
    relative to the mean over tasks. Every training step moves the weights down the gradient of
    ``sum_i |G_i - mean(G) r_i^alpha|``, the second term held constant, and rescales them to sum to the number of tasks.
    As ``G_i = w_i g_i``, that gradient is ``sign(G_i - mean(G) r_i^alpha) g_i``. A step uses the weights that the
    step before has left. Where processes share a step, losses and gradients are the means over all of them.
    """

    ALPHA = 1.5
    LEARNING_RATE = 0.025
    SMALLEST = 1e-3  # a weight must not reach 0: its task would never come back

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(names)
        self.register_buffer("weights", torch.ones(len(self.names)))
        self.register_buffer("first_losses", torch.zeros(len(self.names)))
        self.register_buffer("started", torch.zeros((), dtype=torch.bool))

    def forward(self, losses: Losses, parameters: Sequence[nn.Parameter]) -> tuple[Tensor, dict[str, Tensor]]:
        values, weights = self._stack(losses), self.weights.clone()  # the total must not see the update
        if torch.is_grad_enabled():
            self._update(mean(values.detach()), gradient_norms(values, parameters))
        return (weights * values).sum(), self._named(weights)

    @torch.no_grad()
    def _update(self, values: Tensor, norms: Tensor) -> None:
        self.first_losses.copy_(torch.where(self.started, self.first_losses, values))
        self.started.fill_(True)
        moved = self.weights - self.LEARNING_RATE * self.weight_gradient(values, norms)
        moved = moved.clamp(min=self.SMALLEST)
        self.weights.copy_(moved * len(self.names) / moved.sum())

    def weight_gradient(self, values: Tensor, norms: Tensor) -> Tensor:
        """The gradient of GradNorm's own loss with respect to the weights.

        Shape: losses ``[K]``, norms of the tasks' unweighted gradients ``[K]`` -> ``[K]``.
        """
        weighted = self.weights * norms
        progress = values / self.first_losses.clamp(min=1e-8)
        rate = progress / progress.mean().clamp(min=1e-8)
        return torch.sign(weighted - weighted.mean() * rate**self.ALPHA) * norms


def gradient_norms(losses: Tensor, parameters: Sequence[nn.Parameter]) -> Tensor:
    """The norm of each loss's gradient over all the parameters together. Shape: ``[K]`` -> ``[K]``."""
    norms = []
    for loss in losses.unbind():
        gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        parts = [mean(gradient.float()).norm() for gradient in gradients if gradient is not None]
        norms.append(torch.stack(parts).norm() if parts else loss.new_zeros(()))
    return torch.stack(norms)


def make_weighting(config: JointConfig) -> Weighting:
    """The weighting that the config names, over the tasks ``gf`` and ``deepdxf``."""
    names = ("gf", "deepdxf")
    match config.weighting:
        case "fixed":
            return FixedWeighting({"gf": config.gf_weight, "deepdxf": config.deepdxf_weight})
        case "uncertainty":
            return UncertaintyWeighting(names)
        case "loss_ratio":
            return LossRatioWeighting(names)
        case "grad_norm":
            return GradNormWeighting(names)
    raise ValueError(f"unknown weighting {config.weighting!r}")
