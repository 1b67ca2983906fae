"""Levels that cannot be what their unit says: named with what would explain them, and no false
alarm on tables whose units are right."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytobench.config import compose_jobs
from cytobench.core.cards import DatasetCard
from cytobench.data import plausible
from cytobench.data.cohort import Analyte, Cohort, LabelOutcome
from cytobench.data.names import SYNONYMS
from cytobench.data.plausible import Suspicion, check_levels, plausible_range
from cytobench.data.table import load_table
from cytobench.data.units import conversion_factor
from cytobench.simulate.panel import MARKERS

MEDIANS = {"CRP": 1.6, "IL-6": 1.2, "TNF-α": 2.2, "IL-10": 0.4, "IP-10": 250.0, "sTNFR2": 2300.0}
"""In mg/L for CRP, else in pg/mL: the project's literature notes on depression."""
UNITS = {"CRP": "mg/L"}


def levels(medians=MEDIANS, *, n=41, seed=0):
    """A table of log-normal levels with these medians."""
    draw = np.random.default_rng(seed)
    spread = np.exp(0.6 * np.linspace(-2, 2, n))
    return pd.DataFrame({name: median * draw.permutation(spread) for name, median in
                         medians.items()})  # fmt: skip


def cohort(table, units=UNITS, matrices=None, **about):
    matrices = matrices or {}
    panel = [
        Analyte(name, units.get(name, "pg/mL"), matrix=matrices.get(name, "plasma"), **about)
        for name in table.columns
    ]
    table = table.assign(y=np.arange(len(table)) % 2.0)
    return Cohort(table, panel, LabelOutcome("y", "responded"), DatasetCard("c"))


def codes(suspicions):
    return [(suspicion.code, suspicion.analyte) for suspicion in suspicions]


@pytest.fixture
def load(tmp_path):
    """``load(table, **analytes)`` writes the table and reads it."""

    def run(table, **analytes):
        table.assign(y=np.arange(len(table)) % 2).to_csv(tmp_path / "t.csv", index=False)
        config = {
            "name": "t",
            "source": {"file": "t.csv"},
            "analytes": {"columns": list(table.columns), "unit": "pg/mL", **analytes},
            "outcome": {"label": "y", "positive": [1]},
        }
        return load_table(config, folders=[tmp_path])

    return run


def test_usual_levels_in_their_unit_raise_no_suspicion():
    assert check_levels(cohort(levels())) == []


@pytest.mark.parametrize(
    ("name", "unit", "instead"),
    [
        ("IL-6", "ng/mL", "pg/mL"),
        ("IL-6", "mg/L", "pg/mL"),
        ("IL-6", "fg/mL", "pg/mL"),
        ("CRP", "mg/dL", None),  # 1.6 mg/dL is what an inflamed cohort has: nobody can tell
        ("CRP", "ng/mL", "mg/L"),
        ("sTNFR2", "ng/mL", "pg/mL"),
    ],
)
def test_a_wrong_unit_is_named_with_the_one_that_would_be_plausible(name, unit, instead):
    found = check_levels(cohort(levels(), {**UNITS, name: unit}))

    if instead is None:
        assert found == []
        return
    assert codes(found) == [("W341", name)]
    assert unit in found[0].sentence
    assert f"{instead} would be plausible" in found[0].sentence


def test_milligrams_per_decilitre_among_milligrams_per_litre_are_seen():
    # A median of 0.16 mg/L is below every population known; as mg/dL it is usual.
    found = check_levels(cohort(levels({"CRP": 0.16})))

    assert codes(found) == [("W341", "CRP")]
    assert "mg/dL would be plausible" in found[0].sentence


def test_a_panel_in_the_wrong_unit_is_one_suspicion_that_names_its_columns():
    wrong = dict.fromkeys(MEDIANS, "ng/mL") | UNITS

    found = check_levels(cohort(levels(), wrong))

    assert codes(found) == [("W341", "IL-6, TNF-α, IL-10, IP-10, sTNFR2")]
    assert "too high" in found[0].sentence
    assert "pg/mL would be plausible" in found[0].sentence


@pytest.mark.parametrize(
    ("one", "other"), [("IL-6", "IP-10"), ("TNF-α", "sTNFR2"), ("IL-10", "IP-10")]
)
def test_two_swapped_columns_are_named_and_nothing_else(one, other):
    found = check_levels(cohort(levels().rename(columns={one: other, other: one})))

    assert [suspicion.code for suspicion in found] == ["W342"]
    assert set(found[0].analyte.split(", ")) == {one, other}
    assert repr(one) in found[0].sentence
    assert repr(other) in found[0].sentence


def test_two_pairs_of_swapped_columns_are_told_apart():
    names = {"IL-6": "IP-10", "IP-10": "IL-6", "TNF-α": "sTNFR2", "sTNFR2": "TNF-α"}

    found = check_levels(cohort(levels().rename(columns=names)))

    assert {frozenset(item.analyte.split(", ")) for item in found} == {
        frozenset({"IL-6", "IP-10"}),
        frozenset({"TNF-α", "sTNFR2"}),
    }


def test_a_level_that_no_unit_explains_is_still_named():
    found = check_levels(cohort(levels({"IL-6": 1e15})))

    assert codes(found) == [("W341", "IL-6")]
    assert "no usual unit would be plausible" in found[0].sentence


def test_serum_and_plasma_have_ranges_of_their_own_where_clotting_sets_an_analyte_free():
    # Platelet-free plasma has less than 1.7 ng/mL of TGF-β1 (PMC2721365), serum about 20.
    table = levels({"TGF-β1": 300.0})

    assert check_levels(cohort(table, matrices={"TGF-β1": "EDTA plasma"})) == []
    assert codes(check_levels(cohort(table, matrices={"TGF-β1": "serum"}))) == [("W341", "TGF-β1")]
    assert plausible_range("IL-6", "serum") == plausible_range("IL-6", "plasma")


def test_bead_assays_may_report_far_more_than_ultrasensitive_ones():
    # Medians of 18 pairs of samples on Luminex: IL-4 141, IFN-γ 166, IL-12p70 29, IL-10 32,
    # IL-6 29, IL-2 19, IL-13 33, IL-8 13 pg/mL, CRP 22 mg/L (BMC Res Notes 2010;3:302, table 2,
    # doi:10.1186/1756-0500-3-302).
    medians = {"IL-4": 141, "IFN-γ": 166, "IL-12p70": 29, "IL-10": 32, "IL-6": 29, "IL-2": 19,
               "IL-13": 33, "IL-8": 13, "CRP": 22}  # fmt: skip

    assert check_levels(cohort(levels(medians))) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"table": levels({"IL-6": 1200.0}), "scale": "log2"},
        {"table": levels({"IL-6": 1200.0}), "units": {"IL-6": "IU/mL"}},
        {"table": levels({"IL-6": 1200.0}), "units": {"IL-6": "pmol/L"}},
        {"table": levels({"IL-6": 1200.0}), "matrices": {"IL-6": "CSF"}},
        {"table": levels({"IL-99": 1200.0})},
        {"table": levels({"IL-6": 1200.0}, n=4)},
    ],
)
def test_what_cannot_be_judged_is_left_alone(changes):
    assert check_levels(cohort(**changes)) == []


def test_a_median_below_detection_is_not_judged():
    table = levels({"IL-6": 1e-6}).assign(**{"IL-6__below": True})
    made = Cohort(table.assign(y=1.0), [Analyte("IL-6", "pg/mL")], LabelOutcome("y", "responded"),
                  DatasetCard("c"))  # fmt: skip

    assert check_levels(made) == []


def test_concentrations_without_a_unit_are_named():
    found = check_levels(cohort(levels(), dict.fromkeys(MEDIANS, "") | UNITS))

    assert codes(found) == [("W343", "IL-6, TNF-α, IL-10, IP-10, sTNFR2")]


def test_mixed_matrices_are_named():
    found = check_levels(cohort(levels(), matrices={"IL-6": "EDTA plasma / serum"}))

    assert codes(found) == [("W344", "IL-6")]
    assert "plasma and serum are mixed" in found[0].sentence


def test_two_anticoagulants_are_one_matrix():
    matrices = {"IL-6": "EDTA plasma / heparin plasma"}

    assert check_levels(cohort(levels(), matrices=matrices)) == []


def test_a_logarithmic_unit_on_a_linear_scale_is_named():
    found = check_levels(cohort(levels({"IL-6": 4.0}), {"IL-6": "NPX"}))

    assert codes(found) == [("W345", "IL-6")]


@given(st.sampled_from(sorted(SYNONYMS)), st.sampled_from(["serum", "plasma", ""]))
def test_the_range_of_every_standard_analyte_is_broad_and_holds_for_any_matrix(name, matrix):
    low, high = plausible_range(name, matrix)
    unknown = plausible_range(name)

    assert high / low > 800
    assert unknown[0] <= low <= high <= unknown[1]


def test_the_usual_medians_are_those_that_simulations_are_drawn_around():
    assert {marker.name for marker in MARKERS} == set(plausible.MEDIANS) == set(SYNONYMS)
    for marker in MARKERS:
        here = marker.median * conversion_factor(marker.unit, "pg/mL")
        assert here == pytest.approx(plausible.MEDIANS[marker.name], rel=0.25), marker.name


def test_a_suspicion_reads_with_its_code_first():
    assert str(Suspicion("W341", "IL-6", "too high")) == "[W341] too high"


# Through the reader: the note stands in the cohort.


def test_a_wrong_unit_is_a_note_of_the_cohort(load):
    cohort = load(levels({"IL-6": 1.2, "TNF-a": 2.2}), unit="ng/mL")

    assert [note for note in cohort.notes if note.startswith("[W")] == [
        "[W341] IL-6, TNF-a: medians of 1.2 to 2.2 ng/mL, too high for blood; pg/mL would be "
        "plausible: check the declared unit"
    ]


def test_swapped_columns_are_a_note_of_the_cohort(load):
    cohort = load(levels({"IP10": 1.2, "IL6": 250.0}))

    assert [note for note in cohort.notes if note.startswith("[W")] == [
        "[W342] columns 'IP10' and 'IL6' look swapped: medians of 1.2 pg/mL and 250 pg/mL are odd "
        "in blood, the other way round both would be usual"
    ]


def test_a_missing_unit_is_a_note_of_the_cohort(load):
    notes = load(levels({"IL-6": 1.2}), unit="").notes

    assert [note for note in notes if "W343" in note and "IL-6" in note]


def test_levels_are_judged_after_the_conversion(load):
    right = load(levels({"IL-6": 0.0012}), unit="ng/mL", convert="pg/mL")
    wrong = load(levels({"IL-6": 1.2}), unit="ng/mL", convert="pg/mL")

    assert not [note for note in right.notes if note.startswith("[W")]
    assert [
        note for note in wrong.notes if note.startswith("[W341] IL-6: a median of 1.2e+03 pg/mL")
    ]


# On the real tables: nothing where the unit is declared.


def real(name, folder):
    return load_table(compose_jobs([f"dataset={name}", "model=prior"])[0]["dataset"],
                      folders=[folder])  # fmt: skip


REAL = ["psoriasis_hads", "mrsa_serum", "mrsa_plasma", "mg_steroid", "mg_prognosis",
        "postcovid_olink", "cytomod_flu", "nhanes_phq9", "liver_cirrhosis"]  # fmt: skip


@pytest.mark.data
@pytest.mark.parametrize("name", REAL)
def test_no_false_alarm_on_the_real_tables(data_folder, name):
    assert check_levels(real(name, data_folder)) == []


@pytest.mark.data
def test_the_table_whose_source_states_no_unit_is_told_so(data_folder):
    found = check_levels(real("scz_twosite", data_folder))

    assert [suspicion.code for suspicion in found] == ["W343"]


@pytest.mark.data
@pytest.mark.parametrize("name", ["mrsa_serum", "mg_steroid", "cytomod_flu", "liver_cirrhosis"])
@pytest.mark.parametrize("unit", ["ng/mL", "fg/mL"])
def test_a_real_panel_under_a_wrong_unit_is_noticed(data_folder, name, unit):
    config = compose_jobs([f"dataset={name}", "model=prior"])[0]["dataset"]
    config = {**config, "analytes": {**config["analytes"], "unit": unit}}

    found = check_levels(load_table(config, folders=[data_folder]))

    assert found
    assert {suspicion.code for suspicion in found} == {"W341"}
    assert all("pg/mL would be plausible" in suspicion.sentence for suspicion in found)
