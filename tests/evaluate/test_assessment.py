"""All that is said of a cell, and of two cells on the same splits."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.folds import one, stored

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


@pytest.mark.parametrize(("sites", "told"), [(6, True), (5, True), (4, False)])
def test_what_a_model_adds_at_new_sites_has_an_interval_from_five_on(sites, told):
    def left_out(signal, seed):
        folds = []
        for site in range(sites):
            y = (np.arange(40) % 2).astype(float)
            p = predictions(y, signal, seed + site, repeats=1)
            fold = stored(p, y, folds=1, repeats=1, label=f"s{site}-")[0]
            folds.append(replace(fold, fold=site, n_train=40 * (sites - 1)))
        return assess("classification", "leave_one_site_out", folds, TASK, resamples=200)

    added = left_out(0.4, seed=10).added_to(left_out(0.02, seed=50), "clinical_only")

    for metric in ("auc", "log_loss", "brier"):
        estimate = added.differences[metric]
        assert (estimate.low is not None) == told
        assert not told or 0 < estimate.low < estimate.value < estimate.high
    assert (added.p < 0.05) == told


def test_a_perfect_model_is_not_tested_against_a_constant_one():
    """Each fold differs by half an AUC: no spread, which says nothing of the next cohort."""
    y = (np.arange(20) % 2).astype(float)
    perfect, constant = (
        assess("classification", "repeated_stratified", stored(p, y), TASK, resamples=200)
        for p in (0.2 + 0.6 * y, np.full(20, 0.5))
    )

    added, nothing = perfect.added_to(constant, "prior"), perfect.added_to(perfect, "itself")

    assert added.differences["auc"].value == 0.5
    assert added.differences["auc"].low is None
    assert np.isnan(added.p)
    assert added.posterior is None
    assert (nothing.p, nothing.posterior.p_equivalent) == (1, 1)


def test_sample_size_counts_whom_a_model_is_developed_with():
    """All patients under cross-validation; the training part where one part is locked away."""
    y = (np.arange(80) % 4 == 0).astype(float)
    folds = [
        replace(fold, parameters=5)
        for fold in stored(predictions(y, 0.2, 0, repeats=1), y, folds=5, repeats=1)
    ]
    locked = replace(folds[0], n_train=200, train_mean=0.5)

    crossed, held_out = (
        assess("classification", protocol, part, TASK).adequacy
        for protocol, part in (("repeated_stratified", folds), ("holdout", [locked]))
    )

    assert (crossed.n, crossed.events_per_parameter) == (80, 80 * 0.25 / 5)
    assert (held_out.n, held_out.events_per_parameter) == (200, 200 * 0.5 / 5)


def test_a_locked_test_set_of_one_class_has_a_sample_size():
    y = np.zeros(30)
    fold = one(np.full(30, 0.2), y, np.arange(30), 0, None, 0.5, "p", 0)
    fold = replace(fold, parameters=5, n_train=100, train_mean=0.1)

    found = assess("classification", "holdout", [fold], TASK)

    assert found.adequacy.n == 100
    assert np.isnan(found.estimate("auc").value)
    assert found.added_to(found, "itself").by_bootstrap is None


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


def under(protocol, signal, seed, kind="classification", **options):
    """A cell under a protocol: five sites, one test set, or 50 left-out parts."""
    draw = np.random.default_rng(seed)
    y = Y if kind == "classification" else draw.normal(-40, 20, 160)
    p = predictions(Y, signal, seed, 1)[0] if kind == "classification" else y + signal * 20
    p = p if kind == "classification" else p + draw.normal(0, 10, 160)
    threshold = 0.5 if kind == "classification" else None
    if protocol == "holdout":
        parts = [(0, np.arange(100, 160))]
    elif protocol == "leave_one_site_out":
        parts = [(0, np.arange(32 * site, 32 * site + 32)) for site in range(5)]
    else:
        left = np.random.default_rng(99)  # the same parts for every model
        parts = [(k, np.sort(left.choice(160, 59, replace=False))) for k in range(50)]
    folds = [
        one(p, y, rows, repeat, options.get("groups"), threshold, "p", number)
        for number, (repeat, rows) in enumerate(parts)
    ]
    return assess(kind, protocol, folds, TASK, resamples=200)


@pytest.mark.parametrize("kind", ["classification", "regression"])
@pytest.mark.parametrize("protocol", ["leave_one_site_out", "holdout", "bootstrap"])
def test_no_interval_excludes_its_estimate_under_any_protocol(protocol, kind):
    found = under(protocol, 0.3, 1, kind)

    for name, estimate in found.estimates.items():
        assert estimate.method, name
        if estimate.low is not None:
            assert estimate.low <= estimate.value <= estimate.high, name


@pytest.mark.parametrize("kind", ["classification", "regression"])
@pytest.mark.parametrize("protocol", ["leave_one_site_out", "holdout", "bootstrap"])
def test_a_model_adds_nothing_to_itself_under_any_protocol(protocol, kind):
    found = under(protocol, 0.3, 1, kind)

    added = found.added_to(found, "itself")

    assert all(estimate.value == 0 for estimate in added.differences.values())
    assert added.posterior is None
    assert math.isnan(added.p) or added.p == 1


@pytest.mark.parametrize("protocol", ["repeated", "leave_one_site_out", "holdout", "bootstrap"])
def test_turning_the_comparison_turns_every_difference(protocol):
    if protocol == "repeated":
        first, second = cell(0.3, seed=1), cell(0.1, seed=2)
    else:
        first, second = under(protocol, 0.3, 1), under(protocol, 0.1, 2)

    there, back = first.added_to(second, "second"), second.added_to(first, "first")

    for name, estimate in there.differences.items():
        other = back.differences[name]
        assert estimate.value == pytest.approx(-other.value)
        if estimate.low is not None:
            assert (estimate.low, estimate.high) == pytest.approx((-other.high, -other.low))
            assert estimate.low <= estimate.value <= estimate.high
    assert there.p == pytest.approx(back.p, nan_ok=True)


def test_a_smaller_error_is_a_gain():
    near, far = under("holdout", 0.0, 1, "regression"), under("holdout", 2.0, 1, "regression")

    added = near.added_to(far, "far")

    assert added.differences["mae"].value > 0
    assert added.differences["r2"].value > 0


@given(st.integers(0, 1000), st.floats(0.3, 4), st.floats(-2, 2))
@settings(deadline=None, max_examples=15)
def test_no_monotone_transform_moves_the_auc_or_its_interval(seed, stretch, shift):
    p = predictions(Y, 0.2, seed)
    moved = 1 / (1 + np.exp(-(stretch * np.log(p / (1 - p)) + shift)))

    first, second = (
        Scores("classification", "repeated_stratified", stored(rows, Y)).estimate("auc")
        for rows in (p, moved)
    )

    assert (second.value, second.low, second.high) == pytest.approx(
        (first.value, first.low, first.high)
    )


def test_every_model_of_a_board_sees_the_same_resampled_patients():
    first, second = under("holdout", 0.3, 1), under("holdout", 0.1, 2)

    assert first.weights is second.weights
    assert not first.weights.flags.writeable


def test_an_equal_model_has_net_benefit_0_to_0_more():
    """Paired over patients: what two models share cancels in every resample."""
    found = cell(0.3).added_to(cell(0.3), "twin").differences["net_benefit"]

    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_folds_of_one_class_are_left_out():
    y = np.zeros(60)
    y[:4] = 1  # four events in five folds: one fold has none
    folds = stored(np.linspace(0.9, 0.1, 60), y, repeats=1)

    found = assess("classification", "repeated_stratified", folds, TASK, resamples=200)

    assert np.isnan(found.scores.by_fold["auc"]).sum() == 1
    assert found.estimate("auc").value == 1
    assert not math.isnan(found.estimate("brier").value)


def test_predictions_of_exactly_0_and_1_are_assessed():
    draw = np.random.default_rng(8)
    p = np.where(draw.random(160) < 0.8, Y, 1 - Y)

    found = assess("classification", "repeated_stratified", stored(p, Y), TASK, resamples=200)

    for name, estimate in found.estimates.items():
        if estimate.low is not None:
            assert estimate.low <= estimate.value <= estimate.high, name
    assert found.estimates["ici"].low is None


def test_small_levels_are_hidden_in_an_assessment():
    groups = {"sex": ["f"] * 155 + ["m"] * 5}

    rows, tests = under("holdout", 0.3, 1, groups=groups).subgroups

    # The other level would give the small one away: both are hidden.
    assert [row.suppressed for row in rows] == [True, True]
    assert tests[0].discrimination_p is None


def test_other_folds_of_the_same_patients_are_refused():
    first = stored(predictions(Y, 0.3, 1), Y)
    other = stored(predictions(Y, 0.3, 1), Y, seed=5)
    mixed = [*first[:5], *other[5:]]

    def made(folds):
        return assess("classification", "repeated_stratified", folds, TASK, resamples=200)

    with pytest.raises(ValueError, match="folds"):
        made(first).added_to(made(mixed), "other")


def test_the_prevalence_of_each_training_part_has_no_slope():
    """23 events of 61 patients: training parts differ by a per cent, and the slope is -4."""
    y = np.r_[np.ones(23), np.zeros(38)]
    folds = [
        replace(
            fold,
            predictions=replace(
                fold.predictions, prediction=[fold.train_mean] * len(fold.predictions.y)
            ),
        )
        for fold in stored(np.full(61, 0.5), y, repeats=5)
    ]

    found = assess("classification", "repeated_stratified", folds, TASK, resamples=200)

    assert math.isnan(found.estimates["calibration_slope"].value)


def test_the_interval_of_net_benefit_holds_what_the_prevalence_varies_by():
    """Everybody is treated at 0.5: net benefit is 2 p - 1, its standard error 2 sqrt(p q / n)."""
    y = (np.arange(200) % 4 == 0).astype(float)
    folds = stored(np.full(200, 0.9), y)

    found = assess("classification", "repeated_stratified", folds, TASK).estimates["net_benefit"]

    half = 1.96 * 2 * math.sqrt(0.25 * 0.75 / 200)
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)


def test_a_loss_on_a_locked_test_set_has_an_interval_whichever_it_is():
    found = under("holdout", 0.3, 1)

    assert found.estimate("brier").low is not None
    assert found.estimate("log_loss").low is not None
