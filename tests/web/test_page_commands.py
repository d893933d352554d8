"""The report and the page from the command line."""

import contextlib
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.web.conftest import NASTY

ROOT = Path(__file__).resolve().parents[2]


def command(script, *arguments):
    return [sys.executable, str(ROOT / script), *map(str, arguments)]


def test_a_query_writes_its_report(shop, tmp_path):
    model = ("--index", shop.folder / "archive.idx", "--model_path", shop.folder / "model.pth")
    bad = tmp_path / "bad.dxf"
    bad.write_text("no drawing")
    options = ("--top", 2, "--html", tmp_path / "report.html", "--workers", 1)
    done = subprocess.run(
        command("SearchDXF.py", "query", shop.archive / NASTY, bad, *model, *options),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 3, done.stderr
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count('class="answer"') == 2 and "Shows the same as the query." in page
    assert page.count("<script") == 1 and "bad.dxf" in page and str(tmp_path) not in page


def test_the_page_starts_answers_and_ends(shop):
    model = ("--index", shop.folder / "archive.idx", "--model_path", shop.folder / "model.pth")
    with subprocess.Popen(
        command("PageDXF.py", *model, "--port", 0, "--map", "off"),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests run behind a shell's & ignore it
    ) as started:
        try:
            url = next(re.match(r"http://127\.0\.0\.1:\d+/", line) for line in started.stdout if "http" in line)[0]
            with urllib.request.urlopen(url, timeout=60) as reply:
                assert "6 drawings, joint encoder of model.pth" in reply.read().decode()
        finally:
            started.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                started.wait(timeout=60)
            started.kill()  # does nothing to what has ended
        assert started.returncode == 130


def test_a_page_without_an_index_says_what_to_do(tmp_path):
    done = subprocess.run(
        command("PageDXF.py", "--index", tmp_path / "none.idx"), capture_output=True, encoding="utf-8", timeout=120
    )
    assert done.returncode == 1 and done.stderr.startswith("error: ") and "none.idx" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
