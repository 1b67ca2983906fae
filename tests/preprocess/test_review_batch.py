"""ComBat and the features of the domain at the edges: gaps, constants, repeats, small parts."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from cytobench.core.errors import DataError, UsageError
from cytobench.preprocess.batch import ComBat
from cytobench.preprocess.features import DomainFeatures

ANALYTES = [f"a{k}" for k in range(6)]
SCORE = "inflammation score"


def plates(n=90, seed=0, kinds="ABC"):
    draw = np.random.default_rng(seed)
    plate = np.array(list(kinds))[np.arange(n) % len(kinds)]
    values = draw.normal(size=(n, len(ANALYTES)))
    values[plate == "B"] = 1 + 2 * values[plate == "B"]
    rows = [f"p{k}" for k in range(n)]
    return pd.DataFrame(values, columns=ANALYTES, index=rows).assign(plate=plate)


def corrected(X, columns=ANALYTES, **options):
    return ComBat(columns, **options).fit_transform(X[[*columns, "plate"]])


def test_an_analyte_that_one_plate_lacks_neither_moves_that_plate_nor_pulls_the_rest_to_zero():
    X = plates()
    X.loc[X["plate"] == "B", "a0"] = np.nan
    high = X.assign(a0=X["a0"] + 100)
    batch = ComBat(ANALYTES).fit(high)

    out = batch.transform(high)
    later = batch.transform(high.assign(a0=100.0))["a0"]

    assert out.to_numpy() == pytest.approx(
        corrected(X).assign(a0=lambda table: table["a0"] + 100).to_numpy(), nan_ok=True
    )
    lacking = X["plate"] == "B"
    others = corrected(X, ANALYTES[1:])
    assert out.loc[lacking, ANALYTES[1:]].to_numpy() == pytest.approx(others[lacking].to_numpy())
    assert later[lacking].eq(100).all()
    assert later.to_numpy() == pytest.approx(100, abs=1)


def test_an_analyte_that_only_one_plate_has_stays_as_it_is():
    X = plates()
    X.loc[X["plate"] != "A", "a0"] = np.nan

    out = corrected(X)

    pd.testing.assert_series_equal(out["a0"], X["a0"])


@pytest.mark.parametrize("value", [-3.3, 0.1, 0.0, np.log(0.7 / np.sqrt(2))])
def test_an_analyte_that_is_constant_within_a_plate_is_left_alone_as_in_sva(value):
    """sva 3.46: "genes with uniform expression within a single batch ... will not be adjusted"."""
    X = plates()
    X.loc[X["plate"] == "B", "a0"] = value

    out = corrected(X)

    pd.testing.assert_series_equal(out["a0"], X["a0"])
    alone = corrected(X, ANALYTES[1:])
    assert out[ANALYTES[1:]].to_numpy() == pytest.approx(alone[ANALYTES[1:]].to_numpy())


@pytest.mark.parametrize("times", [2, 3, 7])
def test_a_patient_whom_a_bootstrap_draws_again_gives_a_plate_no_spread(times):
    X = plates(60, kinds="AB")
    X.loc[["p58", "p59"], "plate"] = "C"
    train = X.iloc[[*range(58), *[58] * times]]

    batch = ComBat(ANALYTES, unseen="pass").fit(train)

    assert batch.small_ == {"C": 1}
    pd.testing.assert_frame_equal(batch.transform(X.loc[["p59"]]), X.loc[["p59"], ANALYTES])
    without = ComBat(ANALYTES).fit(X.iloc[:58])
    np.testing.assert_allclose(batch.gamma_, without.gamma_)


@pytest.mark.parametrize(
    "change",
    [
        lambda X: X.assign(plate="A"),
        lambda X: X.assign(plate=list(X.index)),
        lambda X: X.assign(plate=None),
        lambda X: X.iloc[:1],
        lambda X: X.assign(**dict.fromkeys(ANALYTES, np.nan)),
        lambda X: X.assign(**dict.fromkeys(ANALYTES, 0.5)),
    ],
    ids=["one plate", "a plate for each", "no plate", "one row", "all missing", "all constant"],
)
@pytest.mark.parametrize("options", [{}, {"parametric": False}, {"mean_only": True}])
def test_where_there_is_nothing_to_bring_together_rows_stay_as_they_are(change, options):
    X = change(plates())

    out = corrected(X, unseen="pass", **options)

    pd.testing.assert_frame_equal(out, X[ANALYTES])


def test_without_a_column_to_correct_only_the_batch_is_dropped():
    X = plates().assign(age=40.0)

    out = ComBat(("not there",)).fit_transform(X)

    pd.testing.assert_frame_equal(out, X.drop(columns="plate"))


def test_a_single_analyte_from_two_rows_does_not_explode():
    X = plates(60, kinds="A")
    X.loc[["p1", "p2"], "plate"] = "B"
    X.loc[["p1", "p2"], "a0"] = [0.0, 1e-6]
    batch = ComBat(["a0"]).fit(X)

    out = batch.transform(X.assign(plate="B"))["a0"]

    assert out.std() == pytest.approx(X["a0"].std(), rel=0.01)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 100),
    factor=st.floats(0.1, 10),
    shift=st.floats(-100, 100),
    options=st.sampled_from([{}, {"parametric": False}, {"mean_only": True}, {"reference": "B"}]),
)
def test_units_and_names_of_plates_and_the_order_of_rows_do_not_matter(
    seed, factor, shift, options
):
    X = plates(seed=seed)
    X.iloc[::11, 2] = np.nan
    other = X.sample(frac=1, random_state=seed)
    other[ANALYTES] = factor * other[ANALYTES] + shift
    renamed = {"A": "z", "B": "B", "C": "k"}

    expected = factor * corrected(X, **options)[ANALYTES] + shift
    found = corrected(other.assign(plate=other["plate"].map(renamed)), **options)

    assert found.loc[X.index, ANALYTES].to_numpy() == pytest.approx(
        expected.to_numpy(), abs=1e-6, nan_ok=True
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 100), gaps=st.floats(0, 0.5))
def test_no_gap_is_filled_and_none_is_made(seed, gaps):
    X = plates(seed=seed)
    holes = np.random.default_rng(seed).random((len(X), len(ANALYTES))) < gaps
    X[ANALYTES] = X[ANALYTES].mask(holes)

    out = corrected(X)[ANALYTES]

    np.testing.assert_array_equal(out.isna(), X[ANALYTES].isna())
    assert np.nanmax(np.abs(out)) < 20


def test_columns_in_another_order_keep_their_names():
    X = plates()
    batch = ComBat(ANALYTES).set_output(transform="pandas").fit(X)
    features = DomainFeatures().set_output(transform="pandas").fit(X[ANALYTES])

    pd.testing.assert_frame_equal(batch.transform(X[X.columns[::-1]]), batch.transform(X))
    turned = features.transform(X[ANALYTES[::-1]])
    pd.testing.assert_frame_equal(turned, X[ANALYTES])


def test_a_gap_among_numbered_plates_does_not_rename_them():
    X = plates(kinds="AB")
    number = X["plate"].map({"A": 1, "B": 2})
    batch = ComBat(ANALYTES, unseen="pass").fit(X.assign(plate=number))

    new = X.assign(plate=number.astype(float).mask(X.index == "p0"))

    assert batch.unseen_in(new) == {"": 1}


def test_it_can_be_cloned_and_pickled_and_leaves_its_input_alone():
    X = plates()
    before = X.copy()
    batch = ComBat(ANALYTES, unseen="pass", mean_only=True)

    out = clone(batch).fit(X).transform(X)

    again = pickle.loads(pickle.dumps(batch.fit(X)))
    pd.testing.assert_frame_equal(again.transform(X), out)
    pd.testing.assert_frame_equal(X, before)
    assert list(again.get_feature_names_out()) == list(out)


def test_a_way_with_unseen_plates_that_does_not_exist_is_refused():
    with pytest.raises(UsageError, match="error, pass"):
        ComBat(ANALYTES, unseen="pooled").fit(plates())


@pytest.mark.parametrize(
    "covariate",
    [
        lambda X: (X["plate"] == "B").astype(float),
        lambda X: np.ones(len(X)),
        lambda X: np.where(X.index == "p3", np.nan, np.arange(len(X))),
    ],
    ids=["the plate itself", "a constant", "a gap"],
)
def test_a_covariate_whose_effect_cannot_be_told_from_the_plate_is_refused(covariate):
    X = plates()
    X["kept"] = covariate(X)

    with pytest.raises(DataError) as caught:
        ComBat(ANALYTES, covariates=("kept",)).fit(X)

    assert caught.value.code == "E367"


PANEL = ("CRP", "IL-6", "TNF-α", "IL-1β", "IL-10", "IL-17A")


def logs(n=60, seed=0):
    values = np.random.default_rng(seed).normal(size=(n, len(PANEL)))
    return pd.DataFrame(values, columns=list(PANEL))


def features(*names):
    return DomainFeatures(names, dict.fromkeys(PANEL, "ln"), {"CRP": "mg/L"})


@pytest.mark.parametrize("value", [0.1, -1.234, np.log(0.7 / np.sqrt(2)), np.nan])
def test_an_analyte_without_spread_in_training_has_no_part_in_the_score(value):
    X = logs()
    made = features("inflammation").fit(X.assign(**{"IL-1β": value}))

    out = made.transform(X)[SCORE]

    assert out.abs().max() < 5, "rounding of a constant is no standard deviation"
    three = X[["CRP", "IL-6", "TNF-α"]]
    expected = ((three - three.mean()) / three.std()).mean(axis=1)
    assert out.to_numpy() == pytest.approx(expected.to_numpy())


def test_a_score_of_one_row_is_left_out():
    assert SCORE not in features("inflammation").fit_transform(logs().iloc[:1])


def test_an_analyte_left_out_in_one_part_is_no_reason_to_fail():
    X = logs().drop(columns=["IL-10", "CRP"])

    out = features("pro_anti", "crp_strata", "inflammation").fit_transform(X)

    assert list(out) == [*X, SCORE]


def test_the_score_has_the_spread_of_a_mean_of_standardised_values():
    X = logs(4000)

    score = features("inflammation").fit_transform(X)[SCORE]

    # Four independent standardised values: the mean has a standard deviation of 1/2.
    assert score.std() == pytest.approx(0.5, abs=0.03)
    same = pd.DataFrame(dict.fromkeys(PANEL, X["CRP"]))
    assert features("inflammation").fit_transform(same)[SCORE].std() == pytest.approx(1)


def test_features_can_be_cloned_and_pickled():
    X = logs()
    made = clone(features("pro_anti", "inflammation", "crp_strata"))

    out = made.fit_transform(X)

    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(made)).transform(X), out)
    assert list(made.get_feature_names_out()) == list(out)
