"""Fold values and the interval that each protocol allows, against R's and by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.folds import one, stored

from cytobench.evaluate.intervals import delong, delong_logit
from cytobench.evaluate.meta import auc_over_sites, mean_of_sites
from cytobench.evaluate.scores import LOWER_IS_BETTER, METRICS, SHARES, Scores

REFERENCE = Path(__file__).parents[1] / "reference"
FIXTURE = pd.read_csv(REFERENCE / "binary_fixture.csv")
EXPECTED = json.loads((REFERENCE / "binary_fixture_expected.json").read_text())
CVAUC = json.loads((REFERENCE / "cvauc_expected.json").read_text())


def of_fixture(column="p1"):
    """The fixture's five folds as one repeat."""
    p, y = FIXTURE[column].to_numpy(), FIXTURE["y"].to_numpy(float)
    folds = [
        one(p, y, np.flatnonzero(FIXTURE["fold"] == k), 0, None, 0.5, "p", k) for k in range(5)
    ]
    return Scores("classification", "repeated_stratified", folds)


def locked(p, y, protocol="holdout", kind="classification", threshold=0.5, **options):
    y = np.asarray(y, dtype=float)
    fold = one(np.asarray(p, dtype=float), y, np.arange(len(y)), 0, None, threshold, "p", 0)
    return Scores(kind, protocol, [replace(fold, **options)])


def test_the_auc_is_the_mean_over_folds():
    """cvAUC 1.1.4 (LeDell, Petersen & van der Laan 2015)."""
    found = of_fixture()

    np.testing.assert_allclose(found.by_fold["auc"], CVAUC["fold_auc"], atol=1e-9)
    assert found.estimate("auc").value == pytest.approx(CVAUC["fixture_p1"]["cvAUC"], abs=1e-9)


@pytest.mark.parametrize("column", ["p1", "p2"])
def test_skill_against_the_prevalence_is_the_scaled_brier_score(column):
    """rms 6.5-0: 1 - Brier / (p (1 - p)); the null is the training mean, here set to p."""
    y = FIXTURE["y"].to_numpy(float)

    found = locked(FIXTURE[column], y, train_mean=float(y.mean()))

    expected = EXPECTED[column]
    assert found.estimate("brier").value == pytest.approx(expected["brier"], abs=1e-9)
    assert found.estimate("brier_skill").value == pytest.approx(expected["scaled_brier"], abs=1e-9)
    assert found.estimate("log_loss").value == pytest.approx(expected["logloss"], abs=1e-9)


def test_skill_is_against_the_training_part_not_the_test_part():
    y, p = [1, 1, 1, 0], [0.8, 0.8, 0.8, 0.2]

    found = locked(p, y, train_mean=0.5).estimate("brier_skill")

    assert found.value == pytest.approx(1 - 0.04 / 0.25)


def test_decisions_use_the_threshold_of_their_fold():
    y, p = [1, 1, 0, 0, 0], [0.9, 0.3, 0.4, 0.1, 0.3]

    found = locked(p, y, threshold=0.3).by_fold

    assert found["sensitivity"][0] == 1
    assert found["specificity"][0] == pytest.approx(1 / 3)
    assert found["balanced_accuracy"][0] == pytest.approx(2 / 3)


def test_regression_is_scored_against_the_training_mean():
    y, p = [-10.0, -20.0, -60.0], [-20.0, -20.0, -40.0]

    found = locked(p, y, kind="regression", threshold=None, train_mean=-40.0).by_fold

    assert found["mae"][0] == pytest.approx(10)
    assert found["rmse"][0] == pytest.approx(math.sqrt(500 / 3))
    assert found["r2"][0] == pytest.approx(1 - 500 / (900 + 400 + 400))
    assert found["spearman"][0] == pytest.approx(math.sqrt(3) / 2)


def test_a_locked_test_set_has_delongs_interval():
    """pROC 1.18.0's variance, carried to the logit."""
    found = locked(FIXTURE["p1"], FIXTURE["y"]).estimate("auc")

    assert found == delong_logit(FIXTURE["y"], FIXTURE["p1"])
    assert found.value == pytest.approx(EXPECTED["p1"]["auc"], abs=1e-12)


def test_a_loss_on_a_locked_test_set_has_the_plain_interval():
    losses = np.array([0.04, 0.04, 0.64, 0.01])

    found = locked([0.8, 0.2, 0.2, 0.1], [1, 0, 1, 0]).estimate("brier")

    assert found.value == pytest.approx(losses.mean())
    half = 1.959964 * losses.std(ddof=1) / 2
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half))


def test_monte_carlo_error_is_that_of_repeats_and_no_interval():
    y = (np.arange(100) % 2).astype(float)
    p = np.random.default_rng(1).random((4, 100))
    scores = Scores("classification", "repeated_stratified", stored(p, y, repeats=4))

    found = scores.estimate("auc")

    means = scores.by_fold["auc"].reshape(4, 5).mean(axis=1)
    assert found.mc_se == pytest.approx(means.std(ddof=1) / 2)
    assert found.high - found.low > 4 * found.mc_se


def test_one_repeat_has_no_monte_carlo_error():
    assert of_fixture().estimate("auc").mc_se is None


@pytest.mark.parametrize("metric", sorted(METRICS["classification"]))
def test_shares_stay_within_0_and_1(metric):
    found = of_fixture().estimate(metric)

    assert found.low <= found.value <= found.high
    if metric in SHARES:
        assert found.low >= 0
        assert found.high <= 1


def test_the_printed_variance_is_never_below_delongs():
    scores = of_fixture()
    _, variance = delong(FIXTURE["y"], FIXTURE["p1"])
    found = scores.estimate("auc")

    centre, end = (math.log(x / (1 - x)) for x in (found.value, found.high))
    se = (end - centre) * found.value * (1 - found.value) / 2.7764451  # t, 4 degrees of freedom
    assert se >= math.sqrt(1.35 * variance) * 0.999


def test_refit_bootstrap_has_percentiles_of_its_resamples():
    y = (np.arange(40) % 2).astype(float)
    draw = np.random.default_rng(2)
    folds = [
        one(draw.random(40), y, np.arange(40), repeat, None, 0.5, "p", 0) for repeat in range(60)
    ]
    scores = Scores("classification", "bootstrap", folds)

    found = scores.estimate("auc")
    few = Scores("classification", "bootstrap", folds[:39]).estimate("auc")

    each = scores.by_fold["auc"]
    assert found.value == pytest.approx(each.mean())
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(each, [0.025, 0.975])))
    assert few.low is None
    assert "39 resamples" in few.method


def sites(count, *, one_class=None):
    draw = np.random.default_rng(7)
    found = []
    for site in range(count):
        y = (np.arange(40) % 2).astype(float)
        if site == one_class:
            y[:] = 1
        p = np.clip(0.5 + 0.2 * (y - 0.5) + 0.2 * draw.normal(size=40), 0.01, 0.99)
        fold = one(p, y, np.arange(40), 0, None, 0.5, f"s{site}-", site)
        found.append(replace(fold, n_train=40 * (count - 1)))
    return Scores("classification", "leave_one_site_out", found)


def test_each_site_has_its_own_interval_and_number():
    scores = sites(3)

    found = scores.by_site("auc", ["north", "south", "west"])

    assert list(found) == ["north", "south", "west"]
    estimate, n = found["south"]
    assert n == 40
    part = scores.folds[1].predictions
    assert estimate == delong_logit(part.y, part.prediction)
    assert scores.estimate("auc").value == pytest.approx(scores.by_fold["auc"].mean())
    assert scores.estimate("auc").low is None


def test_five_sites_are_summarised_by_random_effects():
    scores = sites(6)
    pairs = [(fold.predictions.y, fold.predictions.prediction) for fold in scores.folds]

    assert scores.estimate("auc") == auc_over_sites(pairs).mean
    assert "sites" in scores.estimate("brier").method


def test_an_interval_of_a_share_over_sites_stays_a_share():
    """Five sites of 0.7 to 1: on the scale of the share itself the interval would end at 1.17."""
    found = mean_of_sites([0.7, 1, 1, 1, 0.95], 80, 20, share=True)

    assert 0 < found.low < found.value < found.high < 1
    assert mean_of_sites([1.0] * 5, 80, 20, share=True).low is None
    assert mean_of_sites([0.7, 1, 1, 1, 0.95], 80, 20).high > 1


def test_a_site_with_one_class_has_no_auc_and_leaves_four():
    scores = sites(5, one_class=2)

    assert np.isnan(scores.by_fold["auc"][2])
    assert scores.over_sites is None
    assert not math.isnan(scores.estimate("auc").value)
    assert not np.isnan(scores.by_fold["brier"]).any()


@pytest.mark.parametrize(
    ("sizes", "hidden"),
    [
        ((40, 41, 50), set()),
        ((40, 41, 3), {2, 0}),  # 3 would follow from the number of all
        ((40, 4, 41, 3), {1, 3}),
        ((40, 1, 41, 3), {0, 1, 3}),
        ((5, 41), set()),
        ((3,), {0}),
    ],
)
def test_numbers_of_small_sites_are_not_shown_nor_do_they_follow(sizes, hidden):
    folds = [
        one(np.linspace(0.2, 0.8, n), np.arange(n) % 2.0, np.arange(n), 0, None, 0.5, f"s{k}-", k)
        for k, n in enumerate(sizes)
    ]
    names = [f"site {k}" for k in range(len(sizes))]

    scores = Scores("classification", "leave_one_site_out", folds)

    assert scores.hidden == hidden
    shown = set(scores.by_site("brier", names))
    assert shown == {name for k, name in enumerate(names) if k not in hidden}
    assert Scores("classification", "repeated_stratified", folds).hidden == set()


def test_other_protocols_have_no_sites():
    assert of_fixture().by_site("auc", [""] * 5) == {}
    assert of_fixture().over_sites is None


def test_a_metric_is_computed_when_asked_for():
    values = of_fixture().by_fold

    assert set(values) == set(METRICS["classification"])
    assert len(values) == 9
    assert values["auc"] is values["auc"]


def test_sizes_are_means_over_folds():
    train, test = of_fixture().sizes

    assert train + test == pytest.approx(len(FIXTURE))
    assert test == pytest.approx(len(FIXTURE) / 5)


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=30)
def test_swapping_outcomes_and_probabilities_changes_no_symmetric_metric(seed):
    draw = np.random.default_rng(seed)
    y, p = draw.integers(0, 2, 40).astype(float), draw.uniform(0.05, 0.95, 40)
    y[:4] = 0, 1, 0, 1

    first = locked(p, y, train_mean=0.4).by_fold
    second = locked(1 - p, 1 - y, train_mean=0.6).by_fold

    for metric in ("auc", "brier", "log_loss", "brier_skill", "log_loss_skill"):
        assert first[metric][0] == pytest.approx(second[metric][0])


def test_lower_is_better_where_a_worse_prediction_scores_higher():
    y = (np.arange(40) % 2).astype(float)
    good, bad = locked(0.2 + 0.6 * y, y), locked(0.6 - 0.2 * y, y)

    for metric in METRICS["classification"]:
        gap = good.estimate(metric).value - bad.estimate(metric).value
        assert gap < 0 if metric in LOWER_IS_BETTER else gap > 0, metric


def test_an_auc_next_to_1_has_an_interval():
    """Folds rank almost perfectly, yet their predictions differ in level: DeLong's is large."""
    y = (np.arange(1000) % 2).astype(float)
    level = np.arange(1000) // 200
    p = 0.05 + 0.15 * level + 0.1 * y + 0.0001 * np.random.default_rng(0).random(1000)
    p[0] = p[(y == 1) & (level == 0)].min() + 1e-9  # one pair of 50,000 in the wrong order
    folds = [one(p, y, np.flatnonzero(level == k), 0, None, 0.5, "p", k) for k in range(5)]

    found = Scores("classification", "repeated_stratified", folds).estimate("auc")

    assert found.low <= found.value <= found.high
