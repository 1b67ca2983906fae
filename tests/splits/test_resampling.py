"""Refit bootstrap, training fractions, and copies of a patient that stay together."""

from __future__ import annotations

import numpy as np
import pytest

from cytobench.core.errors import UsageError
from cytobench.data.target import Task, build_target, permuted
from cytobench.splits.protocols import make_plan, stratified_folds

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


def test_patient_constant_labels_still_vary_under_permutation(make_cohort):
    """scikit-learn's permutation test within groups would leave them as they are: SD 0, p 1."""
    y = np.tile([0.0, 1.0], 40)
    cohort = make_cohort(y)
    target = build_target(cohort, Task("response", "classification"))

    agreement = [(permuted(cohort, target, seed).y == y).mean() for seed in range(50)]

    assert np.std(agreement) > 0.02
    assert np.mean(agreement) == pytest.approx(0.5, abs=0.05)
