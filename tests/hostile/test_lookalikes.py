"""Names that nobody can tell apart by eye are refused, and said in code points."""

import csv
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hostile.datasets import HEADER, ROWS

from cytobench import DataError
from cytobench.data.spelling import lookalikes
from cytobench.data.table import load_table

COMPOSED, APART = "K\u00f6ln", "Ko\u0308ln"
CONFIG = {
    "name": "trial",
    "source": {"file": "a.csv"},
    "patient": "id",
    "analytes": {"columns": ["IL-6"]},
    "covariates": ["sex"],
    "arm": "drug",
    "site": "site",
    "outcome": {"scale": "HAM-D17", "baseline": "before", "endpoint": "after"},
    "checks": {"minimum_arm": 1},
}


@pytest.fixture
def load(tmp_path):
    """``load(column, first, second)``: the cohort with two cells of one column, or two names."""

    def run(column, first, second, header=HEADER, **changes):
        rows = [list(row) for row in ROWS]
        for row, text in zip(rows, (first, second), strict=False):
            row[HEADER.index(column)] = text
        with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([header, *rows])
        return load_table({**CONFIG, **changes}, folders=[tmp_path])

    return run


@pytest.mark.parametrize(
    ("first", "second"),
    [(COMPOSED, APART), ("Bonn", "Bo\u200bnn"), ("Bad Boll", "Bad\u00a0Boll"), ("x", "x\u202d")],
)
@pytest.mark.parametrize(("column", "code"), [("site", "E318"), ("sex", "E318"), ("id", "E315")])
def test_two_values_that_look_the_same_are_refused(load, column, code, first, second):
    with pytest.raises(DataError, match=rf"{code}.*look the same.*a\.csv|{code}.*a\.csv, line 3"):
        load(column, first, second)


def test_the_message_shows_how_they_differ(load):
    with pytest.raises(DataError) as caught:
        load("site", COMPOSED, APART)

    assert str(caught.value).isascii()
    assert "'K\\xf6ln' and 'Ko\\u0308ln'" in str(caught.value)


def test_a_map_makes_one_of_two_spellings(load):
    spelled = {COMPOSED: "Cologne", APART: "Cologne", "Bonn": "Bonn", "Ulm": "Ulm"}

    cohort = load("site", COMPOSED, APART, site={"column": "site", "map": spelled})

    assert cohort.labels("site")[:2] == ["Cologne", "Cologne"]


def test_two_columns_that_look_the_same_are_refused(load):
    header = [{"age": COMPOSED, "unit": APART}.get(name, name) for name in HEADER]

    with pytest.raises(DataError, match=r"E311.*two columns look the same"):
        load("site", "Bonn", "Ulm", header)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"outcome": {**CONFIG["outcome"], "scale": "\ud800"}}, r"outcome\.scale"),
        ({"missing": ["x", "y\udfff"]}, r"missing\[1\]"),
        ({"site": {"column": "site", "map": {"\ud800": "x"}}}, r"site\.map"),
    ],
)
def test_half_a_character_is_refused_where_it_stands(load, changes, place):
    with pytest.raises(DataError, match=rf"E322.*{place}.*half a character"):
        load("site", "Bonn", "Ulm", **changes)


@given(st.lists(st.text(max_size=5), unique=True))
def test_names_without_twins_are_left_alone(names):
    found = lookalikes(names)

    if found is None:
        composed = [unicodedata.normalize("NFC", name) for name in names]
        assert len(set(composed)) == len(set(names))
    else:
        assert found[0] != found[1]
        assert set(found) <= set(names)
