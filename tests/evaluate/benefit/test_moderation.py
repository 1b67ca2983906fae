"""Prognosis against moderation: who gets well, and who on which treatment."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from cytobench.evaluate.benefit.moderation import moderation


def trial(seed, n=200, *, prognosis=0.0, crossover=0.0, markers=6, arms=("a", "b")):
    draw = np.random.default_rng(seed)
    X = pd.DataFrame(draw.normal(size=(n, markers)), columns=[f"m{k}" for k in range(markers)])
    arm = draw.choice(arms, n)
    sign = np.where(arm == arms[-1], 1, -1)
    y = prognosis * X["m0"] + crossover * sign * X["m1"] + draw.normal(size=n)
    return y.to_numpy(), arm, X


def test_each_marker_gets_its_own_verdict():
    y, arm, X = trial(1, 400, prognosis=0.5, crossover=0.5)

    verdicts = {row.marker: row.verdict for row in moderation(y, arm, X)}

    assert verdicts["m0"] == "prognostic"
    assert verdicts["m1"] == "moderator"


def test_markers_of_noise_are_seldom_called_anything():
    called = 0
    for seed in range(100):
        y, arm, X = trial(1000 + seed, prognosis=0.5, crossover=0.5, markers=4)
        rows = moderation(y, arm, X)
        called += any(row.verdict != "neither shown" for row in rows[2:])

    # Two families at 5 %, and Holm leaves less than 5 % to the two markers of noise in each.
    assert called <= 10 + 3 * (100 * 0.1 * 0.9) ** 0.5


def test_the_interaction_is_that_of_a_regression_with_robust_errors():
    y, arm, X = trial(2, crossover=0.3, markers=1 + 1)
    z = (X["m1"] - X["m1"].mean()) / X["m1"].std(ddof=0)
    table = pd.DataFrame({"y": y, "z": z, "b": (arm == "b").astype(float)})
    fit = smf.ols("y ~ b * z", table).fit(cov_type="HC3", use_t=True)

    row = moderation(y, arm, X[["m1"]])[0]

    assert row.interaction.value == pytest.approx(fit.params["b:z"])
    assert row.p_interaction == pytest.approx(fit.pvalues["b:z"])
    assert [row.interaction.low, row.interaction.high] == pytest.approx(fit.conf_int().loc["b:z"])


def test_without_moderation_one_is_declared_in_one_cohort_of_twenty():
    declared = 0
    for seed in range(200):
        y, arm, X = trial(seed, 100, prognosis=0.5, markers=4)
        declared += any(row.p_interaction < 0.05 for row in moderation(y, arm, X))

    # 5 % of 200, with three standard errors.
    assert declared <= 10 + 3 * (200 * 0.05 * 0.95) ** 0.5


def test_three_arms_are_tested_together():
    y, arm, X = trial(5, 400, crossover=0.6, arms=("a", "b", "c"))

    row = moderation(y, arm, X)[1]

    # It works one way in two arms, the other way in the third: its mean effect is not zero.
    assert row.verdict == "both"
    assert row.interaction.low is None


def test_patients_without_the_marker_and_markers_without_variation_are_left_out():
    y, arm, X = trial(6)
    X.loc[:9, "m2"] = np.nan
    X["m3"] = 1.0

    found = {row.marker: row.n for row in moderation(y, arm, X)}

    assert found["m2"] == 190
    assert found["m0"] == 200
    assert "m3" not in found


def test_covariates_are_adjusted_for():
    y, arm, X = trial(7, 400)
    age = pd.DataFrame({"age": X["m0"] + np.random.default_rng(0).normal(size=400)})
    y = y + 2 * age["age"].to_numpy()

    assert moderation(y, arm, X)[0].verdict == "prognostic"
    assert moderation(y, arm, X, age)[0].verdict == "neither shown"


def test_one_arm_is_refused():
    y, _, X = trial(8)

    with pytest.raises(ValueError, match="one arm only"):
        moderation(y, ["a"] * len(y), X)
