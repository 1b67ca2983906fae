"""Cells as Luminex, MSD and ELISA exports write them; whatever the text, never a crash."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytobench.data.cells import read_cell, read_numbers


@pytest.mark.parametrize(
    ("text", "value", "below", "above"),
    [
        ("3.1", 3.1, False, False),
        (" 3.1 ", 3.1, False, False),
        ("*3.1", 3.1, False, False),
        ("1e-08", 1e-08, False, False),
        ("<0.5", 0.5, True, False),
        ("< 0.5", 0.5, True, False),
        ("≤0.5", 0.5, True, False),
        (">2000", 2000.0, False, True),
        ("-1.2", -1.2, False, False),
    ],
)
def test_a_number_with_or_without_a_limit(text, value, below, above):
    cell = read_cell(text)

    assert (cell.value, cell.below, cell.above, cell.wrong) == (value, below, above, False)


@pytest.mark.parametrize("text", ["OOR <", "OOR<", "ND", "n.d.", "<LLOD", "BLQ", "bql"])
def test_not_detected_without_a_number(text):
    cell = read_cell(text)

    assert math.isnan(cell.value)
    assert cell.below


@pytest.mark.parametrize("text", ["OOR >", ">ULOQ", "ALQ"])
def test_out_of_range_high(text):
    assert read_cell(text).above


@pytest.mark.parametrize("text", ["", "  ", "NA", "NaN", "#N/A", "."])
def test_missing_is_nan_and_nothing_else(text):
    cell = read_cell(text)

    assert math.isnan(cell.value)
    assert (cell.below, cell.above, cell.wrong) == (False, False, False)


@pytest.mark.parametrize(
    "text", ["abc", "1.2.3", "3,1", "<", "1 2", "inf", "1e999", "--3", "1_000"]
)
def test_anything_else_is_wrong(text):
    assert read_cell(text).wrong


def test_a_decimal_comma_when_it_was_declared():
    assert read_cell("3,1", decimal=",").value == 3.1
    assert read_cell("<0,5", decimal=",").below
    assert read_cell("1.234,5", decimal=",").wrong


def test_units_are_noticed_with_the_first_row_that_has_them():
    assert read_numbers(["1 pg/mL", "2 pg/mL", "3 ng/mL"]).units == {"pg/mL": 0, "ng/mL": 2}


@given(st.text())
def test_no_text_breaks_the_reader(text):
    cell = read_cell(text)

    assert cell.wrong or math.isfinite(cell.value) or math.isnan(cell.value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read_to_the_last_bit(number):
    assert read_cell(repr(number)).value == number


@given(st.floats(0, 1e12))
def test_a_limit_keeps_its_number(number):
    cell = read_cell(f"<{number!r}")

    assert (cell.value, cell.below) == (number, True)
