"""An index made for faiss: nearly what an exact search finds, whatever has come, gone or is asked for since."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

from config.errors import UserError
from dataset.dxf_process import load_drawing
from search import approximate
from search.approximate import brought_up_to_date, read_approximate, write_approximate
from search.exact import nearest
from search.filters import Filters
from search.folder import folder_writer
from search.index import Index
from search.model_card import ModelCard
from tests.search.conftest import indexed
from tests.search.test_exact import PARTS, ROOT, stored

pytest.importorskip("faiss", reason="needs requirements-faiss.txt")
WHOLE = slice(0, 40)


@pytest.fixture
def small(monkeypatch):
    """Few rows a list, few lists looked into, few rows ranked: as many more rows would be searched."""
    monkeypatch.setattr("search.sketch.AXES", 12)
    monkeypatch.setattr(approximate, "ROWS_A_LIST", 40)
    monkeypatch.setattr(approximate, "LOOKED_INTO", 12)
    monkeypatch.setattr(approximate, "RANKED", 60)
    monkeypatch.setattr(approximate, "FEW", 4)


def like_drawings(rng, count):
    """Families that vary along a few axes and hardly along the others."""
    mixing = np.random.default_rng(0).normal(size=(8, 40))
    centres = np.random.default_rng(1).normal(size=(30, 8))
    rows = (centres[rng.integers(30, size=count)] + 0.4 * rng.normal(size=(count, 8))) @ mixing
    rows += 0.02 * rng.normal(size=rows.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def recall(vectors, found, queries, slots, k=10):
    """The share of the exact k nearest that are found, and that all found are allowed and have their exact score."""
    shares = []
    for query in queries:
        exact, _ = nearest(vectors, None, query, WHOLE, slots, k)
        near, scores = nearest(vectors, found, query, WHOLE, slots, k)
        assert set(near) <= set(slots)
        np.testing.assert_allclose(scores, vectors.take(near).astype(float) @ query, atol=1e-6)
        shares.append(len(set(exact) & set(near)) / len(exact))
    return float(np.mean(shares))


def test_most_of_the_nearest_are_found_and_few_rows_are_read(tmp_path, rng, small, monkeypatch):
    vectors = stored(tmp_path, like_drawings(rng, 6000), 2500)
    found = brought_up_to_date(None, vectors, PARTS)
    assert (found.count, found.index.nlist) == (6000, 150)
    queries = like_drawings(rng, 40).astype(float)
    assert recall(vectors, found, queries, np.arange(6000)) > 0.95
    assert recall(vectors, found, queries, np.flatnonzero(rng.random(6000) < 0.4)) > 0.95
    seen = []
    take = type(vectors).take
    monkeypatch.setattr(type(vectors), "take", lambda self, slots: seen.append(len(slots)) or take(self, slots))
    nearest(vectors, found, queries[0], WHOLE, np.arange(6000), 10)
    assert sum(seen) < 200


def test_looking_into_one_list_misses_some(tmp_path, rng, small, monkeypatch):
    """Else the test above would say nothing of how many lists it takes."""
    vectors = stored(tmp_path, like_drawings(rng, 3000))
    found = brought_up_to_date(None, vectors, PARTS)
    monkeypatch.setattr(approximate, "LOOKED_INTO", 1)
    assert recall(vectors, found, like_drawings(rng, 40).astype(float), np.arange(3000)) < 0.9


def test_new_rows_are_added_and_very_many_fitted_anew(tmp_path, rng, small):
    rows = like_drawings(rng, 3000)
    early = brought_up_to_date(None, stored(tmp_path, rows[:800]), PARTS)
    grown = brought_up_to_date(early, stored(tmp_path, rows[:2000]), PARTS)
    assert (grown.count, grown.fitted, grown.index.nlist) == (2000, 800, 20)
    vectors = stored(tmp_path, rows)
    assert recall(vectors, grown, rows[::100].astype(float), np.arange(3000)) > 0.95, "the last 1,000 are scanned"
    anew = brought_up_to_date(grown, vectors, PARTS)
    assert (anew.count, anew.fitted, anew.index.nlist) == (3000, 3000, 75)


def test_it_survives_the_disk(tmp_path, rng, small):
    vectors = stored(tmp_path, like_drawings(rng, 500))
    found = brought_up_to_date(None, vectors, PARTS)
    again = read_approximate(tmp_path / write_approximate(tmp_path, found))
    query = rng.normal(size=40)
    for allowed in (None, rng.random(500) < 0.5):
        assert found.near(query, allowed, 10).tolist() == again.near(query, allowed, 10).tolist()


@pytest.fixture
def mine(data, tmp_path, monkeypatch):
    """An archive whose index is large enough for faiss."""
    monkeypatch.setattr(approximate, "SMALLEST", 4)
    shutil.copytree(data / "DeepDXF", tmp_path / "mine")
    return tmp_path / "mine"


def with_faiss(where, archive, embedder, wants=None):
    from search.indexing import update

    with folder_writer(where, archive, ModelCard.of(embedder, "model.pth"), wants) as writer:
        return update(writer, archive, embedder, segment=3)


def hits(index, embedder, path, **options):
    vectors = embedder(load_drawing(path))
    encoder = options.get("encoder") or "joint"
    return [(hit.id, hit.score) for hit in index.query([vectors[encoder]], 20, **options)[0]]


def test_an_index_for_faiss_answers_as_an_exact_one_through_its_life(mine, embedder, tmp_path):
    where = tmp_path / "a.idx"
    with_faiss(where, mine, embedder, True)
    for step in ("new", "some gone, one come, one changed", "compacted"):
        if step == "some gone, one come, one changed":
            (mine / "one entity.h5").unlink()
            shutil.copy(mine / "silent.h5", mine / "silent 2.h5")
            shutil.copy(mine / "silent.h5", mine / "solid.h5")
            assert with_faiss(where, mine, embedder).unchanged == 8, "the wish is kept"
        if step == "compacted":
            for path in sorted((mine / "customers").rglob("*.h5"))[:4]:
                path.unlink()
            with_faiss(where, mine, embedder)
        index, exact = Index.open(where), Index.open(where, exact=True)
        assert (index.approximate.count, exact.approximate, index.note) == (index.vectors.end, None, ""), step
        assert len(list(where.glob("faiss-*"))) == 1
        for path in sorted(mine.rglob("*.h5")):
            if path.stem != "solid" or step != "new":
                assert hits(index, embedder, path) == hits(exact, embedder, path)
        for filters in (Filters(path="*silent*"), Filters(size=(50, 1e9)), Filters(path="nowhere/*")):
            query = mine / "silent.h5"
            found = hits(index, embedder, query, filters=filters)
            assert found == hits(exact, embedder, query, filters=filters)
        assert hits(index, embedder, query, encoder="gf") == hits(exact, embedder, query, encoder="gf")
    with_faiss(where, mine, embedder, False)
    assert Index.open(where).approximate is None and not list(where.glob("faiss-*"))
    with_faiss(where, mine, embedder)
    assert not list(where.glob("faiss-*")), "until it is asked for again"


def test_a_small_index_stays_exact(data, embedder, tmp_path):
    with_faiss(tmp_path / "a.idx", data, embedder, True)
    index = Index.open(tmp_path / "a.idx")
    assert index.approximate is None and index.note == ""


def test_a_damaged_file_is_named_searched_without_and_made_again(mine, embedder, tmp_path):
    where = tmp_path / "a.idx"
    with_faiss(where, mine, embedder, True)
    (file,) = where.glob("faiss-*")
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole.replace(b"IwSq", b"IwXX"), None):
        file.unlink(missing_ok=True)
        if damaged is not None:
            file.write_bytes(damaged)
        index = Index.open(where)
        exact = Index.open(where, exact=True)
        assert hits(index, embedder, mine / "silent.h5") == hits(exact, embedder, mine / "silent.h5")
        assert file.name in index.note and "searched exactly" in index.note
    with_faiss(where, mine, embedder)
    assert Index.open(where).approximate.count == 10


def test_without_faiss_it_is_said_and_everything_else_works(mine, embedder, tmp_path, monkeypatch):
    where = tmp_path / "a.idx"
    with_faiss(where, mine, embedder, True)
    monkeypatch.setitem(sys.modules, "faiss", None)  # import faiss raises ImportError
    index = Index.open(where)
    assert hits(index, embedder, mine / "silent.h5")[0] == ("silent.h5", 1.0)
    assert "faiss, which is not installed" in index.note
    with pytest.raises(UserError, match=r"pip install -r requirements-faiss.txt"):
        with_faiss(where, mine, embedder)
    with pytest.raises(UserError, match=r"pip install -r requirements-faiss.txt"):
        with_faiss(tmp_path / "b.idx", mine, embedder, True)
    with_faiss(where, mine, embedder, False)
    assert Index.open(where).note == ""


def test_an_exact_search_does_not_import_faiss(mine, embedder, tmp_path):
    indexed(tmp_path / "a.idx", mine, embedder)
    program = (
        "import sys, numpy as np; from pathlib import Path; from search.index import Index;"
        f"index = Index.open(Path({str(tmp_path / 'a.idx')!r}));"
        "width = sum(index.model.sizes.values());"
        "assert index.query([np.ones(width)])[0]; assert 'faiss' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=120)
