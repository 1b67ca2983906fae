"""The page of a cohort."""

import json
from html.parser import HTMLParser

import pytest

from cytobench.evaluate.cohort_facts import cohort_facts
from cytobench.report.cohort_page import cohort_page, illustrations, write_cohort_page
from cytobench.run.cells import load_cohort


@pytest.fixture(scope="module")
def facts():
    cohort = load_cohort({"name": "sim_inflamed_mdd", "n": 120}, None)
    return json.loads(json.dumps(cohort_facts(cohort)))


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.images, self.links, self.scripts, self.headings = [], [], 0, 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "img":
            self.images.append(found)
        if tag == "a":
            self.links.append(found["href"])
        self.scripts += tag == "script"
        self.headings += tag == "h1"


def test_the_page_needs_no_network_and_every_figure_has_words(facts):
    page = Page(cohort_page(facts))

    assert page.headings == 1
    assert page.scripts == 1  # its own
    assert len(page.images) >= 5
    assert all(image["src"].startswith("data:image/svg+xml") for image in page.images)
    assert all(len(image["alt"]) > 20 for image in page.images)
    assert all(link.startswith("#") for link in page.links)


def test_what_a_card_says_never_becomes_markup(facts):
    evil = {**facts["card"], "summary": "<script>alert(1)</script>", "caveat": "<b>x</b>"}

    text = cohort_page({**facts, "card": evil, "notes": ["<img src=x>"]}, [])

    assert text.count("<script>") == 1  # its own
    assert "<img src=x>" not in text
    assert "&lt;script&gt;" in text


def test_the_figures_tell_what_the_cohort_has(facts):
    names = {illustration.name for illustration in illustrations(facts)}

    assert {"distributions", "detection", "correlation", "plates", "outcome-response"} <= names


def test_a_cohort_without_plates_follow_up_or_truth_has_a_page_too(facts):
    bare = {**facts, "plates": None, "followup": [], "truth": None, "correlation": None}

    text = cohort_page(bare)

    assert "Change to the end point" not in text
    assert "Truth" not in text


@pytest.mark.parametrize("n", [6, 12, 24])
def test_a_cohort_of_few_patients_has_a_page(make_cohort, n):
    """Of twelve, five are beyond the median on either side, and three beyond a quartile."""
    cohort = make_cohort([k % 2 for k in range(n)], analyte=[371 + k for k in range(n)])

    text = cohort_page(cohort_facts(cohort))

    assert (f">{371 + (n - 1) / 2:.3g}" in text) == (n >= 10)


def test_page_and_figures_are_written(facts, tmp_path):
    page = write_cohort_page(facts, tmp_path)

    assert page.name == "cohort-sim_inflamed_mdd.html"
    files = {path.name for path in (tmp_path / "figures" / "cohort-sim_inflamed_mdd").iterdir()}
    assert {"distributions.svg", "distributions.png"} <= files
