import pytest
import torch
from torch_geometric.nn import GatedGraphConv

from model.layers.DenseGGNN import DenseGGNN


def edges_of(adjacency):
    """Sparse edges of one graph whose row i lists what reaches node i."""
    target, source = adjacency.nonzero(as_tuple=True)
    return torch.stack([source, target]), adjacency[target, source]


@pytest.mark.parametrize(("width_in", "num_layers"), [(7, 1), (12, 1), (12, 3), (5, 2)])
def test_equals_gated_graph_conv_in_values_and_gradients(width_in, num_layers):
    torch.manual_seed(0)
    dense, sparse = DenseGGNN(12, num_layers), GatedGraphConv(12, num_layers)
    sparse.load_state_dict(dense.state_dict())
    x_dense = torch.randn(3, 6, width_in, requires_grad=True)
    x_sparse = x_dense.detach().clone().requires_grad_()
    adjacency = torch.rand(3, 6, 6) * (torch.rand(3, 6, 6) < 0.4)  # directed and weighted
    adjacency[:, 2], adjacency[:, :, 2] = 0, 0  # an isolated node

    got = dense(x_dense, adjacency)
    want = torch.stack([sparse(x, *edges_of(a)) for x, a in zip(x_sparse, adjacency, strict=True)])
    assert torch.allclose(got, want, atol=1e-6)

    got.square().sum().backward()
    want.square().sum().backward()
    assert torch.allclose(x_dense.grad, x_sparse.grad, atol=1e-5)
    for (name, p), q in zip(dense.named_parameters(), sparse.parameters(), strict=True):
        assert torch.allclose(p.grad, q.grad, atol=1e-4), name


def test_mask_zeroes_absent_nodes():
    mask = torch.tensor([[True, False, True]])
    out = DenseGGNN(4)(torch.rand(1, 3, 4), torch.ones(1, 3, 3), mask)
    assert (out[0, 1] == 0).all()
    assert (out[0, 0] != 0).any()


def test_too_wide_an_input_is_an_error():
    with pytest.raises(ValueError, match="width 5"):
        DenseGGNN(4)(torch.rand(1, 3, 5), torch.zeros(1, 3, 3))
