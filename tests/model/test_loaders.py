"""The three data loaders on a folder of small preprocessed drawings."""

from itertools import chain

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from config.DeepDXF_config import DeepDXFConfig, DeepDXFModelConfig
from config.errors import UserError
from config.GF_config import GFConfig
from config.joint_config import JointConfig
from dataset.dxf_process_GF import gf_adjacency, gf_features
from dataset.entities import Extents, make_row
from dataset.storage import GraphRecord, SequenceRecord, write_graph, write_sequence
from model.DeepDXF_dataset import DeepDXFData, DeepDXFDataset
from model.GF_dataset import GFData, GFDataset, GFLoader
from model.joint_dataset import JointDataLoader, JointLoader
from tests.model.batches import assert_same
from utils.view_graphs import view_graph

EXTENTS = Extents(0, 0, 100, 100)
N_BOTH, N_GRAPH_ONLY, N_SEQUENCE_ONLY = 41, 3, 2


def _write(folder, name, number, graph, sequence):
    rng = np.random.default_rng(number)
    counts = np.zeros((10, 11), np.int64)
    counts[:, 0] = rng.integers(1, 9, 10)
    edges = np.ones((10, 10), np.int64) - np.eye(10, dtype=np.int64)
    source = f"{name}.dxf"
    if graph:
        record = GraphRecord(gf_features(counts), gf_adjacency(edges), counts, edges, source, "cross")
        write_graph(folder / "GF" / f"{name}.h5", record)
    if sequence:
        lines = [make_row("LINE", {"x0": number, "y0": y, "x1": 50, "y1": 50}, EXTENTS) for y in range(3 + number)]
        record = SequenceRecord(np.stack(lines), source, EXTENTS, (), "cross", counts, edges)
        write_sequence(folder / "DeepDXF" / f"{name}.h5", record)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """41 drawings in both sets, 3 only among the graphs, 2 only among the sequences."""
    folder = tmp_path_factory.mktemp("data")
    for i in range(N_BOTH):
        _write(folder, f"lot {i % 3}/drawing 2023.12.08 ({i})", i, graph=True, sequence=True)
    for i in range(N_GRAPH_ONLY):
        _write(folder, f"graph only {i}", 50 + i, graph=True, sequence=False)
    for i in range(N_SEQUENCE_ONLY):
        _write(folder, f"sequence only {i}", 60 + i, graph=False, sequence=True)
    return folder


def _owner(batch):
    """Which drawing of the batch each row belongs to."""
    return batch["drawing"].repeat_interleave(torch.tensor(batch["lengths"]))


def _names(loader, epoch=0):
    return [name for batch in loader.epoch(epoch) for name in batch["names"]]


DATA = {
    "gf": lambda folder, **options: GFData(GFConfig(data_dir=folder, **options)),
    "deepdxf": lambda folder, **options: DeepDXFData(DeepDXFConfig(data_dir=folder, **options)),
    "joint": lambda folder, **options: JointDataLoader(JointConfig(data_dir=folder, **options)),
}


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("n_folds", [1, 3])
def test_no_drawing_is_in_two_of_train_validation_and_test(data_dir, kind, n_folds):
    data = DATA[kind](data_dir, n_folds=n_folds)
    test = set(_names(data.get_test_loaders()))
    for fold in range(n_folds):
        train, val = (set(_names(loader)) for loader in data.get_fold_loaders(fold))
        assert train and val and test
        assert not train & val and not train & test and not val & test


def test_all_three_hold_out_the_same_drawings(data_dir):
    tests = [data(data_dir, n_folds=3).split.test for data in DATA.values()]
    assert tests[0] == tests[1] == tests[2]


def test_a_drawing_that_tests_one_encoder_never_trains_the_other(data_dir):
    joint = JointDataLoader(JointConfig(data_dir=data_dir, n_folds=3))
    for fold in joint.split.folds:
        train_rows = {joint.gf.names[i] for i in joint.gf.indices(fold.train)}
        train_rows |= {joint.deepdxf.names[i] for i in joint.deepdxf.indices(fold.train)}
        assert not train_rows & {*fold.val, *joint.split.test}


@pytest.mark.parametrize("batch_size", [2, 4, 7, 16, 25, 26, 27, 500])
def test_deepdxf_batch_size_is_the_most_that_meet(data_dir, batch_size):
    train, val = DeepDXFData(DeepDXFConfig(data_dir=data_dir, n_folds=3, batch_size=batch_size)).get_fold_loaders(0)
    for loader in (train, val):
        sizes = [len(batch["names"]) for batch in loader.epoch(0)]
        odd_one = batch_size == 2 and len(loader.indices) % 2  # a batch of one would have nothing to differ from
        assert 2 <= min(sizes) <= max(sizes) <= batch_size + odd_one
        assert sum(sizes) == len(loader.indices)


@pytest.mark.parametrize("kind", ["gf", "deepdxf"])
def test_every_drawing_comes_once_an_epoch_in_a_new_order(data_dir, kind):
    data = DATA[kind](data_dir, n_folds=3, batch_size=4)
    train, _ = data.get_fold_loaders(0)
    first, again, second = _names(train, 0), _names(train, 0), _names(train, 1)
    assert len(first) == len(set(first))
    assert set(first) == set(second) == {n for n in data.split.folds[0].train if n in data.dataset.names}
    assert first == again
    assert first != second


def test_gf_pairs_no_graph_with_itself_and_leaves_none_over(data_dir):
    train, _ = GFData(GFConfig(data_dir=data_dir, n_folds=3, batch_size=4)).get_fold_loaders(0)
    for batch in train.epoch(0):
        partner = batch["partner"]
        assert 4 <= len(partner) <= 5, "batches are cut evenly"
        assert (partner != torch.arange(len(partner))).all()
        assert sorted(partner.tolist()) == list(range(len(partner)))


@pytest.fixture(scope="module")
def graphs(data_dir):
    return GFData(GFConfig(data_dir=data_dir, n_folds=3)).dataset


@given(size=st.integers(2, 44), batch_size=st.integers(2, 50), seed=st.integers(0, 2**31), epoch=st.integers(0, 99))
def test_every_graph_is_paired_once_an_epoch_with_another_one(graphs, size, batch_size, seed, epoch):
    """None is left out, none comes twice, none meets itself."""
    loader = GFLoader(graphs, np.arange(len(graphs.names))[:size], batch_size, seed, train=True)
    seen, met = [], []
    for batch in loader.epoch(epoch):
        names, partner = np.array(batch["names"]), batch["partner"].numpy()
        assert (names != names[partner]).all()
        assert len(names) >= min(size, batch_size)
        assert torch.equal(batch["features"], graphs.features[graphs.indices(names)])
        seen += names.tolist()
        met += names[partner].tolist()
    assert sorted(seen) == sorted(met) == sorted(graphs.names[:size])


def test_90_batches_for_the_published_set():
    """16,035 drawings, a fifth held out, 10 folds, 128 graphs a batch."""
    train = round(16_035 * 0.8 * 0.9)
    assert len(GFLoader(None, np.arange(train), 128, seed=0, train=True)) == 90


def test_joint_steps_hold_the_same_drawings_on_both_sides(data_dir):
    for path in ("GF", "DeepDXF"):
        assert len(list((data_dir / path).rglob("*.h5"))) in (44, 43)
    data = JointDataLoader(JointConfig(data_dir=data_dir, n_folds=3, gf_batch_pairs=3))
    train, _ = data.get_fold_loaders(0)
    steps = list(train.epoch(0))
    n_graphs = sum(len(step["gf"]["features"]) for step in steps)
    n_sequences = sum(step["deepdxf"]["n_drawings"] // 2 for step in steps)
    n_pairs = sum(len(step["pairs"]) for step in steps)
    assert len(steps) == len(train) == n_graphs // 6
    assert {step["deepdxf"]["n_drawings"] // 2 for step in steps} <= {
        n_sequences // len(steps),
        n_sequences // len(steps) + 1,
    }
    both = [name for name in data.split.folds[0].train if name in data.gf.names and name in data.deepdxf.names]
    assert n_pairs == len(both), "every drawing that both sets hold is a pair"


def test_pairs_point_at_the_same_drawing(data_dir):
    data = JointDataLoader(JointConfig(data_dir=data_dir, n_folds=2))
    _, val = data.get_fold_loaders(0)
    (step,) = val.epoch(0)
    graphs = [name for name in step["names"] if name in data.gf.names]
    sequences = [name for name in step["names"] if name in data.deepdxf.names]
    features = torch.stack([data.gf.features[i] for i in data.gf.indices(graphs)])
    assert torch.equal(step["gf"]["features"], features)
    assert len(step["pairs"]) == len(set(graphs) & set(sequences))
    assert all(graphs[i] == sequences[j] for i, j in step["pairs"].tolist())


def test_a_set_smaller_than_a_batch_is_one_smaller_batch(data_dir):
    train, _ = JointDataLoader(JointConfig(data_dir=data_dir, n_folds=3, gf_batch_pairs=45)).get_fold_loaders(0)
    (step,) = train.epoch(0)
    assert len(step["gf"]["features"]) >= 2


@pytest.mark.parametrize(("drawings", "steps"), [(31, 1), (32, 2), (79, 4), (80, 5), (200, 5), (540, 6)])
def test_a_small_set_trains_in_more_steps_than_its_batch_size_asks_for(tmp_path, drawings, steps):
    for i in range(drawings):
        _write(tmp_path, str(i), 0, graph=True, sequence=True)
    data, config = JointDataLoader(JointConfig(data_dir=tmp_path)), JointConfig()
    names = tuple(data.gf.names)
    assert len(JointLoader(data.gf, data.deepdxf, names, config, train=True)) == steps
    assert len(JointLoader(data.gf, data.deepdxf, names, config, train=False)) == max(1, drawings // 90)


def test_deepdxf_batch_can_be_fixed(data_dir):
    config = JointConfig(data_dir=data_dir, n_folds=3, gf_batch_pairs=5, deepdxf_batch=5)
    data = JointDataLoader(config)
    train, val = data.get_fold_loaders(0)
    assert {step["deepdxf"]["n_drawings"] for step in train.epoch(0)} == {10}
    seen = {name for step in val.epoch(0) for name in step["names"]}
    assert sum(step["deepdxf"]["n_drawings"] for step in val.epoch(0)) == 2 * len(seen & set(data.deepdxf.names))


@pytest.mark.parametrize(
    ("kind", "size"), [("gf", {"batch_size": 4}), ("deepdxf", {"batch_size": 4}), ("joint", {"gf_batch_pairs": 3})]
)
def test_an_epoch_can_begin_at_any_step_without_building_those_before_it(data_dir, monkeypatch, kind, size):
    built = []
    for of, build in ((GFDataset, GFDataset.plain), (DeepDXFDataset, DeepDXFDataset.view_pairs)):
        monkeypatch.setattr(of, build.__name__, lambda *args, build=build: (built.append(build), build(*args))[1])
    train, _ = DATA[kind](data_dir, n_folds=3, **size).get_fold_loaders(0)
    whole = list(train.epoch(3))
    cost = len(built) // len(whole)
    assert len(whole) >= 3 and cost == (2 if kind == "joint" else 1)
    for first_step in (1, len(whole) - 1, len(whole)):
        built.clear()
        rest = list(train.epoch(3, first_step))
        assert len(built) == cost * (len(whole) - first_step)
        assert_same(dict(enumerate(rest)), dict(enumerate(whole[first_step:])))


def test_both_encoders_see_the_same_edit(data_dir, monkeypatch):
    """The graphs of a step's views are those of the views that DeepDXF reads; a graph alone stays as it is."""
    made = []
    build = DeepDXFDataset.view_pairs
    monkeypatch.setattr(DeepDXFDataset, "view_pairs", lambda *args: made.append(build(*args)) or made[-1])
    train, val = JointDataLoader(JointConfig(data_dir=data_dir, n_folds=3)).get_fold_loaders(0)
    edited = alone = 0
    for step in chain(train.epoch(0), val.epoch(0)):  # one by one: the last views are this step's
        gf, of = step["gf"], dict(step["pairs"].tolist())
        assert gf["view_features"].shape == (len(gf["features"]), 2, 10, 11)
        for graph in range(len(gf["features"])):
            for i in (0, 1):
                found = gf["view_features"][graph, i], gf["view_adjacency"][graph, i]
                if graph in of:
                    view, _ = made[-1][of[graph]][i]
                    wanted = map(torch.from_numpy, view_graph(view, "cross"))
                    edited += 1
                else:
                    wanted = gf["features"][graph], gf["adjacency"][graph]
                    alone += 1
                assert all(torch.equal(a.float(), b.float()) for a, b in zip(found, wanted, strict=True))
    assert edited > 20 and alone > 0


def test_of_very_many_drawings_an_even_few_say_how_to_standardise(data_dir, monkeypatch):
    data = JointDataLoader(JointConfig(data_dir=data_dir, n_folds=3)).deepdxf
    every = data.features(range(len(data.names)))["grams"]
    monkeypatch.setattr("model.DeepDXF_dataset.MOST_STACKED", 5)
    places = np.linspace(0, len(every) - 1, 5).astype(int)
    assert torch.equal(data.features(range(len(every)))["grams"], every[places])


def test_views_by_dropout_alone_edit_no_graph(data_dir):
    config = JointConfig(data_dir=data_dir, n_folds=3, deepdxf=DeepDXFModelConfig(views="dropout", reads="sequence"))
    train, _ = JointDataLoader(config).get_fold_loaders(0)
    assert all("view_features" not in step["gf"] for step in train.epoch(0))


def test_validation_is_dealt_out_alike_every_time_but_not_by_name(data_dir):
    _, val = JointDataLoader(JointConfig(data_dir=data_dir, n_folds=2)).get_fold_loaders(0)
    assert _names(val, 0) == _names(val, 5)
    assert _names(val, 0) != sorted(_names(val, 0))


def test_group_by_reaches_the_split(data_dir):
    data = GFData(GFConfig(data_dir=data_dir, n_folds=1, group_by="folder"))
    assert len({name.rpartition("/")[0] for name in data.split.test}) == 1


@pytest.mark.parametrize("views", ["dropout", "drawing", "both"])
def test_validation_views_are_the_same_every_epoch_and_train_views_are_new(data_dir, views):
    reads = "sequence" if views == "dropout" else "sheet"
    data = DeepDXFData(DeepDXFConfig(data_dir=data_dir, n_folds=3, views=views, reads=reads))
    train, val = data.get_fold_loaders(0)

    def rows(loader, epoch):
        return torch.cat([batch["rows"].flatten() for batch in loader.epoch(epoch)])

    assert torch.equal(rows(val, 0), rows(val, 0))
    if views != "dropout":
        (batch,) = list(val.epoch(0))[:1]
        owner = _owner(batch)
        first = batch["rows"][owner < batch["n_drawings"] // 2]
        second = batch["rows"][owner >= batch["n_drawings"] // 2]
        assert first.shape != second.shape or not torch.equal(first, second)
    assert not torch.equal(rows(train, 0)[:500], rows(train, 1)[:500])


@pytest.mark.parametrize("chunk_size", [4, 256])
def test_views_of_long_drawings_are_sampled_and_in_validation_always_alike(data_dir, chunk_size):
    plain = {"reads": "sequence", "views": "dropout"}
    config = DeepDXFConfig(data_dir=data_dir, n_folds=3, chunk_size=chunk_size, max_view_entities=8, **plain)
    train, val = DeepDXFData(config).get_fold_loaders(0)

    def read(loader):
        """How many entities each drawing of an epoch gave to a view."""
        batches = list(loader.epoch(0))
        return torch.cat([_owner(batch).bincount(minlength=batch["n_drawings"]) for batch in batches])

    for loader in (train, val):
        assert 1 <= read(loader).min() <= read(loader).max() <= 8
    (first,), (second,) = (list(val.epoch(epoch)) for epoch in (0, 1))
    assert torch.equal(first["rows"], second["rows"])


def test_an_empty_folder_and_too_few_drawings_say_what_to_do(data_dir, tmp_path):
    with pytest.raises(UserError, match="dxf_process"):
        GFData(GFConfig(data_dir=tmp_path))
    with pytest.raises(UserError, match="fewer folds"):
        GFData(GFConfig(data_dir=data_dir, n_folds=60))


def test_data_made_with_different_options_is_refused(data_dir, tmp_path):
    for number, overlap in enumerate(("cross", "intersects")):
        counts = np.ones((10, 11), np.int64)
        edges = 1 - np.eye(10, dtype=np.int64)
        record = GraphRecord(gf_features(counts), gf_adjacency(edges), counts, edges, "a.dxf", overlap)
        for i in range(8):
            write_graph(tmp_path / "GF" / f"{number} {i}.h5", record)
    with pytest.raises(UserError, match=r"overlap cross.*overlap intersects"):
        GFData(GFConfig(data_dir=tmp_path, n_folds=1))
