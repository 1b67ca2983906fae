"""Tampered bundles are refused, each with its code; the honest ones are accepted."""

import pytest
from support.tampering import ALL, Honest

from cytobench.submission.codes import CODES
from cytobench.submission.verify import Against, verify


@pytest.fixture(scope="session")
def honest(made):
    return Honest(made.toy, made.clinic, made.guess)


@pytest.mark.parametrize("tampering", ALL, ids=lambda item: item.name)
def test_a_tampered_bundle_is_refused_with_its_code(tampering, honest, workshop):
    content = tampering.function(honest)

    verdict = verify(
        content, "tampered.zip", Against(workshop.store, refits=6 if tampering.refit else 0)
    )

    assert [item.code for item in verdict.findings] == [tampering.code], verdict.findings
    assert verdict.state == CODES[tampering.code].severity
    (finding,) = verdict.findings
    assert finding.message
    assert finding.hint
    assert finding.where.startswith("tampered.zip")


@pytest.mark.parametrize("name", ["toy", "clinic"])
@pytest.mark.parametrize(("refits", "state"), [(0, "recomputed"), (1, "verified")])
def test_an_honest_bundle_is_accepted(name, refits, state, workshop):
    verdict = verify(getattr(workshop, name), "honest.zip", Against(workshop.store, refits=refits))

    assert list(verdict.findings) == []
    assert verdict.state == state
    assert [one.largest for one in verdict.refits] == [0.0] * refits


def test_every_code_has_a_bundle_that_gets_it():
    elsewhere = {"E743"}  # needs another row of the board: test_rows.py

    assert {item.code for item in ALL} | elsewhere == set(CODES)
