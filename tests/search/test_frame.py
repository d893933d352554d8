"""What an archive's drawings have in common: the index asks them, keeps the answer, and asks anew when it must."""

import shutil

import numpy as np
import pytest
import torch

from config import frame
from config.errors import UserError
from config.GF_config import GFConfig
from config.run_config import to_dict
from dataset.dxf_process import load_drawing
from dataset.storage import read_sequence, write_sequence
from model.embedding import Embedder, similarity
from model.GF_task import GFTask
from search.answers import answer
from search.folder import FolderWriter
from search.index import Index
from search.indexing import update
from search.model_card import ModelCard
from tests.model.test_sheet_task import record
from tests.search.conftest import indexed, model
from utils.checkpoint import save_checkpoint

CPU = torch.device("cpu")


@pytest.fixture
def mine(data, tmp_path, monkeypatch):
    """An archive of five of the ten drawings, four of which may say what is common."""
    monkeypatch.setattr(frame, "FEWEST", 4)
    (tmp_path / "archive").mkdir()
    for path in sorted((data / "DeepDXF").rglob("*.h5"))[:5]:
        shutil.copy(path, tmp_path / "archive" / path.name)
    return tmp_path / "archive"


@pytest.fixture
def checkpoint(archive, tmp_path):
    """A model that was settled on two drawings only."""
    model(tmp_path / "model.pth", sorted(archive.rglob("*.dxf"))[:2])
    return tmp_path / "model.pth"


def assert_seen_as_by_one_that_settled_on(drawings, path, checkpoint):
    """All drawings of an index score as they do to a model that was shown these drawings."""
    index, asks, knows = Index.open(path), Embedder(checkpoint, CPU), Embedder(checkpoint, CPU)
    knows.settle(map(read_sequence, drawings))
    vectors = {each.name: knows(read_sequence(each)).get("joint") for each in drawings}
    index.prepare(asks)
    query = next(each for each in drawings if vectors[each.name] is not None)
    found = answer(index, asks, query, load_drawing(query), k=100)
    assert len(found.hits) == len(index.slots("joint"))
    for hit in found.hits:
        score = similarity(vectors[query.name], vectors[hit.id], "cosine")
        assert hit.score == pytest.approx(score, abs=1e-5)
        assert hit.share_below == pytest.approx(knows.share_below("joint", hit.score), abs=1e-3)


def test_an_archive_is_asked_once_and_anew_when_it_has_outgrown_the_answer(mine, data, checkpoint, tmp_path):
    path = tmp_path / "archive.idx"
    others = sorted((data / "DeepDXF").rglob("*.h5"))[5:]
    done = indexed(path, mine, Embedder(checkpoint, CPU), segment=2)
    five = sorted(mine.glob("*.h5"))
    assert (len(done.added), done.renewed) == (5, [])
    assert_seen_as_by_one_that_settled_on(five, path, checkpoint)
    for other in others:
        shutil.copy(other, mine / other.name)
    done = indexed(path, mine, Embedder(checkpoint, CPU), segment=2)
    assert (len(done.added), done.renewed, done.unchanged) == (5, [], 5)
    assert Index.open(path).model.settled_on == 5
    shutil.copy(others[0], mine / "eleventh.h5")
    done = indexed(path, mine, Embedder(checkpoint, CPU), segment=2)
    assert (done.added, done.changed, len(done.renewed), done.unchanged) == (["eleventh.h5"], [], 10, 0)
    assert Index.open(path).model.settled_on == len(Index.open(path)) == 11
    assert_seen_as_by_one_that_settled_on(sorted(mine.glob("*.h5")), path, checkpoint)
    assert indexed(path, mine, Embedder(checkpoint, CPU)).unchanged == 11


def test_an_index_keeps_what_each_look_is_worth_in_its_archive(checkpoint, tmp_path):
    (tmp_path / "forty").mkdir()
    for number in range(40):
        write_sequence(tmp_path / "forty" / f"{number}.h5", record(number))
    indexed(tmp_path / "forty.idx", tmp_path / "forty", Embedder(checkpoint, CPU))
    kept = Index.open(tmp_path / "forty.idx").model.frame["deepdxf.look_weights"]
    assert not np.allclose(kept, Embedder(checkpoint, CPU).frame["deepdxf.look_weights"], atol=0.01)
    assert_seen_as_by_one_that_settled_on(sorted((tmp_path / "forty").glob("*.h5")), tmp_path / "forty.idx", checkpoint)


def test_stopped_while_it_is_renewed_an_index_holds_nothing_of_the_frame_before(
    mine, checkpoint, tmp_path, monkeypatch
):
    path = tmp_path / "archive.idx"
    indexed(path, mine, Embedder(checkpoint, CPU))
    for copy in range(6):
        shutil.copy(sorted(mine.glob("*.h5"))[0], mine / f"z {copy}.h5")
    add = FolderWriter.add

    def once(writer, rows):
        add(writer, rows)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(FolderWriter, "add", once)
        indexed(path, mine, Embedder(checkpoint, CPU), segment=2)
    assert len(Index.open(path)) == 2
    drawings = sorted(mine.glob("*.h5"))
    assert_seen_as_by_one_that_settled_on(drawings, path, checkpoint)
    done = indexed(path, mine, Embedder(checkpoint, CPU))
    assert done.unchanged == 2 and len(Index.open(path)) == 11
    assert_seen_as_by_one_that_settled_on(drawings, path, checkpoint)


def test_few_drawings_leave_it_to_those_of_the_training(mine, checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(frame, "FEWEST", 6)
    indexed(tmp_path / "a.idx", mine, Embedder(checkpoint, CPU))
    index, fresh = Index.open(tmp_path / "a.idx"), Embedder(checkpoint, CPU)
    assert index.model.settled_on == 0
    assert all(np.array_equal(array, fresh.frame[name]) for name, array in index.model.frame.items())


def test_what_cannot_be_read_has_no_say_and_is_named_once(mine, checkpoint, tmp_path):
    (mine / "damaged.h5").write_bytes(b"no")
    done = indexed(tmp_path / "a.idx", mine, Embedder(checkpoint, CPU))
    assert list(done.skipped) == ["damaged.h5"] and len(done.added) == 5
    assert_seen_as_by_one_that_settled_on(
        sorted(set(mine.glob("*.h5")) - {mine / "damaged.h5"}), tmp_path / "a.idx", checkpoint
    )


def test_a_database_keeps_the_answer_too(mine, checkpoint, tmp_path):
    for name in ("pymilvus", "milvus_lite"):
        pytest.importorskip(name, reason="needs requirements-search.txt")
    from search.milvus import MilvusIndex, milvus_writer

    address = f"milvus://{tmp_path}/vectors.db/drawings"
    for count in (5, 11):
        embedder = Embedder(checkpoint, CPU)
        with milvus_writer(address, mine, ModelCard.of(embedder, "model.pth"), tmp_path / "kept") as writer:
            done = update(writer, mine, embedder)
        folder = tmp_path / f"{count}.idx"
        indexed(folder, mine, Embedder(checkpoint, CPU))
        database = MilvusIndex(address)
        assert database.model.as_dict() == Index.open(folder).model.as_dict()
        assert len(database) == database.model.settled_on == count
        assert len(done.renewed) == (5 if count == 11 else 0)
        for copy in range(6):
            shutil.copy(sorted(mine.glob("*.h5"))[0], mine / f"z {copy}.h5")


def test_two_that_can_be_read_do_not_speak_for_all(mine, checkpoint, tmp_path):
    for path in sorted(mine.glob("*.h5"))[2:]:
        path.write_bytes(b"no")
    done = indexed(tmp_path / "a.idx", mine, Embedder(checkpoint, CPU))
    assert len(done.added) == 2 and len(done.skipped) == 3
    assert Index.open(tmp_path / "a.idx").model.settled_on == 0


def test_one_who_has_the_index_open_sees_no_mixture_of_frames(mine, data, checkpoint, tmp_path):
    path, asks = tmp_path / "a.idx", Embedder(checkpoint, CPU)
    indexed(path, mine, Embedder(checkpoint, CPU), segment=2)
    fresh_one, used = Index.open(path), Index.open(path)
    fresh_one.prepare(asks)
    query = sorted(mine.glob("*.h5"))[0]
    before = asks(read_sequence(query))["joint"]
    used.query([before])
    for copy in range(6):
        shutil.copy(query, mine / f"z {copy}.h5")
    indexed(path, mine, Embedder(checkpoint, CPU), segment=2)
    for index in (fresh_one, used):
        with pytest.raises(UserError, match="was written to while it was asked: ask again"):
            index.query([before])
        found = answer(index, asks, query, load_drawing(query), k=100)
        reopened = answer(Index.open(path), asks, query, load_drawing(query), k=100)
        assert [(hit.id, hit.score) for hit in found.hits] == [(hit.id, hit.score) for hit in reopened.hits]
        assert len(found.hits) == len(index.slots("joint"))
        assert not index.refresh()


def test_half_renewed_an_index_says_so(mine, checkpoint, tmp_path, monkeypatch):
    path = tmp_path / "a.idx"
    indexed(path, mine, Embedder(checkpoint, CPU))
    for copy in range(6):
        shutil.copy(sorted(mine.glob("*.h5"))[0], mine / f"z {copy}.h5")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(FolderWriter, "add", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        indexed(path, mine, Embedder(checkpoint, CPU))
    assert "drawings are still missing" in Index.open(path).note
    indexed(path, mine, Embedder(checkpoint, CPU))
    assert Index.open(path).note == ""


def test_a_model_without_rarities_is_asked_of_pairs_alone_and_nothing_is_embedded_anew(mine, tmp_path):
    config = GFConfig(filters="8", perspectives=4)
    torch.manual_seed(3)
    content = {"config": to_dict(config), "model": GFTask(config).state_dict(), "metrics": {}, "info": {"data": {}}}
    save_checkpoint(tmp_path / "gf.pth", kind="gf", **content)
    path = tmp_path / "a.idx"
    indexed(path, mine, Embedder(tmp_path / "gf.pth", CPU))
    for copy in range(6):
        shutil.copy(sorted(mine.glob("*.h5"))[0], mine / f"z {copy}.h5")
    done = indexed(path, mine, Embedder(tmp_path / "gf.pth", CPU))
    assert (len(done.added), done.renewed, done.unchanged) == (6, [], 5)
    index = Index.open(path)
    assert index.model.settled_on == 11 and index.model.share_below("gf", 2.0) == 1.0


def test_a_vector_that_is_not_finite_is_refused(mine, checkpoint, tmp_path):
    broken = Embedder(checkpoint, CPU)
    broken.task.deepdxf.sheet.letters.weight.data[0] = torch.nan
    with pytest.raises(UserError, match="not finite"):
        indexed(tmp_path / "a.idx", mine, broken)
