"""Intervals and tests against published and R reference values."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytobench.evaluate.intervals import (
    corrected_t,
    delong,
    delong_logit,
    holm,
    nadeau_bengio,
    nadeau_bengio_logit,
)
from cytobench.evaluate.meta import mean_of_sites

REFERENCE = Path(__file__).parents[1] / "reference"
FIXTURE = pd.read_csv(REFERENCE / "binary_fixture.csv")
EXPECTED = json.loads((REFERENCE / "binary_fixture_expected.json").read_text())
FOLDS = pd.read_csv(REFERENCE / "nadeau_bengio_scores.csv")


@pytest.mark.parametrize("column", ["p1", "p2"])
def test_delong_matches_proc(column):
    """The variance behind pROC 1.18.0's interval, which is untransformed normal."""
    value, variance = delong(FIXTURE["y"], FIXTURE[column])
    half = 1.959963984540054 * np.sqrt(variance)

    assert [value - half, value + half] == pytest.approx(EXPECTED[column]["auc_ci"], abs=1e-9)


def test_the_corrected_t_test_matches_scikit_learns_worked_example():
    """plot_grid_search_stats of scikit-learn prints t = 0.750, one-sided p = 0.227."""
    t, p = corrected_t(FOLDS["rbf"], FOLDS["linear"], n_train=90, n_test=10)

    assert t == pytest.approx(0.7503126954, abs=1e-9)
    assert p / 2 == pytest.approx(0.227422971, abs=1e-9)


def test_equal_models_are_never_different():
    assert corrected_t([0.5, 0.6, 0.7], [0.5, 0.6, 0.7], 80, 20) == (0.0, 1.0)


def test_the_corrected_interval_is_wider_than_the_naive_one():
    values = FOLDS["rbf"].to_numpy()
    naive = values.std(ddof=1) / np.sqrt(len(values))

    interval = nadeau_bengio(values, n_train=90, n_test=10)

    # sqrt(1/100 + 1/9) against sqrt(1/100)
    assert (interval.high - interval.low) / 2 / 1.9842169515 == pytest.approx(
        naive * np.sqrt(1 + 100 / 9)
    )


@given(st.lists(st.floats(0.05, 0.95), min_size=3, max_size=30))
def test_the_logit_interval_stays_inside_zero_and_one_and_holds_the_mean(values):
    interval = nadeau_bengio_logit(values, 80, 20)

    assert 0 <= interval.low <= interval.value + 1e-12
    assert interval.value - 1e-12 <= interval.high <= 1


def test_undefined_folds_are_left_out():
    with_gap = nadeau_bengio([0.6, np.nan, 0.8], 80, 20)

    assert with_gap.value == pytest.approx(0.7)


def test_a_perfect_auc_has_no_interval():
    estimate = delong_logit([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])

    assert (estimate.value, estimate.low) == (1, None)
    assert "no interval" in estimate.method


def test_perfect_folds_have_no_interval_and_equal_ones_a_point():
    assert nadeau_bengio_logit([1.0, 1.0], 80, 20).low is None
    assert nadeau_bengio_logit([0.5, 0.5], 80, 20).low == 0.5


def test_fewer_than_five_sites_have_no_summary_interval():
    assert mean_of_sites([0.6, 0.7, 0.8, 0.9], 90, 30).low is None
    assert mean_of_sites([0.6, 0.7, 0.8, 0.9, np.nan], 90, 30).low is None


def test_left_out_sites_are_tested_by_models_that_share_patients():
    """By hand: 2.776 (t, 4 degrees of freedom) times sd times the root of 1/5 + 30/120."""
    values = [0.6, 0.7, 0.8, 0.9, 0.7]

    found = mean_of_sites(values, 120, 30)

    assert found.value == pytest.approx(0.74)
    half = 2.776445 * np.std(values, ddof=1) * np.sqrt(0.45)
    assert (found.low, found.high) == pytest.approx((0.74 - half, 0.74 + half), abs=1e-6)
    assert "over sites" in found.method


def test_holm_matches_the_textbook():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), min_size=1))
def test_holm_never_lowers_a_p_value(p_values):
    for before, after in zip(p_values, holm(p_values), strict=True):
        assert before - 1e-12 <= after <= 1
