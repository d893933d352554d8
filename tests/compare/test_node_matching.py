"""GF's node matching: the weights that its layers use, and that an edit of a class shows in that class."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from compare.explain import explain, without
from compare.explain_picture import explanation_page
from compare.figure import load
from compare.matching_picture import COLORS, levels
from compare.node_matching import NodeMatching, node_matching
from compare.page import Label, Rect
from compare.svg import svg
from config.GF_config import GFModelConfig
from dataset.dxf_process_GF import gf_adjacency, gf_features
from dataset.entities import DEEPDXF_TYPES, GF_CLASSES
from dataset.generator.archive import generate
from model.GF_task import GFTask
from model.layers.DenseGraphMatching import attend
from tests.compare.test_explain import archive, embedder  # noqa: F401 - fixtures

CIRCLE, TEXT = GF_CLASSES.index("CIRCLE"), GF_CLASSES.index("TEXT")


@pytest.fixture(scope="module")
def vector():
    torch.manual_seed(0)
    task = GFTask(GFModelConfig()).eval()

    def vector(record):
        features = torch.from_numpy(gf_features(record.gf_counts))[None]
        adjacency = torch.from_numpy(gf_adjacency(record.gf_edge_counts)).float()[None]
        with torch.no_grad():
            return task.embed({"features": features, "adjacency": adjacency})["gf"][0].double().numpy()

    return vector


@pytest.fixture(scope="module")
def revisions(tmp_path_factory):
    """Originals and revisions that the generator planted edits in."""
    folder = tmp_path_factory.mktemp("revisions")
    generate(folder, families=8, per_family=5, seed=5)
    records = json.loads((folder / "truth.json").read_text(encoding="utf-8"))["files"]
    return [[load(folder / each[key]) for key in ("original", "file")] for each in records if each["original"]]


def test_the_weights_are_those_of_the_layer(vector, revisions):
    left, right = (vector(each.record) for each in revisions[0])
    found = node_matching(left, right)
    nodes = [torch.from_numpy(each.reshape(1, 10, -1)) for each in (left, right)]
    seen = attend(*nodes, torch.from_numpy(found.right)[None])[0].numpy()
    share = found.weights / np.maximum(found.weights.sum(axis=1, keepdims=True), 1e-12)
    np.testing.assert_allclose(share @ right.reshape(10, -1), seen, atol=1e-6)
    cosine = left @ right / np.linalg.norm(left) / np.linalg.norm(right)
    assert found.adds.sum() == pytest.approx(cosine)
    swapped = node_matching(right, left)
    np.testing.assert_allclose(swapped.weights, found.weights.T)
    np.testing.assert_allclose(swapped.adds, found.adds)


def test_planted_edits_show_in_the_classes_whose_counts_they_changed(vector, revisions):
    """And where no count changed every class is matched as by itself."""
    gaps = []
    for left, right in revisions:
        found = node_matching(vector(left.record), vector(right.record))
        changed = (left.record.gf_counts != right.record.gf_counts).any(axis=1)
        same_edges = np.array_equal(gf_adjacency(left.record.gf_edge_counts), gf_adjacency(right.record.gf_edge_counts))
        either = found.left | found.right
        if not changed.any() and same_edges:
            np.testing.assert_allclose(found.matched[either], 1.0)
        elif (either & changed).any() and (either & ~changed).any():
            gaps.append(found.matched[either & ~changed].mean() - found.matched[either & changed].mean())
    assert len(gaps) >= 5
    assert np.mean(np.array(gaps) > 0) >= 0.8 and np.mean(gaps) > 0.01


@pytest.mark.parametrize("name", ["TEXT", "CIRCLE", "LWPOLYLINE", "DIMENSION"])
def test_a_class_that_is_gone_is_matched_by_nothing_and_one_that_lost_most_matches_worse(vector, revisions, name):
    place, checked = GF_CLASSES.index(name), 0
    for left, _ in revisions:
        mine = np.flatnonzero(left.figure.types == place)
        if len(mine) < 4 or len(mine) > len(left.figure) - 8:
            continue
        checked += 1
        keep = np.ones(len(left.figure), bool)
        keep[mine[1:]] = False
        fewer = node_matching(vector(left.record), vector(without(left, keep)))
        keep[mine[0]] = False
        gone = node_matching(vector(left.record), vector(without(left, keep)))
        assert 0 < fewer.matched[place] < 1.0
        assert gone.matched[place] == gone.adds[place] == 0.0 and gone.left[place] and not gone.right[place]
        assert name in gone.words()[1] and "only left" in gone.words()[1]
    assert checked


def test_colours_follow_the_matching_and_leave_other_types_grey():
    matched = np.array([1.0, 0.9, 0.98, 0.999, 0, 0, 0, 0, 0, 0])
    left = np.array([1, 1, 1, 1, 1, 0, 0, 0, 0, 0], bool)
    right = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0], bool)
    found = NodeMatching(np.diag(matched), np.zeros(10), left, right)
    assert levels(found, left)[:5].tolist() == [0, 2, 1, 0, 3]
    assert levels(found, left)[10:].tolist() == [-1] * (len(DEEPDXF_TYPES) - 10)
    same = NodeMatching(np.diag(np.where(left, 0.9996, 0.0)), np.zeros(10), left, left)
    assert not levels(same, left)[:10].any(), "the table shows 1.000 throughout"


def test_the_page_shows_the_table_where_gf_has_a_say(embedder, archive):  # noqa: F811
    left, right = (load(path) for path in sorted(archive.glob("*.dxf"))[:2])
    found = explain(embedder, left, right, "gf", parts=2)
    assert found.matching is not None
    page = explanation_page(found, left.figure, right.figure)
    labels = [thing.text for thing in page.things if isinstance(thing, Label)]
    assert all(labels.count(name) >= 2 for name in GF_CLASSES), "of rows and of columns"
    for value in found.matching.weights[np.ix_(found.matching.left, found.matching.right)].reshape(-1):
        assert f"{value:.3f}".removeprefix("0") in labels
    assert any(color in svg(page) for color in COLORS)
    assert all(thing.y + thing.height <= page.height for thing in page.things if isinstance(thing, Rect))
    data = found.as_dict()["node_matching"]
    assert data["classes"] == list(GF_CLASSES) and np.shape(data["weights"]) == (10, 10)
    assert any("node matching" in line for line in found.words())
    without_gf = explain(embedder, left, right, "deepdxf", parts=2)
    assert without_gf.matching is None and "node_matching" not in without_gf.as_dict()
    shorter = explanation_page(without_gf, left.figure, right.figure)
    assert shorter.height < page.height
    assert replace(found, matching=None).words() == found.words()[: -len(found.matching.words())]
