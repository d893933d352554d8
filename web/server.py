"""The desk over HTTP, for a browser on the same machine. The standard library is enough: a page, three kinds of answer.

What a page of another site could do with a server on this machine is refused: names that are not this machine's
(DNS rebinding), and questions that do not come from our own page.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import traceback
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from config.errors import UserError
from config.page_config import LOOPBACK
from report.cards import resource, text
from web.desk import Desk, NotFoundError

PIECE = 1 << 20  # bytes copied at once
PATIENCE = 30.0  # seconds that a browser may be silent
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
HTML, JSON = "text/html; charset=utf-8", "application/json"


class Server(ThreadingHTTPServer):
    """Args:
    max_upload: bytes.

    Raises:
        OSError: the address cannot be had.
    """

    daemon_threads = True

    def __init__(self, address: tuple[str, int], desk: Desk, max_upload: int) -> None:
        self.desk, self.max_upload = desk, max_upload
        self.hosts = set(LOOPBACK) if address[0] in LOOPBACK else None  # None: whoever can reach it
        if ":" in address[0]:
            import socket

            self.address_family = socket.AF_INET6
        super().__init__(address, Handler)

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{f'[{host}]' if ':' in str(host) else host}:{port}/"

    def handle_error(self, request, client_address) -> None:
        """A browser that went away is no error."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            traceback.print_exc()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    timeout = PATIENCE

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def version_string(self) -> str:
        return "drawings"

    def log_message(self, format: str, *arguments) -> None:
        """Nothing: what people search for is their own business."""

    def _answer(self, method: str) -> None:
        """Find who answers; whatever goes wrong becomes a sentence without a path."""
        path = urlsplit(self.path).path
        try:
            if not self._is_ours():
                return self._say(HTTPStatus.FORBIDDEN, "This page is for this machine only.")
            for wanted, pattern, handle in ROUTES:
                found = re.fullmatch(pattern, path)
                if found and wanted == method:
                    return handle(self, *found.groups())
            self._say(HTTPStatus.NOT_FOUND, "There is no such page.")
        except NotFoundError as error:
            self._say(HTTPStatus.NOT_FOUND, str(error))
        except UserError as error:
            self._say(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        except (ConnectionError, TimeoutError):
            raise
        except Exception:
            traceback.print_exc()
            self._say(HTTPStatus.INTERNAL_SERVER_ERROR, "That went wrong; the terminal of the server says how.")

    def _is_ours(self) -> bool:
        """Whether the request means this server, and comes from its own page if it comes from one."""
        host = self.headers.get("Host", "")
        name = urlsplit(f"//{host}").hostname or ""
        origin = self.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return False
        if self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            return False
        return self.server.hosts is None or name in self.server.hosts

    def _page(self) -> None:
        server = self.server
        page = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
        facts = {"about": text(server.desk.about()), "bytes": str(server.max_upload)}
        self._send(HTTPStatus.OK, re.sub(r"\{(\w+)\}", lambda found: facts[found[1]], page), HTML)

    def _style(self) -> None:
        own = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
        self._send(HTTPStatus.OK, resource("style.css") + own, "text/css; charset=utf-8")

    def _script(self) -> None:
        own = Path(__file__).with_name("page.js").read_text(encoding="utf-8")
        self._send(HTTPStatus.OK, resource("script.js") + own, "text/javascript; charset=utf-8")

    def _map(self) -> None:
        self._send(HTTPStatus.OK, json.dumps(self.server.desk.map()), JSON)

    def _ask(self) -> None:
        """The body is the drawing, ``X-File-Name`` its name, percent-encoded: a header that no plain form can send."""
        name = re.split(r"[/\\]", unquote(self.headers.get("X-File-Name", "")))[-1].strip()[:255]
        length = self.headers.get("Content-Length", "")
        if not name or not length.isdecimal():
            return self._refuse(HTTPStatus.BAD_REQUEST, "Give a drawing and its name.")
        if int(length) > self.server.max_upload:
            most = self.server.max_upload / 1e6
            return self._refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{name} is larger than {most:g} MB, the most that is taken."
            )
        with tempfile.TemporaryDirectory(prefix="upload-") as folder:
            content = Path(folder) / "content"
            with content.open("wb") as file:
                left = int(length)
                while left:
                    piece = self.rfile.read(min(left, PIECE))
                    if not piece:
                        raise ConnectionError("the browser went away")
                    left -= file.write(piece)
            self._send(HTTPStatus.OK, self.server.desk.ask(name, content), HTML)

    def _like(self, slot: str) -> None:
        self._send(HTTPStatus.OK, self.server.desk.like(int(slot)), HTML)

    def _difference(self, token: str, rank: str) -> None:
        self._send(HTTPStatus.OK, json.dumps(self.server.desk.difference(token, int(rank))), JSON)

    def _drawing(self, slot: str) -> None:
        self._send(HTTPStatus.OK, self.server.desk.drawing(int(slot)), HTML)

    def _answer_file(self, token: str, rank: str) -> None:
        self._file(*self.server.desk.answer_file(token, int(rank)))

    def _drawing_file(self, slot: str) -> None:
        self._file(*self.server.desk.drawing_file(int(slot)))

    def _file(self, name: str, path: Path) -> None:
        with path.open("rb") as file:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(path.stat().st_size))
            spelt = quote(name.encode("utf-8", "surrogateescape"))
            self.send_header("Content-Disposition", f"attachment; filename*=UTF-8''{spelt}")
            self._end_headers()
            while piece := file.read(PIECE):
                self.wfile.write(piece)

    def _say(self, status: HTTPStatus, sentence: str) -> None:
        self._send(status, sentence, "text/plain; charset=utf-8")

    def _refuse(self, status: HTTPStatus, sentence: str) -> None:
        """Without reading what was sent, so that the connection cannot go on."""
        self.close_connection = True
        self._say(status, sentence)

    def _send(self, status: HTTPStatus, content: str, kind: str) -> None:
        body = content.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self._end_headers()
        self.wfile.write(body)

    def _end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()


ROUTES: tuple[tuple[str, str, Callable[..., None]], ...] = (
    ("GET", r"/", Handler._page),
    ("GET", r"/page\.css", Handler._style),
    ("GET", r"/page\.js", Handler._script),
    ("GET", r"/map", Handler._map),
    ("POST", r"/ask", Handler._ask),
    ("POST", r"/like/(\d{1,12})", Handler._like),
    ("GET", r"/answer/([\w-]{1,40})/(\d{1,6})", Handler._difference),
    ("GET", r"/answer/([\w-]{1,40})/(\d{1,6})/file", Handler._answer_file),
    ("GET", r"/drawing/(\d{1,12})", Handler._drawing),
    ("GET", r"/drawing/(\d{1,12})/file", Handler._drawing_file),
)
