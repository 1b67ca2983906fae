"""The page says what the committed record says, and the record is of every family."""

import json
from pathlib import Path

import pytest
from support.hostile import everything
from support.hostile.answers import FAMILIES
from support.hostile.raw import READERS

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
RECORD = json.loads((RESULTS / "hostile_input.json").read_text())["families"]
FUZZED = json.loads((RESULTS / "fuzz.json").read_text())["targets"]
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


def test_every_reader_and_every_family_was_fuzzed():
    assert set(FUZZED) == {*READERS, *FAMILIES}


@pytest.mark.parametrize("name", sorted(FUZZED))
def test_no_bytes_got_through(name):
    found = FUZZED[name]

    assert not found["uncaught"]
    assert found["tried"] == found["refused"] + found["right"] + found["read"] > 0
    assert found["edges"] > 0
