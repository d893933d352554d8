"""What the page's server answers, over a real connection."""

import http.client
import json
import re
import socket
import tempfile
from urllib.parse import quote

import pytest

from tests.web.conftest import MOST, NASTY


def ask(page, method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=60)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    assert str(page.folder).encode() not in content, "no path of the server in the page"
    return reply.status, reply.headers, content


def upload(page, name, content):
    status, _, found = ask(page, "POST", "/ask", content, X_File_Name=quote(name))
    return status, found.decode()


@pytest.fixture(scope="module")
def answers(page, shop):
    """The page's answers to a drawing of the archive that goes by another name."""
    content = (shop.archive / "plates/sheet 0（旧）.dxf").read_bytes()
    status, found = upload(page, "新 <b>.dxf", content)
    assert status == 200
    return found


def test_an_upload_is_answered_with_pictures_and_its_own_name(answers):
    assert "<h2>新 &lt;b&gt;.dxf</h2>" in answers
    names = re.findall(r'data-name="([^"]*)"', answers)
    assert names[0] == "plates/sheet 0（旧）.dxf" and len(names) == 4
    assert "the same file" in answers and "<b>1.0000</b>" in answers
    assert answers.count("<svg xmlns") == 5


def test_differences_come_one_by_one(page, answers):
    for source in re.findall(r'data-source="([^"]*)"', answers):
        status, _, content = ask(page, "GET", f"/{source}")
        found = json.loads(content)
        assert status == 200 and found["picture"].startswith("<svg")
        assert "only left" in found["laid"] and "Close" not in found["laid"]
    first = json.loads(ask(page, "GET", "/" + re.findall(r'data-source="([^"]*)"', answers)[0])[2])
    assert "Shows the same as the query." in first["differs"]


def test_answers_and_drawings_can_be_downloaded_as_they_are(page, shop, answers):
    wanted = (shop.archive / "plates/sheet 0（旧）.dxf").read_bytes()
    url = re.findall(r'href="(answer/[^"]*/file)"', answers)[0]
    status, headers, content = ask(page, "GET", f"/{url}")
    assert (status, content) == (200, wanted)
    assert headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{quote('sheet 0（旧）.dxf')}"
    slot = slots(page)["plates/sheet 0（旧）.dxf"]
    assert ask(page, "GET", f"/drawing/{slot}/file")[2] == wanted


def slots(page):
    status, _, content = ask(page, "GET", "/map")
    assert status == 200
    return {name: slot for _, _, slot, name in json.loads(content)["dots"]}


def test_every_drawing_is_on_the_map_and_opens(page):
    found = slots(page)
    assert len(found) == 6 and NASTY in found
    status, _, content = ask(page, "GET", f"/drawing/{found[NASTY]}")
    assert status == 200 and b"<svg" in content and b"<script" not in content
    status, _, content = ask(page, "POST", f"/like/{found[NASTY]}")
    assert status == 200 and b"<script" not in content and content.count(b'class="answer"') == 4


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("broken.dxf", b"no drawing at all\n", "broken.dxf"),
        ("empty.dxf", b"", "empty.dxf"),
        ("letter.docx", b"PK", "letter.docx is no drawing"),
        ("foreign.h5", b"\x89HDF\r\n\x1a\n", "foreign.h5"),
        ("../../etc/passwd.dxf", b"x", "passwd.dxf"),
    ],
)
def test_a_file_that_is_no_drawing_is_called_by_its_name(page, name, content, said):
    status, found = upload(page, name, content)
    assert status == 422
    assert said in found and "\n" not in found.strip()
    assert tempfile.gettempdir() not in found and "drawing.dxf" not in found
    assert not [each for each in page.desk._folder.rglob("*") if each.is_file() and each.read_bytes() == content]


def test_what_is_too_large_is_refused_before_it_is_sent(page):
    with socket.create_connection(("127.0.0.1", page.port), timeout=30) as line:
        head = f"POST /ask HTTP/1.1\r\nHost: 127.0.0.1\r\nX-File-Name: a.dxf\r\nContent-Length: {MOST + 1}\r\n\r\n"
        line.sendall(head.encode())
        assert b" 413 " in line.makefile("rb").readline()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),  # a name that someone has pointed at this machine
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Host": "localhost:1"}, 200),
    ],
)
def test_other_sites_are_refused(page, headers, status):
    assert ask(page, "GET", "/", **headers)[0] == status


@pytest.mark.parametrize(
    "path",
    ["/../web/server.py", "/answer/nobody/1", "/answer/../../x/1/file", "/drawing/999", "/drawing/999/file", "/x"],
)
def test_there_is_nothing_else(page, path):
    assert ask(page, "GET", path)[0] == 404


def test_the_page_asks_nothing_of_others_and_runs_no_script_but_its_own(page):
    for path in ("/", "/page.css", "/page.js"):
        status, headers, content = ask(page, "GET", path)
        assert status == 200
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Python" not in headers["Server"]
        outside = re.findall(
            rb"(?:https?:)?//[\w.]+\.\w+[^\s\"']*", content.replace(b"http://www.w3.org/2000/svg", b"")
        )
        assert outside == []


def test_old_questions_are_forgotten_with_their_files(page, shop, monkeypatch):
    monkeypatch.setattr("web.desk.MOST_REMEMBERED", 1)
    content = (shop.archive / "inches.dxf").read_bytes()
    (first, second) = (re.findall(r"answer/[\w-]+/1", upload(page, f"{i}.dxf", content)[1])[0] for i in range(2))
    assert ask(page, "GET", f"/{first}")[0] == 404
    assert ask(page, "GET", f"/{second}")[0] == 200
    assert len(list(page.desk._folder.iterdir())) == 1
