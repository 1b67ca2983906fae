"""The stability index against cases that can be worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytobench.evaluate.stability import nogueira, stability


def test_the_same_columns_in_every_fold_are_perfectly_stable():
    taken = np.tile([True, True, False, False, False], (6, 1))

    found = nogueira(taken)

    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)


def test_two_folds_without_a_common_column():
    # p = 1/2 for all four columns: spread 2/1 * 1/4 = 1/2; by lot 2/4 * 2/4 = 1/4; 1 - 2 = -1.
    assert nogueira([[1, 1, 0, 0], [0, 0, 1, 1]]).value == pytest.approx(-1)


def test_two_folds_that_share_one_of_two_columns():
    # p = (1, 1/2, 1/2, 0): mean spread 2 * (0 + 1/4 + 1/4 + 0) / 4 = 1/4; by lot 1/4; 1 - 1 = 0.
    assert nogueira([[1, 1, 0, 0], [1, 0, 1, 0]]).value == pytest.approx(0)


def test_for_sets_of_one_size_it_is_kunchevas_index():
    # Kuncheva 2007: mean over pairs of (r d - k^2) / (k (d - k)), r the number of common columns;
    # Nogueira, Sechidis & Brown 2018, theorem 5, prove that the two agree.
    draw = np.random.default_rng(0)
    folds, columns, size = 7, 12, 4
    taken = np.zeros((folds, columns), dtype=bool)
    for row in taken:
        row[draw.choice(columns, size, replace=False)] = True
    pairs = [(i, j) for i in range(folds) for j in range(i)]
    common = np.array([(taken[i] & taken[j]).sum() for i, j in pairs])
    kuncheva = ((common * columns - size**2) / (size * (columns - size))).mean()

    assert nogueira(taken).value == pytest.approx(kuncheva)


def test_columns_drawn_by_lot_are_not_stable_and_the_interval_covers_that():
    draw = np.random.default_rng(1)
    covered = values = 0.0
    for _ in range(200):
        found = nogueira(draw.random((30, 20)) < 0.3)
        values += found.value / 200
        covered += (found.low <= 0 <= found.high) / 200

    assert values == pytest.approx(0, abs=0.01)
    assert covered > 0.85


@pytest.mark.parametrize("taken", [np.ones((3, 4)), np.zeros((3, 4))], ids=["all", "none"])
def test_all_columns_or_none_have_no_index(taken):
    found = nogueira(taken)

    assert math.isnan(found.value)
    assert found.low is None
    assert "undefined" in found.method


def test_one_fold_is_refused():
    with pytest.raises(ValueError, match="two folds or more"):
        nogueira([[1, 0]])


@given(st.integers(0, 2**32 - 1), st.integers(2, 8), st.integers(2, 10))
def test_it_stays_in_range_and_does_not_depend_on_the_order(seed, folds, columns):
    taken = np.random.default_rng(seed).random((folds, columns)) < 0.5
    found = nogueira(taken)
    if math.isnan(found.value):
        return

    assert -1 - 1e-9 <= found.value <= 1 + 1e-9
    assert nogueira(taken[::-1, ::-1]).value == pytest.approx(found.value)


def test_a_column_that_a_fold_does_not_know_was_not_taken():
    found = stability([{"IL-6": True, "CRP": True}, {"IL-6": True, "CRP": False}, {"IL-6": True}])

    assert found.share == {"IL-6": 1.0, "CRP": pytest.approx(1 / 3)}
    assert (found.size, found.folds) == (pytest.approx(4 / 3), 3)
