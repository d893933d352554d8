import pytest
import torch

from model.DeepDXF_model import DeepDXFModel, pool
from tests.model.batches import deepdxf_batch, deepdxf_config, largest_tensor, random_rows

LENGTHS = (1, 16, 17, 40, 2)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return DeepDXFModel(deepdxf_config()).eval()


@pytest.fixture
def drawings():
    return [random_rows(length, seed) for seed, length in enumerate(LENGTHS)]


def test_pool_equals_a_loop_over_tokens():
    torch.manual_seed(0)
    tokens, valid = torch.randn(4, 3, 5), torch.tensor([[1, 1, 1], [1, 0, 0], [1, 1, 0], [0, 0, 0]]).bool()
    drawing = torch.tensor([1, 0, 1, 0])
    got = pool(tokens, valid, drawing, 3)
    for index in range(2):
        rows = [tokens[c, t] for c in range(4) for t in range(3) if drawing[c] == index and valid[c, t]]
        assert torch.allclose(got[index], torch.stack(rows).mean(0), atol=1e-6)
    assert (got[2] == 0).all(), "a drawing without tokens"


def test_batched_equals_one_by_one(model, drawings):
    together = model(**deepdxf_batch(drawings))
    alone = torch.cat([model(**deepdxf_batch([rows])) for rows in drawings])
    assert together.shape == (len(LENGTHS), 24)
    assert torch.allclose(together, alone, atol=1e-5)


def test_padding_rows_and_chunks_change_nothing(model, drawings):
    want = model(**deepdxf_batch(drawings))
    got = model(**deepdxf_batch(drawings, extra_rows=9, extra_chunks=3))
    assert torch.allclose(got, want, atol=1e-5)


def test_padding_changes_no_gradient(model, drawings):
    def gradients(batch):
        model.zero_grad()
        model(**batch).square().sum().backward()
        return [p.grad.clone() for p in model.parameters()]

    plain = gradients(deepdxf_batch(drawings))
    padded = gradients(deepdxf_batch(drawings, extra_rows=9, extra_chunks=3))
    for want, got in zip(plain, padded, strict=True):
        assert torch.allclose(want, got, atol=1e-4)


def test_order_of_drawings_and_chunks_does_not_matter(model, drawings):
    batch = deepdxf_batch(drawings)
    order = torch.randperm(len(batch["rows"]))
    shuffled = {k: v[order] if torch.is_tensor(v) else v for k, v in batch.items()}
    assert torch.allclose(model(**batch), model(**shuffled), atol=1e-5)


def test_every_chunk_counts(model):
    rows = random_rows(40)
    changed = rows.clone()
    changed[-1, 0] = (changed[-1, 0] + 1) % 12
    assert not torch.allclose(model(**deepdxf_batch([rows])), model(**deepdxf_batch([changed])), atol=1e-6)


def test_13000_rows_in_bounded_memory(model):
    """No tensor grows beyond a few numbers per token and width: no [L, L], no [L, slots * 64]."""
    batch = deepdxf_batch([random_rows(13_000)], chunk_size=256)
    with torch.no_grad(), largest_tensor() as watch:
        vector = model(**batch)
    assert vector.isfinite().all()
    tokens = batch["rows"].shape[0] * 256
    assert watch.numel <= tokens * 3 * 32, "the widest thing is query, key and value"


@pytest.mark.parametrize(("views", "differ"), [("dropout", True), ("both", True), ("drawing", False)])
def test_dropout_makes_views_in_training_mode(drawings, views, differ):
    torch.manual_seed(0)
    model = DeepDXFModel(deepdxf_config(views=views)).train()
    one, two = model(**deepdxf_batch(drawings * 2)).chunk(2)
    assert torch.allclose(one, two, atol=1e-5) != differ
    model.eval()
    one, two = model(**deepdxf_batch(drawings * 2)).chunk(2)
    assert torch.allclose(one, two, atol=1e-5)
