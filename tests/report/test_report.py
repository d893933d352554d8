"""The report: one file with everything in it, and nothing of what a file says that a browser would obey."""

import base64
import hashlib
import re
from dataclasses import replace

import numpy as np
import pytest

import dataset.appearance
from compare.figure import figure_of_record, load
from compare.svg import svg
from compare.thumbnail import HEIGHT, WIDTH, thumbnail_page
from config.errors import UserError
from config.limits import Limits
from dataset.storage import write_sequence
from dataset.worker import FileReport
from report.cards import FEW
from report.difference import MOST_CHANGES, Difference, Pair, difference, portrait, told
from report.document import document, write_report
from search.answers import Answer
from search.entries import Entry, Hit
from tests.dataset.building import new_drawing, saved

NASTY = "<script>alert(1)</script> & “x”.dxf"


def plate(holes=3, width=200, lines=0):
    document, msp = new_drawing()
    msp.add_lwpolyline([(0, 0), (width, 0), (width, 120), (0, 120)], close=True)
    for number in range(holes):
        msp.add_circle((30 + 40 * number, 60 + 7 * number), 8 + number)
    msp.add_text("PLATE 12", height=6).set_placement((10, 10))
    for x, y in np.random.default_rng(0).uniform(0, 100, (lines, 2)):
        msp.add_line((x, y), (x + 3, y + 5))
    return document


class Shelf:
    """Drawings with their sequence files."""

    def __init__(self, folder):
        self.folder = folder

    def put(self, name, drawn):
        path = saved(drawn, self.folder / "archive", name)
        sequence = self.folder / "sequences" / f"{hashlib.md5(name.encode()).hexdigest()}.h5"
        sequence.parent.mkdir(exist_ok=True)
        record = load(path).record
        write_sequence(sequence, record)
        return path, sequence, record

    def hit(self, name, score, drawn):
        path, sequence, _ = self.put(name, drawn)
        return Hit(name, path, score, score**2, sequence, Entry(name, "", "", "", 1.0, 1.0))


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "secret place")


@pytest.fixture
def answer(shelf):
    """A plate with three holes, and what is like it: itself, one with two holes, and nothing at all."""
    path, _, record = shelf.put("query.dxf", plate())
    hits = [shelf.hit("same.dxf", 1.0, plate()), shelf.hit(NASTY, 0.75, plate(holes=2))]
    return Answer(path, "joint", hits, record=record)


def pairs(answer):
    return [Pair(hit.id, answer.record, answer.query, hit.sequence_path, hit.path) for hit in answer.hits]


def test_a_difference_says_what_changed(answer):
    same, fewer = map(difference, pairs(answer))
    assert (same.summary, same.changes) == ("Shows the same as the query.", ())
    assert fewer.summary == "1 change from the query."
    assert len(fewer.changes) == 1 and "CIRCLE removed" in fewer.changes[0]
    for found in (same, fewer):
        assert all(picture.startswith("<svg") for picture in (found.query, found.answer, found.overlay))


@pytest.mark.parametrize("other_sign", ["LEAST", "LEAST_COMMON"])
def test_strangers_have_no_list_of_changes(shelf, monkeypatch, other_sign):
    """Either sign is enough: hardly a line lies on another, or hardly an entity is the same."""
    monkeypatch.setattr(f"report.difference.{other_sign}", -1.0)
    path, _, record = shelf.put("query.dxf", plate())
    stranger, msp = new_drawing()
    for number in range(9):
        msp.add_arc((5 * number, number**2), 3 + number, 0, 70)
    hit = shelf.hit("stranger.dxf", 0.1, stranger)
    found = difference(Pair(hit.id, record, path, hit.sequence_path, hit.path))
    assert (
        found.summary == "Hardly an entity in common with the query: another drawing, no revision of it."
        and not found.changes
        and found.overlay
    )


def test_the_report_is_one_file_that_needs_nothing_and_obeys_no_name(answer):
    missing = answer.query.with_name("lost <b>.dxf")
    lost = Answer(missing, "joint", error=f"cannot read {missing}: it is empty")
    page = document([answer, lost], list(map(difference, pairs(answer))), "2 drawings <b>")
    assert "<b>1.0000</b>" in page and "<b>0.7500</b>" in page
    assert "more alike than 56.2 % of pairs of drawings" in page
    assert "2 drawings &lt;b&gt;" in page and "&lt;script&gt;alert(1)&lt;/script&gt; &amp; “x”.dxf" in page
    assert "cannot read lost &lt;b&gt;.dxf: it is empty" in page
    assert page.count("<script") == 1
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page and "default-src 'none'" in page
    assert not re.search(r"(src|href|url)\s*[=(]", page)
    assert str(answer.query.parent) not in page and "secret place" not in page
    opened = re.findall(r'data-opens="([^"]*)"', page)
    assert opened == re.findall(r'<dialog id="([^"]*)"', page) and len(set(opened)) == 2


def test_the_report_is_written_whole_through_processes(answer, tmp_path):
    write_report(tmp_path / "out/report.html", [answer], "2 drawings", Limits(1, 60.0))
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert page.count('class="answer"') == 2 and "1 change from the query." in page
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.html"]
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        write_report(tmp_path / "file/report.html", [replace(answer, hits=[])], "")


def test_a_query_without_answers_says_so(answer):
    assert "The archive holds no drawing that fits." in document([replace(answer, hits=[])], [], "")


def test_a_comparison_that_failed_is_a_sentence():
    found = told(FileReport("a.dxf", "skipped", "took longer than 5 s (--timeout)"))
    assert found == Difference(summary="The differences are not shown: comparing took longer than 5 s (--timeout)")


def test_what_the_sequence_does_not_keep_is_taken_from_the_drawing(shelf, monkeypatch):
    """And where that is gone, the rest is shown and the sentence says why nothing is compared."""
    monkeypatch.setattr(dataset.appearance, "MAX_KEPT", 40)
    path, _, record = shelf.put("query.dxf", plate())
    hit = shelf.hit("answer.dxf", 0.5, plate(holes=2))
    assert record.appearance.share > 1
    pair = Pair(hit.id, record, path, hit.sequence_path, hit.path)
    assert difference(pair).summary == "1 change from the query."
    whole, reason = portrait(record, path, 600.0, 400.0)
    assert not reason and len(whole) > len(svg(thumbnail_page(figure_of_record(record, "x"), 600.0, 400.0)))
    hit.path.unlink()
    found = difference(pair)
    assert "answer.dxf is no longer there" in found.summary and "secret place" not in found.summary
    assert not found.overlay and found.answer.startswith("<svg")
    hit.sequence_path.write_bytes(b"no sequence")
    found = difference(pair)
    assert not found.answer and found.query and found.summary and "Traceback" not in found.summary


def test_a_long_list_is_cut_and_says_so(shelf):
    def noted(step):
        drawn = plate()
        for number in range(MOST_CHANGES + 5):
            place = (20 * (number % 9) + step * number, 10 * (number // 9))
            drawn.modelspace().add_text(f"NOTE {number}", height=1).set_placement(place)
        return drawn

    path, _, record = shelf.put("query.dxf", noted(0.0))
    hit = shelf.hit("answer.dxf", 0.5, noted(0.13))
    found = difference(Pair(hit.id, record, path, hit.sequence_path, hit.path))
    assert len(found.changes) == MOST_CHANGES and found.left_out == 4, "the first has not moved"
    page = document([Answer(path, "joint", [hit], record=record)], [found], "")
    assert "… and 4 more" in page and f"… and {MOST_CHANGES + 4 - FEW} more" in page


@pytest.mark.parametrize("size", [(WIDTH, HEIGHT), (900.0, 620.0)])
def test_a_thumbnail_is_small_whatever_is_drawn(tmp_path, size):
    figure = load(saved(plate(lines=8_000), tmp_path)).figure
    page = thumbnail_page(figure, *size)
    picture = svg(page)
    assert len(picture.encode()) < 200_000
    assert page.width <= size[0] and page.height <= size[1]
    assert "#" not in picture.replace("&#", "") and "currentColor" in picture, "no colour of its own: dark pages"
    assert ("strokes not shown" in picture) == (size[0] == 900.0)
