"""Several studies as one cohort."""

import numpy as np
import pandas as pd
import pytest

from cytobench.core.cards import DatasetCard
from cytobench.core.errors import DataError
from cytobench.data.cohort import Analyte, Cohort, LabelOutcome, ScaleOutcome
from cytobench.data.harmonise import harmonise


def study(name, analytes, *, scale="HAM-D17", n=8, sex=("female", "male"), units=None, **more):
    """A small study; each analyte's values are 1, 2, 3 ... in its unit."""
    values = np.arange(1.0, n + 1)
    table = pd.DataFrame(
        {
            **dict.fromkeys(analytes, values),
            "age": values + 30,
            "sex": [sex[k % 2] for k in range(n)],
            "before": np.full(n, 20.0),
            "after": np.where(np.arange(n) % 2, 5.0, 18.0),
            **{key: column for key, (column, _) in more.items()},
        },
        index=[f"p{k}" for k in range(n)],
    )
    units = units or {}
    return Cohort(
        table,
        [
            Analyte(a, units.get(a, "pg/mL"), matrix="serum", llod=0.5)
            if units.get(a) != "NPX"
            else Analyte(a, "NPX", "log2")
            for a in analytes
        ],
        ScaleOutcome(scale, "before", "after", week=8),
        DatasetCard(name),
        covariates=("age", "sex"),
        **{role: key for key, (_, role) in more.items()},
    )


def test_analytes_are_matched_by_standard_name_and_converted_to_the_first_study_s_unit():
    one = study("one", ["IL-6", "TNF-α"])
    two = study("two", ["IL6", "tnf_alpha"], units={"IL6": "ng/mL"})

    pool = harmonise([one, two], "one+two")

    assert pool.analytes == ("IL-6", "TNF-α")
    assert pool.column("IL-6")["two:p0"] == 1000.0, "1 ng/mL is 1000 pg/mL"
    assert pool.column("TNF-α")["two:p0"] == 1.0
    assert "IL-6 of two was converted from ng/mL to pg/mL" in pool.notes
    by_name = {analyte.name: analyte for analyte in pool.panel}
    assert by_name["IL-6"].llod is None, "0.5 ng/mL is another limit than 0.5 pg/mL"
    assert by_name["TNF-α"].llod == 0.5


def test_what_is_lost_is_said_with_the_reason():
    one = study("one", ["IL-6", "CRP", "IL-8"], units={"CRP": "mg/L"})
    two = study("two", ["IL-6", "CRP"], units={"CRP": "NPX"})

    pool = harmonise([one, two], "one+two")

    assert pool.analytes == ("IL-6",)
    assert "1 of 3 analytes are common to one, two" in pool.notes
    assert "lost, not measured in two: IL-8" in pool.notes
    assert "lost, no common unit (mg/L in one, NPX in two): CRP" in pool.notes


def test_studies_with_nothing_in_common_are_refused():
    with pytest.raises(DataError, match="no analyte in common") as caught:
        harmonise([study("one", ["IL-6"]), study("two", ["IL-8"])], "one+two")

    assert caught.value.code == "E382"


@pytest.mark.parametrize("names", [["one"], ["one", "one"]])
def test_two_different_studies_are_needed(names):
    with pytest.raises(DataError) as caught:
        harmonise([study(name, ["IL-6"]) for name in names], "+".join(names))

    assert caught.value.code == "E381"


def test_patients_sites_and_plates_of_two_studies_are_never_mixed_up():
    sites = (["site 1", "site 2"] * 4, "site")
    one = study("one", ["IL-6"], centre=sites)
    two = study("two", ["IL-6"], hospital=sites)

    pool = harmonise([one, two], "one+two")

    assert set(pool.labels("site")) == {
        f"{name}/site {k}" for name in ("one", "two") for k in (1, 2)
    }
    assert set(pool.labels("study")) == {"one", "two"}
    assert len(set(pool.patients)) == 16


def test_one_scale_stays_a_scale_and_two_become_a_label():
    hamd, other, madrs = (
        study("one", ["IL-6"]), study("two", ["IL-6"]), study("three", ["IL-6"], scale="MADRS"),
    )  # fmt: skip

    same, mixed = harmonise([hamd, other], "a"), harmonise([hamd, madrs], "b")

    assert isinstance(same.outcome, ScaleOutcome)
    assert same.severity == "HAM-D17 before"
    assert isinstance(mixed.outcome, LabelOutcome)
    assert mixed.severity is None, "a severity of 20 means something else on another scale"
    assert mixed.column("label")["three:p1"] == 1.0, "20 to 5 is a response on any scale"


def test_covariates_with_other_words_are_harmonised_or_left_out():
    one = study("one", ["IL-6"], sex=("f", "m"))
    two = study("two", ["IL-6"])
    three = study("three", ["IL-6"], sex=("1", "2"))

    assert set(harmonise([one, two], "a").column("sex")) == {"female", "male"}
    lost = harmonise([two, three], "b")
    assert lost.covariates == ("age",)
    assert "covariates left out, the studies have no category in common: sex" in lost.notes


def test_a_flag_that_one_study_lacks_is_false_there():
    below = pd.Series([True] + [False] * 7).to_numpy()
    one = study("one", ["IL-6"])
    table = one.table.assign(**{"IL-6__below": below})
    flagged = Cohort(table, one.panel, one.outcome, one.card, one.covariates)

    pool = harmonise([flagged, study("two", ["IL-6"])], "one+two")

    assert pool.column("IL-6__below").sum() == 1
    assert pool.column("IL-6__below")["one:p0"]


def test_the_truth_of_simulated_studies_is_kept_only_if_all_have_it():
    from cytobench.run.cells import load_cohort

    simulated = [load_cohort({"name": name}, None) for name in ("sim_inflamed_mdd", "sim_null")]

    both = harmonise(simulated, "both")
    one = harmonise([simulated[0], study("real", ["CRP"], units={"CRP": "mg/L"})], "one")

    assert both.truth is not None
    assert both.truth.index.tolist() == both.patients
    assert one.truth is None
