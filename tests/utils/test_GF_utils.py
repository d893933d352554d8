import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.model.batches import gf_batch
from utils.GF_utils import change_edges as change_edges_by
from utils.GF_utils import draw_kept, draw_partners, present_nodes
from utils.GF_utils import drop_features as drop_features_by
from utils.GF_utils import make_view as make_view_by


def drop_features(features, rate):
    return drop_features_by(features, rate, torch.rand(len(features), features.shape[2]))


def change_edges(adjacency, present, rate):
    return change_edges_by(adjacency, present, rate, torch.rand(adjacency.shape))


def make_view(features, adjacency, present, feature_drop, edge_drop):
    columns, edges = torch.rand(len(features), features.shape[2]), torch.rand(adjacency.shape)
    return make_view_by(features, adjacency, present, feature_drop, edge_drop, columns, edges)


@pytest.fixture
def graphs():
    torch.manual_seed(0)
    batch = gf_batch(400)
    return batch["features"], batch["adjacency"], present_nodes(batch["features"])


def test_present_means_a_row_that_is_not_all_zero():
    features = torch.zeros(1, 3, 4)
    features[0, 1, 3] = 0.1
    features[0, 2, 0] = -1.0
    assert present_nodes(features).tolist() == [[False, True, True]]


def test_views_leave_the_original_alone(graphs):
    before = [tensor.clone() for tensor in graphs]
    features, adjacency = make_view(*graphs, 0.5, 0.5)
    features.add_(1)
    adjacency.add_(1)
    assert all(torch.equal(old, new) for old, new in zip(before, graphs, strict=True))


def test_two_views_differ(graphs):
    one, two = make_view(*graphs, 0.3, 0.2), make_view(*graphs, 0.3, 0.2)
    assert not torch.equal(one[0], two[0])
    assert not torch.equal(one[1], two[1])


def test_a_rate_of_zero_changes_nothing(graphs):
    features, adjacency = make_view(*graphs, 0.0, 0.0)
    assert torch.equal(features, graphs[0])
    assert torch.equal(adjacency, graphs[1])


@pytest.mark.parametrize("rate", [0.3, 0.4])
def test_whole_columns_are_dropped_at_the_rate_each_graph_by_itself(rate):
    torch.manual_seed(0)
    features = torch.rand(2000, 10, 11) + 0.1
    view = drop_features(features, rate)
    kept = view != 0
    assert torch.equal(view, features * kept)
    assert (kept.all(dim=1) | ~kept.any(dim=1)).all(), "a column is kept or dropped as a whole"
    assert abs(1 - kept.float().mean().item() - rate) < 0.02
    assert len(kept[:, 0].unique(dim=0)) > 100, "graphs draw different columns"


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_edges_are_dropped_at_the_rate_and_half_as_many_added(rate):
    """On graphs with room: three nodes absent, about 5 edges among 21 pairs."""
    torch.manual_seed(0)
    present = torch.ones(4000, 10).bool()
    present[:, 7:] = False
    upper = ((torch.rand(4000, 10, 10) < 0.25) & present[:, :, None] & present[:, None, :]).triu(1)
    adjacency = (upper | upper.mT).float()
    view = change_edges(adjacency, present, rate)
    edges = adjacency.sum()
    dropped, added = (adjacency > view).sum() / edges, (view > adjacency).sum() / edges
    assert abs(dropped - rate) < 0.02
    assert abs(added - rate / 2) < 0.02


def test_views_of_edges_are_graphs_of_present_nodes(graphs):
    _, adjacency, present = graphs
    view = change_edges(adjacency, present, 0.5)
    assert torch.equal(view, view.mT)
    assert ((view == 0) | (view == 1)).all()
    assert (view.diagonal(dim1=1, dim2=2) == 0).all()
    assert (view[~present] == 0).all()


def test_a_complete_graph_has_no_room_for_new_edges():
    present = torch.ones(200, 10).bool()
    complete = torch.ones(200, 10, 10) - torch.eye(10)
    assert (change_edges(complete, present, 0.5) <= complete).all()


@given(count=st.integers(2, 200), seed=st.integers(0, 2**32 - 1))
def test_partners(count, seed):
    partner = draw_partners(count, np.random.default_rng(seed))
    index = torch.arange(count)
    assert partner.dtype == torch.int64
    assert (partner != index).all(), "no graph is its own partner"
    assert torch.equal(partner.sort().values, index), "each graph is a partner exactly once"
    mutual = partner[partner] == index
    assert (~mutual).sum() == (3 if count % 2 else 0), "pairs, and one cycle of three if the count is odd"


def test_partners_are_random_and_follow_the_generator():
    draw = [tuple(draw_partners(10, np.random.default_rng(seed)).tolist()) for seed in (0, 0, 1, 2, 3)]
    assert draw[0] == draw[1]
    assert len(set(draw)) > 2


@pytest.mark.parametrize("count", [0, 1])
def test_one_graph_has_no_partner(count):
    with pytest.raises(ValueError, match="needs a partner"):
        draw_partners(count, np.random.default_rng(0))


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5])
def test_dropout_masks_have_their_rate_in_every_place_and_follow_the_generator(rate):
    def draw(seed):
        torch.manual_seed(seed)
        return draw_kept((500, 3, 7, 19), rate, torch.device("cpu"))

    kept = draw(0)
    assert kept.shape == (500, 3, 7, 19) and kept.dtype == torch.bool
    assert abs(1 - kept.float().mean().item() - rate) < 0.003
    assert (1 - kept.float().mean(dim=0) - rate).abs().max() < 0.1, "no place is favoured"
    neighbours = kept.flatten()[:-1] & kept.flatten()[1:]
    assert abs(neighbours.float().mean().item() - (1 - rate) ** 2) < 0.005, "cells of one number are independent"
    assert torch.equal(kept, draw(0))
    assert rate == 0 or not torch.equal(kept, draw(1))
