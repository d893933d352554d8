"""Training on sheets: parts, heads, centres, and which drawings may say how to standardise."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from config.DeepDXF_config import DeepDXFConfig
from config.joint_config import JointConfig
from config.run_config import to_dict
from dataset.appearance import Appearance
from dataset.drawing import N_LETTER_BUCKETS
from dataset.dxf_process_GF import gf_adjacency, gf_features
from dataset.entities import Extents, make_row
from dataset.storage import GraphRecord, SequenceRecord, write_graph, write_sequence
from model.calibration import PairQuantiles
from model.DeepDXF_task import STRANGERS, DeepDXFTask
from model.joint_dataset import JointDataLoader
from model.joint_task import JointTask
from model.looks import LOOKS
from model.registry import rebuild
from model.sheet_encoder import LEARNED
from tests.model.batches import (
    assert_all_learn,
    assert_finite,
    gf_batch,
    gf_config,
    gradients,
    random_drawing,
    sheet_batch,
    sheet_config,
    train,
)
from utils.checkpoint import load_checkpoint, save_checkpoint
from utils.joints import joint_counts
from utils.seeding import seeded

DRAWINGS = [random_drawing(1 + 7 * seed % 40, seed, words=seed != 3) for seed in range(8)]
FITTED = (
    "sheet.mean",
    "sheet.deviation",
    "sheet.pair_",
    "sheet.gram_rarity",
    "sheet.joint_rarity",
    "centre_",
    "look_weights",
    "pairs.gf",
    "pairs.deepdxf",
    "pairs.joint",
)


def make_task(**options):
    torch.manual_seed(0)
    return DeepDXFTask(sheet_config(**options))


@pytest.fixture
def settled():
    """A task that has seen the eight drawings before and after training."""
    task, batch = make_task(), sheet_batch(DRAWINGS)
    task.fit(batch)
    task.settle([batch])
    return task


@pytest.mark.parametrize("views", ["drawing", "both"])
def test_every_parameter_learns(views):
    task, batch = make_task(views=views), sheet_batch(DRAWINGS)
    task.fit(batch)
    assert_all_learn(task, batch)


@pytest.mark.parametrize("dtype", [None, torch.bfloat16])
def test_extreme_drawings_stay_finite(dtype):
    blank = random_drawing(2, words=False).keep(np.array([True, False]))
    for drawings in ([blank] * 4, [random_drawing(1, seed) for seed in range(4)], [blank, *DRAWINGS[:3]]):
        task, batch = make_task(), sheet_batch(drawings)
        task.fit(batch)
        assert_finite(task, batch, dtype)


def test_each_learned_part_has_a_head_and_the_loss_is_their_mean(settled):
    assert set(settled.projections) == {"sequence", *LEARNED}
    batch = sheet_batch(DRAWINGS)
    settled.eval()
    found = gradients(settled, batch)
    whole = settled(batch)["loss"].item()
    losses = []
    for name in list(settled.projections):
        heads = settled.projections
        settled.projections = torch.nn.ModuleDict({name: heads[name]})
        losses.append(settled(batch)["loss"].item())
        mine = gradients(settled, batch)
        for path, gradient in found.items():
            if path.startswith(f"projections.{name}."):
                torch.testing.assert_close(gradient, mine[path] / 5, rtol=1e-3, atol=1e-6)
        settled.projections = heads
    assert whole == pytest.approx(np.mean(losses), rel=1e-5)
    assert len({round(loss, 4) for loss in losses}) == 5


def weights(task) -> dict[str, float]:
    """What each part of a drawing with words counts."""
    found = zip(LOOKS, task.look_weights[0].tolist(), strict=True)
    return {name: weight / len(look.parts) for look, weight in found for name in look.parts}


def test_every_part_of_the_vector_has_its_weight():
    task, batch = make_task(), sheet_batch(DRAWINGS[:2])
    assert sum(weights(task).values()) == pytest.approx(1)
    assert set(weights(task)) == set(task._parts(batch, task._learned(batch))) == set(task.part_sizes)


def test_batched_equals_one_by_one(settled):
    together = settled.embed(sheet_batch(DRAWINGS))["deepdxf"]
    assert together.shape == (8, settled.vector_size)
    for index, drawing in enumerate(DRAWINGS):
        alone = settled.embed(sheet_batch([drawing]))["deepdxf"]
        torch.testing.assert_close(together[index : index + 1], alone, atol=1e-4, rtol=1e-4)


def letters_and_words(drawing):
    return len(drawing.grams) and drawing.grams.min() < N_LETTER_BUCKETS <= drawing.grams.max()


def test_the_vectors_cosine_is_the_weighted_mean_of_its_parts_cosines_about_their_centres(settled):
    drawings = [drawing for drawing in DRAWINGS if joint_counts(drawing).any() and letters_and_words(drawing)]
    weight = weights(settled)
    batch = sheet_batch(drawings)
    vectors = settled.embed(batch)["deepdxf"].detach()
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(len(drawings)), atol=1e-4, rtol=0)
    with torch.no_grad():
        parts = settled.sheet.measured(batch) | settled._learned(batch)
    for one in range(len(drawings)):
        for two in range(one):
            want = 0.0
            for name, rows in parts.items():
                a, b = (functional.normalize(rows[i], dim=0) - getattr(settled, f"centre_{name}") for i in (one, two))
                want += weight[name] * functional.cosine_similarity(a, b, dim=0).item()
            assert (vectors[one] @ vectors[two]).item() == pytest.approx(want, abs=1e-4)


def test_settling_puts_every_parts_origin_into_the_middle_and_again_to_the_same_place(settled):
    batch = sheet_batch(DRAWINGS)
    with torch.no_grad():
        parts = settled.sheet.measured(batch) | settled._learned(batch)
    for name, rows in parts.items():
        seen = [row / np.linalg.norm(row) for row in rows.numpy() if row.any()]
        want = np.sum(seen, axis=0) / (len(seen) + STRANGERS)
        np.testing.assert_allclose(getattr(settled, f"centre_{name}"), want, atol=1e-5)
    before = {name: value.clone() for name, value in settled.state_dict().items()}
    settled.settle([sheet_batch(DRAWINGS[:3]), sheet_batch(DRAWINGS[3:])])
    for name, value in settled.state_dict().items():
        torch.testing.assert_close(value, before[name], atol=1e-4, rtol=1e-4)


def test_what_one_drawing_alone_shows_is_still_seen(settled):
    """About its own place it would be nothing but rounding."""
    silent = [random_drawing(9, seed, words=False) for seed in range(12)]
    spoken = next(drawing for drawing in DRAWINGS if len(drawing.grams) > 20)
    revised = replace(spoken, grams=spoken.grams[:-3], gram_owner=spoken.gram_owner[:-3])
    settled.settle([sheet_batch([*silent, spoken])])
    one, other = parts_of(settled, [spoken, revised])["words"]
    assert functional.cosine_similarity(one, other, dim=0) > 0.8


def parts_of(task, drawings):
    """The parts of the drawings' vectors, by name."""
    vectors = task.embed(sheet_batch(drawings))["deepdxf"].detach()
    return dict(zip(task.part_sizes, vectors.split(list(task.part_sizes.values()), dim=1), strict=True))


def test_about_their_centre_drawings_are_unlike():
    task, batch = make_task().eval(), sheet_batch(DRAWINGS)

    def mean_cosine():
        vectors = functional.normalize(task.embed(batch)["deepdxf"], dim=1)
        return (vectors @ vectors.T)[~torch.eye(8, dtype=torch.bool)].mean().item()

    task.fit(batch)
    narrow = mean_cosine()
    task.settle([batch])
    assert mean_cosine() < 0 < 0.1 < narrow


def test_settling_trains_nothing_and_needs_no_dropout():
    task, batch = make_task().train(), sheet_batch(DRAWINGS)
    before = {name: p.detach().clone() for name, p in task.named_parameters()}
    task.settle([batch])
    one = task.pairs.deepdxf.clone()
    task.train()
    task.settle([batch])
    assert torch.equal(one, task.pairs.deepdxf), "dropout would make another one"
    for name, parameter in task.named_parameters():
        assert torch.equal(parameter, before[name]) and parameter.grad is None


def test_pairs_say_what_a_score_is_worth(settled):
    vectors = settled.embed(sheet_batch(DRAWINGS))["deepdxf"].detach()
    cosines = sorted(
        (vectors[i] @ vectors[j] / vectors[i].norm() / vectors[j].norm()).item() for i in range(8) for j in range(i)
    )
    assert settled.pairs.share_below("deepdxf", cosines[0] - 0.01) == 0
    assert settled.pairs.share_below("deepdxf", cosines[14] + 1e-5) == pytest.approx(15 / 28, abs=1 / 28)
    assert settled.pairs.share_below("deepdxf", 1.01) == 1


def test_training_leaves_chance_behind():
    task, batch = make_task(), sheet_batch([random_drawing(20, seed) for seed in range(6)] * 2)
    task.fit(batch)
    losses = train(task, batch, steps=40)
    assert np.mean(losses[-5:]) < 0.5 * np.log(11)


def record(number, shift=0):
    """A drawing whose ink, letters and types follow from the number, ``shift`` being what else may differ."""
    rng = np.random.default_rng(number + shift)
    extents = Extents(0, 0, 100, 60 + number % 30)
    length = 3 + (number + shift) % 9
    points = rng.uniform(0, 60, (length, 4))
    points[1:, :2] = points[:-1, 2:]  # one line begins where another ends
    lines = [make_row("LINE", dict(zip(("x0", "y0", "x1", "y1"), p, strict=True)), extents) for p in points]
    circle = make_row("CIRCLE", {"x0": 50, "y0": 30, "radius": 1 + number}, extents)
    rows = np.stack([circle if (number + shift + i) % 4 == 0 else line for i, line in enumerate(lines)])
    owner = np.arange(length, dtype=np.int32)
    words = tuple(f"word {number + shift} {rng.integers(1000)}" for _ in owner)
    seen = Appearance((points / 100).astype(np.float32), np.zeros(length, np.uint8), owner, 1.0, words, owner)
    counts = np.zeros((10, 11), np.int64)
    counts[:, 0] = rng.integers(1, 9, 10)
    edges = 1 - np.eye(10, dtype=np.int64)
    return SequenceRecord(rows, f"{number}.dxf", extents, (), "cross", counts, edges, appearance=seen)


def write(folder, number, shift=0):
    drawing = record(number, shift)
    name = f"{number:02}.h5"
    features, adjacency = gf_features(drawing.gf_counts), gf_adjacency(drawing.gf_edge_counts)
    graph = GraphRecord(features, adjacency, drawing.gf_counts, drawing.gf_edge_counts, drawing.source, "cross")
    write_graph(folder / "GF" / name, graph)
    write_sequence(folder / "DeepDXF" / name, drawing)


def run_config(folder):
    return JointConfig(data_dir=folder, n_folds=3, gf=gf_config(), deepdxf=sheet_config(), shared_size=8)


def prepared_and_settled(folder, fold=1):
    """What a task knows of a fold's drawings before any step, its weights being fresh ones."""
    config = run_config(folder)
    data = JointDataLoader(config)
    with seeded(0, torch.device("cpu")):
        task = JointTask(config)
    data.prepare(task, fold)
    task.settle(data.archive(fold))
    return task, data.split


def test_no_drawing_of_validation_or_test_says_how_to_standardise_centre_or_calibrate(tmp_path):
    """Other drawings under their names change nothing; another training drawing changes all that is fitted."""
    for number in range(60):  # enough of them train to have neighbours
        write(tmp_path, number)
    task, split = prepared_and_settled(tmp_path)
    fitted = {name: value.clone() for name, value in task.state_dict().items() if any(key in name for key in FITTED)}
    fold = split.folds[1]
    assert len(fold.val) >= 2 and len(split.test) >= 2
    for name in (*fold.val, *split.test):
        write(tmp_path, int(name), shift=100)
    again, _ = prepared_and_settled(tmp_path)
    for name, value in fitted.items():
        assert torch.equal(again.state_dict()[name], value), name
    write(tmp_path, int(fold.train[0]), shift=100)
    other, _ = prepared_and_settled(tmp_path)
    changed = {name for name, value in fitted.items() if not torch.equal(other.state_dict()[name], value)}
    assert changed == set(fitted) - {"gf.pairs.gf", "deepdxf.pairs.deepdxf"}, "those of an encoder alone stay empty"


def test_the_archive_is_the_training_drawings_with_a_graph_and_a_sheet_of_each(tmp_path):
    for number in range(60):
        write(tmp_path, number)
    data = JointDataLoader(run_config(tmp_path))
    batches, names = list(data.archive(1)), data.split.folds[1].train
    assert len(batches) > 1
    graphs = data.gf.plain(data.gf.indices(names))
    grams = data.deepdxf.features(data.deepdxf.indices(names))["grams"]
    assert torch.equal(torch.cat([batch["gf"]["features"] for batch in batches]), graphs["features"])
    assert torch.equal(torch.cat([batch["deepdxf"]["grams"] for batch in batches]), grams)


def test_joint_settling_measures_all_three_scores(tmp_path):
    for number in range(24):
        write(tmp_path, number)
    task, _ = prepared_and_settled(tmp_path)
    with torch.no_grad():
        found = [task.embed(batch) for batch in JointDataLoader(run_config(tmp_path)).archive(1)]
    vectors = {name: torch.cat([each[name] for each in found]) for name in ("gf", "deepdxf", "joint")}
    want = PairQuantiles(list(vectors))
    want.fit(vectors)
    for name in vectors:
        torch.testing.assert_close(getattr(task.pairs, name), getattr(want, name), atol=1e-5, rtol=0)
    gf, deepdxf, joint = (functional.cosine_similarity(rows[0], rows[1], dim=0).item() for rows in vectors.values())
    assert joint == pytest.approx(gf / 50 + 49 / 50 * deepdxf, abs=1e-5)
    assert all(getattr(want, name).isfinite().all() for name in vectors)


def test_sets_without_a_common_drawing_leave_nothing_measured():
    task = JointTask(JointConfig(gf=gf_config(), deepdxf=sheet_config(), shared_size=8))
    task.settle(iter(()))
    assert all(task.pairs.share_below(name, 0.5) is None for name in ("gf", "deepdxf", "joint"))


def test_every_joint_parameter_learns_with_sheets():
    task = JointTask(JointConfig(gf=gf_config(), deepdxf=sheet_config(), shared_size=8))
    batch = sheet_batch(DRAWINGS)
    task.deepdxf.fit(batch)
    pairs = torch.arange(4)[:, None].expand(4, 2)
    assert_all_learn(task, {"gf": gf_batch(8), "deepdxf": batch, "pairs": pairs})


def test_a_checkpoint_keeps_all_that_was_fitted(settled, tmp_path):
    config = DeepDXFConfig(**vars(sheet_config()))
    path = tmp_path / "model.pth"
    save_checkpoint(path, kind="deepdxf", config=to_dict(config), model=settled.state_dict(), metrics={}, info={})
    again = rebuild(load_checkpoint(path))
    batch = sheet_batch([*DRAWINGS, random_drawing(9, 50)])
    with torch.no_grad():
        assert torch.equal(again.embed(batch)["deepdxf"], settled.embed(batch)["deepdxf"])
        fresh = make_task().eval()
        assert not torch.allclose(fresh.embed(batch)["deepdxf"], settled.embed(batch)["deepdxf"], atol=1e-3)
    assert again.pairs.share_below("deepdxf", 0.1) == settled.pairs.share_below("deepdxf", 0.1) is not None
    assert fresh.pairs.share_below("deepdxf", 0.1) is None


def test_a_part_that_saw_nothing_has_no_say(settled):
    still = [random_drawing(20 + seed, seed) for seed in (50, 51)]
    still = [
        replace(each, strokes=np.zeros((0, 4), np.float32), ink=each.ink[:0], stroke_owner=each.stroke_owner[:0])
        for each in still
    ]
    parts = parts_of(settled, still)
    assert not any(parts[name].any() for name in ("coarse_image", "joints", "joint_counts", "pair_histogram"))
    joined = settled._joined({name: torch.zeros(1, len(centre)) for name, centre in centres(settled).items()})
    assert not joined.any(), "a sheet on which no part sees anything is like nothing"


def test_a_sheet_without_words_is_no_more_like_another_one_than_like_the_same_with_words(settled):
    """At length 1 the rest would count more between two of them."""
    spoken = [each for each in DRAWINGS if len(each.grams) > 5]
    silent = [replace(each, grams=each.grams[:0], gram_owner=each.gram_owner[:0]) for each in spoken]
    vectors = settled.embed(sheet_batch([*spoken, *silent]))["deepdxf"].detach()
    lengths = vectors.norm(dim=1)
    torch.testing.assert_close(lengths[len(spoken) :], torch.ones(len(silent)), atol=1e-4, rtol=0)
    cosines = functional.normalize(vectors, dim=1) @ functional.normalize(vectors, dim=1).T
    for one in range(len(spoken)):
        for two in range(len(spoken)):
            if one != two:
                to_silent = cosines[len(spoken) + one, len(spoken) + two]
                to_spoken = cosines[len(spoken) + one, two]
                assert abs(to_silent - to_spoken) < 4 * 0.45 / settled.part_sizes["words"] ** 0.5
    near = replace(silent[0], side=silent[0].side * 1.001)
    again = settled.embed(sheet_batch([silent[0], near]))["deepdxf"]
    assert functional.cosine_similarity(*again, dim=0) > 0.99, "but a near copy is one"


def centres(task):
    return {name.removeprefix("centre_"): rows for name, rows in task.named_buffers() if name.startswith("centre_")}


def test_a_part_that_no_drawing_has_is_centred_at_zero_and_what_is_not_finite_is_not_hidden():
    task = make_task()
    wordless = sheet_batch([random_drawing(20 + seed, seed, words=False) for seed in range(4)])
    task.fit(wordless)
    task.settle([wordless])
    assert not centres(task)["words"].any()
    with torch.no_grad():
        task.sheet.statistics[-1].bias[0] = torch.nan
    task.centred_vectors([wordless])
    assert centres(task)["statistics"].isnan().any()
