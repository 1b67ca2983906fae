"""Subgroups are recognised by the names and units of columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cytobench import Analyte, Cohort, DatasetCard, LabelOutcome
from cytobench.data.subgroups import subgroups


def cohort(unit="mg/L", **covariates):
    n = 60
    table = pd.DataFrame({"CRP": np.linspace(0.1, 6, n), "y": np.tile([0.0, 1.0], n // 2)})
    for name, values in covariates.items():
        table[name] = values
    table["site"] = np.where(np.arange(n) < 30, "north", "south")
    table.index = [f"p{i}" for i in range(n)]
    return Cohort(
        table,
        [Analyte("CRP", unit)],
        LabelOutcome("y", "responded"),
        DatasetCard("made"),
        covariates=list(covariates),
        site="site",
    )


def test_what_the_cohort_knows_becomes_a_subgroup():
    found = subgroups(
        cohort(
            Sex=["female", "male"] * 30,
            AGE=np.arange(20.0, 80.0),
            bmi=np.linspace(18, 36, 60),
            failed_trials=np.arange(60.0) % 4,
        )
    )

    assert list(found) == ["sex", "age", "BMI", "treatment-resistant", "CRP", "site"]
    assert set(found["age"]) == {"under 40", "40 to 59", "60 and over"}
    assert found["BMI"][0] == "under 25"
    assert found["BMI"][-1] == "30 and over"
    assert [found["treatment-resistant"][k] for k in range(4)] == ["no", "no", "yes", "yes"]


@pytest.mark.parametrize(("unit", "inflamed"), [("mg/L", 30), ("mg/dL", 58), ("ng/mL", None)])
def test_crp_is_cut_at_3_mg_per_litre_whatever_its_unit(unit, inflamed):
    found = subgroups(cohort(unit))

    if inflamed is None:  # nobody reaches it: no subgroup
        assert "CRP" not in found
    else:
        assert found["CRP"].count("3 mg/L and over") == pytest.approx(inflamed, abs=1)


def test_an_unknown_unit_makes_no_subgroup():
    assert "CRP" not in subgroups(cohort("NPX"))


def test_missing_is_unknown_and_a_constant_is_no_subgroup():
    sex = pd.Series(["female"] * 30 + [None] * 30, dtype=object)

    found = subgroups(cohort(sex=sex.to_numpy(), trd=[True] * 20 + [False] * 40))

    assert "sex" not in found
    assert found["treatment-resistant"].count("yes") == 20


def plain(**covariates):
    """A cohort without an analyte that makes a subgroup, and with one site."""
    n = len(next(iter(covariates.values())))
    table = pd.DataFrame(
        {"IL-6": np.linspace(1, 5, n), "y": np.arange(n) % 2 * 1.0, **covariates},
        index=[f"p{i}" for i in range(n)],
    )
    return Cohort(
        table,
        [Analyte("IL-6", "pg/mL")],
        LabelOutcome("y", "responded"),
        DatasetCard("made"),
        covariates=list(covariates),
    )


@pytest.mark.parametrize(
    ("bmi", "level"),
    [
        (24.9, "under 25"),
        (25.0, "25 to 30"),
        (29.9, "25 to 30"),
        (30.0, "30 and over"),
        (np.nan, ""),
    ],
)
def test_a_limit_belongs_to_the_level_that_it_opens(bmi, level):
    """WHO: overweight from 25, obesity from 30 kg/m2."""
    found = subgroups(plain(BMI=[bmi, 18.0, 27.0, 35.0]))

    assert found["BMI"][0] == level


def test_thirds_of_the_age_hold_a_third_each():
    age = np.random.default_rng(0).permutation(np.arange(20.0, 80.0))

    found = subgroups(plain(age_years=age))["age"]

    assert sorted(found.count(level) for level in set(found)) == [20, 20, 20]
    for years, level in zip(age, found, strict=True):
        assert (level == "under 40") == (years < 40)


def test_an_unknown_age_is_no_third():
    found = subgroups(plain(age=[30.0, 40.0, 50.0, 60.0, np.nan, 70.0]))["age"]

    assert found[4] == ""
    assert len(set(found) - {""}) == 3


@pytest.mark.parametrize("ages", [[40.0] * 6, [np.nan] * 6, [40.0, 50.0, np.nan, np.nan, np.nan]])
def test_too_few_or_equal_ages_make_no_subgroup(ages):
    assert "age" not in subgroups(plain(age=ages))


def test_a_log_transformed_crp_is_not_cut():
    n = 20
    table = pd.DataFrame(
        {"CRP": np.linspace(-2, 4, n), "y": np.arange(n) % 2 * 1.0},
        index=[f"p{i}" for i in range(n)],
    )
    cohort = Cohort(
        table,
        [Analyte("CRP", "mg/L", scale="log2")],
        LabelOutcome("y", "responded"),
        DatasetCard("made"),
    )

    assert "CRP" not in subgroups(cohort)


def test_words_for_resistance_stand_as_they_are_and_0_and_1_become_words():
    assert set(subgroups(plain(trd=["TRD", "not TRD"] * 5))["treatment-resistant"]) == {
        "TRD",
        "not TRD",
    }
    assert subgroups(plain(trd=[1.0, 0.0] * 5))["treatment-resistant"][:2] == ["yes", "no"]


def test_one_failed_trial_is_no_resistance():
    """EMA and FDA ask for two; a cohort in which nobody failed two has no resistant patient."""
    assert "treatment-resistant" not in subgroups(plain(failed_trials=[0.0, 1.0] * 5))
