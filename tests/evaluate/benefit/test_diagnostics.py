"""Overlap, calibration of benefit, and rules against the truth of a simulated cohort."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytobench.evaluate.benefit.calibration import grouped, slope_of_benefit
from cytobench.evaluate.benefit.overlap import imbalance, overlap, refusal
from cytobench.evaluate.benefit.scores import Trial
from cytobench.evaluate.benefit.truth import against_truth

REFERENCE = Path(__file__).parents[2] / "reference"
EXPECTED = json.loads((REFERENCE / "itr_expected.json").read_text())["true_value"]
TABLE = pd.read_csv(REFERENCE / "itr_fixture.csv")
TRUE = TABLE[["ptrue0", "ptrue1"]].to_numpy()


@pytest.mark.parametrize(
    ("rule", "choice"),
    [("tau_gt0", TABLE.tau > 0), ("crp_gt1", TABLE.crp > 1), ("all1", TABLE.arm >= 0)],
)
def test_the_true_value_of_a_rule(rule, choice):
    found = against_truth(TRUE, choice.to_numpy().astype(int))

    assert found.value == pytest.approx(EXPECTED[rule], abs=1e-9)
    assert found.optimal == pytest.approx(EXPECTED["oracle"], abs=1e-9)
    assert found.best_single == pytest.approx(EXPECTED["all1"], abs=1e-9)
    assert found.regret == pytest.approx(EXPECTED["oracle"] - EXPECTED[rule], abs=1e-9)
    assert found.n == 300


def test_the_optimal_rule_agrees_with_itself():
    found = against_truth(TRUE, TRUE.argmax(axis=1))

    assert found.agreement == 1
    assert found.regret == 0


def observed(propensity, seed=0):
    draw = np.random.default_rng(seed)
    n = len(propensity)
    arm = (draw.random(n) < propensity).astype(int)
    both = np.column_stack([1 - propensity, propensity])
    return Trial(draw.normal(size=n), arm, ("wait", "treat"), np.zeros((n, 2)), both)


def test_a_randomised_trial_has_all_its_patients():
    rows = overlap(observed(np.full(200, 0.5)))

    assert [row.arm for row in rows] == ["wait", "treat"]
    assert [row.effective for row in rows] == pytest.approx([row.n for row in rows])
    assert refusal(rows) is None


def test_the_effective_size_by_hand():
    trial = Trial(
        np.zeros(3), np.array([1, 1, 0]), "ab", np.zeros((3, 2)),
        np.array([[0.5, 0.5], [0.75, 0.25], [0.5, 0.5]]),
    )  # fmt: skip

    # Weights 2 and 4: 6^2 / (4 + 16).
    assert overlap(trial)[1].effective == pytest.approx(1.8)


@pytest.mark.parametrize(
    ("propensity", "words"),
    [
        (np.full(60, 0.1), "arm 'treat' has"),
        (np.r_[np.full(150, 0.5), np.full(50, 0.01)], "hardly a chance of arm 'treat'"),
        (np.r_[np.full(300, 0.9), np.full(900, 0.03)], "count as"),
    ],
)
def test_a_comparison_that_cannot_be_made_is_refused_in_words(propensity, words):
    assert words in refusal(overlap(observed(propensity)))


def test_weighting_balances_what_the_choice_of_the_arm_went_by():
    draw = np.random.default_rng(4)
    x = draw.normal(size=4000)
    propensity = 1 / (1 + np.exp(-x))
    trial = observed(propensity, seed=5)
    X = pd.DataFrame({"x": x, "constant": 1.0})

    before = imbalance(X, trial.arm)
    after = imbalance(X, trial.arm, 1 / trial.of_received(trial.propensity))

    assert before["x"] > 0.5
    assert after["x"] < 0.1
    assert before["constant"] == 0


def test_the_slope_is_1_where_benefit_is_of_the_predicted_size():
    draw = np.random.default_rng(6)
    predicted = draw.normal(size=2000)
    contrast = predicted + 2 * draw.normal(size=2000)

    right, exaggerated = (
        slope_of_benefit(contrast, predicted),
        slope_of_benefit(contrast, 3 * predicted),
    )

    assert right.low < 1 < right.high
    assert exaggerated.value == pytest.approx(right.value / 3)
    assert exaggerated.high < 1
    assert np.isnan(slope_of_benefit(contrast, np.zeros(2000)).value)


def test_groups_of_predicted_benefit():
    predicted = np.arange(8.0)

    rows = grouped(predicted * 2, predicted, groups=4)

    assert [row.n for row in rows] == [2, 2, 2, 2]
    assert [row.effect.value for row in rows] == [1, 5, 9, 13]
    assert [row.predicted for row in rows] == [0.5, 2.5, 4.5, 6.5]
    (alone,) = grouped(predicted, np.zeros(8))
    assert alone.n == 8
