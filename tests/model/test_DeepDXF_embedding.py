import pytest
import torch
from torch import nn

from dataset.entities import ABSENT, N_BINS, N_SLOTS, PAD
from model.DeepDXF_embedding import BIN_WIDTH, DeepDXFEmbedding, ParameterEmbedding, fourier_bins, sinusoidal_position
from tests.model.batches import largest_tensor, random_rows


def plainly(embedding: ParameterEmbedding, slots: torch.Tensor) -> torch.Tensor:
    """Embed every slot (absent: zeros), concatenate, one linear layer."""
    bins = nn.functional.embedding(slots.long().clamp(min=0), embedding.bins)  # [L, S, 64]
    bins = bins * (slots != ABSENT)[..., None]
    weight = embedding.slots.reshape(N_SLOTS * BIN_WIDTH, -1)
    return bins.flatten(-2) @ weight


def test_equals_embedding_every_slot_and_one_linear_layer():
    torch.manual_seed(0)
    embedding = ParameterEmbedding(32)
    slots = random_rows(30)[:, 1:].clone()
    slots[14] = ABSENT  # a row with no parameter at all
    slots[29] = N_BINS - 1  # and one with all of them
    got, want = embedding(slots, embedding.table()), plainly(embedding, slots)
    assert torch.allclose(got, want, atol=1e-4)
    assert (got[14] == 0).all()

    target = torch.randn_like(got)
    got_grads = torch.autograd.grad((got * target).sum(), list(embedding.parameters()))
    want_grads = torch.autograd.grad((want * target).sum(), list(embedding.parameters()))
    for g, w in zip(got_grads, want_grads, strict=True):
        assert torch.allclose(g, w, atol=1e-3)


def test_never_materialises_every_slot():
    embedding = ParameterEmbedding(32)
    slots = random_rows(5000)[:, 1:]
    with torch.no_grad(), largest_tensor() as watch:
        embedding(slots, embedding.table())
    assert watch.numel <= max(slots.numel(), N_SLOTS * N_BINS * 32)


def test_full_precision_under_autocast():
    embedding, slots = ParameterEmbedding(32), random_rows(20)[:, 1:]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = embedding(slots, embedding.table())
    assert torch.equal(got, embedding(slots, embedding.table()))


def test_neighbouring_bins_start_alike_and_far_ones_apart():
    bins = nn.functional.normalize(fourier_bins(N_BINS, BIN_WIDTH), dim=1)
    cosine = bins @ bins.T
    assert cosine.diagonal(1).min() > 0.9
    assert cosine[0, 128].abs() < 0.3
    assert bins.unique(dim=0).shape[0] == N_BINS


def test_positions_of_any_length():
    position = sinusoidal_position(torch.tensor([0, 1, 13_000, 1_000_000]), 8)
    assert torch.allclose(position[0], torch.tensor([0.0, 0, 0, 0, 1, 1, 1, 1]))
    assert position[1, 0] == pytest.approx(0.841471)  # sin(1)
    assert position.isfinite().all()
    assert position.unique(dim=0).shape[0] == 4


def embed(embedding, rows, position):
    return embedding(rows, torch.tensor(position), embedding.parameter_embedding.table())


def test_a_token_knows_its_place_in_the_drawing():
    torch.manual_seed(0)
    embedding = DeepDXFEmbedding(16)
    row = random_rows(1)
    once, again, later = embed(embedding, row.expand(3, -1), [4, 4, 5])
    assert torch.equal(once, again)
    assert not torch.allclose(once, later)


def test_token_is_type_plus_parameters_plus_position():
    torch.manual_seed(0)
    embedding = DeepDXFEmbedding(16)
    row = torch.full((1, 1 + N_SLOTS), ABSENT, dtype=torch.int16)
    row[:, 0] = PAD - 1
    bare = embed(embedding, row, [5])[0]
    assert torch.allclose(bare, embedding.types.weight[PAD - 1] + sinusoidal_position(torch.tensor(5), 16))
    row[:, 1 + 3] = 7
    parameter = embedding.parameter_embedding.table()[3 * N_BINS + 7]
    assert torch.allclose(embed(embedding, row, [5])[0], bare + parameter, atol=1e-6)
