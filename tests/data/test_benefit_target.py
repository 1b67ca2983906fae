"""Who may be compared under ``benefit``: outcomes, arms and limits, or a refusal in words."""

import numpy as np
import pandas as pd
import pytest

from cytobench import Analyte, Cohort, DatasetCard, ScaleOutcome
from cytobench.core.errors import SplitError, UsageError
from cytobench.data.arms import arms_of, true_outcomes
from cytobench.data.target import build_target, task_from_config

BENEFIT = {"name": "benefit", "kind": "benefit", "outcome": "response", "smallest_arm": 3}


def task(**changes):
    return task_from_config({**BENEFIT, **changes})


def trial(arm, after=None, truth=None):
    """Everybody starts at 20; by turns a patient halves the score and keeps it."""
    n = len(arm)
    after = [8.0 if i % 2 else 20.0 for i in range(n)] if after is None else after
    table = pd.DataFrame({"IL-6": np.ones(n), "before": 20.0, "after": after, "drug": arm})
    return Cohort(
        table.set_axis([f"p{i}" for i in range(n)]),
        [Analyte("IL-6")],
        ScaleOutcome("HAM-D17", "before", "after"),
        DatasetCard("trial"),
        arm="drug",
        truth=truth,
    )


@pytest.mark.parametrize(
    ("changes", "where", "hint"),
    [
        ({"outcome": "respons"}, "task.outcome", "did you mean 'response'?"),
        ({"outcome": "benefit"}, "task.outcome", "percent_change"),
        ({"outcome": None}, "task.outcome", "remission"),
        ({"propensity": "know"}, "task.propensity", "did you mean 'known'?"),
        ({"arms": "SSRI"}, "task.arms", "task.arms=[A,B]"),
        ({"smallest_arm": 1}, "task.smallest_arm", None),
        ({"smallest_arm": "many"}, "task.smallest_arm", None),
        ({"smallest_arm": None}, "task.smallest_arm", None),
    ],
)
def test_a_setting_that_is_none_is_refused_with_its_place(changes, where, hint):
    with pytest.raises(UsageError) as caught:
        task(**changes)

    assert caught.value.code == "E110"
    assert caught.value.where == where
    assert hint is None or hint in caught.value.hint


def test_an_arm_that_the_cohort_does_not_have_is_refused_with_those_it_has():
    with pytest.raises(UsageError, match="no arm 'ssri'") as caught:
        build_target(trial(["SSRI", "TCA"] * 4), task(arms=["ssri", "TCA"]))

    assert caught.value.code == "E110"
    assert "SSRI, TCA" in caught.value.hint


def test_numbers_may_name_arms():
    assert arms_of(trial([1, 2] * 4), task(arms=[1, 2]).arms).names == ["1", "2"]


@pytest.mark.parametrize(
    ("arm", "chosen", "words", "hint"),
    [
        (["SSRI"] * 8, [], "there is one arm (SSRI)", "`arm:`"),
        ([None] * 8, [], "there are no treatment arms", "task=response"),
        (["SSRI", "TCA"] * 4, ["SSRI"], "there is one arm (SSRI)", "SSRI, TCA"),
        (["SSRI", "TCA"] * 4, ["TCA", "TCA"], "there is one arm (TCA)", "SSRI, TCA"),
    ],
)
def test_fewer_than_two_arms_are_no_choice(arm, chosen, words, hint):
    with pytest.raises(SplitError) as caught:
        build_target(trial(arm), task(arms=chosen))

    assert caught.value.code == "E403"
    assert words in caught.value.message
    assert hint in caught.value.hint


def test_a_small_arm_is_refused_and_the_hint_leaves_it_out():
    cohort = trial(["SSRI"] * 4 + ["TCA"] * 4 + ["ketamine"] * 2)

    with pytest.raises(SplitError) as caught:
        build_target(cohort, task())

    assert caught.value.code == "E404"
    assert "'ketamine' has 2 patients with a known outcome, fewer than 3" in caught.value.message
    assert "task.arms=[SSRI,TCA]" in caught.value.hint
    assert np.isfinite(build_target(cohort, task(arms=["SSRI", "TCA"])).y[:8]).all()


def test_patients_of_unknown_outcome_do_not_make_an_arm_large():
    after = [8.0, 20.0] * 4
    after[1] = after[3] = np.nan

    with pytest.raises(SplitError, match="'TCA' has 2 patients"):
        build_target(trial(["SSRI", "TCA"] * 4, after), task())


def test_without_another_choice_the_hint_names_no_arms():
    with pytest.raises(SplitError) as caught:
        build_target(trial(["SSRI"] * 6 + ["TCA"] * 2), task())

    assert "task.arms" not in caught.value.hint
    assert "task.smallest_arm" in caught.value.hint


def test_outside_the_compared_arms_no_outcome_is_known():
    cohort = trial(["SSRI", "TCA", "ketamine", None] * 4)

    target = build_target(cohort, task(arms=["TCA", "SSRI"]))

    known = np.isfinite(target.y).reshape(4, 4)
    np.testing.assert_array_equal(known, [[True, True, False, False]] * 4)
    np.testing.assert_array_equal(arms_of(cohort, ["TCA", "SSRI"]).received[:4], [0, 1, -1, -1])


def test_a_percent_change_is_turned_into_a_fall_so_that_higher_is_better():
    truth = pd.DataFrame(
        {"percent_change": [-60.0] * 8, "percent_change@SSRI": -70.0, "percent_change@TCA": -50.0}
    )
    cohort = trial(["SSRI", "TCA"] * 4, truth=truth.set_axis([f"p{i}" for i in range(8)]))

    target = build_target(cohort, task(outcome="percent_change"))

    np.testing.assert_allclose(target.y, [0.0, 60.0] * 4)
    np.testing.assert_allclose(target.truth, 60.0)
    assert target.meaning == "fall of HAM-D17 in per cent of baseline"
    assert target.task.outcome_kind == "regression"
    known = true_outcomes(cohort, "percent_change", arms_of(cohort))
    np.testing.assert_allclose(known[0], [-70.0, -50.0])


def test_a_binary_outcome_keeps_its_sign_and_a_plain_percent_change_too():
    cohort = trial(["SSRI", "TCA"] * 4)
    plain = task_from_config({"name": "percent_change", "kind": "regression"})

    np.testing.assert_allclose(build_target(cohort, task()).y, [0.0, 1.0] * 4)
    np.testing.assert_allclose(build_target(cohort, plain).y, [0.0, -60.0] * 4)


def test_where_the_truth_speaks_of_another_arm_it_is_unknown():
    cohort = trial(["SSRI", "TCA"] * 4)

    assert np.isnan(true_outcomes(cohort, "response", arms_of(cohort))).all()
