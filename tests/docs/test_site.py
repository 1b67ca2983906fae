"""The documentation as pages: built without a warning, browsed from disk, on desk and phone."""

import re
import subprocess
import sys

import pytest
from support.browser import PHONE, Visits
from support.pages import REPOSITORY, pages

HOME = "docs/index.html"
NOT_THERE = ("README.md",)
"""Pages for the repository alone."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    pytest.importorskip("sphinx", reason="pip install 'cytobench[docs]'")
    folder = tmp_path_factory.mktemp("pages") / "html"
    words = ["-W", "--keep-going", "-q", "-c", "docs", ".", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *words],
        cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def visit(browser, built):
    """``visit("docs/faq.html", viewport=...)``: no error and no request may happen."""
    visits = Visits(browser, built)
    yield visits
    visits.close()


def test_every_page_that_is_written_is_on_the_site(built):
    written = [page for page in pages() if page not in NOT_THERE]

    missing = [page for page in written if not (built / page).with_suffix(".html").exists()]

    assert missing == []


def test_the_address_of_the_folder_leads_to_the_first_page(visit):
    tab = visit("index.html")
    tab.wait_for_url("**/docs/index.html")

    assert tab.locator("h1").inner_text() == "cytobench"


def test_no_page_names_a_script_style_or_font_of_a_network(built):
    loaded = re.compile(r"""(?:<script[^>]*\ssrc=|<link[^>]*\shref=|url\()["']?(?:https?:)?//""")

    guilty = [
        path.name
        for path in [*built.rglob("*.html"), *built.rglob("*.css")]
        if loaded.search(path.read_text(encoding="utf-8"))
    ]

    assert guilty == []


@pytest.mark.parametrize("size", [PHONE, {"width": 1280, "height": 900}], ids=["phone", "desk"])
def test_pages_fit_and_load_without_an_error(visit, built, size):
    too_wide = []
    tab = visit(HOME, viewport=size)
    for path in sorted({*built.rglob("*.html")} - {built / "index.html"}):  # which leads elsewhere
        tab.goto(path.as_uri())
        if tab.evaluate("document.documentElement.scrollWidth > innerWidth"):
            too_wide.append(path.relative_to(built).as_posix())

    assert too_wide == []


def test_search_works_from_disk(visit):
    tab = visit(HOME)

    tab.locator("input.sidebar-search").fill("Nadeau")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("ul.search li a")

    found = tab.locator("ul.search li a").all_inner_texts()
    assert "How each number is computed, and what it misses" in found


def test_dark_is_dark_and_can_be_chosen(visit):
    def brightness(tab):
        return tab.evaluate(
            "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]"
        )

    dark, light = visit(HOME, color_scheme="dark"), visit(HOME, color_scheme="light")
    assert brightness(dark) < 60 < 200 < brightness(light)

    light.locator("button.theme-toggle:visible").first.click()
    assert light.locator("body").get_attribute("data-theme") == "dark"


def test_the_first_page_says_what_this_is_not(visit):
    text = visit("docs/meaning.html").locator("article").inner_text()

    assert "It is no medical device" in text
    assert "No medical device" in visit(HOME).locator(".announcement").inner_text()
