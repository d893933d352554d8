"""Colours of an overlay: seen against the paper, and told apart with every kind of colour vision, in either scheme."""

import itertools
import re

import numpy as np
import pytest

from compare.changes import compare
from compare.page import BLACK, BLUE, DARK, GREY, PALE, PAPER, VERMILION
from compare.picture import overlay_page
from compare.svg import svg
from report.cards import resource
from tests.compare.test_picture import LEFT, RIGHT

MEANINGS = {"in common": GREY, "only left": VERMILION, "only right": BLUE}
# linear RGB as people without one kind of cones see it (Machado et al. 2009, severity 1)
VISIONS = {
    "all cones": np.eye(3),
    "no L": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no M": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no S": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])


def linear(color):
    value = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """As WCAG 2.2 has it: 1..21."""
    dark, light = sorted(float(linear(each) @ [0.2126, 0.7152, 0.0722]) for each in (one, other))
    return (light + 0.05) / (dark + 0.05)


def lab(rgb):
    share = TO_XYZ @ np.clip(rgb, 0, 1) / WHITE
    x, y, z = np.where(share > 0.008856, np.cbrt(share), 7.787 * share + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def dark_scheme():
    """What becomes of each colour, as (attribute, colour) -> colour; and the page's own variables."""
    block = resource("style.css").split("prefers-color-scheme: dark) {")[1].split("\n}\n")[0]
    rules = re.findall(r'\.overlay \[(fill|stroke)="(#\w{6})"\] \{ (\w+): (#\w{6}); \}', block)
    assert all(attribute == changed for attribute, _, changed, _ in rules)
    return {(attribute, old): new for attribute, old, _, new in rules}, dict(re.findall(r"--(\w+): (#\w{6})", block))


@pytest.fixture(params=["light", "dark"])
def scheme(request):
    """Paper, and the three colours by meaning."""
    if request.param == "light":
        return PAPER, MEANINGS
    rules, variables = dark_scheme()
    assert rules["fill", PAPER] == variables["card"], "the paper is the card's"
    return rules["fill", PAPER], {meaning: rules["stroke", color] for meaning, color in MEANINGS.items()}


def test_every_colour_stands_out_against_the_paper(scheme):
    paper, colors = scheme
    for meaning, color in colors.items():
        assert contrast(paper, color) >= 3.0, meaning
    assert max(contrast(paper, color) for color in colors.values()) > 1.3 * contrast(paper, colors["in common"])


@pytest.mark.parametrize("vision", VISIONS)
def test_no_two_colours_are_taken_for_each_other(scheme, vision):
    seen = {meaning: lab(np.asarray(VISIONS[vision]) @ linear(color)) for meaning, color in scheme[1].items()}
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 25, (one, other)  # 2 is what can be told side by side


def test_red_and_green_would_not_pass():
    """Else the test above would prove nothing."""
    red, green = (lab(np.asarray(VISIONS["no M"]) @ linear(color)) for color in ("#d04040", "#7a7a00"))
    assert np.linalg.norm(red - green) < 25


def test_every_colour_of_an_overlay_has_one_in_the_dark():
    rules, _ = dark_scheme()
    used = set(re.findall(r'(fill|stroke)="(#\w{6})"', svg(overlay_page(compare(LEFT, RIGHT)))))
    assert used and used <= set(rules)
    assert {color for _, color in used} >= {PAPER, PALE, BLACK, GREY, VERMILION, BLUE}
    for color in (BLACK, DARK):
        assert contrast(rules["fill", PAPER], rules["fill", color]) >= 4.5
