"""Contact sheets: what is on them, and that no name can break them."""

import numpy as np

from evaluation.contact_html import html_page
from evaluation.contact_png import png_picture
from evaluation.contact_sheet import Row, Shown, _dealt

EVIL = '"><script>alert(1)</script>&amp;{title}（旧）\udcff.dxf'


def rows(name):
    picture = np.eye(256, dtype=np.uint8) * 255
    answers = [Shown(name, picture, True), Shown("b.dxf", None, False)]
    return [[Row("joint", "AP@10 0.50", Shown(name, picture), answers)]]


def test_names_are_escaped():
    page = html_page(rows(EVIL), EVIL, EVIL).encode("utf-8", "xmlcharrefreplace").decode("utf-8")
    assert "<script" not in page
    assert "&quot;&gt;&lt;script&gt;" in page and "&amp;amp;{title}（旧）" in page


def test_a_picture_is_in_the_page_once_however_often_it_is_shown():
    assert html_page(rows("a.dxf") * 5, "t", "s").count("data:image/png") == 1


def test_right_answers_are_framed_and_missing_pictures_are_blank():
    sheet = png_picture(rows(EVIL))
    green = (np.asarray(sheet) == (23, 128, 61)).all(axis=2)
    columns = np.nonzero(green.any(axis=0))[0]
    assert columns[0] > 250 and columns[-1] < 400, "the first answer's place"


def test_queries_are_dealt_evenly_over_the_groups():
    clusters = np.array([0, 0, 0, 0, 1, 1, 2])
    assert _dealt(clusters, 3) == [0, 4, 6]
    assert _dealt(clusters, 5) == [0, 1, 4, 5, 6]
    assert _dealt(clusters, 99) == list(range(7))
