"""Net benefit against R's dcurves, and what must hold of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.folds import stored

from cytobench.evaluate.decision import (
    contributions,
    decision_curve,
    net_benefit,
    net_benefit_at,
    resampled_patients,
    treat_all,
)
from cytobench.evaluate.out_of_fold import OutOfFold, out_of_fold

BESIDE = Path(__file__).parents[2].parent / "shared" / "reference"


def test_net_benefit_of_the_published_example():
    """dcurves 0.5.1 on its df_binary (Sjoberg; Vickers & Elkin 2006)."""
    if not (BESIDE / "dcurves_df_binary.csv").exists():
        pytest.skip(f"the example's table is not at {BESIDE}")
    data = pd.read_csv(BESIDE / "dcurves_df_binary.csv")
    expected = pd.read_csv(BESIDE / "dcurves_expected.csv")

    for variable, part in expected.groupby("variable"):
        thresholds = part["threshold"].to_numpy()
        if variable == "all":
            found = treat_all(data.cancer, thresholds)
        elif variable in data.columns:
            found = net_benefit(data.cancer, data[variable], thresholds)
        else:
            continue
        np.testing.assert_allclose(found, part["net_benefit"], atol=1e-9)


@given(st.integers(0, 10_000))
@settings(deadline=None)
def test_treating_everybody_is_worth_nothing_at_the_prevalence(seed):
    y = np.random.default_rng(seed).integers(0, 2, 40)
    y[:2] = 0, 1

    assert treat_all(y, [y.mean()])[0] == pytest.approx(0, abs=1e-12)


def test_by_hand():
    """2 of 4 true positives, 1 false positive, odds 1/3: 2/8 - 1/8 / 3."""
    y = [1, 1, 1, 1, 0, 0, 0, 0]
    p = [0.9, 0.3, 0.1, 0.2, 0.25, 0.1, 0.1, 0.1]

    assert net_benefit(y, p, [0.25])[0] == pytest.approx(2 / 8 - 1 / 8 / 3)


def cell(n=120, seed=0):
    draw = np.random.default_rng(seed)
    y = (draw.random(n) < 0.4).astype(float)
    p = np.clip(0.4 + 0.25 * (y - 0.4) + 0.15 * draw.normal(size=(2, n)), 0.01, 0.99)
    return out_of_fold(stored(p, y))


def test_a_curve_is_the_mean_of_its_repeats():
    found = cell()
    weights = resampled_patients(len(found.y), 200, 0)

    curve = decision_curve(found, (0.2, 0.6), weights)

    by_repeat = [net_benefit(y, p, curve.thresholds) for y, p in found.repeats()]
    np.testing.assert_allclose(curve.model, np.mean(by_repeat, axis=0))
    assert (curve.low <= curve.model).all()
    assert (curve.model <= curve.high).all()
    at = net_benefit_at(found, 0.2, weights)
    assert at.value == pytest.approx(curve.model[0])


def test_resamples_have_n_patients_and_another_prevalence_and_are_the_same_for_the_same_seed():
    weights = resampled_patients(40, 50, 7)

    assert (weights.sum(axis=1) == 40).all()
    # Binomial: 10 patients with the outcome, with a standard deviation of sqrt(40 / 4 * 3 / 4).
    assert weights[:, :10].sum(axis=1).std() > 1.5
    resampled_patients.cache_clear()
    np.testing.assert_array_equal(weights, resampled_patients(40, 50, 7))


@given(st.integers(0, 10_000), st.floats(0.05, 0.95))
@settings(deadline=None, max_examples=50)
def test_net_benefit_lies_between_the_worst_and_the_prevalence(seed, threshold):
    draw = np.random.default_rng(seed)
    y, p = draw.integers(0, 2, 30), draw.random(30)

    found = net_benefit(y, p, [threshold])[0]

    assert found <= y.mean() + 1e-12
    assert found >= -(1 - y.mean()) * threshold / (1 - threshold) - 1e-12
    assert net_benefit(y, y, [threshold])[0] == pytest.approx(y.mean())
    assert net_benefit(y, np.zeros(30), [threshold])[0] == 0


def test_a_prediction_at_the_threshold_is_acted_on():
    assert net_benefit([1, 0], [0.25, 0.1], [0.25])[0] == 0.5


def test_predictions_of_0_and_1_are_treat_none_and_treat_all():
    y = np.array([1.0, 0.0, 0.0, 1.0])
    thresholds = [0.01, 0.5, 0.99]

    np.testing.assert_allclose(net_benefit(y, np.ones(4), thresholds), treat_all(y, thresholds))
    np.testing.assert_array_equal(net_benefit(y, np.zeros(4), thresholds), 0)


def test_a_patient_counts_once_however_often_tested():
    """Two predictions of the first patient, one acted on; one of the second: (1/2 + 1) / 2."""
    prediction = np.array([[0.9, 0.9], [0.1, np.nan]])
    part = OutOfFold(np.array(["a", "b"]), np.ones(2), prediction, prediction, prediction, {})

    assert contributions(part, np.array([0.5]))[:, 0].tolist() == [0.5, 1.0]


def test_the_gain_is_over_the_better_default():
    found = cell(seed=4)
    weights = resampled_patients(len(found.y), 200, 0)

    curve = decision_curve(found, (0.2, 0.8), weights)

    better = np.maximum(curve.treat_all, 0)
    np.testing.assert_allclose(curve.over_all[:, 0], curve.model - better)
    assert (curve.over_all[:, 1] <= curve.over_all[:, 0] + 1e-12).all()
    assert (curve.over_all[:, 0] <= curve.over_all[:, 2] + 1e-12).all()


def test_numbers_as_outcome_are_resampled_without_strata():
    weights = resampled_patients(30, 200, 1)

    assert (weights.sum(axis=1) == 30).all()
    assert weights.mean() == pytest.approx(1)
