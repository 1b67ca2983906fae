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
