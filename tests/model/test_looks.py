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
    spread = [
        max(np.std([look[i, j] for i in range(size) for j in range(size) if i != j], ddof=1), 1e-6) for look in cosines
    ]
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


def textbook(cosines):
    """What each look counts, by the sentence in docs/losses.md."""
    found, size = np.array(looped(cosines)), cosines.shape[-1]
    ratio = found / found.mean() / [look.agreement for look in LOOKS]
    ratio = (size * ratio + 30) / (size + 30)
    weights = np.array([look.weight for look in LOOKS]) * np.clip(ratio**2, 1 / 4, 4)
    return weights / weights.sum()


def blind(cosines, which):
    """The same where nobody reads the text of some."""
    cosines = cosines.clone()
    cosines[-1, which] = cosines[-1, :, which] = 0.0
    return cosines


def test_weights_are_the_usual_ones_by_the_square_of_more_agreement_than_usual():
    for noise in ((0.5, 0.4, 0.8, 0.7, 1.5), (0.5, 0.4, 0.1, 0.7, 50.0)):  # the second within bounds only
        cosines = looks_at(100, noise)
        with_words, without = weights_in(cosines)
        np.testing.assert_allclose(with_words, textbook(cosines), rtol=1e-4)
        torch.testing.assert_close(without, with_words)  # nobody is without words


def test_drawings_with_and_without_words_have_weights_of_their_own():
    generator = torch.Generator().manual_seed(1)
    one, other = (
        looks_at(60, noise, seed) for seed, noise in enumerate(((0.5, 0.4, 2.0, 0.7, 0.5), (1, 1, 0.1, 1, 1)))
    )
    both = torch.zeros(COUNT, 120, 120)
    both[:, :60, :60], both[:, 60:, 60:] = one, other
    order = torch.randperm(120, generator=generator)
    both = blind(both, torch.arange(120) >= 60)[:, order][:, :, order]
    with_words, without = weights_in(both)
    np.testing.assert_allclose(with_words, textbook(one), rtol=1e-4)
    wanted = textbook(blind(other, torch.ones(60, dtype=torch.bool)))[:-1]
    np.testing.assert_allclose(without[:-1], wanted / wanted.sum() * (1 - with_words[-1].item()), rtol=1e-4)
    assert without[-1] == pytest.approx(with_words[-1].item() / 2), "half of them have words"


def test_too_few_of_a_kind_count_as_all_do():
    cosines = looks_at(100, (0.5, 0.4, 0.8, 0.7, 1.5))
    few = blind(cosines, torch.arange(100) < 3 * NEIGHBOURS - 1)
    with_words, without = weights_in(few)
    text = with_words[-1]
    torch.testing.assert_close(without[:-1], with_words[:-1])
    assert without[-1] == pytest.approx(text.item() * 0.71)
    most = blind(cosines, torch.arange(100) >= 3 * NEIGHBOURS - 1)
    np.testing.assert_allclose(weights_in(most)[0], textbook(most), rtol=1e-4)


def test_where_no_word_is_known_a_stand_in_has_no_place():
    with_words, without = weights_in(blind(looks_at(60, (0.5,) * COUNT), torch.ones(60, dtype=torch.bool)))
    assert without[-1] == 0 and (without[:-1] > 0).all()
    assert 0 < with_words[-1] < usual_weights()[0, -1] / 2, "a first word would count little"


def test_copies_count_once():
    cosines = looks_at(50, (0.5, 0.4, 0.8, 0.7, 1.5))
    twice = torch.arange(50).repeat(3)[torch.randperm(150, generator=torch.Generator().manual_seed(0))]
    torch.testing.assert_close(weights_in(cosines[:, twice][:, :, twice]), weights_in(cosines))
    assert weights_in(cosines[:, twice % 20][:, :, twice % 20]) is None, "twenty, however often they are there"


@pytest.mark.parametrize("size", [0, 1, 2, NEIGHBOURS + 1, 3 * NEIGHBOURS - 1])
def test_too_few_to_have_neighbours_say_nothing(size):
    assert weights_in(looks_at(size, (0.5,) * COUNT)) is None


def test_nor_do_drawings_in_which_nothing_is_seen():
    assert weights_in(torch.zeros(COUNT, 40, 40)) is None


def test_the_order_of_drawings_does_not_matter():
    cosines = looks_at(80, (0.5, 0.4, 0.8, 0.7, 1.5))
    order = torch.randperm(80, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(weights_in(cosines), weights_in(cosines[:, order][:, :, order]))


def test_usual_weights_are_shares():
    torch.testing.assert_close(usual_weights().sum(dim=1), torch.ones(2))
    assert np.mean([look.agreement for look in LOOKS]) == pytest.approx(1, abs=0.02)
