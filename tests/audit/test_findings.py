"""The register of checks, and acknowledgements."""

import pytest

from cytobench.audit.findings import SEVERITIES, Finding, acknowledged, checks
from cytobench.core.errors import UsageError

FOUND = [Finding("A102", "block", "one"), Finding("A205", "block", "two")]


def test_every_check_explains_itself():
    every = checks()

    assert len(every) > 25
    for code, item in every.items():
        assert code == item.code
        assert item.severity in SEVERITIES
        assert item.explanation.endswith(".")
        assert item.subject == ("model" if code < "A200" else "cohort")


def test_subjects_part_the_register():
    assert {**checks("model"), **checks("cohort")} == checks()


def test_an_acknowledged_finding_is_no_longer_open():
    still_open, answered = acknowledged(FOUND, {"A205": "a known diagnosis, not an outcome"})

    assert [item.code for item in still_open] == ["A102"]
    assert [item.code for item in answered] == ["A205"]


def test_a_reason_for_what_was_not_found_is_allowed():
    assert acknowledged(FOUND, {"A208": "one centre only recruits the severely ill"})[1] == []


@pytest.mark.parametrize("reason", ["", "  ", None, True])
def test_an_acknowledgement_needs_a_reason(reason):
    with pytest.raises(UsageError, match="E130"):
        acknowledged(FOUND, {"A205": reason})


def test_a_mistyped_code_is_refused_with_the_nearest_one():
    with pytest.raises(UsageError, match="E130") as caught:
        acknowledged(FOUND, {"A2055": "because"})

    assert "did you mean 'A205'" in caught.value.hint


def test_a_finding_says_how_to_acknowledge_it():
    assert FOUND[0].hint.startswith("audit.acknowledge.A102=")
