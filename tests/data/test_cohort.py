"""The cohort contract: checked when made, frozen afterwards, known by its content."""

import numpy as np
import pandas as pd
import pytest

from cytobench import Analyte, Cohort, DataError, DatasetCard, LabelOutcome, ScaleOutcome


def table(**columns):
    base = {
        "IL-6": [1.0, np.nan, 3.0],
        "IL-6__below": [False, False, True],
        "age": [30, 40, 50],
        "before": [20.0, 22.0, 24.0],
        "after": [5.0, 20.0, np.nan],
    }
    return pd.DataFrame({**base, **columns}, index=["a", "b", "c"])


def cohort(frame=None, **changes):
    arguments = {
        "panel": [Analyte("IL-6", "pg/mL")],
        "outcome": ScaleOutcome("HAM-D17", "before", "after"),
        "card": DatasetCard("trial"),
        "covariates": ["age"],
        **changes,
    }
    return Cohort(table() if frame is None else frame, **arguments)


def test_a_model_sees_the_baseline_and_never_the_endpoint():
    seen = cohort().baseline()

    assert list(seen.columns) == ["IL-6", "IL-6__below", "age", "before"]


def test_inputs_choose_what_is_seen():
    assert list(cohort().baseline(("clinical",)).columns) == ["age", "before"]
    assert list(cohort().baseline(("analytes",)).columns) == ["IL-6", "IL-6__below"]


@pytest.mark.parametrize(
    ("frame", "changes", "code"),
    [
        (table().drop(columns="after"), {}, "E301"),
        (table().set_axis(["a", "a", "c"]), {}, "E302"),
        (table(**{"IL-6": ["1", "2", "x"]}), {}, "E303"),
        (table(**{"IL-6__below": [0, 0, 1]}), {}, "E303"),
        (table(**{"IL-6": [1.0, -0.1, 2.0]}), {}, "E304"),
        (table(), {"covariates": ["after"]}, "E305"),
        (table().iloc[:0], {}, "E306"),
    ],
)
def test_a_table_that_breaks_the_contract_is_refused(frame, changes, code):
    with pytest.raises(DataError, match=code):
        cohort(frame, **changes)


def test_log_scales_may_be_negative():
    made = cohort(table(**{"IL-6": [1.0, -0.1, 2.0]}), panel=[Analyte("IL-6", "NPX", "log2")])

    assert made.baseline()["IL-6"].tolist() == [1.0, -0.1, 2.0]


def test_nothing_done_to_what_a_cohort_hands_out_or_was_made_from_changes_it():
    frame = table()
    made = cohort(frame)
    before = made.baseline()

    frame.loc["a", "IL-6"] = 99.0
    handed_out = made.baseline()
    handed_out.loc["a", "IL-6"] = 99.0
    made.table.loc["a", "IL-6"] = 99.0

    pd.testing.assert_frame_equal(made.baseline(), before)
    assert made.column("IL-6")["a"] == 1.0


@pytest.mark.parametrize(
    "other",
    [
        cohort(table(**{"IL-6": [1.0, np.nan, 3.0001]})),
        cohort(table(**{"IL-6__below": [True, False, True]})),
        cohort(table(after=[5.0, 20.0, 1.0])),
        cohort(table().set_axis(["a", "b", "d"])),
        cohort(panel=[Analyte("IL-6", "ng/mL")]),
        cohort(covariates=[]),
        cohort(outcome=LabelOutcome("after", "something")),
    ],
)
def test_the_fingerprint_changes_with_whatever_could_change_a_result(other):
    assert other.fingerprint != cohort().fingerprint


def test_the_fingerprint_does_not_depend_on_name_or_spare_columns():
    same = cohort(table(spare=[1, 2, 3]), card=DatasetCard("other name"))

    assert same.fingerprint == cohort().fingerprint
