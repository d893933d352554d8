import pytest
import torch
from torch import nn

from model.transformer_encoder import TransformerEncoder, TransformerLayer, split_runs


def torch_layer(ours: TransformerLayer, d_model: int, n_heads: int, d_feedforward: int) -> nn.TransformerEncoderLayer:
    layer = nn.TransformerEncoderLayer(
        d_model, n_heads, d_feedforward, 0.0, activation="gelu", batch_first=True, norm_first=True
    )
    pairs = {
        "self_attn.in_proj_": ours.to_qkv,
        "self_attn.out_proj.": ours.from_heads,
        "linear1.": ours.feedforward[0],
        "linear2.": ours.feedforward[3],
        "norm1.": ours.attention_norm,
        "norm2.": ours.feedforward_norm,
    }
    with torch.no_grad():
        for prefix, module in pairs.items():
            layer.get_parameter(f"{prefix}weight").copy_(module.weight)
            layer.get_parameter(f"{prefix}bias").copy_(module.bias)
    return layer.train()


def test_layer_equals_torchs_pre_norm_layer():
    torch.manual_seed(0)
    ours = TransformerLayer(16, 4, 24, 0.0)
    theirs = torch_layer(ours, 16, 4, 24)
    padded, valid = torch.randn(4, 7, 16), torch.arange(7) < torch.tensor([[1], [4], [4], [7]])
    tokens = padded[valid].requires_grad_()
    got = ours(tokens, [1, 4, 4, 7])
    want = theirs(padded, src_key_padding_mask=~valid)[valid]
    assert torch.allclose(got, want, atol=1e-5)

    target = torch.randn_like(got)
    got_grad = torch.autograd.grad((got * target).sum(), ours.to_qkv.weight)[0]
    want_grad = torch.autograd.grad((want * target).sum(), theirs.self_attn.in_proj_weight)[0]
    assert torch.allclose(got_grad, want_grad, atol=1e-4)


def test_runs_hold_chunks_of_one_length():
    tokens = torch.arange(10)
    runs = split_runs(tokens, [1, 1, 3, 2, 2, 1])
    assert [run.tolist() for run in runs] == [[[0], [1]], [[2, 3, 4]], [[5, 6], [7, 8]], [[9]]]
    assert all(run.data_ptr() == tokens[run.flatten()[0] :].data_ptr() for run in runs), "views, no copies"


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return TransformerEncoder(16, 2, 4, 24, 0.3)


def test_chunks_do_not_see_each_other(encoder):
    encoder.eval()
    tokens = torch.randn(10, 16)
    changed = torch.cat([tokens[:5], torch.randn(5, 16)])
    for lengths in ([5, 5], [2, 3, 5]):
        one, two = encoder(tokens, lengths), encoder(changed, lengths)
        assert torch.allclose(one[:5], two[:5], atol=1e-6)
        assert not torch.allclose(one[5:], two[5:])


@pytest.mark.parametrize("lengths", [[1, 1, 1], [3, 3, 3, 9], [2, 7, 7, 300]])
def test_a_chunk_comes_out_as_if_it_were_alone(encoder, lengths):
    encoder.eval()
    tokens = torch.randn(sum(lengths), 16)
    alone = [encoder(part, [len(part)]) for part in tokens.split(lengths)]
    assert torch.allclose(encoder(tokens, lengths), torch.cat(alone), atol=1e-5)


def test_without_dropout_training_equals_evaluation():
    torch.manual_seed(0)
    encoder = TransformerEncoder(16, 2, 4, 24, 0.0)
    tokens, lengths = torch.randn(8, 16), [3, 5]
    trained = encoder.train()(tokens, lengths)
    with torch.no_grad():
        assert torch.allclose(trained, encoder.eval()(tokens, lengths), atol=1e-6)


def test_dropout_makes_two_passes_differ(encoder):
    tokens = torch.randn(10, 16)
    assert not torch.equal(encoder(tokens, [5, 5]), encoder(tokens, [5, 5]))
