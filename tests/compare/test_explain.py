"""Occlusion: what leaving out a part does, and that an edit lights up where it was made."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from compare.changes import compare
from compare.explain import compact_parts, explain, without
from compare.explain_picture import COLORS, explanation_page, levels
from compare.figure import load
from compare.matrix import score_matrix
from compare.scoring import Vectors, chosen_encoders, fingerprint
from compare.svg import svg
from config.DeepDXF_config import DeepDXFModelConfig
from config.errors import UserError
from config.joint_config import JointConfig
from config.run_config import to_dict
from dataset.dxf_process_GF import gf_counts
from dataset.generator.archive import generate
from model.embedding import Embedder, similarity
from model.joint_task import JointTask
from utils.checkpoint import save_checkpoint

SMALL = DeepDXFModelConfig(d_model=16, n_layers=1, n_heads=2, d_feedforward=16, chunk_size=64)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    generate(folder, families=3, per_family=4, seed=21)
    return folder


@pytest.fixture(scope="module")
def embedder(tmp_path_factory, archive):
    """Untrained but settled on drawings: what it measures of a sheet, not what it has learned, tells sheets apart."""
    torch.manual_seed(0)
    config = JointConfig(deepdxf=SMALL)
    path = tmp_path_factory.mktemp("model") / "model.pth"
    facts = {"data": {"overlap": "cross"}}
    save_checkpoint(
        path, kind="joint", config=to_dict(config), model=JointTask(config).state_dict(), metrics={}, info=facts
    )
    embedder = Embedder(path, torch.device("cpu"))
    embedder.settle(load(path).record for path in sorted(archive.glob("*.dxf"))[:6])
    return embedder


def revision(archive: Path, wanted):
    """An original and its revision by one of the wanted edits, loaded, the smallest of them."""
    records = json.loads((archive / "truth.json").read_text(encoding="utf-8"))["files"]
    pairs = [
        (load(archive / record["original"]), load(archive / record["file"]))
        for record in records
        if record["original"] and {edit["name"] for edit in record["edits"]} & set(wanted)
    ]
    return min(pairs, key=lambda pair: len(pair[1].figure))


def test_leaving_out_nothing_and_leaving_out_one(archive):
    loaded = load(next(iter(sorted(archive.glob("*.dxf")))))
    everything = np.ones(len(loaded.figure), bool)
    assert fingerprint(without(loaded, everything)) == fingerprint(loaded.record)
    keep = everything.copy()
    keep[5] = False
    less = without(loaded, keep)
    assert less.entity_count == len(loaded.figure) - 1
    assert less.appearance.stroke_owner.max() < less.entity_count
    gone = (loaded.record.appearance.stroke_owner == 5).sum()
    assert len(less.appearance.strokes) == len(loaded.record.appearance.strokes) - gone
    assert np.array_equal(less.gf_counts, gf_counts(loaded.figure.types[keep], loaded.figure.boxes[keep]))


def test_a_contribution_is_the_score_less_that_without_the_entity(embedder, archive):
    left, right = revision(archive, ["add_note", "add_callout", "change_dimension_text", "revise_title_block"])
    count = len(right.figure)
    found = explain(embedder, left, right, "joint", parts=count)
    vectors = [embedder(each.record)["joint"] for each in (left, right)]
    assert found.score == similarity(*vectors, "cosine")
    for entity in (0, count // 2, count - 1):
        keep = np.arange(count) != entity
        vector = embedder(without(right, keep))["joint"]
        assert found.right.entities[entity] == pytest.approx(
            found.score - similarity(vectors[0], vector, "cosine"), abs=1e-5
        )
        assert found.right.own[entity] == pytest.approx(1.0 - similarity(vectors[1], vector, "cosine"), abs=1e-5)
    page = svg(explanation_page(found, left.figure, right.figure))
    assert COLORS[0] in page and COLORS[-1] in page
    assert f"{found.score:.4f}" in page


def test_an_edit_lights_up_where_it_was_made(embedder, archive):
    """Of a sheet's entities the most different one is one that was edited, and of an equal sheet none differs."""
    left, right = revision(archive, ["add_note", "add_callout", "change_dimension_text", "revise_title_block"])
    comparison = compare(left.figure, right.figure)
    found = explain(embedder, left, right, "joint", parts=64)
    tops = {
        (side, int(contributions.differs.argmax()))
        for side, contributions in (("left", found.left), ("right", found.right))
    }
    edited = {("left", int(i)) for i in np.flatnonzero(~comparison.common_left)}
    edited |= {("right", int(i)) for i in np.flatnonzero(~comparison.common_right)}
    assert tops & edited
    same = explain(embedder, left, left, "joint", parts=8)
    assert same.score == 1.0
    assert np.abs(same.right.differs).max() < 1e-6


def test_parts_are_compact_and_hold_every_entity_once():
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 100, (500, 2))
    boxes = np.concatenate([corners, corners + 1], axis=1)
    boxes[7] = np.nan
    parts = compact_parts(boxes, 32)
    assert sorted(np.concatenate(parts).tolist()) == list(range(500))
    assert len(parts) == 32 and max(map(len, parts)) <= 2 * min(map(len, parts)) + 1
    spread = np.mean([np.ptp(corners[part], axis=0).prod() for part in parts])
    assert spread < 100 * 100 / 8
    assert [part.tolist() for part in compact_parts(boxes[:3], 9)] and len(compact_parts(boxes[:3], 9)) == 3


def test_colours_tell_what_is_shared_from_what_is_not(embedder, archive):
    left, right = revision(archive, ["add_note", "add_callout", "change_dimension_text", "revise_title_block"])
    side = replace(
        explain(embedder, left, right, "gf", parts=2).left,
        entities=np.array([1.0, 0.0, 0.0, -0.1]),
        own=np.array([1.0, 0.0, 0.5, 0.4]),
    )
    assert levels(side, (1.0, 0.5)).tolist() == [6, 3, 0, 0]


def test_equal_drawings_score_one_and_a_matrix_is_symmetric(embedder, archive):
    paths = sorted(archive.glob("*.dxf"))[:5]
    records = [load(path).record for path in (*paths, paths[0])]
    vectors = Vectors(embedder, chosen_encoders(embedder, "all"))
    found = vectors.of(records)
    for name in ("joint", "gf", "deepdxf"):
        for method in ("cosine", "euclidean"):
            rows = [each[name] for each in found]
            scores = score_matrix(rows, method)
            assert np.array_equal(scores, scores.T)
            assert (np.diag(scores) == 1.0).all() and scores[0, -1] == 1.0
            slow = [[similarity(a, b, method) for b in rows] for a in rows]
            assert np.allclose(scores, slow, atol=2e-7)
    assert [score.encoder for score in vectors.scores(found[0], found[1], "cosine")] == ["joint", "gf", "deepdxf"]


def test_an_encoder_that_the_model_has_not_is_refused(embedder):
    assert chosen_encoders(embedder, "gf") == ("gf",)
    embedder_of_gf = type("GF", (), {"kind": "gf"})()
    assert chosen_encoders(embedder_of_gf, "all") == ("gf",)
    with pytest.raises(UserError, match="no joint encoder, only gf"):
        chosen_encoders(embedder_of_gf, "joint")
