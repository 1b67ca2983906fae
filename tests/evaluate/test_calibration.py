"""Calibration against rms::val.prob, R's glm and loess."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytobench.evaluate.calibration import (
    distance_estimates,
    intercept,
    linear_calibration,
    local_quadratic,
    logit,
    over_repeats,
    slope,
    smooth,
)
from cytobench.evaluate.metrics import brier, log_loss, skill

REFERENCE = Path(__file__).parents[1] / "reference"
EXPECTED = json.loads((REFERENCE / "binary_fixture_expected.json").read_text())


@pytest.fixture(scope="module")
def data():
    return pd.read_csv(REFERENCE / "binary_fixture.csv")


@pytest.mark.parametrize("which", ["p1", "p2"])
def test_intercept_and_slope(data, which):
    """R 4.2.2 glm, with rms 6.5-0 val.prob agreeing on the slope."""
    expected = EXPECTED[which]

    citl, citl_se = intercept(data.y, data[which])
    found, se = slope(data.y, data[which])

    assert citl == pytest.approx(expected["citl"], abs=1e-5)
    assert citl_se == pytest.approx(expected["citl_se"], abs=1e-5)
    assert found == pytest.approx(expected["cal_slope"], abs=1e-5)
    assert se == pytest.approx(expected["cal_slope_se"], abs=1e-5)
    assert found == pytest.approx(expected["val.prob"]["Slope"], abs=1e-5)


@pytest.mark.parametrize("which", ["p1", "p2"])
def test_distances_of_the_loess_curve(data, which):
    """R's loess, span 0.75, degree 2 (Austin & Steyerberg 2019)."""
    expected = EXPECTED[which]

    found = smooth(data.y, data[which]).distances

    assert found["ici"] == pytest.approx(expected["ICI_loess"], abs=1e-6)
    assert found["e50"] == pytest.approx(expected["E50_loess"], abs=1e-6)
    assert found["e90"] == pytest.approx(expected["E90_loess"], abs=1e-6)
    assert found["emax"] == pytest.approx(expected["Emax_loess"], abs=1e-6)


@pytest.mark.parametrize("which", ["p1", "p2"])
def test_proper_scores(data, which):
    """Scaled against the fixture's own prevalence, as rms has it."""
    expected = EXPECTED[which]
    null = np.full(len(data), data.y.mean())

    assert brier(data.y, data[which]) == pytest.approx(expected["brier"], abs=1e-9)
    scaled = skill(brier(data.y, data[which]), brier(data.y, null))
    assert scaled == pytest.approx(expected["scaled_brier"], abs=1e-9)
    assert log_loss(data.y, data[which]) == pytest.approx(expected["logloss"], abs=1e-9)


def test_the_smoothing_matrix_is_loess_without_interpolation(data):
    from skmisc.loess import loess

    p, y = data.p1.to_numpy(), data.y.to_numpy(float)
    model = loess(p, y, span=0.75, degree=2, surface="direct")
    model.fit()

    found = local_quadratic(p, p) @ y

    np.testing.assert_allclose(found, model.outputs.fitted_values, atol=1e-6)


def simulated(n, seed):
    draw = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-draw.normal(0, 1, n)))
    return (draw.random(n) < p).astype(float), p


def test_perfect_predictions_are_seldom_beyond_what_perfection_shows():
    beyond = 0
    for seed in range(40):
        found = distance_estimates([simulated(200, seed)], resamples=200, seed=seed)
        beyond += found["ici"].value > found["ici_if_perfect"].value
        assert found["ici"].low <= found["ici"].value <= found["ici"].high

    assert beyond <= 7  # 5 % of 40, and chance: P(more than 7) < 0.001


def test_large_calibrated_predictions_have_slope_one():
    y, p = simulated(20_000, 1)

    assert slope(y, p)[0] == pytest.approx(1, abs=0.06)
    assert intercept(y, p)[0] == pytest.approx(0, abs=0.06)


@pytest.mark.parametrize(
    ("y", "p"),
    [
        ([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5]),
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]),
        ([1, 1, 1, 1], [0.1, 0.2, 0.8, 0.9]),
    ],
)
def test_no_slope_where_predictions_are_constant_or_separate(y, p):
    assert math.isnan(slope(y, p)[0])


def test_repeats_add_no_patients():
    one = over_repeats([(0.9, 0.2)], "GLM", "")
    many = over_repeats([(0.8, 0.2), (1.0, 0.2)], "GLM", "")

    assert many.value == pytest.approx(one.value)
    assert (many.low, many.high) == pytest.approx((one.low, one.high))
    assert many.mc_se == pytest.approx(0.1)


def test_linear_slope_is_that_of_least_squares():
    from scipy.stats import linregress

    draw = np.random.default_rng(3)
    p = draw.normal(size=50)
    y = 0.7 * p + draw.normal(size=50)

    expected = linregress(p, y)

    assert linear_calibration(y, p) == pytest.approx((expected.slope, expected.stderr))


def test_the_smoothing_matrix_leaves_parabolas_as_they_are(data):
    """A local quadratic reproduces one exactly (Cleveland 1979)."""
    p = data.p1.to_numpy()

    matrix = local_quadratic(p, np.array([0.3, 0.5]))

    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(matrix @ (2 * p**2 - p + 0.1), [0.18 - 0.2, 0.5 - 0.4], atol=1e-6)


@given(st.integers(0, 10_000), st.floats(-1.5, 1.5), st.floats(0.3, 3))
@settings(deadline=None, max_examples=25)
def test_shifted_and_stretched_log_odds_move_intercept_and_slope_by_as_much(seed, shift, stretch):
    """Cox 1958: the logit is linear in both."""
    y, p = simulated(80, seed)
    y[:2] = 0, 1
    eta = logit(p)

    shifted = intercept(y, 1 / (1 + np.exp(-(eta + shift))))
    stretched = slope(y, 1 / (1 + np.exp(-stretch * eta)))

    assert shifted[0] == pytest.approx(intercept(y, p)[0] - shift, abs=1e-5)
    assert stretched == pytest.approx(tuple(x / stretch for x in slope(y, p)), rel=1e-4, abs=1e-6)


def test_predictions_of_exactly_0_and_1_give_finite_numbers():
    """Clipped at 1e-6: a certain prediction that is wrong weighs much, but not infinitely."""
    y, p = simulated(80, 3)
    p[:4], y[:4] = [0, 0, 1, 1], [0, 1, 1, 0]

    found = [*intercept(y, p), *slope(y, p), *smooth(y, p).distances.values()]

    assert np.isfinite(found).all()
    assert smooth(y, p).observed.min() >= 0
    assert smooth(y, p).observed.max() <= 1


def test_few_different_predictions_are_compared_with_the_share_of_each():
    y, p = [1, 0, 0, 0, 1, 1, 1, 0], [0.3] * 4 + [0.6] * 4

    found = smooth(y, p)

    np.testing.assert_allclose(found.observed, [0.25] * 4 + [0.75] * 4)
    assert found.distances["ici"] == pytest.approx((0.05 + 0.15) / 2)
    assert found.distances["emax"] == pytest.approx(0.15)
    estimates = distance_estimates([(np.array(y, float), np.array(p))], resamples=50, seed=0)
    assert estimates["ici"].low is None
    assert "fewer than ten" in estimates["ici"].method


def test_distances_are_means_over_repeats_and_grow_with_the_quantile():
    repeats = [simulated(150, seed) for seed in (1, 2)]

    found = distance_estimates(repeats, resamples=100, seed=0)

    each = [smooth(y, p).distances for y, p in repeats]
    for name in ("ici", "e50", "e90"):
        assert found[name].value == pytest.approx(np.mean([one[name] for one in each]))
        assert found[name].low <= found[name].value <= found[name].high
    assert found["e50"].value < found["e90"].value


def test_overconfident_predictions_are_beyond_what_perfection_shows():
    """The opposite of the test above: the yardstick has power."""
    y, p = simulated(400, 5)

    found = distance_estimates([(y, 1 / (1 + np.exp(-2.5 * logit(p))))], resamples=200, seed=0)

    assert found["ici"].value > found["ici_if_perfect"].value
    assert found["ici"].low > 0


def test_one_undefined_repeat_makes_the_mean_undefined():
    found = over_repeats([(0.9, 0.2), (math.nan, math.nan)], "GLM", "separated")

    assert math.isnan(found.value)
    assert found.low is None
    assert found.method == "undefined: separated"


def test_constant_numbers_have_no_linear_slope():
    assert math.isnan(linear_calibration([1.0, 2.0, 3.0], [5.0, 5.0, 5.0])[0])


def test_many_tied_predictions_have_a_curve():
    """A sparse model that selects nothing in four folds of five predicts the prevalence there."""
    draw = np.random.default_rng(0)
    y = draw.permutation(np.arange(100) % 2).astype(float)
    p = np.full(100, 0.5)
    p[::5] = np.clip(0.5 + 0.1 * draw.normal(size=20), 0.01, 0.99)

    assert np.isfinite(smooth(y, p).distances["ici"])


def test_the_interval_of_perfect_predictions_seldom_excludes_0():
    """A basic bootstrap of a distance at its bound: where the yardstick says nothing is wrong the
    lower end must be 0. 5 % of 40, and chance."""
    excluded = 0
    for seed in range(40):
        found = distance_estimates([simulated(120, seed)], resamples=200, seed=seed)
        excluded += found["ici"].low > 0

    assert excluded <= 7
