"""An index in a vector database answers as one in a folder does. The database is a real one, in a file."""

import numpy as np
import pytest

from config.errors import UserError
from config.limits import Limits
from dataset.dxf_process import load_drawing
from search.filters import Count, Filters
from search.index import open_index
from search.indexing import update
from search.model_card import ModelCard
from tests.search.conftest import model

pytest.importorskip("pymilvus", reason="needs requirements-search.txt")
pytest.importorskip("milvus_lite", reason="needs requirements-search.txt")


def indexed(address, archive, embedder, sequences, **options):
    from search.milvus import milvus_writer

    with milvus_writer(address, archive, ModelCard.of(embedder, "model.pth"), sequences) as writer:
        return update(writer, archive, embedder, Limits(workers=1), **options)


def test_a_database_answers_as_a_folder_does(index, archive, embedder, tmp_path):
    address = f"milvus://{tmp_path}/vectors.db/drawings"
    with pytest.raises(UserError, match="there is no index"):
        open_index(address)
    done = indexed(address, archive, embedder, tmp_path / "kept", segment=4)
    assert len(done.added) == 10
    assert indexed(address, archive, embedder, tmp_path / "kept").unchanged == 10
    database = open_index(address)
    assert len(database) == 10
    assert database.model.as_dict() == index.model.as_dict()
    vectors = embedder(load_drawing(archive / "silent.dxf"))
    for encoder in ("joint", "gf", "deepdxf"):
        for filters in (
            Filters(),
            Filters(path="CUSTOMERS/?/*.dxf", size=(0, 1000)),
            Filters(path="*_*"),
            Filters(counts=(Count.parse("CIRCLE>=10"), Count.parse("TEXT=1"))),
        ):
            (wanted,) = index.query([vectors[encoder]], 20, filters, encoder)
            (found,) = database.query([vectors[encoder]], 20, filters, encoder)
            assert {hit.id for hit in found} == {hit.id for hit in wanted}
            scores = {hit.id: hit.score for hit in wanted}
            assert {hit.id: hit.score for hit in found} == pytest.approx(scores, abs=1e-5)
            assert all(np.diff([hit.score for hit in found]) <= 0)
            assert all(hit.path.is_file() and hit.sequence_path.is_file() for hit in found)
    with pytest.raises(UserError, match="but no"):
        database.query([vectors["joint"]], 20, Filters(path="[ab]*"))
    with pytest.raises(UserError, match="another model"):
        indexed(address, archive, model(tmp_path / "other.pth", seed=8), tmp_path / "kept")
    with pytest.raises(UserError, match="is the index of"):
        indexed(address, tmp_path, embedder, tmp_path / "kept")
    with pytest.raises(UserError, match="another model"):
        database.prepare(model(tmp_path / "again.pth", seed=9))


def test_an_address_that_is_none_is_refused():
    with pytest.raises(UserError, match="is no address such as"):
        open_index("milvus://drawings")
