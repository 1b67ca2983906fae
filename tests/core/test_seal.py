"""A seal is broken by any change, and stands in JSON as in Parquet."""

import json

from hypothesis import given
from hypothesis import strategies as st

from cytobench.core.seal import BLANK, intact, sealed


def a_document(text="x"):
    return sealed(json.dumps({"said": text, "seal": BLANK}).encode())


@given(st.text())
def test_what_was_sealed_is_intact_whatever_it_says(text):
    assert intact(a_document(text)) is True
    assert json.loads(a_document(text))["said"] == text


def test_a_seal_that_somebody_imitates_in_a_text_is_not_taken_for_it():
    assert intact(a_document(f"{BLANK} and {BLANK}")) is True


def test_what_carries_no_seal_is_known_to_carry_none():
    assert intact(b'{"said": 1}') is None
    assert intact(b"") is None


@given(st.data())
def test_no_bit_can_change_unnoticed(data):
    content = bytearray(a_document("IL-6"))
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= 1 << data.draw(st.integers(0, 7))

    assert intact(bytes(content)) is not True
