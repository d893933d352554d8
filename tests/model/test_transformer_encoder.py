import pytest
import torch
from torch import nn

from model.transformer_encoder import Packing, TransformerEncoder, TransformerLayer


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
    tokens, valid = torch.randn(3, 7, 16), torch.arange(7) < torch.tensor([[7], [4], [1]])
    packing = Packing(valid)
    got = ours(packing.pack(tokens), packing)
    want = theirs(tokens, src_key_padding_mask=~valid)
    assert torch.allclose(got, want[valid], atol=1e-5)


def test_packing_there_and_back():
    tokens, valid = torch.randn(3, 7, 16), torch.arange(7) < torch.tensor([[7], [4], [0]])
    packing = Packing(valid)
    assert torch.equal(packing.pack(tokens), tokens[valid])
    assert torch.equal(packing.unpack(packing.pack(tokens)), tokens * valid[..., None])


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return TransformerEncoder(16, 2, 4, 24, 0.3)


def test_padding_is_inert_whatever_stands_in_it(encoder):
    encoder.eval()
    tokens, valid = torch.randn(2, 5, 16), torch.ones(2, 5).bool()
    padded = torch.cat([tokens, 50 * torch.randn(2, 3, 16)], dim=1)
    got = encoder(padded, torch.cat([valid, torch.zeros(2, 3).bool()], dim=1))
    assert torch.allclose(got[:, :5], encoder(tokens, valid), atol=1e-5)


def test_padding_gets_no_gradient(encoder):
    tokens = torch.randn(2, 5, 16, requires_grad=True)
    valid = torch.arange(5) < torch.tensor([[5], [2]])
    encoder(tokens, valid)[valid].square().sum().backward()
    assert (tokens.grad[~valid] == 0).all()
    assert (tokens.grad[valid] != 0).any()


def test_a_chunk_of_nothing_but_padding_is_finite(encoder):
    tokens = torch.randn(2, 5, 16, requires_grad=True)
    valid = torch.arange(5) < torch.tensor([[5], [0]])
    out = encoder(tokens, valid)
    out[valid].sum().backward()
    assert out.isfinite().all()
    assert tokens.grad.isfinite().all()


def test_chunks_do_not_see_each_other(encoder):
    encoder.eval()
    tokens, valid = torch.randn(2, 5, 16), torch.ones(2, 5).bool()
    changed = torch.stack([tokens[0], torch.randn(5, 16)])
    assert torch.equal(encoder(tokens, valid)[0], encoder(changed, valid)[0])


def test_without_dropout_training_equals_evaluation():
    torch.manual_seed(0)
    encoder = TransformerEncoder(16, 2, 4, 24, 0.0)
    tokens, valid = torch.randn(2, 5, 16), torch.arange(5) < torch.tensor([[5], [3]])
    trained = encoder.train()(tokens, valid)
    with torch.no_grad():
        assert torch.allclose(trained, encoder.eval()(tokens, valid), atol=1e-6)


def test_dropout_makes_two_passes_differ(encoder):
    tokens, valid = torch.randn(2, 5, 16), torch.ones(2, 5).bool()
    assert not torch.equal(encoder(tokens, valid), encoder(tokens, valid))
