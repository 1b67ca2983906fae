"""Calibration against rms::val.prob, R's glm and loess."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytobench.evaluate.calibration import (
    distance_estimates,
    intercept,
    linear_calibration,
    local_quadratic,
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
