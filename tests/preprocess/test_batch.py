"""ComBat on the training part, against R's sva."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytobench.core.errors import DataError
from cytobench.preprocess.batch import ComBat

SETTINGS = {
    "par": {},
    "nonpar": {"parametric": False},
    "meanonly": {"mean_only": True},
    "ref1": {"reference": "1"},
    "par_cov": {"covariates": ("cov",)},
}


@pytest.fixture(scope="module")
def table(reference):
    return pd.read_csv(reference / "combat_input.csv").astype({"batch": str})


def analytes(table):
    return [name for name in table if name.startswith("a")]


@pytest.mark.parametrize("name", SETTINGS)
def test_on_the_rows_it_was_fitted_on_it_equals_sva(name, table, reference):
    """sva 3.46.0, R 4.2.2: five settings on 30 rows and 12 analytes."""
    expected = pd.read_csv(reference / f"combat_out_{name}.csv")

    found = ComBat(analytes(table), "batch", **SETTINGS[name]).fit_transform(table)

    assert found[analytes(table)].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-6)
    assert "batch" not in found


def plates(n=200, shift=1.0, spread=2.0, seed=0):
    draw = np.random.default_rng(seed)
    plate = np.array(["A", "B"])[np.arange(n) % 2]
    values = draw.normal(size=(n, 8))
    values[plate == "B"] = shift + spread * values[plate == "B"]
    columns = [f"a{k}" for k in range(8)]
    return pd.DataFrame(values, columns=columns).assign(plate=plate), columns


def test_a_planted_shift_and_scale_of_a_plate_is_removed_from_new_rows():
    X, columns = plates(2000)
    batch = ComBat(columns).fit(X.iloc[:1400])

    out = batch.transform(X.iloc[1400:])[columns].to_numpy()

    second = (X["plate"].iloc[1400:] == "B").to_numpy()
    assert abs(out[second].mean() - out[~second].mean()) < 0.2
    assert out[second].std() / out[~second].std() == pytest.approx(1, abs=0.15)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), rows=st.lists(st.integers(100, 199), min_size=1, max_size=20))
def test_a_new_row_is_corrected_alike_whoever_comes_with_it(seed, rows):
    X, columns = plates(seed=seed)
    batch = ComBat(columns).fit(X.iloc[:100])

    together = batch.transform(X.iloc[100:])

    pd.testing.assert_frame_equal(batch.transform(X.iloc[rows]), together.loc[rows])


def test_an_unseen_plate_is_refused_by_name_or_passes_unchanged():
    X, columns = plates()
    new = X.iloc[:3].assign(plate=["A", "C", None])

    with pytest.raises(DataError, match=r"C \(1\)") as caught:
        ComBat(columns).fit(X).transform(new)
    passed = ComBat(columns, unseen="pass").fit(X)

    assert caught.value.code == "E361"
    assert "batch_unseen=pass" in caught.value.hint
    out = passed.transform(new)
    assert out[columns].iloc[1:].equals(new[columns].iloc[1:])
    assert not out[columns].iloc[:1].equals(new[columns].iloc[:1])
    assert passed.unseen_in(new) == {"C": 1, "": 1}


def test_a_plate_with_one_training_row_counts_as_unseen():
    X, columns = plates()
    X.loc[0, "plate"] = "lonely"

    batch = ComBat(columns).fit(X)

    assert batch.small_ == {"lonely": 1}
    assert batch.batches_ == ["A", "B"]


def test_missing_values_stay_missing_and_hardly_move_the_others():
    X, columns = plates()
    holes = X.copy()
    holes.loc[::17, "a3"] = np.nan

    full, gappy = (ComBat(columns).fit_transform(table)[columns] for table in (X, holes))

    assert gappy["a3"].isna().sum() == holes["a3"].isna().sum()
    assert np.nanmax(np.abs(full - gappy)) < 0.3


def test_a_constant_analyte_stays_as_it_is():
    X, columns = plates()
    X["a0"] = 5.0

    assert (ComBat(columns).fit_transform(X)["a0"] == 5.0).all()


def test_a_reference_batch_that_training_lacks_is_refused_with_those_there_are():
    X, columns = plates()

    with pytest.raises(DataError, match="reference batch 'C'") as caught:
        ComBat(columns, reference="C").fit(X)

    assert caught.value.code == "E362"
    assert caught.value.where == "column 'plate'"
    assert "there are: A, B" in caught.value.hint
