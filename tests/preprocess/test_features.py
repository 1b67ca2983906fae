"""Features of the domain on logarithms of analytes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytobench.core.errors import DataError, UsageError
from cytobench.preprocess.features import GROUPS, DomainFeatures

NAMES = ("IFN-γ", "IL-4", "IL-10", "IL-13", "IL-6", "TNF-α", "IL-17A", "TGF-β1", "CRP", "IL-1β")


def logs(n=50, seed=0):
    values = np.random.default_rng(seed).normal(size=(n, len(NAMES)))
    return pd.DataFrame(values, columns=list(NAMES))


def with_features(X, *features, scale="ln", units=None):
    made = DomainFeatures(features, dict.fromkeys(X.columns, scale), units or {"CRP": "mg/L"})
    return made.fit_transform(X)


def test_a_ratio_is_the_difference_of_logarithms():
    X = logs()

    out = with_features(X, "pro_anti")

    assert list(out.columns) == [*NAMES, "log(IL-6/IL-10)", "log(TNF-α/IL-10)"]
    assert out["log(IL-6/IL-10)"].equals(X["IL-6"] - X["IL-10"])


def test_log2_values_give_the_same_ratio_as_natural_ones():
    natural = logs()

    out = with_features(natural / np.log(2), "pro_anti", scale="log2")

    assert out["log(IL-6/IL-10)"].to_numpy() == pytest.approx(
        (natural["IL-6"] - natural["IL-10"]).to_numpy()
    )


@settings(max_examples=20, deadline=None)
@given(factor=st.floats(0.01, 100))
def test_ratios_do_not_change_with_a_common_dilution(factor):
    X = logs()

    one, other = (with_features(part, "th1_th2", "ratios") for part in (X, X + np.log(factor)))

    added = [name for name in one if name.startswith("log(")]
    assert len(added) == 5, "IFN-γ/IL-4 and IFN-γ/IL-10 are in both groups and appear once"
    assert one[added].to_numpy() == pytest.approx(other[added].to_numpy(), abs=1e-9)


def test_the_inflammation_score_is_standardised_by_training_rows_only():
    X = logs(200)
    made = DomainFeatures(("inflammation",), dict.fromkeys(NAMES, "ln")).fit(X.iloc[:100])

    train, test = made.transform(X.iloc[:100]), made.transform(X.iloc[100:] + 1)

    assert train["inflammation score"].mean() == pytest.approx(0, abs=1e-12)
    assert test["inflammation score"].mean() > 0.7


@pytest.mark.parametrize(("unit", "factor"), [("mg/L", 1), ("µg/mL", 1), ("mg/dL", 0.1),
                                              ("ng/mL", 1000)])  # fmt: skip
def test_strata_of_crp_are_cut_at_1_and_3_mg_per_litre_in_any_unit(unit, factor):
    crp = np.array([0.5, 1.0, 3.0, 3.1, np.nan]) * factor
    X = pd.DataFrame({"CRP": np.log(crp)})

    out = with_features(X, "crp_strata", units={"CRP": unit})

    assert out["CRP at least 1 mg/L"].tolist()[:4] == [0, 1, 1, 1]
    assert out["CRP above 3 mg/L"].tolist()[:4] == [0, 0, 0, 1]
    assert out.iloc[4].isna().all()


def test_other_spellings_are_understood():
    X = logs()[["IL-6", "IL-10"]].rename(columns={"IL-6": "IL6", "IL-10": "il_10"})

    assert "log(IL-6/IL-10)" in with_features(X, "pro_anti")


@pytest.mark.parametrize(
    ("columns", "feature", "kind", "words"),
    [
        (["IL-6", "CRP"], "th17_treg", DataError, "IL-17A"),
        (["IL-6"], "inflammation", DataError, "CRP"),
        (["IL-6"], "crp_strata", DataError, "CRP"),
        (["IL-6"], "th3", UsageError, "th17_treg"),
    ],
)
def test_what_cannot_be_computed_is_refused_with_what_is_missing(columns, feature, kind, words):
    with pytest.raises(kind) as caught:
        with_features(logs()[columns], feature)

    assert caught.value.code == "E363"
    assert caught.value.where == "preprocess.features"
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("unit", "said", "hint"),
    [("NPX", "unit is 'NPX'", "have no ratio to a mass"), ("", "unit is not stated", "declare")],
)
def test_an_unknown_unit_of_crp_is_refused(unit, said, hint):
    with pytest.raises(DataError) as caught:
        with_features(logs()[["CRP"]], "crp_strata", units={"CRP": unit})

    assert caught.value.code == "E364"
    assert said in caught.value.message
    assert hint in caught.value.hint


def test_the_unit_of_crp_matters_to_its_strata_only():
    out = with_features(logs(), "pro_anti", units={"CRP": "NPX"})

    assert "log(IL-6/IL-10)" in out


def test_every_group_says_what_it_is():
    assert all(group.summary for group in GROUPS.values())
