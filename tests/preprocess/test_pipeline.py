"""Preprocessing: fitted on the training part, with values at limits treated as such."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytobench import Analyte, Cohort, DatasetCard, LabelOutcome
from cytobench.core.errors import DataError, UsageError
from cytobench.preprocess.censored import LimitOverRoot2
from cytobench.preprocess.pipeline import baseline_frame, build_encoder
from cytobench.preprocess.recipe import Recipe, recipe_from_config

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

    out = LimitOverRoot2(("IL-6", "NPX"), ("IL-6",)).fit_transform(frame)

    assert out["IL-6"].tolist()[4] == pytest.approx(0.5 / np.sqrt(2))
    assert out["IL-6"].tolist()[1] == 2.0
    assert out["NPX"].tolist()[:5] == [-1.0, 0.0, 1.0, 2.0, 3.0]
    assert "IL-6__below" not in out.columns


def test_a_zero_without_a_known_limit_uses_the_smallest_training_value():
    train = pd.DataFrame({"IL-6": [0.0, 2.0, 4.0], "IL-6__below": [True, False, False]})
    test = pd.DataFrame({"IL-6": [0.0, 0.1], "IL-6__below": [True, False]})

    out = LimitOverRoot2(("IL-6",), ("IL-6",)).fit(train).transform(test)

    assert out["IL-6"].tolist() == pytest.approx([2 / np.sqrt(2), 0.1])


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

    frame = baseline_frame(made, ("analytes",))
    out = build_encoder(made, ("analytes",), recipe).fit_transform(frame)

    assert [name for name in out.columns if name.startswith("missingindicator")] == [
        "missingindicator_IL-6",
        "missingindicator_NPX",
    ]


def test_an_unknown_option_is_a_usage_error():
    with pytest.raises(UsageError, match=r"E112.*preprocess\.missing"):
        recipe_from_config({"name": "standard", "missing": "magic"})


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"censored": "magic"}, "preprocess.censored"),
        ({"max_below": 60}, "preprocess.max_below"),
        ({"draws": 5}, "preprocess.draws"),
        ({"batch": "combat", "log": False}, "preprocess.batch"),
        ({"features": ["th3"]}, "preprocess.features"),
        ({"feature": ["ratios"]}, "preprocess"),
    ],
)
def test_an_option_that_cannot_be_meant_is_named(options, where):
    with pytest.raises(UsageError) as caught:
        recipe_from_config({"name": "standard", **options})

    assert caught.value.where == where
    assert caught.value.hint


def two_plates(n=120, seed=0):
    """Three analytes on two plates; the second plate reads IL-6 four times as high."""
    draw = np.random.default_rng(seed)
    plate = np.arange(n) % 2
    table = pd.DataFrame(
        {
            "IL-6": np.exp(draw.normal(size=n)) * np.where(plate, 4.0, 1.0),
            "IL-10": np.exp(draw.normal(size=n)),
            "CRP": np.exp(draw.normal(size=n)),
            "plate": np.where(plate, "P2", "P1"),
            "y": draw.integers(0, 2, n).astype(float),
        },
        index=[f"p{k}" for k in range(n)],
    )
    below = table["IL-10"] < np.quantile(table["IL-10"], 0.7)
    table["IL-10__below"] = below
    table.loc[below, "IL-10"] = float(table.loc[~below, "IL-10"].min())
    units = {"CRP": "mg/L"}
    panel = [Analyte(name, units.get(name, "pg/mL")) for name in ("IL-6", "IL-10", "CRP")]
    return Cohort(table, panel, LabelOutcome("y", "responded"), DatasetCard("two"), plate="plate")


def test_the_whole_recipe_runs_in_one_pipeline_and_names_its_columns():
    made = two_plates()
    recipe = recipe_from_config(
        {
            "name": "all", "max_below": 0.9, "censored": "censored_mle", "batch": "combat",
            "censored_indicators": True, "features": ["pro_anti", "inflammation", "crp_strata"],
        }
    )  # fmt: skip
    frame = baseline_frame(made, BOTH, recipe)

    out = build_encoder(made, BOTH, recipe).fit_transform(frame)

    assert list(out.columns) == [
        "IL-6", "IL-10", "CRP", "IL-10 not detected", "log(IL-6/IL-10)", "inflammation score",
        "CRP at least 1 mg/L", "CRP above 3 mg/L",
    ]  # fmt: skip
    assert not out.isna().to_numpy().any()
    by_plate = out["IL-6"].groupby(made.column("plate")).mean()
    assert abs(by_plate["P1"] - by_plate["P2"]) < 0.1


def test_an_analyte_that_is_hardly_detected_is_left_out_of_matrix_and_features():
    made = two_plates()
    recipe = recipe_from_config({"name": "r", "max_below": 0.5})

    out = build_encoder(made, BOTH, recipe).fit_transform(baseline_frame(made, BOTH, recipe))

    assert list(out.columns) == ["IL-6", "CRP"]


def test_correcting_by_a_batch_that_the_cohort_lacks_is_refused():
    recipe = recipe_from_config({"name": "r", "batch": "combat", "batch_by": "site"})

    with pytest.raises(DataError) as caught:
        baseline_frame(two_plates(), BOTH, recipe)

    assert caught.value.code == "E366"


@settings(max_examples=15, deadline=None)
@given(
    censored=st.sampled_from(["llod_sqrt2", "ros", "censored_mle", "draws"]),
    batch=st.sampled_from(["none", "combat"]),
    features=st.lists(st.sampled_from(["pro_anti", "inflammation", "crp_strata"]), unique=True),
    seed=st.integers(0, 50),
)
def test_no_row_of_the_test_part_moves_another(censored, batch, features, seed):
    made = two_plates()
    recipe = recipe_from_config(
        {"name": "r", "censored": censored, "batch": batch, "features": features}
    )
    frame = baseline_frame(made, BOTH, recipe)
    rows = np.random.default_rng(seed).permutation(len(frame))
    encoder = build_encoder(made, BOTH, recipe, random_state=seed).fit(frame.iloc[rows[:80]])

    together = encoder.transform(frame.iloc[rows[80:]])
    alone = pd.concat([encoder.transform(frame.iloc[[row]]) for row in rows[80:90]])

    pd.testing.assert_frame_equal(together.iloc[:10], alone)


def test_an_analyte_from_elsewhere_is_not_corrected_for_plates():
    made = two_plates()
    recipe = recipe_from_config({"name": "r", "batch": "combat", "batch_except": ["CRP"]})
    frame = baseline_frame(made, BOTH, recipe)
    plain = recipe_from_config({"name": "r"})

    corrected = build_encoder(made, BOTH, recipe).fit_transform(frame)
    untouched = build_encoder(made, BOTH, plain).fit_transform(baseline_frame(made, BOTH, plain))

    assert corrected["CRP"].to_numpy() == pytest.approx(untouched["CRP"].to_numpy())
    with pytest.raises(DataError, match="is no analyte"):
        baseline_frame(
            made, BOTH, recipe_from_config({"name": "r", "batch": "combat", "batch_except": "IL6"})
        )
