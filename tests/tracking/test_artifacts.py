"""The page of a cohort is drawn once for all the runs that show it."""

from __future__ import annotations

import pytest

from cytobench.tracking import artifacts
from cytobench.tracking.artifacts import cohort_text

FINGERPRINT = "f" * 64


@pytest.fixture
def drawn(monkeypatch):
    """How often a page was drawn."""
    times = []

    def page(facts):
        times.append(1)
        return f"<p>{facts['patients']} patients</p>"

    monkeypatch.setattr(artifacts, "cohort_page", page)
    return times


def test_a_page_is_drawn_once(store, drawn):
    store.keep_cohort_facts(FINGERPRINT, {"patients": 40})
    assert cohort_text(store, FINGERPRINT) == cohort_text(store, FINGERPRINT)
    assert len(drawn) == 1


def test_other_aggregates_are_drawn_anew(store, drawn):
    store.keep_cohort_facts(FINGERPRINT, {"patients": 40})
    cohort_text(store, FINGERPRINT)
    store.keep_cohort_facts(FINGERPRINT, {"patients": 41})
    assert cohort_text(store, FINGERPRINT) == "<p>41 patients</p>"


def test_a_store_without_aggregates_has_no_page(store, drawn):
    assert cohort_text(store, FINGERPRINT) == ""
    assert not drawn
