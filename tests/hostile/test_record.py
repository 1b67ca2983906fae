"""The page says what the committed record says, and the record is of every family."""

import json
from pathlib import Path

import pytest
from support.hostile import everything
from support.hostile.answers import FAMILIES

ROOT = Path(__file__).parents[2]
RECORD = json.loads((ROOT / "benchmarks" / "results" / "hostile_input.json").read_text())[
    "families"
]
PAGE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")

assert everything.__all__


def test_every_family_is_in_the_record():
    assert set(RECORD) == set(FAMILIES)


@pytest.mark.parametrize("name", sorted(RECORD))
def test_nothing_got_through_and_the_page_says_how_often_it_was_tried(name):
    found = RECORD[name]

    assert not found["uncaught"]
    assert found["tried"] == found["refused"] + found["right"] + found["read"]
    assert f"| {found['what']} | {found['tried']:,} | nothing | {found['seen']} |" in PAGE
