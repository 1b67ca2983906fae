"""Cells as Luminex, MSD and ELISA exports write them; whatever the text, never a crash."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytobench.data.cells import KNOWN_UNIT, read_cell, read_numbers, same_unit, with_point


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


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("3,1", "3.1"),
        ("-,5", "-.5"),
        ("<0,5", "<0.5"),
        ("*3,1 pg/mL", "*3.1 pg/mL"),
        ("1e-8", "1e-8"),
        ("12", "12"),
        ("Bonn, Ulm", "Bonn, Ulm"),
        ("31.12.2020", "31.12.2020"),
    ],
)
def test_decimal_commas_become_points_and_nothing_else_changes(text, meant):
    assert with_point(text) == meant


@pytest.mark.parametrize("text", ["1.234", "<1.5", "1.234,5", "1,234,5"])
def test_a_point_among_decimal_commas_is_no_number_as_it_may_be_thousands(text):
    assert read_cell(with_point(text)).wrong


@pytest.mark.parametrize("text", ["pg/mL", "ng/ml", "mg/L", "µg/mL", "IU/mL", "pmol/L", "%", "NPX"])
def test_units_that_are_known_without_being_declared(text):
    assert KNOWN_UNIT.match(text)


@pytest.mark.parametrize("text", ["hemolysed", "years", "p", "pg/mouse"])
def test_words_behind_a_number_are_no_unit(text):
    assert not KNOWN_UNIT.match(text)


def test_spellings_of_one_unit():
    assert same_unit("pg/mL", "pg/ml")
    assert same_unit("\u00b5g/L", "\u03bcg / L")
    assert not same_unit("pg/mL", "ng/mL")


def test_a_column_is_read_like_its_cells_one_by_one():
    texts = ["1.5", "<0.5", "", "abc", ">9", "ND", "*3.1", "1_000", "inf", "abc"]

    numbers = read_numbers(texts)

    cells = [read_cell(text) for text in texts]
    np.testing.assert_array_equal(numbers.values, [cell.value for cell in cells])
    assert numbers.below.tolist() == [cell.below for cell in cells]
    assert numbers.above.tolist() == [cell.above for cell in cells]
    assert numbers.wrong == [row for row, cell in enumerate(cells) if cell.wrong]


def test_units_are_noticed_with_the_first_row_that_has_them():
    assert read_numbers(["1 pg/mL", "2 pg/mL", "3 ng/mL"]).units == {"pg/mL": 0, "ng/mL": 2}


@given(st.text())
def test_no_text_breaks_the_reader(text):
    cell = read_cell(text)

    assert cell.wrong or math.isfinite(cell.value) or math.isnan(cell.value)


@given(st.lists(st.text(max_size=8) | st.floats().map(repr), max_size=20))
def test_no_column_breaks_the_reader_and_every_cell_has_one_meaning(texts):
    numbers = read_numbers(texts)

    assert len(numbers.values) == len(numbers.below) == len(numbers.above) == len(texts)
    assert not (numbers.below & numbers.above).any()
    assert np.isnan(numbers.values[list(numbers.wrong)]).all()


@given(st.text())
def test_translating_decimal_commas_never_breaks(text):
    assert with_point(text) == text or "," in text or "." in text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_with_a_decimal_comma_is_the_same_number(number):
    german = f"{number:.6f}".replace(".", ",")

    assert read_cell(with_point(german)).value == float(f"{number:.6f}")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read_to_the_last_bit(number):
    assert read_cell(repr(number)).value == number


@given(st.floats(0, 1e12))
def test_a_limit_keeps_its_number(number):
    cell = read_cell(f"<{number!r}")

    assert (cell.value, cell.below) == (number, True)
