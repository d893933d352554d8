"""How much each way to look at drawings counts: more where it agrees with the others, as a slow loop has it."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.nn import functional

from model.looks import LOOKS, NEIGHBOURS, agreements, usual_weights, weights_in

COUNT = len(LOOKS)


def cosines_of(*vectors):
    return torch.stack([functional.normalize(rows, dim=1) @ functional.normalize(rows, dim=1).T for rows in vectors])


def looks_at(size, noise, seed=0):
    """Cosines in so many looks at the same things, each with its own share of noise."""
    generator = torch.Generator().manual_seed(seed)
    truth = torch.randn(size, 8, generator=generator)
    return cosines_of(*(truth + level * torch.randn(size, 8, generator=generator) for level in noise))


def looped(cosines):
    """Neighbour by neighbour."""
    cosines = cosines.double().numpy()
    looks, size, _ = cosines.shape
    spread = [np.std([look[i, j] for i in range(size) for j in range(size) if i != j], ddof=1) for look in cosines]
    found = []
    for one in range(looks):
        rest = sum(cosines[two] / spread[two] for two in range(looks) if two != one)
        shares = []
        for i in range(size):
            mine, theirs = (
                set(sorted((j for j in range(size) if j != i), key=lambda j: -table[i, j])[:NEIGHBOURS])
                for table in (cosines[one], rest)
            )
            chance = NEIGHBOURS / (size - 1)
            shares.append((len(mine & theirs) / NEIGHBOURS - chance) / (1 - chance) * (cosines[one, i, i] > 0))
        found.append(max(np.mean(shares), 0))
    return found


def test_agreement_equals_a_slow_loop():
    cosines = looks_at(40, (0.3, 1.0, 3.0))
    cosines[1, :7] = cosines[1, :, :7] = 0.0  # blind to seven
    np.testing.assert_allclose(agreements(cosines), looped(cosines), atol=1e-6)


def test_who_agrees_more_counts_more_and_who_sees_something_else_nothing():
    found = agreements(looks_at(200, (0.1, 0.5, 1.0, 2.0, 50.0)))
    assert all(more > less for more, less in pairwise(found.tolist()))
    assert found[0] > 0.2 and found[-1] < 0.03


def test_the_same_looks_agree_wholly():
    torch.testing.assert_close(agreements(looks_at(50, (0.0, 0.0, 0.0))), torch.ones(3))


def test_weights_are_the_usual_ones_by_the_square_of_more_agreement_than_usual():
    cosines = looks_at(100, (0.5, 0.4, 0.8, 0.7, 1.5))
    found = np.array(looped(cosines))
    want = [look.weight * (value / look.agreement) ** 2 for look, value in zip(LOOKS, found, strict=True)]
    weights = weights_in(cosines)
    np.testing.assert_allclose(weights, np.array(want) / sum(want), rtol=1e-4)
    assert weights.sum().item() == pytest.approx(1)


def test_an_archive_of_which_no_word_is_known_counts_no_words():
    cosines = looks_at(60, (0.5,) * COUNT)
    cosines[-1] = 0.0
    weights = weights_in(cosines)
    assert weights[-1] == 0 and weights.sum().item() == pytest.approx(1) and (weights[:-1] > 0).all()


@pytest.mark.parametrize("size", [0, 1, 2, NEIGHBOURS + 1, 3 * NEIGHBOURS - 1])
def test_too_few_to_have_neighbours_change_nothing(size):
    assert torch.equal(weights_in(looks_at(size, (0.5,) * COUNT)), usual_weights())


def test_nor_do_drawings_in_which_nothing_is_seen():
    assert torch.equal(weights_in(torch.zeros(COUNT, 40, 40)), usual_weights())


def test_the_order_of_drawings_does_not_matter():
    cosines = looks_at(80, (0.5, 0.4, 0.8, 0.7, 1.5))
    order = torch.randperm(80, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(weights_in(cosines), weights_in(cosines[:, order][:, :, order]))


def test_usual_weights_are_shares():
    assert usual_weights().sum().item() == pytest.approx(1)
    assert np.mean([look.agreement for look in LOOKS]) == pytest.approx(1, abs=0.02)
