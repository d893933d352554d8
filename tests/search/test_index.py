"""An index of an archive: what is in it, what it answers, and what becomes of it when things go wrong."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compare.drawings import Reader, record_of
from config.errors import UserError
from config.limits import Limits
from dataset.dxf_process import load_drawing
from dataset.storage import read_sequence, write_sequence
from model.embedding import similarity
from search.answers import answer, answers
from search.filters import Count, Filters
from search.folder import folder_writer
from search.groups import clustered, duplicates
from search.index import Index
from search.model_card import ModelCard
from tests.search.conftest import indexed, model

ROOT = Path(__file__).resolve().parents[2]
ENCODERS = ("joint", "gf", "deepdxf")
COPIES = {"customers/A/sheet 1（旧）.dxf", "customers/B/copy.dxf"}


def ask(index, embedder, path, **options):
    index.prepare(embedder)
    return answer(index, embedder, path, load_drawing(path), **options)


def ids(answer):
    return [hit.id for hit in answer.hits]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_drawing_finds_itself_first_and_all_in_the_order_of_their_similarity(index, archive, embedder, encoder):
    drawings = {path.relative_to(archive).as_posix(): path for path in archive.rglob("*.dxf")}
    vectors = {name: embedder(load_drawing(path)) for name, path in drawings.items()}
    assert len(index) == 10
    for name, path in drawings.items():
        found = ask(index, embedder, path, k=20, encoder=encoder)
        if encoder not in vectors[name]:
            assert name == "solid.dxf"
            assert found.hits == []
            assert "none of GF's ten entity classes" in found.error
            continue
        scores = {
            other: similarity(vectors[name][encoder], each[encoder], "cosine")
            for other, each in vectors.items()
            if encoder in each
        }
        assert found.error is None
        assert {hit.id: hit.score for hit in found.hits} == pytest.approx(scores, abs=1e-5)
        assert ids(found) == [hit.id for hit in sorted(found.hits, key=lambda hit: (-hit.score, hit.id))]
        same = {hit.id for hit in found.hits if hit.same_file}
        assert same == (COPIES if name in COPIES else {name})
        assert all(hit.score == 1.0 for hit in found.hits if hit.same_file)
        for hit in found.hits:
            assert hit.share_below == embedder.share_below(encoder, hit.score)


def test_filters_leave_what_their_words_say(index, archive, embedder):
    everything = {hit.id: hit.entry for hit in ask(index, embedder, archive / "silent.dxf", k=20).hits}
    for filters in (
        Filters(path="CUSTOMERS/b*"),
        Filters(size=(10, 100)),
        Filters(counts=(Count.parse("circle>=10"),)),
        Filters(path="*.dxf", size=(0, 1e9), counts=(Count.parse("LINE < 15"), Count.parse("TEXT = 0"))),
        Filters(path="nowhere/*"),
    ):
        found = ask(index, embedder, archive / "silent.dxf", k=20, filters=filters)
        assert set(ids(found)) == {name for name, entry in everything.items() if filters(entry)}
        assert len(found.hits) < len(everything)
    with pytest.raises(ValueError, match="CIRCLES"):
        Count.parse("CIRCLES>1")
    with pytest.raises(ValueError, match="no condition"):
        Count.parse("CIRCLE~1")


def test_an_entry_tells_size_and_counts(index, archive, embedder):
    (hit,) = ask(index, embedder, archive / "one entity.dxf", k=1).hits
    assert (hit.id, hit.entry.counts, hit.entry.width, hit.entry.height) == ("one entity.dxf", {"LINE": 1}, 10, 5)
    assert hit.path.is_file()
    assert load_drawing(hit.sequence_path).entity_count == 1


def test_only_what_is_new_changed_or_gone_costs_anything(archive, embedder, tmp_path, monkeypatch):
    mine, where = tmp_path / "mine", tmp_path / "mine" / "deep" / "a.idx"
    shutil.copytree(archive, mine)
    first = indexed(where, mine, embedder, segment=4)
    assert (len(first.added), first.unchanged) == (10, 0)
    read = []
    many = embedder.many
    monkeypatch.setattr(embedder, "many", lambda records: many(read.append(each.source) or each for each in records))
    again = indexed(where, mine, embedder)
    assert (again.added, again.changed, again.removed, again.unchanged) == ([], [], [], 10)
    assert read == []

    (mine / "silent.dxf").unlink()
    (mine / "one entity.dxf").write_bytes((mine / "customers/A/sheet 3（旧）.dxf").read_bytes())
    shutil.copy(mine / "solid.dxf", mine / "another solid.dxf")
    done = indexed(where, mine, embedder)
    assert (done.added, done.changed, done.removed) == (["another solid.dxf"], ["one entity.dxf"], ["silent.dxf"])
    assert sorted(read) == ["another solid.dxf", "one entity.dxf"]
    found = ask(Index.open(where), embedder, mine / "customers/A/sheet 3（旧）.dxf", k=20)
    assert ids(found)[:2] == ["customers/A/sheet 3（旧）.dxf", "one entity.dxf"]
    assert "silent.dxf" not in ids(found)
    (mine / "one entity.dxf").write_text("no drawing any more")
    done = indexed(where, mine, embedder)
    assert done.removed == ["one entity.dxf"]
    assert list(done.skipped) == ["one entity.dxf"]


def test_many_small_segments_and_dead_rows_become_few(data, embedder, tmp_path, monkeypatch):
    """With a sketch, which must not outlive the places it speaks of."""
    monkeypatch.setattr("search.folder.MOST_SEGMENTS", 3)
    monkeypatch.setattr("search.folder.SMALLEST", 6)
    mine, where = tmp_path / "mine", tmp_path / "a.idx"
    shutil.copytree(data / "DeepDXF", mine)
    (mine / "customers").rename(tmp_path / "customers")  # seven of the ten
    for number in range(3):
        shutil.copy(mine / "silent.h5", mine / f"silent {number}.h5")
    indexed(where, mine, embedder, segment=3)
    assert Index.open(where).sketch.count == 6
    for number in range(3):
        (mine / f"silent {number}.h5").unlink()
    (tmp_path / "customers").rename(mine / "customers")
    indexed(where, mine, embedder, segment=2)
    index = Index.open(where)
    assert len(index.catalogue.segments()) == 1
    assert len(index) == index.sketch.count == 10, "the old one speaks of other places"
    for name in ("solid.h5", "one entity.h5", "customers/A/sheet 0（旧）.h5", "customers/A/sheet 2（旧）.h5"):
        (mine / name).unlink()
    indexed(where, mine, embedder)
    index = Index.open(where)
    assert index.vectors.end == len(index) == index.sketch.count == 6
    for path in sorted(mine.rglob("*.h5")):
        found = ask(index, embedder, path, k=6)
        assert path.relative_to(mine).as_posix() in {hit.id for hit in found.hits if hit.score == 1.0}
        vector = embedder(load_drawing(path))["joint"]
        for hit in found.hits:
            other = embedder(load_drawing(hit.path))["joint"]
            assert hit.score == pytest.approx(similarity(vector, other, "cosine"), abs=1e-5)
    files = {path.name for path in where.iterdir()}
    named = {file for _, _, file in index.catalogue.segments()} | {index.catalogue.fact("sketch")}
    assert {name for name in files if name.startswith(("vectors-", "sketch-"))} == named - {None}


def test_a_data_folder_of_sequences_is_an_archive_too(data, archive, embedder, tmp_path):
    done = indexed(tmp_path / "a.idx", data, embedder)
    assert len(done.added) == 10
    assert done.skipped == {}
    index = Index.open(tmp_path / "a.idx")
    found = ask(index, embedder, archive / "silent.dxf", k=3)
    assert found.hits[0].id == "DeepDXF/silent.h5"
    assert found.hits[0].same_file, "it was read from these very bytes"
    assert found.hits[0].sequence_path == found.hits[0].path
    assert indexed(tmp_path / "a.idx", data, embedder).unchanged == 10


def test_a_damaged_sequence_is_skipped_and_what_it_was_is_forgotten(data, embedder, tmp_path):
    mine, where = tmp_path / "mine", tmp_path / "a.idx"
    shutil.copytree(data / "DeepDXF", mine)
    indexed(where, mine, embedder)
    (mine / "silent.h5").write_bytes(b"\x89HDF nothing else")
    write_sequence(mine / "solid.h5", replace(read_sequence(mine / "solid.h5"), visible_only=True))
    done = indexed(where, mine, embedder)
    assert set(done.skipped) == {"silent.h5", "solid.h5"}
    assert "silent.h5" in done.skipped["silent.h5"]
    assert "visible_only True" in done.skipped["solid.h5"]
    assert done.unchanged == len(Index.open(where)) == 8


def test_an_index_that_is_killed_goes_on_where_it_was(data, archive, embedder, tmp_path):
    """Killed for good in the middle of the third segment."""
    where, checkpoint = tmp_path / "a.idx", tmp_path / "model.pth"
    mine = model(checkpoint, sorted(archive.rglob("*.dxf")))
    program = textwrap.dedent(f"""
        import os, signal
        from pathlib import Path
        import torch
        torch.set_num_threads(1)
        import search.folder as folder
        from model.embedding import Embedder
        from search.indexing import update
        from search.model_card import ModelCard
        written = []
        write = folder.write_segment
        def dying(*arguments):
            written.append(write(*arguments))
            if len(written) == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            return written[-1]
        folder.write_segment = dying
        embedder = Embedder(Path({str(checkpoint)!r}), torch.device("cpu"))
        archive = Path({str(data)!r})
        with folder.folder_writer(Path({str(where)!r}), archive, ModelCard.of(embedder, "")) as writer:
            update(writer, archive, embedder, segment=3)
    """)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, timeout=300)
    assert done.returncode == -signal.SIGKILL
    assert len(Index.open(where)) == 6, "what was committed can be searched"
    assert len(list(where.glob("vectors-*"))) == 3
    report = indexed(where, data, mine, segment=3)
    assert (len(report.added), report.unchanged) == (4, 6)
    index = Index.open(where)
    assert {name for name, _ in index.names(index.catalogue.slots(()))} == {
        path.relative_to(data).as_posix() for path in (data / "DeepDXF").rglob("*.h5")
    }
    assert len(list(where.glob("vectors-*"))) == len(index.catalogue.segments()) == 4
    assert not list(where.glob("*.tmp"))


def test_another_model_is_refused_and_the_index_stays(index, archive, tmp_path):
    stranger = model(tmp_path / "other.pth", seed=8)
    with pytest.raises(UserError, match=r"made with another model \(model.pth\)"):
        ask(index, stranger, archive / "silent.dxf")
    with pytest.raises(UserError, match="made with another model"):
        indexed(index.path, archive, stranger)
    assert len(Index.open(index.path)) == 10


def test_the_same_weights_from_another_file_are_the_same_model(archive, embedder, tmp_path):
    again = model(tmp_path / "again.pth", sorted(archive.rglob("*.dxf")))
    assert ModelCard.of(again, "").fingerprint == ModelCard.of(embedder, "").fingerprint


def test_what_is_no_index_is_said_to_be_none(archive, embedder, tmp_path):
    with pytest.raises(UserError, match="no index at"):
        Index.open(tmp_path / "missing.idx")
    with pytest.raises(UserError, match="is no index of drawings"):
        Index.open(archive)
    with pytest.raises(UserError, match="other things in it"):
        indexed(archive, archive, embedder)
    damaged = tmp_path / "damaged.idx"
    damaged.mkdir()
    (damaged / "catalogue.sqlite").write_bytes(b"nothing of the kind" * 99)
    with pytest.raises(UserError, match="damaged"):
        Index.open(damaged)
    (damaged / "catalogue.sqlite").unlink()
    sqlite3.connect(damaged / "catalogue.sqlite").executescript("CREATE TABLE a (b);")
    with pytest.raises(UserError, match="is no index of drawings"):
        Index.open(damaged)


def test_a_lost_or_shortened_segment_is_named(index, embedder, archive, tmp_path):
    copy = tmp_path / "copy.idx"
    shutil.copytree(index.path, copy)
    (segment,) = copy.glob("vectors-*.npy")
    segment.write_bytes(segment.read_bytes()[:-100])
    with pytest.raises(UserError, match=segment.name):
        ask(Index.open(copy), embedder, archive / "silent.dxf")
    segment.unlink()
    with pytest.raises(UserError, match=segment.name):
        ask(Index.open(copy), embedder, archive / "silent.dxf")


def test_two_runs_do_not_write_at_once(index, archive, embedder):
    card = ModelCard.of(embedder, "")
    with (
        folder_writer(index.path, archive, card),
        pytest.raises(UserError, match="another run is writing"),
        folder_writer(index.path, archive, card),
    ):
        pass


def test_bad_queries_are_named_one_by_one_and_the_rest_is_answered(index, archive, embedder, tmp_path):
    encrypted = tmp_path / "encrypted.dxf"
    encrypted.write_bytes(np.random.default_rng(0).bytes(50_000))
    (tmp_path / "empty.dxf").write_bytes(b"")
    (tmp_path / "foreign.h5").write_bytes(b"PK\x03\x04 a picture of a cat")
    paths = [tmp_path / name for name in ("encrypted.dxf", "empty.dxf", "foreign.h5", "gone.dxf")]
    reader = Reader([*paths, archive / "one entity.dxf"], Limits(workers=1), record_of)
    found = list(answers(index, embedder, reader))
    for path, each in zip(paths, found, strict=False):
        assert path.name in each.error
        assert "\n" not in each.error
        assert each.hits == []
    assert found[-1].error is None
    assert ids(found[-1])[0] == "one entity.dxf"


def test_a_drawing_that_is_gone_is_still_an_answer_and_says_so(index, archive, embedder):
    moved = archive / "moved"
    (archive / "silent.dxf").rename(moved)
    try:
        hits = ask(index, embedder, archive / "one entity.dxf", k=20).hits
        assert [hit.id for hit in hits if hit.missing] == ["silent.dxf"]
        (lost,) = (hit for hit in hits if hit.missing)
        assert load_drawing(lost.sequence_path).entity_count > 1, "its strokes can still be shown"
    finally:
        moved.rename(archive / "silent.dxf")


def test_index_and_archive_move_together(data, archive, embedder, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(data, old / "data")
    indexed(old / "a.idx", old / "data", embedder)
    old.rename(tmp_path / "new")
    found = ask(Index.open(tmp_path / "new" / "a.idx"), embedder, archive / "silent.dxf", k=1)
    assert found.hits[0].path == tmp_path / "new" / "data" / "DeepDXF" / "silent.h5"
    assert not found.hits[0].missing


def test_another_archive_does_not_replace_the_first(index, archive, embedder, tmp_path):
    shutil.copy(archive / "silent.dxf", tmp_path / "silent.dxf")
    with pytest.raises(UserError, match="is the index of"):
        indexed(index.path, tmp_path, embedder)


def test_near_duplicates_are_those_that_score_so_much(index, archive, embedder):
    drawings = {path.relative_to(archive).as_posix(): path for path in archive.rglob("*.dxf")}
    vectors = {name: embedder(load_drawing(path)).get("joint") for name, path in drawings.items()}
    (copies,) = [group for group in duplicates(index, 1.0) if group.same_bytes]
    assert set(copies.ids) == COPIES
    for threshold in (0.5, 0.9):
        reached = {name: {name} for name in drawings}  # the slow way: merge whatever is alike
        for one in drawings:
            for other in drawings:
                a, b = vectors[one], vectors[other]
                if a is not None and b is not None and similarity(a, b, "cosine") >= threshold:
                    merged = reached[one] | reached[other]
                    for name in merged:
                        reached[name] = merged
        expected = {frozenset(group) for group in reached.values() if len(group) > 1}
        assert {frozenset(group.ids) for group in duplicates(index, threshold)} == expected


def test_clusters_hold_every_drawing_once_and_copies_together(index):
    groups = clustered(index, 4, encoder="deepdxf")
    names = [name for group in groups for name in group.ids]
    assert len(names) == len(set(names)) == 10
    assert sum(bool(COPIES & set(group.ids)) for group in groups) == 1
    assert clustered(index, 4, encoder="deepdxf") == groups
    with pytest.raises(UserError, match="10 drawings make no 11 groups"):
        clustered(index, 11, encoder="deepdxf")
