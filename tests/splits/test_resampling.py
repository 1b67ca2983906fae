"""Refit bootstrap, training fractions, and copies of a patient that stay together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cytobench.core.errors import SplitError, UsageError
from cytobench.data.target import Target, Task, build_target, permuted
from cytobench.evaluate.metrics import auc
from cytobench.splits.protocols import make_plan
from cytobench.splits.strata import stratified_folds

BOOTSTRAP = {"name": "bootstrap", "resamples": 20, "inner_folds": 3}


def plan(make_cohort, protocol, n=90, seed=0):
    cohort = make_cohort(np.tile([0, 1, 1], n // 3), arm=["A", "B"] * (n // 2))
    target = build_target(cohort, Task("response", "classification"))
    return make_plan(cohort, target, protocol, seed)


def test_bootstrap_training_parts_have_n_rows_and_share_nobody_with_the_test_part(make_cohort):
    found = plan(make_cohort, BOOTSTRAP)

    assert len(found.splits) == 20
    for split in found.splits:
        assert len(split.train) == 90
        assert len(np.intersect1d(split.train, split.test)) == 0
        # A patient is left out with probability (1 - 1/n)^n, about 0.37.
        assert 0.2 < len(split.test) / 90 < 0.55


def test_bootstrap_keeps_the_number_of_each_class(make_cohort):
    y = np.tile([0, 1, 1], 30)

    for split in plan(make_cohort, BOOTSTRAP).splits:
        assert y[split.train].sum() == 60


def test_copies_of_a_patient_are_on_one_side_of_every_inner_split(make_cohort):
    y = np.tile([0.0, 1.0, 1.0], 30)
    for split in plan(make_cohort, BOOTSTRAP).splits[:5]:
        rows = split.train

        inner, _ = stratified_folds(
            y[rows], [""] * len(rows), 3, 1, classification=True, patients=rows
        )

        assert sum(len(valid) for _, valid in inner) == len(rows)
        for train, valid in inner:
            assert len(np.intersect1d(rows[train], rows[valid])) == 0


def fraction(share):
    return {
        "name": "repeated_stratified", "folds": 5, "repeats": 2, "inner_folds": 3,
        "train_fraction": share,
    }  # fmt: skip


def test_a_training_fraction_is_nested_and_leaves_the_test_parts_alone(make_cohort):
    small, larger, whole = (plan(make_cohort, fraction(share)) for share in (0.4, 0.7, 1.0))

    for some, more, everyone in zip(small.splits, larger.splits, whole.splits, strict=True):
        np.testing.assert_array_equal(some.test, everyone.test)
        assert set(some.train) < set(more.train) < set(everyone.train)
        assert len(some.train) / len(everyone.train) == pytest.approx(0.4, abs=0.03)
    assert len({small.hash, larger.hash, whole.hash}) == 3
    assert "40%" in small.notes[-1]


@pytest.mark.parametrize("share", [0, 1.2])
def test_an_impossible_fraction_is_refused(make_cohort, share):
    with pytest.raises(UsageError, match="train_fraction"):
        plan(make_cohort, fraction(share))


def test_labels_are_permuted_within_site_and_arm(make_cohort):
    y = np.array([0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1, np.nan] * 5)
    site, arm = np.repeat(["n", "s"], 30), np.tile(["A", "B"], 30)
    cohort = make_cohort(y, site=site, arm=arm)
    target = build_target(cohort, Task("response", "classification"))

    first, second = permuted(cohort, target, 1), permuted(cohort, target, 2)

    assert not np.array_equal(first.y, second.y, equal_nan=True)
    np.testing.assert_array_equal(np.isnan(first.y), np.isnan(y))
    for s in ("n", "s"):
        for a in ("A", "B"):
            rows = (site == s) & (arm == a)
            assert np.nansum(first.y[rows]) == np.nansum(y[rows])
    assert np.isnan(first.truth).all()


def test_studies_of_a_pool_keep_what_they_differ_in(make_cohort):
    """Studies that name no site would else be one: their difference would look like biology."""
    y = np.r_[np.tile([0.0, 1, 1, 1], 10), np.tile([0.0, 0, 0, 1], 10)]
    study = np.repeat(["one", "other"], 40)
    cohort = make_cohort(y, study=study)

    shuffled = permuted(cohort, build_target(cohort, Task("response", "classification")), 1)

    assert [shuffled.y[study == name].sum() for name in ("one", "other")] == [30, 10]
    assert not np.array_equal(shuffled.y, y)


def test_patient_constant_labels_still_vary_under_permutation(make_cohort):
    """scikit-learn's permutation test within groups would leave them as they are: SD 0, p 1."""
    y = np.tile([0.0, 1.0], 40)
    cohort = make_cohort(y)
    target = build_target(cohort, Task("response", "classification"))

    agreement = [(permuted(cohort, target, seed).y == y).mean() for seed in range(50)]

    assert np.std(agreement) > 0.02
    assert np.mean(agreement) == pytest.approx(0.5, abs=0.05)


def test_resamples_differ_and_the_same_seed_gives_the_same_ones(make_cohort):
    first, again, other = (plan(make_cohort, BOOTSTRAP, seed=seed) for seed in (0, 0, 1))

    assert first.hash == again.hash != other.hash
    assert len({split.train.tobytes() for split in first.splits}) == 20
    assert [split.repeat for split in first.splits] == list(range(20))


def test_everybody_is_in_the_test_part_about_as_often(make_cohort):
    found = plan(make_cohort, {**BOOTSTRAP, "resamples": 300})

    often = np.bincount(np.concatenate([split.test for split in found.splits]), minlength=90) / 300

    # Within each class: (1 - 1/30)^30 = 0.362 and (1 - 1/60)^60 = 0.365; 300 draws: SD 0.028.
    assert often.mean() == pytest.approx(0.364, abs=0.01)
    assert often.min() > 0.25
    assert often.max() < 0.48


def test_a_number_as_outcome_is_resampled_as_a_whole(make_cohort):
    cohort = make_cohort(np.linspace(-60, 0, 60))
    y = np.linspace(-60, 0, 60)
    target = Target(Task("percent_change", "regression"), y, np.full(60, np.nan), "")

    found = make_plan(cohort, target, BOOTSTRAP, 0)

    for split in found.splits:
        assert len(split.train) == 60
        assert len(np.intersect1d(split.train, split.test)) == 0
        assert set(split.train) | set(split.test) == set(range(60))


@given(st.integers(0, 10_000), st.integers(2, 5), st.booleans())
@settings(deadline=None, max_examples=40)
def test_no_inner_split_of_a_resample_parts_copies(seed, folds, classification):
    draw = np.random.default_rng(seed)
    y = np.tile([0.0, 1.0], 25) if classification else draw.normal(size=50)
    rows = np.sort(draw.choice(50, 50))
    arm = ["A" if row % 3 else "B" for row in rows]

    parts, _ = stratified_folds(
        y[rows], arm, folds, seed, classification=classification, patients=rows
    )

    assert sorted(np.concatenate([valid for _, valid in parts])) == list(range(50))
    for train, valid in parts:
        assert not set(rows[train]) & set(rows[valid])
        assert len(train) + len(valid) == 50
        if classification:
            assert set(y[rows[valid]]) == {0.0, 1.0}


@given(st.floats(0.15, 1), st.floats(0.15, 1))
@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_smaller_share_is_part_of_every_larger_one(make_cohort, one, other):
    small, large = sorted((one, other))
    few, more = (plan(make_cohort, {**fraction(share), "repeats": 1}) for share in (small, large))
    y = np.tile([0, 1, 1], 30)

    for some, rest in zip(few.splits, more.splits, strict=True):
        assert set(some.train) <= set(rest.train)
        np.testing.assert_array_equal(some.test, rest.test)
        assert y[some.train].mean() == pytest.approx(2 / 3, abs=0.06)


def test_a_share_of_one_is_the_whole_plan(make_cohort):
    without = {key: value for key, value in fraction(1).items() if key != "train_fraction"}

    assert plan(make_cohort, without).hash == plan(make_cohort, fraction(1.0)).hash


def test_permuted_numbers_keep_their_values_in_each_stratum(make_cohort):
    y = np.random.default_rng(0).normal(size=40)
    y[[3, 17]] = np.nan
    site = np.repeat(["n", "s"], 20)
    target = Target(Task("percent_change", "regression"), y, y, "")

    found = permuted(make_cohort(y, site=site), target, 5)

    for name in ("n", "s"):
        np.testing.assert_array_equal(np.sort(found.y[site == name]), np.sort(y[site == name]))
    assert not np.array_equal(found.y, y, equal_nan=True)
    np.testing.assert_array_equal(np.isnan(found.y), np.isnan(y))


def test_the_observed_labels_are_left_alone_and_the_same_seed_gives_the_same_labels(make_cohort):
    y = np.tile([0.0, 1.0, 1.0], 20)
    cohort = make_cohort(y)
    target = build_target(cohort, Task("response", "classification"))

    first, again = permuted(cohort, target, 9), permuted(cohort, target, 9)

    np.testing.assert_array_equal(target.y, y)
    np.testing.assert_array_equal(first.y, again.y)
    assert first.meaning == target.meaning


def test_a_stratum_of_one_patient_keeps_its_label(make_cohort):
    y = np.r_[np.tile([0.0, 1.0], 20), 1.0]
    cohort = make_cohort(y, site=["n"] * 40 + ["alone"])
    target = build_target(cohort, Task("response", "classification"))

    assert all(permuted(cohort, target, seed).y[-1] == 1 for seed in range(10))


def test_a_score_varies_over_permutations_and_is_0_5_on_average(make_cohort):
    """The null of a fixed predictor: AUC 1/2, variance (n + 1) / (12 n0 n1) (Mann & Whitney)."""
    y = np.tile([0.0, 1.0], 40)
    cohort = make_cohort(y)
    target = build_target(cohort, Task("response", "classification"))
    score = np.random.default_rng(1).random(80)

    null = [auc(permuted(cohort, target, seed).y, score) for seed in range(400)]

    expected = np.sqrt(81 / (12 * 40 * 40))
    assert np.std(null) == pytest.approx(expected, rel=0.12)
    assert np.mean(null) == pytest.approx(0.5, abs=4 * expected / 20)


@pytest.mark.parametrize("events", [2, 5])
def test_too_few_of_one_class_are_refused_by_the_bootstrap(make_cohort, events):
    cohort = make_cohort(np.r_[np.ones(events), np.zeros(60 - events)])
    target = build_target(cohort, Task("response", "classification"))

    with pytest.raises(SplitError, match=r"E41[12]"):
        make_plan(cohort, target, {**BOOTSTRAP, "inner_folds": 5}, 0)


def test_a_class_of_one_patient_is_refused_by_the_bootstrap(make_cohort):
    cohort = make_cohort(np.r_[1, np.zeros(39)])
    target = build_target(cohort, Task("response", "classification"))

    with pytest.raises(SplitError, match="E412"):
        make_plan(cohort, target, {**BOOTSTRAP, "inner_folds": 2}, 0)
