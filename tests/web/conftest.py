"""A page at work: the real server over a small archive and a model of random weights."""

import threading
from types import SimpleNamespace

import pytest

from search.index import Index
from tests.dataset.building import saved
from tests.evaluation.conftest import part
from tests.search.conftest import indexed, model
from web.desk import Desk
from web.server import Server

MOST = 300_000  # bytes of an upload
NASTY = "<script>document.title='broken'</script>.dxf"  # < is no letter of a name on Windows


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """An archive of six drawings, its index and its model."""
    folder = tmp_path_factory.mktemp("secret place")
    archive = folder / "archive"
    for number in range(4):
        saved(part(number), archive, f"plates/sheet {number}（旧）.dxf")
    saved(part(0, scale=1 / 25.4), archive, "inches.dxf")
    saved(part(1, words=False), archive, NASTY)
    embedder = model(folder / "model.pth", sorted(archive.rglob("*.dxf")))
    indexed(folder / "archive.idx", archive, embedder)
    return SimpleNamespace(folder=folder, archive=archive, embedder=embedder, index=Index.open(folder / "archive.idx"))


@pytest.fixture(scope="session")
def page(shop):
    """The server's address, and its desk."""
    desk = Desk(shop.index, shop.embedder, None, 4, timeout=60.0, memory=4_000_000_000, how="tsne")
    server = Server(("127.0.0.1", 0), desk, MOST)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield SimpleNamespace(port=server.server_address[1], url=server.url, desk=desk, folder=shop.folder)
    server.shutdown()
    server.server_close()
    thread.join()
    desk.close()
