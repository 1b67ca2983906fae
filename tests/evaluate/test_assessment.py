"""All that is said of a cell, and of two cells on the same splits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.folds import stored

from cytobench.evaluate.assessment import assess
from cytobench.evaluate.influence import influence, of_prevalence
from cytobench.evaluate.out_of_fold import out_of_fold
from cytobench.evaluate.scores import Scores

TASK = {"thresholds": (0.2, 0.8), "decide_at": 0.5}


def predictions(y, signal, seed, repeats=2):
    draw = np.random.default_rng(seed)
    noise = 0.15 * draw.normal(size=(repeats, len(y)))
    return np.clip(0.5 + signal * (y - 0.5) + noise, 0.02, 0.98)


Y = (np.arange(160) % 2).astype(float)


def cell(signal, seed=0, **options):
    folds = stored(predictions(Y, signal, seed), Y, **options)
    return assess("classification", "repeated_stratified", folds, TASK, resamples=300)


def test_every_number_has_a_method_and_no_interval_excludes_its_estimate():
    for name, estimate in cell(0.3).estimates.items():
        assert estimate.method, name
        if estimate.low is not None:
            assert estimate.low <= estimate.value <= estimate.high, name


def test_a_better_model_adds_and_an_equal_one_adds_nothing():
    floor, better = cell(0.05, seed=1), cell(0.4, seed=2)

    added = better.added_to(floor, "clinical_only")
    nothing = floor.added_to(floor, "itself")

    assert all(estimate.low > 0 for estimate in added.differences.values())
    assert added.p < 0.01
    assert added.by_bootstrap.low > 0
    assert added.by_bootstrap.value == added.differences["auc"].value
    assert added.posterior.p_better > 0.99
    assert all(estimate.value == 0 for estimate in nothing.differences.values())
    assert nothing.p == 1
    assert (nothing.by_bootstrap.low, nothing.by_bootstrap.high) == (0, 0)


def test_other_patients_are_refused():
    with pytest.raises(ValueError, match="different patients"):
        cell(0.3).added_to(cell(0.3, label="q"), "other")


def test_constant_predictions_have_no_slope_and_no_width():
    folds = stored(np.full(160, 0.5), Y)

    found = assess("classification", "repeated_stratified", folds, TASK, resamples=200).estimates

    assert (found["auc"].value, found["auc"].low, found["auc"].high) == (0.5, 0.5, 0.5)
    assert math.isnan(found["calibration_slope"].value)


def test_perfect_ranking_has_no_interval():
    folds = stored(np.where(Y == 1, 0.9, 0.1) + 0.01 * np.random.default_rng(0).random(160), Y)

    found = assess("classification", "repeated_stratified", folds, TASK, resamples=200)

    assert found.estimate("auc").value == 1
    assert found.estimate("auc").low is None
    assert "no interval" in found.estimate("auc").method


def test_a_number_as_outcome():
    draw = np.random.default_rng(4)
    y = draw.normal(-40, 20, 120)
    folds = stored(y + 10 * draw.normal(size=(2, 120)), y, threshold=None)

    found = assess("regression", "repeated_stratified", folds, {}, resamples=200)

    assert set(found.estimates) == {
        "mae", "rmse", "r2", "spearman", "calibration_slope", "calibration_intercept",
    }  # fmt: skip
    assert found.decision is None
    assert found.estimate("r2").value == pytest.approx(0.75, abs=0.1)


def test_influence_is_the_derivative_of_the_metric():
    """Doubling a patient's weight moves the metric by its influence over n, to first order."""
    folds = stored(predictions(Y, 0.3, 5, repeats=1), Y, repeats=1)
    part = out_of_fold(folds)
    loss = (part.prediction[0] - part.y) ** 2
    null = (part.null[0] - part.y) ** 2

    each = influence("brier_skill", part)

    step = 1e-6
    weight = np.ones(len(loss))
    weight[3] += step
    moved = 1 - (weight @ loss) / (weight @ null) - (1 - loss.sum() / null.sum())
    assert moved / step * len(loss) == pytest.approx(each[3] - each.mean(), rel=1e-3)
    assert influence("auc", part) is None
    assert of_prevalence(part) > 0


def test_a_cohorts_prevalence_widens_the_interval_of_a_loss():
    """Stratified folds share one prevalence; with a rare outcome the Brier score depends on it."""
    y = (np.arange(200) % 5 == 0).astype(float)
    folds = stored(np.full(200, 0.2) + 0.001 * np.arange(200) / 200, y, repeats=4)

    found = Scores("classification", "repeated_stratified", folds).estimate("brier")

    # The loss is 0.64 with the outcome and 0.04 without; a share of 0.2 varies by 0.028.
    assert found.high - found.low > 2 * 1.96 * 0.6 * math.sqrt(0.2 * 0.8 / 200)


def test_five_sites_get_a_random_effects_mean_and_four_none():
    def sites(count):
        found = []
        for site in range(count):
            y = (np.arange(40) % 2).astype(float)
            fold = stored(predictions(y, 0.2, site, repeats=1), y, folds=1, repeats=1)[0]
            found.append(type(fold)(**{**vars(fold), "fold": site, "n_train": 100}))
        return Scores("classification", "leave_one_site_out", found)

    five, four = sites(5), sites(4)

    assert "random effects over 5 sites" in five.estimate("auc").method
    assert five.over_sites.next_site.low < five.estimate("auc").low
    assert four.estimate("auc").low is None
    assert four.over_sites is None


def test_a_locked_test_set_has_delongs_comparison():
    y = (np.arange(80) % 2).astype(float)
    first, second = (
        assess(
            "classification",
            "holdout",
            stored(predictions(y, signal, seed, repeats=1), y, folds=1, repeats=1),
            TASK,
            resamples=200,
        )
        for signal, seed in ((0.4, 1), (0.0, 2))
    )

    added = first.added_to(second, "floor")

    assert added.differences["auc"].method == "paired DeLong"
    assert added.differences["auc"].low > 0
    assert added.p < 0.001
    assert added.differences["log_loss"].low is not None
