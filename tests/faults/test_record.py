"""The committed record is of every fault, and nothing got lost, wrong or broken in it."""

import json
from pathlib import Path

import pytest
from support.injected import FAULTS

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
RECORD = json.loads((RESULTS / "faults.json").read_text(encoding="utf-8"))["rows"]
PAGE = (RESULTS / "faults.md").read_text(encoding="utf-8")


def test_every_fault_is_in_the_record():
    assert list(RECORD) == [fault.befall.__name__ for fault in FAULTS]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.befall.__name__)
def test_after_the_fault_nothing_was_lost_or_wrong_and_the_user_saw_what_there_was(fault):
    row = RECORD[fault.befall.__name__]

    assert row["tries"] > 0
    assert (row["lost"], row["wrong"], row["broken"]) == (0, 0, [])
    assert row["fault"] == fault.name
    assert set(row["codes"]) <= fault.codes
    assert bool(row["seen"]) == bool(fault.shows)


@pytest.mark.parametrize("name", sorted(RECORD))
def test_the_page_says_what_the_record_says(name):
    row = RECORD[name]

    assert (
        f"| {row['fault']} | {row['tries']} | {row['finished']} | {row['lost']} | {row['wrong']} |"
        in PAGE
    )
