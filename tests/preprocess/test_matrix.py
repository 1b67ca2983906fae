"""The plain recipe on arrays: the same numbers as the Pipeline, to the last bit."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytobench import Analyte, Cohort, DatasetCard, LabelOutcome
from cytobench.preprocess.matrix import Matrix, is_plain
from cytobench.preprocess.pipeline import baseline_frame, build_encoder
from cytobench.preprocess.recipe import Recipe


def a_cohort(n=40, seed=0, *, zeros=True):
    draw = np.random.default_rng(seed)
    table = pd.DataFrame(np.exp(draw.normal(size=(n, 3))), columns=["CRP", "IL-6", "TNF-α"])
    table["NPX"] = draw.normal(size=n)
    table[draw.random((n, 4)) < 0.15] = np.nan
    table["CRP__below"] = draw.random(n) < 0.3
    if zeros:
        table.loc[table.index[draw.random(n) < 0.2], "IL-6"] = 0.0
    table["constant"] = 3.0
    table["age"] = np.where(draw.random(n) < 0.1, np.nan, draw.normal(40, 10, n))
    table["sex"] = draw.choice(["f", "m", "unknown"], n, p=[0.6, 0.35, 0.05])
    table["y"] = (np.arange(n) % 2).astype(float)
    table.index = [f"p{k}" for k in range(n)]
    panel = [Analyte(name, "pg/mL") for name in ("CRP", "IL-6", "TNF-α")]
    panel.append(Analyte("NPX", "NPX", scale="log2"))
    card = DatasetCard("some", "Some cohort", kind="simulated")
    covariates = ["constant", "age", "sex"]
    return Cohort(table, panel, LabelOutcome("y", "better"), card, covariates=covariates)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 1000),
    zeros=st.booleans(),
    log=st.booleans(),
    scale=st.booleans(),
    inputs=st.sampled_from([("analytes", "clinical"), ("clinical",), ("analytes",)]),
)
def test_the_numbers_are_those_of_the_pipeline(seed, zeros, log, scale, inputs):
    cohort, recipe = a_cohort(seed=seed, zeros=zeros), Recipe("any", log=log, scale=scale)
    rows = np.random.default_rng(seed).permutation(40)
    train, other = rows[:25], rows[25:]
    frame = baseline_frame(cohort, inputs, recipe)
    encoder = build_encoder(cohort, inputs, recipe)

    found = Matrix(frame, cohort, inputs, recipe).encode(train, [other])

    expected = [encoder.fit_transform(frame.iloc[train]), encoder.transform(frame.iloc[other])]
    for one, reference in zip(found, expected, strict=True):
        frame = one.frame()
        pd.testing.assert_frame_equal(frame, reference, check_exact=True, check_column_type=False)
        assert one.array().tobytes() == np.ascontiguousarray(reference.to_numpy()).tobytes()


@pytest.mark.parametrize("recipe", [Recipe("scaled"), Recipe("plain", scale=False)])
def test_what_nobody_in_training_had_measured_says_nothing_of_others(recipe):
    """An analyte of one site, which is left out: it has no scale, and nothing was learnt of it."""
    cohort = a_cohort(seed=2, zeros=False)
    table = cohort.table.copy()
    table.loc[table.index[:25], ["NPX", "age"]] = np.nan
    table.loc[table.index[25:], ["NPX", "age"]] = 50.0
    cohort = Cohort(table, cohort.panel, cohort.outcome, cohort.card, covariates=["age"])
    frame = baseline_frame(cohort, ("analytes", "clinical"), recipe)
    encoder = build_encoder(cohort, ("analytes", "clinical"), recipe).fit(frame.iloc[:25])

    matrix = Matrix(frame, cohort, ("analytes", "clinical"), recipe)
    train, test = matrix.encode(np.arange(25), [np.arange(25, 40)])

    for part in (train.frame(), test.frame(), encoder.transform(frame.iloc[25:])):
        assert (part[["NPX", "age"]] == 0).all(axis=None)
        assert part["CRP"].std() > 0


def test_what_is_in_other_rows_reaches_no_training_number():
    cohort, changed = a_cohort(seed=1), a_cohort(seed=1)
    table = changed.table.copy()
    table.iloc[30:, :3] = 99.0
    changed = Cohort(
        table, changed.panel, changed.outcome, changed.card, covariates=changed.covariates
    )
    inputs, recipe = ("analytes", "clinical"), Recipe("any")

    one, other = (
        Matrix(baseline_frame(each, inputs, recipe), each, inputs, recipe).encode(
            np.arange(30), [np.arange(30, 40)]
        )[0]
        for each in (cohort, changed)
    )

    pd.testing.assert_frame_equal(one.frame(), other.frame(), check_exact=True)


@pytest.mark.parametrize(
    "other",
    [
        {"censored": "ros"},
        {"max_below": 0.5},
        {"batch": "combat"},
        {"features": ("th1_th2",)},
        {"missing": "mean"},
        {"indicators": True},
        {"censored_indicators": True},
    ],
)
def test_whatever_learns_more_is_not_plain(other):
    assert is_plain(Recipe("any"))
    assert not is_plain(Recipe("any", **other))
