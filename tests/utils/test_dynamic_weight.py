import math

import pytest
import torch
from torch import nn

from config.joint_config import JointConfig
from utils.dynamic_weight import (
    FixedWeighting,
    GradNormWeighting,
    LossRatioWeighting,
    UncertaintyWeighting,
    gradient_norms,
    make_weighting,
)

NAMES = ("gf", "deepdxf")


def losses(gf: float, deepdxf: float) -> dict[str, torch.Tensor]:
    return {"gf": torch.tensor(gf), "deepdxf": torch.tensor(deepdxf)}


def values(weights: dict[str, torch.Tensor]) -> list[float]:
    return [weights[name].item() for name in NAMES]


class TestFixed:
    def test_is_the_weighted_sum(self):
        total, weights = FixedWeighting({"gf": 2.0, "deepdxf": 0.5})(losses(3.0, 4.0), [])
        assert total == 8.0
        assert values(weights) == [2.0, 0.5]


class TestUncertainty:
    def test_starts_as_the_plain_sum(self):
        total, weights = UncertaintyWeighting(NAMES)(losses(3.0, 4.0), [])
        assert total == 7.0
        assert values(weights) == [1.0, 1.0]

    def test_is_the_formula_of_the_paper(self):
        weighting = UncertaintyWeighting(NAMES)
        with torch.no_grad():
            weighting.log_variance.copy_(torch.tensor([1.0, -0.5]))
        total, _ = weighting(losses(3.0, 4.0), [])
        assert total.item() == pytest.approx(math.exp(-1) * 3 + 0.5 + math.exp(0.5) * 4 - 0.25)

    def test_converges_to_the_log_of_twice_the_loss(self):
        """d/ds (exp(-s) L + s / 2) = 0 at s = log(2 L): the larger loss gets the smaller weight 1 / (2 L)."""
        weighting = UncertaintyWeighting(NAMES)
        optimizer = torch.optim.Adam(weighting.parameters(), lr=0.05)
        for _ in range(600):
            optimizer.zero_grad()
            weighting(losses(4.0, 0.25), [])[0].backward()
            optimizer.step()
        assert weighting.log_variance.tolist() == pytest.approx([math.log(8), math.log(0.5)], abs=1e-3)
        assert values(weighting(losses(4.0, 0.25), [])[1]) == pytest.approx([1 / 8, 2.0], rel=1e-3)


class TestLossRatio:
    def test_the_first_two_epochs_are_equal(self):
        weighting = LossRatioWeighting(NAMES)
        for means in ((9.0, 1.0), (1.0, 9.0)):
            assert values(weighting(losses(1.0, 1.0), [])[1]) == [1.0, 1.0]
            weighting.on_epoch_end(dict(zip(NAMES, means, strict=True)))
        assert values(weighting(losses(1.0, 1.0), [])[1]) != [1.0, 1.0]

    def test_is_the_formula_and_the_slower_task_weighs_more(self):
        weighting = LossRatioWeighting(NAMES)
        weighting.on_epoch_end({"gf": 100.0, "deepdxf": 100.0})
        weighting.on_epoch_end({"gf": 3.0, "deepdxf": 4.0})
        weighting.on_epoch_end({"gf": 2.7, "deepdxf": 1.0})  # gf falls by a tenth, deepdxf by three quarters
        total, weights = weighting(losses(5.0, 7.0), [])
        slow, fast = math.exp(0.9 / 2), math.exp(0.25 / 2)
        want = [2 * slow / (slow + fast), 2 * fast / (slow + fast)]
        assert values(weights) == pytest.approx(want, rel=1e-6)
        assert total.item() == pytest.approx(5 * want[0] + 7 * want[1], rel=1e-6)
        assert sum(values(weights)) == pytest.approx(2)

    def test_a_loss_of_zero_is_no_accident(self):
        weighting = LossRatioWeighting(NAMES)
        for _ in range(2):
            weighting.on_epoch_end({"gf": 0.0, "deepdxf": 1.0})
        assert values(weighting(losses(1.0, 1.0), [])[1]) == [1.0, 1.0]


class TestGradNorm:
    """Two made-up tasks on one shared vector; the second's gradient is ``steepness`` times the first's."""

    def setup_method(self):
        self.shared = nn.Parameter(torch.tensor([3.0, 4.0]))

    def task_losses(self, steepness: float, first: float = 1.0, second: float = 1.0):
        """Losses of value ``first`` and ``second`` with gradient norms 1 and ``steepness``."""
        length = self.shared.norm()
        move = length - length.detach()  # zero, with a gradient of norm 1
        return {"gf": first + move, "deepdxf": second + steepness * move}

    def test_gradient_norms(self):
        norms = gradient_norms(torch.stack(list(self.task_losses(5.0).values())), [self.shared])
        assert norms.tolist() == pytest.approx([1.0, 5.0])

    def test_a_loss_without_such_parameters_has_norm_zero(self):
        other = nn.Parameter(torch.ones(2))
        norms = gradient_norms(torch.stack([self.shared.sum(), other.sum()]), [other])
        assert norms.tolist() == pytest.approx([0.0, math.sqrt(2)])

    def test_the_task_with_the_larger_gradient_loses_weight(self):
        weighting, seen = GradNormWeighting(NAMES), []
        for _ in range(60):
            _, weights = weighting(self.task_losses(3.0), [self.shared])
            seen.append(values(weights))
            assert sum(seen[-1]) == pytest.approx(2, rel=1e-5)
        assert seen[0] == [1.0, 1.0], "the first step uses the weights it starts with"
        assert seen[1][1] < 1 < seen[1][0]
        assert seen[-1] == pytest.approx([1.5, 0.5], abs=0.12), "until the weighted gradients are equal"

    def test_the_slower_task_gains_weight(self):
        weighting = GradNormWeighting(NAMES)
        weighting(self.task_losses(1.0, 1.0, 1.0), [self.shared])
        weighting(self.task_losses(1.0, 0.9, 0.3), [self.shared])
        gf, deepdxf = values(weighting(self.task_losses(1.0), [self.shared])[1])
        assert gf > 1 > deepdxf

    def test_the_update_is_autograds(self):
        weighting = GradNormWeighting(NAMES)
        weighting(self.task_losses(2.0, 4.0, 2.0), [self.shared])
        now = torch.tensor([3.0, 0.5])
        norms = torch.tensor([0.7, 1.9])
        got = weighting.weight_gradient(now, norms)

        weights = weighting.weights.clone().requires_grad_()
        weighted = weights * norms
        ratio = now / torch.tensor([4.0, 2.0])
        target = (weighted.mean() * (ratio / ratio.mean()) ** 1.5).detach()
        (want,) = torch.autograd.grad((weighted - target).abs().sum(), weights)
        assert torch.allclose(got, want)

    def test_the_first_losses_are_those_of_the_first_training_step(self):
        weighting = GradNormWeighting(NAMES)
        with torch.no_grad():
            weighting(losses(8.0, 9.0), [self.shared])
        weighting(self.task_losses(2.0, 4.0, 2.0), [self.shared])
        weighting(self.task_losses(2.0, 1.0, 1.0), [self.shared])
        assert weighting.first_losses.tolist() == [4.0, 2.0]

    def test_the_step_does_not_disturb_the_loss(self):
        weighting = GradNormWeighting(NAMES)
        for _ in range(2):
            total, weights = weighting(self.task_losses(3.0), [self.shared])
            self.shared.grad = None
            total.backward()
            expected = weights["gf"] + 3 * weights["deepdxf"]
            assert self.shared.grad.norm().item() == pytest.approx(expected.item(), rel=1e-5)

    def test_weights_stay_positive(self):
        weighting = GradNormWeighting(NAMES)
        for _ in range(30):
            _, weights = weighting(self.task_losses(1000.0), [self.shared])
            assert min(values(weights)) > 0


@pytest.mark.parametrize("name", ["fixed", "uncertainty", "loss_ratio", "grad_norm"])
class TestEvery:
    def test_without_gradients_nothing_moves(self, name):
        weighting = make_weighting(JointConfig(weighting=name))
        parameter = nn.Parameter(torch.ones(3))
        for _ in range(2):
            weighting({"gf": parameter.sum(), "deepdxf": 5 * parameter.sum()}, [parameter])
        before = {key: value.clone() for key, value in weighting.state_dict().items()}
        with torch.no_grad():
            first = weighting(losses(2.0, 3.0), [parameter])
            second = weighting(losses(2.0, 3.0), [parameter])
        assert first[0] == second[0]
        assert all(torch.equal(before[key], value) for key, value in weighting.state_dict().items())

    def test_state_survives_a_checkpoint(self, name):
        weighting = make_weighting(JointConfig(weighting=name))
        parameter = nn.Parameter(torch.ones(3))
        optimizer = torch.optim.SGD([parameter, *weighting.parameters()], lr=0.1)
        for epoch in range(3):
            total, _ = weighting({"gf": parameter.sum() ** 2, "deepdxf": 5 * parameter.sum() ** 2}, [parameter])
            total.backward()
            optimizer.step()
            weighting.on_epoch_end({"gf": 3.0 - epoch, "deepdxf": 3.0})
        copy = make_weighting(JointConfig(weighting=name))
        copy.load_state_dict(weighting.state_dict())
        with torch.no_grad():
            one, two = (values(w(losses(2.0, 3.0), [])[1]) for w in (weighting, copy))
        assert one == two
        assert name == "fixed" or one[0] != one[1], "there was something to keep"


def test_fixed_takes_the_configs_weights():
    weighting = make_weighting(JointConfig(weighting="fixed", gf_weight=0.25, deepdxf_weight=4.0))
    assert values(weighting(losses(1.0, 1.0), [])[1]) == [0.25, 4.0]


def test_an_unknown_weighting_is_an_error():
    with pytest.raises(ValueError, match="nonsense"):
        make_weighting(JointConfig(weighting="nonsense"))
