"""Search an archive of drawings in the browser."""

from __future__ import annotations

import sys

from config.errors import UserError
from config.page_config import LOOPBACK, PageConfig
from utils.cli import run_script


def main(config: PageConfig) -> int:
    if str(config.index).startswith("milvus:"):
        raise UserError(f"{config.index} is in a vector database: the page needs an index that is a folder")
    from model.embedding import Embedder
    from search.index import Index
    from utils.engine.device import choose_device
    from web.desk import Desk
    from web.server import Server

    desk = Desk(
        Index.open(config.index),
        Embedder(config.model_path, choose_device(config.device)),
        config.encoder,
        config.top,
        config.timeout,
        int(config.memory * 1e9),
        config.map,
    )
    try:
        try:
            server = Server((config.host, config.port), desk, int(config.max_upload * 1e6))
        except OSError as error:
            reason = error.strerror or error
            raise UserError(
                f"cannot listen on {config.host}, port {config.port}: {reason}; correct --host or --port"
            ) from error
        if config.host not in LOOPBACK:
            print("everybody who reaches this address sees the archive: there is no login", file=sys.stderr)
        if desk.note:
            print(desk.note, file=sys.stderr)
        print(f"{desk.about()}\n{server.url}   (Ctrl-C ends it)", flush=True)
        with server:
            server.serve_forever()
    finally:
        desk.close()
    return 0


if __name__ == "__main__":
    run_script(PageConfig, main)
