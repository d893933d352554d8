import pytest
import torch
from torch import nn
from torch_geometric.nn import GatedGraphConv, GCNConv, GINConv, SAGEConv
from torch_geometric.nn.dense import DenseGCNConv, DenseGINConv, DenseSAGEConv

from model.GF_model import GFEncoder, GFModel, make_conv
from model.layers.DenseGraphMatching import fuse
from tests.model.batches import gf_batch, gf_config
from utils.GF_utils import present_nodes

CONVS = ["gcn", "graphsage", "gin", "ggnn"]


def sparse_conv(conv: str, dense: nn.Module) -> tuple[nn.Module, dict[str, str]]:
    """The sparse convolution of torch_geometric with the dense one's weights, and which parameter is which."""
    names = {name: name for name, _ in dense.named_parameters()}
    match conv:
        case "gcn":
            sparse = GCNConv(dense.in_channels, dense.out_channels)
        case "graphsage":
            # the sparse layer keeps the bias with the neighbours' part, the dense one with the node's own
            sparse = SAGEConv(dense.in_channels, dense.out_channels)
            names = {"lin_rel.weight": "lin_l.weight", "lin_root.bias": "lin_l.bias", "lin_root.weight": "lin_r.weight"}
        case "gin":
            width_in, width_out = dense.nn[0].in_features, dense.nn[0].out_features
            mlp = nn.Sequential(nn.Linear(width_in, width_out), nn.ReLU(), nn.Linear(width_out, width_out))
            sparse = GINConv(mlp)
        case "ggnn":
            sparse = GatedGraphConv(dense.out_channels, 1)
    values = dict(dense.named_parameters())
    with torch.no_grad():
        for ours, theirs in names.items():
            sparse.get_parameter(theirs).copy_(values[ours])
    return sparse, names


@pytest.mark.parametrize("conv", CONVS)
def test_encoder_equals_sparse_layers_on_the_present_nodes(conv):
    """Values and gradients; the sparse graph does not even hold the absent nodes. Some nodes are isolated."""
    torch.manual_seed(0)
    batch = gf_batch(6)
    features, adjacency, present = batch["features"], batch["adjacency"], present_nodes(batch["features"])
    assert ((adjacency.sum(-1) == 0) & present).any(), "the case needs an isolated node"
    encoder = GFEncoder(gf_config(conv=conv, filters="12_16_16")).eval()
    sparse, names = zip(*(sparse_conv(conv, dense) for dense in encoder.convs), strict=True)

    got = encoder(features, adjacency, present)
    want = torch.zeros_like(got)
    for graph in range(len(features)):
        kept = present[graph]
        nodes, edges = features[graph, kept], adjacency[graph][kept][:, kept].nonzero().T
        for layer in sparse:
            nodes = layer(nodes, edges).relu()
        want[graph, kept] = nodes
    assert torch.allclose(got, want, atol=1e-5)

    got.square().sum().backward()
    want.square().sum().backward()
    for dense_layer, sparse_layer, pairs in zip(encoder.convs, sparse, names, strict=True):
        for ours, theirs in pairs.items():
            got_grad, want_grad = dense_layer.get_parameter(ours).grad, sparse_layer.get_parameter(theirs).grad
            assert torch.allclose(got_grad, want_grad, rtol=1e-4, atol=1e-4), ours


def dense_conv(conv: str, width_in: int, width_out: int) -> nn.Module:
    match conv:
        case "gcn":
            return DenseGCNConv(width_in, width_out)
        case "graphsage":
            return DenseSAGEConv(width_in, width_out)
        case "gin":
            layers = nn.Linear(width_in, width_out), nn.ReLU(), nn.Linear(width_out, width_out)
            return DenseGINConv(nn.Sequential(*layers))


@pytest.mark.parametrize("conv", ["gcn", "graphsage", "gin"])
def test_encoder_equals_dense_layers_in_values_and_gradients(conv):
    """With masks, isolated nodes, and graphs without any node."""
    torch.manual_seed(0)
    batch = gf_batch(6)
    batch["features"][2], batch["adjacency"][2] = 0, 0
    features, adjacency, present = batch["features"], batch["adjacency"], present_nodes(batch["features"])
    encoder = GFEncoder(gf_config(conv=conv, filters="12_16_16"))
    dense = [dense_conv(conv, *widths) for widths in ((11, 12), (12, 16), (16, 16))]
    for theirs, ours in zip(dense, encoder.convs, strict=True):
        theirs.load_state_dict(ours.state_dict())
    want = features
    for layer in dense:
        want = layer(want, adjacency, present).relu()
    got = encoder(features, adjacency, present)
    torch.testing.assert_close(got, want)

    got.square().sum().backward()
    want.square().sum().backward()
    for theirs, ours in zip(dense, encoder.convs, strict=True):
        for (name, p), q in zip(theirs.named_parameters(), ours.parameters(), strict=True):
            torch.testing.assert_close(q.grad, p.grad, msg=name)


@pytest.mark.parametrize("conv", CONVS)
def test_dropout_is_that_of_the_masks(conv):
    torch.manual_seed(0)
    batch = gf_batch(6)
    graphs = batch["features"], batch["adjacency"], present_nodes(batch["features"])
    encoder = GFEncoder(gf_config(conv=conv, filters="12_16", dropout=0.25))
    kept = [torch.rand(6, 10, width) < 0.75 for width in (12, 16)]
    nodes = graphs[0]
    for layer, mask in zip(encoder.convs, kept, strict=True):
        nodes = layer(nodes, *graphs[1:]).relu() * mask / 0.75
    torch.testing.assert_close(encoder(*graphs, kept), nodes)
    assert not torch.allclose(encoder(*graphs), nodes)


def test_unknown_conv():
    with pytest.raises(ValueError, match="gat"):
        make_conv("gat", 4, 4)


def test_a_graphs_vector_is_its_nodes_in_class_order_and_zero_where_a_class_is_absent():
    torch.manual_seed(0)
    model = GFModel(gf_config()).eval()
    features, adjacency = torch.rand(5, 10, 11), torch.ones(5, 10, 10) - torch.eye(10)
    features[:, [2, 7]] = 0
    features[3] = 0
    vectors = model.vectors(features, adjacency)
    assert vectors.shape == (5, model.vector_size)
    nodes = vectors.unflatten(1, (10, -1))
    present = (features != 0).any(dim=-1)
    assert (nodes[~present] == 0).all()
    assert torch.equal(nodes, model.encoder(features, adjacency, present))


class Recorder(nn.Module):
    """Stands in for the encoder and keeps what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(11, 16))

    def forward(self, features, adjacency, present, kept, layout):
        self.seen = features, adjacency, present
        return layout.rows((features @ self.weight).relu() * present[..., None])


def recorded_views(batch, **options):
    model = GFModel(gf_config(**options))
    model.encoder = Recorder()
    model(**batch)
    features, adjacency, present = model.encoder.seen
    return features.chunk(3), adjacency.chunk(3), present.chunk(3)


def test_plain_graph_is_encoded_as_it_is_and_never_edited():
    batch = gf_batch(20)
    before = {name: tensor.clone() for name, tensor in batch.items()}
    (features, *_), (adjacency, *_), _ = recorded_views(batch)
    assert torch.equal(features, before["features"])
    assert torch.equal(adjacency, before["adjacency"])
    assert all(torch.equal(batch[name], before[name]) for name in batch)


def test_a_view_has_the_features_and_the_edges_of_its_own_graph():
    batch = gf_batch(20)
    features, adjacency, _ = recorded_views(batch, edge_drop_1=0.0, edge_drop_2=0.0)
    for view in (1, 2):
        kept = features[view] != 0
        assert torch.equal(features[view], batch["features"] * kept)
        assert kept.any(dim=2).any(dim=1).float().mean() > 0.8
        assert torch.equal(adjacency[view], batch["adjacency"])


def test_views_differ_and_keep_the_plain_graphs_presence():
    batch = gf_batch(20)
    features, adjacency, present = recorded_views(batch)
    assert not torch.equal(features[1], features[2])
    assert not torch.equal(adjacency[1], adjacency[2])
    assert all(torch.equal(p, present_nodes(batch["features"])) for p in present)


def test_each_view_has_its_own_rates():
    batch = gf_batch(300)
    features, adjacency, _ = recorded_views(batch, feature_drop_1=0.0, edge_drop_2=0.0)
    assert torch.equal(features[1], batch["features"])
    assert not torch.equal(features[2], batch["features"])
    assert not torch.equal(adjacency[1], batch["adjacency"])
    assert torch.equal(adjacency[2], batch["adjacency"])


@pytest.mark.parametrize("match", ["concat", "bilinear"])
def test_forward_equals_one_pair_after_the_other(match):
    """SPEC section 2 for each graph p and its partner h: fuse p's two views, then match each with h's plain nodes."""
    torch.manual_seed(0)
    batch = gf_batch(7)
    model = GFModel(gf_config(match=match)).eval()
    model.packs = False
    seen = {}
    model.encoder.register_forward_hook(lambda _, __, nodes: seen.update(nodes=nodes))
    output = model(**batch)
    plain, view_1, view_2 = seen["nodes"].unflatten(0, (3, 7))
    present = present_nodes(batch["features"])
    for p in range(7):
        h = batch["partner"][p]
        one, two, here, there = view_1[p, None], view_2[p, None], present[p, None], present[h, None]
        fused_1, fused_2 = fuse(one, two, here[:, None].float()), fuse(two, one, here[:, None].float())
        for view, fused in enumerate((fused_1, fused_2)):
            got = output.matched.unflatten(0, (2, 7))[view, p]
            want = model.matching(fused, plain[h, None], there)[0]
            assert torch.allclose(got[present[p]], want[present[p]], atol=1e-5)


def test_a_view_meets_its_partners_plain_nodes():
    """Changing graph 0 reaches the matching of the graph that has it as its partner, and of no third graph."""
    torch.manual_seed(0)
    batch = gf_batch(6)
    model = GFModel(gf_config()).eval()

    def matched(features):
        torch.manual_seed(1)
        output = model(features, batch["adjacency"], batch["partner"])
        nodes = output.layout.side_by_side(output.matched, 2)[:, :10]
        return torch.where(output.present[..., None], nodes, 0)

    changed = batch["features"].clone()
    changed[0] *= torch.rand_like(changed[0]) + 0.5  # the same nodes stay present
    moved = (matched(batch["features"]) - matched(changed)).abs().amax(dim=(1, 2)) > 1e-7
    assert moved.tolist() == [i == 0 or batch["partner"][i].item() == 0 for i in range(6)]
