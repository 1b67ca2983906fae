"""A report in a real browser, opened from disk."""

from __future__ import annotations

import pytest
from support.browser import Visits

from cytobench.report.writing import render, write_page


@pytest.fixture
def visit(browser, tmp_path):
    """``visit(file)`` opens a page; what goes wrong in it fails the test."""
    visits = Visits(browser, tmp_path)
    yield visits
    visits.close()


def test_a_link_within_a_page_is_the_browsers_own_to_follow(visit, tmp_path):
    table = {"title": "", "caption": "", "columns": [], "rows": [], "notes": ["long"] * 99}
    about = {"title": "", "home": "", "lead": "", "simulated": True, "caveat": "", "keys": []}
    rest = {"fewest": 5, "figures": [], "tables": [table], "card": [], "notes": []}
    write_page(tmp_path / "page.html", render("cohort.html", **about, **rest).encode())
    tab = visit("page.html")

    tab.get_by_role("link", name="Notes").click()

    assert tab.url.endswith("page.html#notes")  # an address to share, and a step to go back
    assert tab.locator("#notes").bounding_box()["y"] < tab.viewport_size["height"]
    tab.go_back()
    assert tab.evaluate("scrollY") == 0
