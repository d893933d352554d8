"""The page in a real browser. Needs ``playwright`` and a Chromium: its own, or the one that ``CHROMIUM`` names or that
is on the path."""

import os
import shutil

import pytest

from compare.page import BLUE, GREY, PAPER, VERMILION
from tests.web.conftest import MOST, NASTY

playwright = pytest.importorskip("playwright.sync_api", reason="no browser: pip install playwright")


@pytest.fixture(scope="module")
def browser():
    own = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with playwright.sync_playwright() as started:
        try:
            found = started.chromium.launch(executable_path=own, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"no browser: playwright install chromium ({error.message.splitlines()[0]})")
        yield found
        found.close()


@pytest.fixture
def tab(browser, page):
    """A tab that shows the page; it must have asked nobody else and run into no error."""
    asked, errors = [], []
    tab = browser.new_page(viewport={"width": 1100, "height": 900})
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(page.url)
    tab.locator(".dot").nth(5).wait_for()
    yield tab
    outside = [url for url in asked if not url.startswith((page.url, "data:"))]
    assert (outside, errors) == ([], [])
    assert str(page.folder) not in tab.content()
    tab.close()


def compared(tab):
    tab.locator(".answer").first.wait_for()
    tab.locator(".answer[data-source]").first.wait_for(state="detached")


def test_drop_a_drawing_see_the_answers_and_the_overlay(tab, shop):
    tab.set_input_files("#file", shop.archive / "plates/sheet 0（旧）.dxf")
    compared(tab)
    assert tab.locator(".answer").count() == 4
    assert "Shows the same as the query." in tab.locator("#a1 .differs").inner_text()
    assert tab.locator("#a1 .picture svg path").count() > 0
    tab.locator("#a2 .picture").click()
    assert tab.locator("#a2-dialog").is_visible() and tab.locator("#a2-dialog .overlay svg").is_visible()
    tab.keyboard.press("Escape")
    assert not tab.locator("#a2-dialog").is_visible()
    assert tab.locator(".dot.found").count() == 4
    with tab.expect_download() as download:
        tab.locator("#a1 a[download]").click()
    assert download.value.suggested_filename == "sheet 0（旧）.dxf"


@pytest.mark.parametrize(("scheme", "column"), [("light", 0), ("dark", 1)])
def test_an_overlay_has_the_colours_of_its_scheme(tab, shop, scheme, column):
    tab.emulate_media(color_scheme=scheme)
    tab.set_input_files("#file", shop.archive / "plates/sheet 0（旧）.dxf")
    compared(tab)
    tab.locator("#a2 .picture").click()
    for attribute, *colors in (
        ("stroke", GREY, "#757c83"),
        ("stroke", VERMILION, "#ff8232"),
        ("stroke", BLUE, "#5cc0ff"),
        ("fill", PAPER, "#1f2226"),
    ):
        drawn = tab.locator(f'#a2-dialog .overlay [{attribute}="{colors[0]}"]').first
        wanted = tuple(int(colors[column][at : at + 2], 16) for at in (1, 3, 5))
        assert drawn.evaluate(f"e => getComputedStyle(e).{attribute}") == f"rgb{wanted}"


def test_a_dot_opens_its_drawing_and_searches_with_it(tab):
    tab.locator(f'.dot[data-name="{NASTY}"]').dispatch_event("click", {"bubbles": True})
    tab.locator("#drawing svg").wait_for()
    assert NASTY in tab.locator("#drawing").inner_text()
    tab.locator("#drawing [data-like]").click()
    compared(tab)
    assert tab.locator(".asked h2").inner_text() == NASTY
    assert tab.title() != "broken", "a name ran as a script"


def test_a_broken_or_too_large_file_is_a_sentence(tab, tmp_path):
    bad = tmp_path / "bad <b>.dxf"
    bad.write_text("no drawing\n")
    tab.set_input_files("#file", bad)
    tab.locator("#status.problem").wait_for()
    assert "bad <b>.dxf" in tab.locator("#status").inner_text()
    bad.write_bytes(b"0" * (MOST + 1))
    tab.set_input_files("#file", bad)
    tab.locator("#status", has_text="larger than").wait_for()
    assert tab.locator(".answer").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_either_scheme(tab, scheme):
    tab.emulate_media(color_scheme=scheme)
    ink, paper = (
        sum(map(int, tab.locator("body").evaluate(f"e => getComputedStyle(e).{name}.match(/\\d+/g).slice(0, 3)")))
        for name in ("color", "backgroundColor")
    )
    assert (paper - ink if scheme == "light" else ink - paper) > 400
