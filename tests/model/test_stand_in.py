"""What stands in for words: of length 1, alike for near copies alone, the same in every model."""

import numpy as np
import torch
from torch.nn import functional

from model.stand_in import NEAR, StandIn

SIZE = 256


def at_cosines(cosines, size=64):
    """A vector of length 1, and one at each of these cosines to it."""
    generator = torch.Generator().manual_seed(3)
    first = functional.normalize(torch.randn(size, generator=generator), dim=0)
    rows = [first]
    for cosine in cosines:
        other = torch.randn(size, generator=generator)
        other = functional.normalize(other - (other @ first) * first, dim=0)
        rows.append(cosine * first + (1 - cosine**2) ** 0.5 * other)
    return torch.stack(rows)


def test_it_has_length_one_and_the_kernels_cosines():
    cosines = torch.tensor([0.999, 0.99, 0.95, 0.9, 0.8, 0.5, 0.0, -0.5])
    found = StandIn(64, SIZE)(at_cosines(cosines))
    torch.testing.assert_close(found.norm(dim=1), torch.ones(9))
    np.testing.assert_allclose(found[0] @ found[1:].T, torch.exp((cosines - 1) / NEAR), atol=4 / SIZE**0.5)


def test_the_error_of_far_pairs_is_that_of_the_features():
    rows = functional.normalize(torch.randn(200, 64, generator=torch.Generator().manual_seed(0)), dim=1)
    found = StandIn(64, SIZE)(rows)
    far = (found @ found.T)[torch.triu_indices(200, 200, 1).unbind()]
    assert far.mean().abs() < 0.01 and 0.5 < far.std() * SIZE**0.5 < 1.5


def test_it_is_the_same_whatever_the_seed_of_a_run():
    states = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        states.append(StandIn(10, 6).state_dict()["frequencies"])
    assert torch.equal(*states)


def test_it_teaches_nothing_and_keeps_full_precision():
    rows = at_cosines([0.5]).requires_grad_()
    stand_in = StandIn(64, SIZE)
    assert not stand_in(rows).requires_grad
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(stand_in(rows), StandIn(64, SIZE)(rows.detach()))
