import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dataset.entities import N_SLOTS
from model.DeepDXF_model import DeepDXFModel, passes, pool, sum_chunks
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
    lengths, drawing = [1, 2, 2, 3], torch.tensor([1, 0, 1, 0])
    parts = torch.randn(8, 5).split(lengths)
    got = pool(sum_chunks(torch.cat(parts), lengths), lengths, drawing, 3)
    for index in range(2):
        rows = [row for part, owner in zip(parts, drawing, strict=True) if owner == index for row in part]
        assert torch.allclose(got[index], torch.stack(rows).mean(0), atol=1e-6)
    assert (got[2] == 0).all(), "a drawing without tokens"


@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=30), limit=st.integers(1, 100))
def test_passes_hold_every_chunk_once_and_stay_within_the_limit(lengths, limit):
    parts = list(passes(lengths, limit))
    assert [length for chunks, _ in parts for length in lengths[chunks]] == lengths
    assert [token for _, tokens in parts for token in range(tokens.start, tokens.stop)] == list(range(sum(lengths)))
    for chunks, tokens in parts:
        assert sum(lengths[chunks]) == tokens.stop - tokens.start
        assert tokens.stop - tokens.start <= limit or len(lengths[chunks]) == 1


def test_batched_equals_one_by_one(model, drawings):
    together = model(**deepdxf_batch(drawings))
    alone = torch.cat([model(**deepdxf_batch([rows])) for rows in drawings])
    assert together.shape == (len(LENGTHS), 24)
    assert torch.allclose(together, alone, atol=1e-5)


def test_a_batchs_gradient_is_the_sum_of_the_drawings(model, drawings):
    def gradients(batches):
        model.zero_grad()
        for batch in batches:
            model(**batch).square().sum().backward()
        return [p.grad.clone() for p in model.parameters()]

    together = gradients([deepdxf_batch(drawings)])
    alone = gradients([deepdxf_batch([rows]) for rows in drawings])
    for want, got in zip(alone, together, strict=True):
        assert torch.allclose(want, got, atol=1e-4)


def test_order_of_drawings_and_chunks_does_not_matter(model, drawings):
    batch = deepdxf_batch(drawings)
    parts = list(
        zip(*(batch[key].split(batch["lengths"]) for key in ("rows", "position")), batch["drawing"], strict=True)
    )
    order = torch.randperm(len(parts)).tolist()
    rows, position, drawing = zip(*(parts[i] for i in order), strict=True)
    shuffled = {
        "rows": torch.cat(rows),
        "position": torch.cat(position),
        "lengths": [batch["lengths"][i] for i in order],
        "drawing": torch.stack(drawing),
        "n_drawings": batch["n_drawings"],
    }
    assert torch.allclose(model(**batch), model(**shuffled), atol=1e-5)


def test_every_chunk_counts(model):
    rows = random_rows(40)
    changed = rows.clone()
    changed[-1, 0] = (changed[-1, 0] + 1) % 12
    assert not torch.allclose(model(**deepdxf_batch([rows])), model(**deepdxf_batch([changed])), atol=1e-6)


def tokens_per_pass(model):
    """How many tokens the transformer sees at once, in every pass from now on."""
    seen = []
    model.transformer.register_forward_pre_hook(lambda module, args: seen.append(len(args[0])))
    return seen


@pytest.mark.parametrize("length", [13_000, 100_000])
def test_a_drawing_of_any_length_in_bounded_memory(length):
    """No tensor grows with the drawing beyond its rows: no [L, L], no [L, slots * 64], not even [L, d_model]."""
    model = DeepDXFModel(deepdxf_config(n_layers=1, tokens_at_once=2048)).eval()
    batch, seen = deepdxf_batch([random_rows(length)], chunk_size=64), tokens_per_pass(model)
    with torch.no_grad(), largest_tensor() as watch:
        vector = model(**batch)
    assert vector.isfinite().all()
    assert max(seen) <= 2048 and sum(seen) == length
    table = model.embedding.parameter_embedding.table().numel()
    assert watch.numel <= max(table, 2048 * max(3 * 32, N_SLOTS))


def test_training_on_a_long_drawing_keeps_one_pass_of_activations(drawings):
    """What autograd keeps does not grow with the number of passes; the drawings' rows are there anyway."""
    model = DeepDXFModel(deepdxf_config(tokens_at_once=64)).train()

    def kept(count):
        numbers = {}

        def note(tensor):
            if tensor.is_floating_point():
                numbers[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        batch = deepdxf_batch([random_rows(64 * count)])
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            model(**batch)
        return sum(numbers.values())

    model.zero_grad()
    own = sum(p.untyped_storage().nbytes() for p in model.parameters())
    table = model.embedding.parameter_embedding.table().untyped_storage().nbytes()
    two, twenty = (kept(count) - own - table for count in (2, 20))
    assert twenty < 1.5 * two


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_computing_passes_again_changes_no_gradient(drawings, monkeypatch, dropout):
    """The same passes with their activations kept: equal to the last bit, dropout masks included."""
    torch.manual_seed(0)
    model = DeepDXFModel(deepdxf_config(dropout=dropout, tokens_at_once=20)).train()
    seen = tokens_per_pass(model)

    def step():
        torch.manual_seed(1)
        model.zero_grad()
        loss = model(**deepdxf_batch(drawings)).square().sum()
        loss.backward()
        return [loss, *(p.grad.clone() for p in model.parameters())]

    again = step()
    assert len(seen) == 9, "five passes, four of them twice"
    monkeypatch.setattr("model.DeepDXF_model.checkpoint", lambda function, *args, **options: function(*args))
    for got, want in zip(again, step(), strict=True):
        assert torch.equal(got, want)


def test_many_passes_equal_one(drawings):
    def gradients(tokens_at_once):
        torch.manual_seed(0)
        model = DeepDXFModel(deepdxf_config(tokens_at_once=tokens_at_once)).eval()
        vectors = model(**deepdxf_batch(drawings))
        vectors.square().sum().backward()
        return [vectors, *(p.grad for p in model.parameters())]

    for many, one in zip(gradients(20), gradients(1000), strict=True):
        assert torch.allclose(many, one, atol=1e-4)


@pytest.mark.parametrize(("views", "differ"), [("dropout", True), ("both", True), ("drawing", False)])
def test_dropout_makes_views_in_training_mode(drawings, views, differ):
    torch.manual_seed(0)
    model = DeepDXFModel(deepdxf_config(views=views)).train()
    one, two = model(**deepdxf_batch(drawings * 2)).chunk(2)
    assert torch.allclose(one, two, atol=1e-5) != differ
    model.eval()
    one, two = model(**deepdxf_batch(drawings * 2)).chunk(2)
    assert torch.allclose(one, two, atol=1e-5)
