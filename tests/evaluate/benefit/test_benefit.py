"""Statistics of treatment rules against grf 2.6.1, R and Hmisc (``tests/reference/itr_*``)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from cytobench.evaluate.benefit.advantage import factual_contrast
from cytobench.evaluate.benefit.concordance import c_for_benefit, concordance
from cytobench.evaluate.benefit.rate import rate
from cytobench.evaluate.benefit.scores import Trial, doubly_robust
from cytobench.evaluate.benefit.value import (
    Decided,
    aipw,
    gain,
    hajek,
    ipw,
    number_needed_to_treat,
    value,
)
from cytobench.evaluate.intervals import Estimate

REFERENCE = Path(__file__).parents[2] / "reference"
EXPECTED = json.loads((REFERENCE / "itr_expected.json").read_text())
TABLE = pd.read_csv(REFERENCE / "itr_fixture.csv")
RULES = {
    "tau_gt0": (TABLE.tau > 0).to_numpy().astype(int),
    "crp_gt1": (TABLE.crp > 1).to_numpy().astype(int),
    "all1": np.ones(len(TABLE), dtype=int),
    "all0": np.zeros(len(TABLE), dtype=int),
}
Z = float(ndtri(0.975))


@pytest.fixture(scope="module")
def trial():
    return Trial(
        TABLE.y.to_numpy(float),
        TABLE.arm.to_numpy(),
        ("0", "1"),
        TABLE[["m0", "m1"]].to_numpy(),
        np.full((len(TABLE), 2), 0.5),
    )


def decided(trial, choice):
    return [Decided(trial, np.asarray(choice), np.arange(len(trial)))]


def half_width(estimate):
    return (estimate.high - estimate.low) / 2


def test_doubly_robust_scores(trial):
    scores = doubly_robust(trial)

    contrast = scores[:, 1] - scores[:, 0]
    np.testing.assert_allclose(contrast, TABLE.aipw, atol=1e-12)
    assert contrast.mean() == pytest.approx(EXPECTED["ate_aipw"], abs=1e-9)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("by", [ipw, hajek, aipw], ids=lambda by: by.__name__)
def test_the_value_of_a_rule(trial, rule, by):
    expected = EXPECTED["policy"][rule]

    found = value(decided(trial, RULES[rule]), by)

    assert found.value == pytest.approx(expected[by.__name__], abs=1e-9)
    if by is aipw:
        assert half_width(found) / Z == pytest.approx(expected["aipw_se"], abs=1e-9)


def test_the_gain_over_one_arm_for_all(trial):
    expected = EXPECTED["policy"]["tau_vs_all1"]

    found = gain(decided(trial, RULES["tau_gt0"]), decided(trial, RULES["all1"]))

    assert found.difference.value == pytest.approx(expected["diff"], abs=1e-9)
    assert half_width(found.difference) / Z == pytest.approx(expected["se"], abs=1e-9)
    assert found.changed == pytest.approx(np.mean(RULES["tau_gt0"] != 1))
    # EVALUATION of n = 300: differences below about 0.10 do not show.
    assert found.detectable == pytest.approx(0.0985, abs=5e-4)


def test_rules_that_agree_everywhere_gain_nothing_for_certain(trial):
    found = gain(decided(trial, RULES["all1"]), decided(trial, RULES["all1"]))

    assert (found.difference.value, found.difference.low, found.difference.high) == (0, 0, 0)
    assert found.p == 1
    assert found.changed == 0


def test_repeats_add_no_patients(trial):
    once = value(decided(trial, RULES["tau_gt0"]))
    thrice = value(decided(trial, RULES["tau_gt0"]) * 3)

    assert thrice.value == pytest.approx(once.value)
    assert half_width(thrice) == pytest.approx(half_width(once))


def test_rules_on_different_patients_are_not_compared(trial):
    other = [Decided(trial, RULES["all1"], np.arange(len(trial)) + 1)]

    with pytest.raises(ValueError, match="different patients"):
        gain(decided(trial, RULES["all1"]), other)


@pytest.mark.parametrize("priority", ["tau", "crp"])
def test_autoc_qini_and_toc(priority):
    expected = EXPECTED[priority]

    found = rate(TABLE.aipw.to_numpy(), TABLE[priority].to_numpy(), seed=1)

    assert found.autoc.value == pytest.approx(expected["AUTOC"], abs=1e-9)
    assert found.qini.value == pytest.approx(expected["QINI"], abs=1e-9)
    for share, toc in expected["TOC"].items():
        assert found.toc[round(float(share) * 300) - 1] == pytest.approx(toc, abs=1e-9)
    for estimate, name in ((found.autoc, "AUTOC"), (found.qini, "QINI")):
        assert half_width(estimate) / Z == pytest.approx(expected[f"{name}_se_boot2000"], rel=0.1)


def test_patients_of_one_priority_share_their_scores():
    found = rate(TABLE.aipw.to_numpy(), (TABLE.crp > 1).to_numpy(float), resamples=2)

    assert found.autoc.value == pytest.approx(EXPECTED["tied_priority_crp_gt1"], abs=1e-9)


@pytest.mark.parametrize("predicted", ["tau", "crp"])
def test_c_for_benefit(trial, predicted):
    expected = EXPECTED["cforbenefit_rankmatch"][predicted]

    found = c_for_benefit(trial.y, trial.arm, TABLE[predicted].to_numpy())

    assert found.value == pytest.approx(expected["C"], abs=1e-9)
    assert half_width(found) / Z == pytest.approx(expected["SD"], abs=1e-9)


def test_concordance_by_hand():
    predicted = np.array(EXPECTED["cforbenefit_hand"]["pred"])
    observed = np.array(EXPECTED["cforbenefit_hand"]["obs"], dtype=float)

    assert concordance(predicted, observed).value == 1
    assert concordance(predicted[::-1], observed).value == 0
    assert np.isnan(concordance(predicted, np.zeros(4)).value)


def test_the_factual_contrast_overstates_what_the_rule_gains(trial):
    expected = EXPECTED["pai"]

    found = factual_contrast(trial, RULES["tau_gt0"])

    assert (found.n_indicated, found.n_other) == (expected["n_optimal"], expected["n_nonoptimal"])
    assert found.difference == pytest.approx(expected["diff"], abs=1e-9)
    assert found.z == pytest.approx(expected["z"], abs=1e-9)
    assert found.p == pytest.approx(expected["p"], abs=1e-9)
    worth = gain(decided(trial, RULES["tau_gt0"]), decided(trial, RULES["all1"])).difference.value
    assert found.difference > worth


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.05, 0.20, "10.0 to benefit (5.0 to benefit to 20.0 to benefit)"),
        (-0.05, 0.25, "10.0 to benefit (20.0 to harm to infinity to 4.0 to benefit)"),
        (None, None, "10.0 to benefit"),
    ],
)
def test_the_number_needed_to_treat_in_words(low, high, words):
    assert number_needed_to_treat(Estimate(0.1, low, high, "")) == words


@given(st.floats(-3, 3), st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_hajek_moves_with_the_origin_of_the_outcome(shift, seed):
    trial, choice = random_trial(seed)
    moved = Trial(trial.y + shift, trial.arm, trial.arms, trial.outcomes, trial.propensity)

    before, after = value(decided(trial, choice), hajek), value(decided(moved, choice), hajek)

    assert after.value == pytest.approx(before.value + shift, abs=1e-9)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_order_of_the_arms_does_not_matter(seed):
    trial, choice = random_trial(seed)
    turned = Trial(
        trial.y, 2 - trial.arm, trial.arms[::-1], trial.outcomes[:, ::-1], trial.propensity[:, ::-1]
    )

    for by in (ipw, hajek, aipw):
        here, there = value(decided(trial, choice), by), value(decided(turned, 2 - choice), by)
        assert here.value == pytest.approx(there.value, abs=1e-12)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_only_the_order_of_a_priority_counts(seed):
    draw = np.random.default_rng(seed)
    contrast, priority = draw.normal(size=40), np.round(draw.normal(size=40), 1)

    here = rate(contrast, priority, resamples=5, seed=3)
    there = rate(contrast, np.exp(3 * priority), resamples=5, seed=3)

    assert here.autoc == there.autoc
    assert here.qini == there.qini


def random_trial(seed, n=60):
    draw = np.random.default_rng(seed)
    weights = draw.uniform(0.2, 1, (n, 3))
    propensity = weights / weights.sum(axis=1, keepdims=True)
    arm = np.array([draw.choice(3, p=row) for row in propensity])
    trial = Trial(draw.normal(size=n), arm, "abc", draw.normal(size=(n, 3)), propensity)
    return trial, draw.integers(0, 3, n)


def test_the_estimator_is_unbiased_and_its_interval_covers_in_400_trials():
    """Nuisance models are wrong on purpose: the design's propensity is known."""
    draw = np.random.default_rng(20)
    n, errors, covered, declared = 200, [], 0, 0
    for _ in range(400):
        x = draw.normal(size=n)
        p = np.column_stack([np.full(n, 0.5), 0.5 + 0.3 * np.tanh(x)])
        arm = draw.integers(0, 2, n)
        y = (draw.random(n) < p[np.arange(n), arm]).astype(float)
        trial = Trial(y, arm, ("a", "b"), np.full((n, 2), 0.4), np.full((n, 2), 0.5))
        best = (x > 0).astype(int)
        found = value(decided(trial, best))
        # E[max(0.5, 0.5 + 0.3 tanh X)] = 0.5 + 0.15 E|tanh X|, X standard normal.
        truth = 0.5 + 0.15 * 0.555979
        errors.append(found.value - truth)
        covered += found.low <= truth <= found.high
        null = Trial(
            (draw.random(n) < 0.5).astype(float), arm, ("a", "b"), trial.outcomes, trial.propensity
        )
        all_b = decided(null, np.ones(n, dtype=int))
        declared += gain(decided(null, best), all_b).difference.low > 0

    assert abs(np.mean(errors)) < 3 * np.std(errors) / 20
    assert 0.92 <= covered / 400 <= 0.98
    assert declared / 400 <= 0.05


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"arms": ("a",)}, "a choice needs two"),
        ({"outcomes": np.zeros((3, 3))}, "outcomes has shape"),
        ({"arm": np.array([0, 1, 2])}, "positions from 0 to 1"),
        ({"propensity": np.array([[0.0, 1.0]] * 3)}, "propensity 0"),
    ],
)
def test_a_trial_that_is_none_is_refused(change, words):
    sound = {
        "y": np.zeros(3),
        "arm": np.array([0, 1, 0]),
        "arms": ("a", "b"),
        "outcomes": np.zeros((3, 2)),
        "propensity": np.full((3, 2), 0.5),
    }

    with pytest.raises(ValueError, match=words):
        Trial(**{**sound, **change})
