"""Protocols: nobody on both sides, strata kept, and what cannot be done is said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytobench.core.errors import SplitError, UsageError
from cytobench.data.target import Task, build_target
from cytobench.splits.plan import Split, SplitPlan
from cytobench.splits.protocols import make_plan
from cytobench.splits.strata import stratified_folds

REPEATED = {"name": "repeated_stratified", "folds": 5, "repeats": 2, "inner_folds": 3}
BY_SITE = {"name": "leave_one_site_out", "minimum_patients": 10, "inner_folds": 3}
HOLDOUT = {"name": "holdout", "fraction": 0.3, "inner_folds": 3}


def plan(cohort, config, seed=0):
    return make_plan(cohort, build_target(cohort, Task("response", "classification")), config, seed)


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(20, 80),
    share=st.floats(0.3, 0.7),
    arms=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_every_patient_is_tested_once_and_the_strata_are_kept(n, share, arms, seed):
    y = (np.arange(n) < share * n).astype(float)
    arm = [f"arm {i % arms}" for i in range(n)]

    folds, _ = stratified_folds(y, arm, 5, seed, classification=True)

    tested = np.concatenate([test for _, test in folds])
    assert sorted(tested) == list(range(n))
    for train, test in folds:
        assert not set(train) & set(test)
    responders = [y[test].sum() for _, test in folds]
    # Every stratum's share differs by at most one patient; merged strata add up.
    assert max(responders) - min(responders) <= arms


def test_an_arm_too_small_for_its_own_strata_is_merged_and_said(make_cohort):
    y = np.tile([0, 1], 30)
    arm = np.where(np.arange(60) < 4, "rare", "common")

    made = plan(make_cohort(y, arm=arm), REPEATED)

    assert any("arm 'rare'" in note and "outcome alone" in note for note in made.notes)
    assert len(made.splits) == 10


def test_patients_without_an_outcome_are_in_no_fold(make_cohort):
    y = np.tile([0.0, 1.0], 30)
    y[[3, 7]] = np.nan

    used = {row for split in plan(make_cohort(y), REPEATED).splits for row in split.test}

    assert used == set(range(60)) - {3, 7}


def test_the_seed_decides_and_nothing_else(make_cohort):
    cohort = make_cohort(np.tile([0, 1], 30))

    assert plan(cohort, REPEATED, seed=1).hash == plan(cohort, REPEATED, seed=1).hash
    assert plan(cohort, REPEATED, seed=1).hash != plan(cohort, REPEATED, seed=2).hash


def test_each_site_is_tested_by_models_that_never_saw_it(make_cohort):
    site = np.repeat(["Bonn", "Cologne", "Essen"], 20)
    made = plan(make_cohort(np.tile([0, 1], 30), site=site), BY_SITE)

    assert [split.label for split in made.splits] == ["Bonn", "Cologne", "Essen"]
    for split in made.splits:
        assert set(site[split.test]) == {split.label}
        assert split.label not in set(site[split.train])


def test_a_small_site_is_never_tested_and_a_one_class_site_is_announced(make_cohort):
    site = np.repeat(["Bonn", "Cologne", "Essen", "Ulm"], [20, 20, 15, 5])
    y = np.tile([0, 1], 30)
    y[site == "Essen"] = 1

    made = plan(make_cohort(y, site=site), BY_SITE)

    assert [split.label for split in made.splits] == ["Bonn", "Cologne", "Essen"]
    assert "1 site of fewer than 10 patients: never tested on" in made.notes
    assert "1 site with one class only: there the AUC is undefined" in made.notes
    assert not any("Ulm" in note or "Essen" in note for note in made.notes)


def test_without_sites_leave_one_site_out_is_refused(make_cohort):
    with pytest.raises(SplitError, match=r"E413.*two sites.*; there is none"):
        plan(make_cohort(np.tile([0, 1], 30)), BY_SITE)


def test_patients_without_a_site_are_counted(make_cohort):
    site = np.repeat(["Bonn", "Cologne", ""], 20)

    with pytest.raises(SplitError, match="there is Bonn, Cologne; 20 patients have none"):
        plan(make_cohort(np.tile([0, 1], 30), site=site), BY_SITE)


def test_the_authors_own_test_set_is_used(make_cohort):
    held_out = np.arange(60) >= 45

    made = plan(make_cohort(np.tile([0, 1], 30), holdout=held_out), HOLDOUT)

    assert made.splits[0].test.tolist() == list(range(45, 60))


@pytest.mark.parametrize("held_out", [np.zeros(60, bool), np.ones(60, bool)])
def test_a_held_out_column_that_leaves_one_side_empty_is_refused(make_cohort, held_out):
    with pytest.raises(SplitError, match="every patient on one side") as caught:
        plan(make_cohort(np.tile([0, 1], 30), holdout=held_out), HOLDOUT)

    assert caught.value.code == "E414"
    assert caught.value.where == "cohort 'made'"
    assert "protocol=repeated_stratified" in caught.value.hint


@pytest.mark.parametrize("fraction", [0.1, 0.3])
def test_a_part_too_small_for_every_arm_is_stratified_by_outcome_alone(make_cohort, fraction):
    y = np.tile([0, 1], 10)

    made = plan(make_cohort(y, arm=[f"arm {i % 10}" for i in range(20)]), HOLDOUT | {
        "fraction": fraction
    })  # fmt: skip

    (split,) = made.splits
    assert y[split.test].mean() == 0.5
    assert any(note.startswith("stratified by outcome alone") for note in made.notes)


@pytest.mark.parametrize(("events", "fraction"), [(1, 0.3), (6, 0.05), (6, 0.95)])
def test_a_part_too_small_for_both_outcomes_is_refused(make_cohort, events, fraction):
    y = (np.arange(12) < events).astype(float)

    with pytest.raises(SplitError, match=r"12 patients are too few for a test part") as caught:
        plan(make_cohort(y), HOLDOUT | {"fraction": fraction})

    assert caught.value.code == "E412"


def test_a_rare_outcome_that_the_test_part_misses_is_told(make_cohort):
    """Two per cent of 200 patients are four; a tenth of them is nobody."""
    y = (np.arange(200) < 4).astype(float)

    made = plan(make_cohort(y), HOLDOUT | {"fraction": 0.1})

    assert y[made.splits[0].test].sum() == 0
    assert any("one class only" in note for note in made.notes)


def test_else_a_stratified_part_is_drawn(make_cohort):
    y = np.tile([0, 1], 30)

    split = plan(make_cohort(y), HOLDOUT).splits[0]

    assert len(split.test) == 18
    assert y[split.test].sum() == 9


def test_a_class_smaller_than_the_folds_is_refused(make_cohort):
    y = np.zeros(60)
    y[:3] = 1

    with pytest.raises(SplitError, match=r"E412.*one class has 3 patients.*\n.*protocol.folds=3"):
        plan(make_cohort(y), REPEATED)


def test_an_inner_fold_would_hold_one_class_only(make_cohort):
    y = np.zeros(60)
    y[:6] = 1

    with pytest.raises(SplitError, match=r"E411.*fewer than 10 inner folds"):
        plan(make_cohort(y), {**REPEATED, "inner_folds": 10})


@pytest.mark.parametrize(
    "config",
    [{**REPEATED, "name": "bootstrap"}, {**REPEATED, "fold": 3}, {**HOLDOUT, "fraction": 2}],
)
def test_an_unknown_protocol_or_option_is_a_usage_error(make_cohort, config):
    with pytest.raises(UsageError, match="E111"):
        plan(make_cohort(np.tile([0, 1], 30)), config)


def test_a_patient_on_both_sides_is_refused():
    with pytest.raises(SplitError, match=r"E410.*row 2"):
        SplitPlan("made", "", [Split(0, 0, np.array([1, 2]), np.array([2, 3]))], 3)


def test_index_arrays_cannot_be_changed():
    split = Split(0, 0, np.array([1, 2]), np.array([3]))

    with pytest.raises(ValueError, match="read-only"):
        split.train[0] = 3
