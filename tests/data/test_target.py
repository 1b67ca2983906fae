"""Response, remission and percent change follow from the scores, or are refused in words."""

import numpy as np
import pandas as pd
import pytest

from cytobench import Analyte, Cohort, DatasetCard, ScaleOutcome
from cytobench.core.errors import SplitError, UsageError
from cytobench.data.target import Task, build_target, task_from_config


def scored(before, after, scale="HAM-D17", truth=None):
    frame = pd.DataFrame({"IL-6": np.ones(len(before)), "before": before, "after": after})
    return Cohort(
        frame.set_axis([f"p{i}" for i in range(len(before))]),
        [Analyte("IL-6")],
        ScaleOutcome(scale, "before", "after"),
        DatasetCard("trial"),
        truth=truth,
    )


TRIAL = scored([20.0, 20.0, 20.0, 0.0, 20.0], [10.0, 10.5, 7.0, 0.0, np.nan])


def test_response_is_half_of_the_baseline_gone():
    y = build_target(TRIAL, Task("response", "classification")).y

    np.testing.assert_array_equal(y, [1, 0, 1, np.nan, np.nan])


@pytest.mark.parametrize("share", range(5, 100, 5))
def test_a_fall_by_just_the_share_is_a_response(share):
    """Whole numbers decide: of a score of 20 every 5 % are a whole point, without rounding."""
    fallen = share * 20 // 100
    cohort = scored(before=[20, 20, 20], after=[20 - fallen, 21 - fallen, 20])

    target = build_target(cohort, Task("response", "classification", share / 100))

    assert target.y.tolist() == [1, 0, 0]


def test_remission_is_the_cut_off_of_the_scale():
    y = build_target(TRIAL, Task("remission", "classification")).y

    np.testing.assert_array_equal(y, [0, 0, 1, np.nan, np.nan])


def test_percent_change_is_negative_where_a_patient_gets_better():
    y = build_target(TRIAL, Task("percent_change", "regression")).y

    np.testing.assert_array_equal(y, [-50, -47.5, -65, np.nan, np.nan])


def test_an_unknown_scale_needs_a_cut_off():
    with pytest.raises(SplitError, match=r"E401.*no cut-off"):
        build_target(scored([20.0, 20.0], [1.0, 19.0], "XYZ"), Task("remission", "classification"))


def test_a_cut_off_can_be_given():
    task = Task("remission", "classification", remission_at=10.2)

    np.testing.assert_array_equal(build_target(TRIAL, task).y[:3], [1, 0, 1])


def test_a_ready_label_answers_response_only(make_cohort):
    labelled = make_cohort([0, 1, 0, 1])

    assert build_target(labelled, Task("response", "classification")).meaning == "responded"
    with pytest.raises(SplitError, match=r"E401.*ready label"):
        build_target(labelled, Task("percent_change", "regression"))


def test_a_constant_outcome_is_refused():
    with pytest.raises(SplitError, match=r"E402.*response is 1 for all 2 patients"):
        build_target(scored([20.0, 20.0], [1.0, 2.0]), Task("response", "classification"))


def test_the_truth_of_a_simulation_comes_along():
    truth = pd.DataFrame({"response": [0.3, 0.6]})
    target = build_target(
        scored([20.0, 20.0], [1.0, 19.0], truth=truth), Task("response", "classification")
    )

    assert target.truth.tolist() == [0.3, 0.6]


@pytest.mark.parametrize(
    "redefined",
    [
        Task("response", "classification", minimum_reduction=0.25),
        Task("remission", "classification", remission_at=12),
    ],
)
def test_the_truth_of_a_simulation_does_not_speak_of_a_redefined_task(redefined):
    truth = pd.DataFrame({"response": [0.3, 0.6], "remission": [0.3, 0.6]})

    target = build_target(scored([20.0, 20.0], [1.0, 19.0], truth=truth), redefined)

    assert np.isnan(target.truth).all()


def test_an_unknown_task_lists_the_tasks():
    with pytest.raises(UsageError, match="there are: response, remission, percent_change"):
        task_from_config({"name": "cure", "kind": "classification"})


def test_a_task_read_from_yaml_can_be_a_key():
    config = {"name": "response", "kind": "classification", "thresholds": [0.1, 0.6], "arms": []}
    task = task_from_config({**config, "decide_at": 0.3})
    assert {task: "found"}[task_from_config({**config, "decide_at": 0.3})] == "found"
