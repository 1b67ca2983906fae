"""Preprocessing: fitted on the training part, with values at limits treated as such."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytobench import Analyte, Cohort, DatasetCard, LabelOutcome
from cytobench.core.errors import UsageError
from cytobench.preprocess.assay import AssayValues
from cytobench.preprocess.pipeline import (
    Recipe,
    baseline_frame,
    build_encoder,
    recipe_from_config,
)

BOTH = ("analytes", "clinical")


def cohort(n=6):
    table = pd.DataFrame(
        {
            "IL-6": [1.0, 2.0, np.nan, 4.0, 0.5, 8.0],
            "IL-6__below": [False, False, False, False, True, False],
            "NPX": [-1.0, 0.0, 1.0, 2.0, 3.0, np.nan],
            "age": [30.0, 40.0, 50.0, np.nan, 60.0, 70.0],
            "sex": ["f", "m", "f", None, "m", "f"],
            "y": [0.0, 1.0, 0.0, 1.0, 0.0, 1.0],
        },
        index=list("abcdef"),
    )
    panel = [Analyte("IL-6", "pg/mL", llod=0.5), Analyte("NPX", "NPX", "log2")]
    return Cohort(
        table, panel, LabelOutcome("y", "responded"), DatasetCard("c"), covariates=["age", "sex"]
    )


def test_a_value_below_the_limit_becomes_limit_over_root_two():
    frame = baseline_frame(cohort(), BOTH)

    out = AssayValues(("IL-6", "NPX"), ("IL-6",)).fit_transform(frame)

    assert out["IL-6"].tolist()[4] == pytest.approx(np.log(0.5 / np.sqrt(2)))
    assert out["IL-6"].tolist()[1] == pytest.approx(np.log(2))
    assert out["NPX"].tolist()[:5] == [-1.0, 0.0, 1.0, 2.0, 3.0]
    assert "IL-6__below" not in out.columns


def test_a_zero_without_a_known_limit_uses_the_smallest_training_value():
    train = pd.DataFrame({"IL-6": [0.0, 2.0, 4.0], "IL-6__below": [True, False, False]})
    test = pd.DataFrame({"IL-6": [0.0, 0.1], "IL-6__below": [True, False]})

    out = AssayValues(("IL-6",), ("IL-6",)).fit(train).transform(test)

    assert np.exp(out["IL-6"]).tolist() == pytest.approx([2 / np.sqrt(2), 0.1])


def test_the_encoded_matrix_is_numeric_whole_and_named():
    made = cohort()

    out = build_encoder(made, BOTH, Recipe("standard")).fit_transform(baseline_frame(made, BOTH))

    assert list(out.columns) == ["IL-6", "NPX", "age", "sex_f", "sex_m", "sex_missing"]
    assert np.isfinite(out.to_numpy()).all()
    assert out["age"].mean() == pytest.approx(0, abs=1e-12)


def test_a_category_that_training_never_saw_is_zeros():
    made = cohort()
    frame = baseline_frame(made, ("clinical",))
    encoder = build_encoder(made, ("clinical",), Recipe("standard")).fit(frame.iloc[[0, 2, 5]])

    out = encoder.transform(frame.iloc[[1]])

    assert out.filter(like="sex_").to_numpy().tolist() == [[0.0]]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=3, max_size=6, unique=True), st.integers(0, 5))
def test_the_encoding_of_a_patient_does_not_depend_on_the_other_test_patients(train, row):
    made = cohort()
    frame = baseline_frame(made, BOTH)
    encoder = build_encoder(made, BOTH, Recipe("standard")).fit(frame.iloc[train])

    alone = encoder.transform(frame.iloc[[row]]).to_numpy()
    together = encoder.transform(frame).to_numpy()[[row]]

    np.testing.assert_array_equal(alone, together)


def test_indicators_mark_what_was_missing():
    made = cohort()
    recipe = Recipe("standard", indicators=True)

    out = build_encoder(made, ("analytes",), recipe).fit_transform(baseline_frame(made, BOTH))

    assert [name for name in out.columns if name.startswith("missingindicator")] == [
        "missingindicator_IL-6",
        "missingindicator_NPX",
    ]


def test_an_unknown_option_is_a_usage_error():
    with pytest.raises(UsageError, match=r"E112.*preprocess\.missing"):
        recipe_from_config({"name": "standard", "missing": "magic"})
