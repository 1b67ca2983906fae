"""Units: the factor between two, and tables whose columns, rows or headers state them."""

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cytobench import DataError
from cytobench.data.table import load_table
from cytobench.data.units import (
    conversion_factor,
    equal_units,
    is_concentration,
    is_mass,
    unit_in_header,
)

MASSES = ["ag/mL", "fg/mL", "pg/mL", "ng/L", "ng/mL", "µg/mL", "mg/L", "mg/dL", "g/L", "kg/L"]
AMOUNTS = ["pmol/L", "nM", "µmol/mL", "mM", "mol/L"]
TABLE = """id,unit,IL-6,CRP,response
p1,pg/mL,1.5,0.7,1
p2,pg/mL,<0.5,3.1,0
p3,ng/mL,0.0025,1.2,1
p4,ng/mL,0.0031,12,0
p5,pg/mL,0.9,1.1,1
p6,pg/mL,1.1,0.2,0
"""
YAML = """
name: trial
source: {file: trial.csv}
patient: id
outcome: {label: response, positive: [1]}
"""


@pytest.fixture
def load(tmp_path):
    """``load(analytes, table)`` reads a table with these analytes."""

    def run(analytes, table=TABLE):
        (tmp_path / "trial.csv").write_text(table, encoding="utf-8")
        config = {**yaml.safe_load(YAML), "analytes": analytes}
        return load_table(config, folders=[tmp_path])

    return run


@pytest.mark.parametrize(
    ("unit", "target", "factor"),
    [
        # By definition of the prefixes (SI brochure, 9th edition, table 7).
        ("ng/mL", "pg/mL", 1e3),
        ("pg/mL", "ng/L", 1.0),
        ("mg/L", "pg/mL", 1e6),
        ("mg/dL", "mg/L", 10.0),
        ("µg/mL", "mg/L", 1.0),
        ("fg/mL", "pg/mL", 1e-3),
        ("g/L", "mg/mL", 1.0),
        ("nM", "pmol/L", 1e3),
        ("mol/L", "mM", 1e3),
    ],
)
def test_a_factor_between_two_units(unit, target, factor):
    assert conversion_factor(unit, target) == pytest.approx(factor, rel=1e-12)


@pytest.mark.parametrize(
    "spelling",
    ["µg/mL", "\u03bcg/mL", "ug/ml", "mcg/mL", "UG/ML", " ug / mL ", "µg mL⁻¹", "µg·mL^-1",
     "ug per mL", "mg/L"],
)  # fmt: skip
def test_every_spelling_of_a_unit_is_understood(spelling):
    assert conversion_factor(spelling, "µg/mL") == pytest.approx(1.0)
    assert equal_units(spelling, "µg/mL")


def test_mass_and_amount_are_related_by_the_molar_mass():
    # CRP is a pentamer of about 115 kDa (UniProt P02741): 1 mg/L is 8.7 nmol/L.
    assert conversion_factor("mg/L", "nmol/L", 115e3) == pytest.approx(8.6957, rel=1e-4)
    assert conversion_factor("nmol/L", "mg/L", 115e3) == pytest.approx(0.115)


@pytest.mark.parametrize("mass", [None, 0, -1, float("nan")])
def test_without_a_molar_mass_nobody_can_tell(mass):
    with pytest.raises(DataError, match="molar mass") as caught:
        conversion_factor("mg/L", "nmol/L", mass)

    assert caught.value.code == "E341"


@pytest.mark.parametrize(
    "unit",
    ["IU/mL", "U/L", "NPX", "MFI", "RFU", "AU", "%", "ratio", "", "g", "pg", "MM", "M/L", "mg/kg",
     "pg/mouse", "mL/pg", "log2 pg/mL"],
)  # fmt: skip
def test_what_is_no_concentration_is_refused_with_the_reason(unit):
    assert not is_concentration(unit)
    with pytest.raises(DataError, match="no ratio to a mass") as caught:
        conversion_factor(unit, "pg/mL")

    assert caught.value.code == "E340"


def test_masses_and_amounts_are_told_apart():
    assert all(map(is_mass, MASSES))
    assert not any(map(is_mass, AMOUNTS))
    assert all(map(is_concentration, AMOUNTS))


@given(st.sampled_from(MASSES + AMOUNTS), st.sampled_from(MASSES + AMOUNTS), st.floats(1.0, 1e6))
def test_there_and_back_is_the_identity(one, other, mass):
    factor = conversion_factor(one, other, mass) * conversion_factor(other, one, mass)

    assert factor == pytest.approx(1.0)


@given(*[st.sampled_from(MASSES)] * 3)
def test_a_detour_makes_no_difference(one, other, third):
    detour = conversion_factor(one, other) * conversion_factor(other, third)

    assert detour == pytest.approx(conversion_factor(one, third))


@given(st.text(max_size=8))
def test_no_text_breaks_the_units(text):
    assert is_concentration(text) or not is_mass(text)


@pytest.mark.parametrize(
    ("header", "unit"),
    [("IL-6 (pg/mL)", "pg/mL"), ("CRP [mg / L]", "mg / L"), ("NLR (Baseline)", ""), ("IL-6", ""),
     ("IL-12 (p70)", ""), ("IL-6 (IU/mL)", ""), ("sex (M)", "")],
)  # fmt: skip
def test_a_header_may_state_the_unit(header, unit):
    assert unit_in_header(header) == unit


def test_values_limits_and_the_declared_unit_are_converted_and_noted(load):
    analytes = {"columns": ["IL-6"], "unit": "ng/mL", "llod": 0.001, "uloq": 5, "convert": "pg/mL"}
    table = TABLE.replace("<0.5", "OOR <").replace("1.5,", "9,")

    cohort = load(analytes, table)

    panel = cohort.panel[0]
    assert (panel.unit, panel.llod, panel.uloq) == ("pg/mL", 1.0, 5000.0)
    assert cohort.column("IL-6")[["p1", "p2", "p3"]].tolist() == [5000.0, 1.0, 2.5]
    assert cohort.column("IL-6__below").tolist() == [False, True, False, False, False, False]
    assert cohort.column("IL-6__above").tolist() == [True, False, False, False, False, False]
    assert "IL-6: converted from ng/mL to pg/mL" in cohort.notes


def test_one_analyte_may_be_converted_and_the_others_stay(load):
    each = {"CRP": {"unit": "mg/L", "convert": "mg/dL"}}

    cohort = load({"columns": ["IL-6", "CRP"], "unit": "pg/mL", "each": each})
    same = load(
        {"columns": ["IL-6", "CRP"], "unit": "pg/mL", "each": {"CRP": {"unit": "mg/L"}},
         "convert": {"CRP": "mg/dL"}}
    )  # fmt: skip

    assert [analyte.unit for analyte in cohort.panel] == ["pg/mL", "mg/dL"]
    np.testing.assert_allclose(cohort.column("CRP"), [0.07, 0.31, 0.12, 1.2, 0.11, 0.02])
    assert cohort.column("IL-6")["p1"] == 1.5
    assert cohort.fingerprint == same.fingerprint


def test_an_amount_becomes_a_mass_by_the_molar_mass(load):
    each = {"CRP": {"unit": "nmol/L", "convert": "mg/L", "molar_mass": 115_000}}

    cohort = load({"columns": ["CRP"], "each": each})

    assert cohort.column("CRP")["p4"] == pytest.approx(12 * 0.115)


def test_nothing_is_said_where_nothing_changes(load):
    cohort = load({"columns": ["IL-6"], "unit": "ng/L", "convert": "pg/mL"})

    assert cohort.panel[0].unit == "pg/mL"
    assert cohort.column("IL-6")["p1"] == 1.5
    assert not [note for note in cohort.notes if "converted" in note]


def test_rows_of_different_units_are_converted_each_by_its_own(load):
    analytes = {"columns": ["IL-6"], "unit_column": "unit", "convert": "pg/mL"}

    cohort = load(analytes)

    np.testing.assert_allclose(cohort.column("IL-6"), [1.5, 0.5, 2.5, 3.1, 0.9, 1.1])
    assert cohort.column("IL-6__below").tolist() == [False, True, False, False, False, False]
    assert "IL-6: converted to pg/mL (rows: 4 in pg/mL, 2 in ng/mL)" in cohort.notes


def test_a_unit_in_a_cell_goes_before_the_declared_one(load):
    table = TABLE.replace("1.5,", "0.0015 ng/mL,").replace("<0.5", "<0.0005 ng/mL")
    table = table.replace("0.0025", "2.5").replace("0.0031", "3.1")

    cohort = load({"columns": ["IL-6"], "unit": "pg/mL", "llod": 0.2, "convert": "pg/mL"}, table)

    np.testing.assert_allclose(cohort.column("IL-6"), [1.5, 0.5, 2.5, 3.1, 0.9, 1.1])
    assert cohort.panel[0].llod == 0.2


def test_a_header_s_unit_is_the_column_s(load):
    table = TABLE.replace("IL-6", "IL-6 (ng/mL)").replace("<0.5", "0.5")

    kept = load({"columns": ["IL-6 (ng/mL)"]}, table)
    made = load({"columns": ["IL-6 (ng/mL)"], "convert": "pg/mL"}, table)

    assert kept.panel[0].unit == "ng/mL"
    assert made.column("IL-6 (ng/mL)")["p1"] == 1500.0


@pytest.mark.parametrize(
    ("analytes", "change", "code", "said"),
    [
        # A wrong unit is named with its place, whatever states it.
        ({"unit_column": "unit"}, (), "E316",
         ["line 4", "'unit'", "'ng/mL'", "'pg/mL'", "convert"]),
        ({"unit": "pg/mL"}, ("IL-6", "IL-6 (ng/mL)"), "E316",
         ["'IL-6 (ng/mL)'", "header says 'ng/mL'", "declared is 'pg/mL'"]),
        ({"unit": "pg/mL"}, ("1.5,", "1.5 ng/mL,"), "E316", ["line 2", "'IL-6'", "'ng/mL'"]),
        ({"unit": "NPX", "convert": "pg/mL"}, (), "E340", ["line 2", "'IL-6'", "'NPX'", "ratio"]),
        ({"unit": "pg/mL", "convert": "MFI"}, (), "E340", ["'MFI'", "ratio"]),
        ({"unit": "pg/mL", "convert": "pg/mL"}, ("1.5,", "1.5 IU/mL,"), "E340", ["'IU/mL'"]),
        ({"unit": "pmol/L", "convert": "pg/mL"}, (), "E341", ["line 2", "'IL-6'", "molar_mass"]),
        ({"convert": "pg/mL"}, (), "E316", ["line 2", "'IL-6'", "no unit", "`unit:`"]),
        ({"unit_column": "unit", "convert": "pg/mL", "llod": 0.5}, (), "E343",
         ["pg/mL, ng/mL", "'IL-6'", "`unit:`"]),
        ({"unit": "pg/mL", "scale": "log2", "convert": "ng/mL"}, (), "E340", ["log2", "'IL-6'"]),
        ({"unit": "pg/mL", "convert": {"IL6": "ng/mL"}}, (), "E322", ["mean 'IL-6"]),
    ],
)  # fmt: skip
def test_a_unit_that_cannot_be_meant_gets_a_code_and_a_place(load, analytes, change, code, said):
    table = TABLE.replace(*change) if change else TABLE
    header = table.splitlines()[0].split(",")[2]

    with pytest.raises(DataError) as caught:
        load({"columns": [header], **analytes}, table)

    text = str(caught.value)
    assert text.startswith(f"[{code}]")
    for part in said:
        assert part in text


def test_equal_units_of_different_spelling_are_no_mixture(load):
    table = TABLE.replace("p3,ng/mL", "p3,ng/L").replace("p4,ng/mL", "p4,ng/L")

    assert load({"columns": ["IL-6"], "unit_column": "unit"}, table).panel[0].unit == "pg/mL"


def test_a_row_that_states_no_unit_is_in_the_declared_one_or_refused(load):
    table = TABLE.replace("p5,pg/mL", "p5,").replace("p3,ng/mL", "p3,pg/mL")
    table = table.replace("p4,ng/mL", "p4,pg/mL")
    analytes = {"columns": ["IL-6"], "unit_column": "unit"}

    assert load({**analytes, "unit": "pg/mL"}, table).panel[0].unit == "pg/mL"
    for more in ({}, {"convert": "ng/mL"}):
        with pytest.raises(DataError, match=r"E316.*line 6"):
            load({**analytes, **more}, table)


def test_an_analyte_s_own_unit_is_not_that_of_the_unit_column(load):
    analytes = {
        "columns": ["IL-6", "CRP"], "unit_column": "unit", "convert": "pg/mL",
        "each": {"CRP": {"unit": "mg/L", "convert": "mg/L"}},
    }  # fmt: skip

    cohort = load(analytes)

    assert [analyte.unit for analyte in cohort.panel] == ["pg/mL", "mg/L"]
    assert cohort.column("CRP").tolist() == [0.7, 3.1, 1.2, 12, 1.1, 0.2]


@given(values=st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=6), data=st.data())
def test_writing_rows_in_any_unit_and_converting_is_the_identity(tmp_path_factory, values, data):
    units = data.draw(st.lists(st.sampled_from(MASSES), min_size=len(values),
                               max_size=len(values)))  # fmt: skip
    folder = tmp_path_factory.mktemp("units")
    rows = [
        f"{value * conversion_factor('pg/mL', unit)!r},{unit},{row % 2}"
        for row, (value, unit) in enumerate(zip(values, units, strict=True))
    ]
    (folder / "t.csv").write_text("\n".join(["x,unit,y", *rows]), encoding="utf-8")
    analytes = {"columns": ["x"], "unit_column": "unit", "convert": "pg/mL"}
    config = {"name": "t", "source": {"file": "t.csv"}, "analytes": analytes,
              "outcome": {"label": "y", "positive": [1]}}  # fmt: skip

    cohort = load_table(config, folders=[folder])

    np.testing.assert_allclose(cohort.column("x"), values, rtol=1e-12)
