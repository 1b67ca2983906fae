"""Bring your own table: what the YAML can say, and what a bad table is told."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from cytobench import DataError
from cytobench.core.errors import SplitError
from cytobench.data.table import load_table
from cytobench.data.target import Task, build_target

ROWS = [
    "id,site,drug,age,sex,IL-6,CRP,before,after",
    "p1,Bonn,A,30,f,1.5,0.7,20,8",
    "p2,Bonn,A,40,m,<0.5,3.1,22,20",
    "p3,Bonn,B,50,f,2.5,NA,24,5",
    "p4,Ulm,B,,m,*9.1,12,18,18",
    "p5,Ulm,A,60,f,0.9,1.1,25,",
    "p6,Ulm,B,35,m,1.1,0.2,21,10",
]
YAML = """
name: trial
source: {file: trial.csv}
patient: id
analytes:
  columns: [IL-6, CRP]
  unit: pg/mL
  each: {CRP: {unit: mg/L}}
covariates: [age, sex]
arm: drug
site: site
outcome: {scale: HAM-D17, baseline: before, endpoint: after, week: 8}
checks: {minimum_arm: 2}
"""


@pytest.fixture
def load(tmp_path):
    """``load(rows, yaml text)`` writes the table and reads it as the YAML says."""

    def run(rows=ROWS, text=YAML, **changes):
        (tmp_path / "trial.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        return load_table({**yaml.safe_load(text), **changes}, folders=[tmp_path])

    return run


def replaced(old, new):
    """The table with one cell changed."""
    changed = [row.replace(old, new) for row in ROWS]
    assert changed != ROWS
    return changed


def test_a_short_yaml_makes_a_cohort(load):
    cohort = load()

    assert cohort.patients == ["p1", "p2", "p3", "p4", "p5", "p6"]
    assert [(a.name, a.unit) for a in cohort.panel] == [("IL-6", "pg/mL"), ("CRP", "mg/L")]
    assert cohort.column("IL-6").tolist() == [1.5, 0.5, 2.5, 9.1, 0.9, 1.1]
    assert cohort.column("IL-6__below").tolist() == [False, True, False, False, False, False]
    assert np.isnan(cohort.column("CRP")["p3"])
    assert cohort.column("sex").tolist() == ["f", "m"] * 3
    assert cohort.labels("arm") == ["A", "A", "B", "B", "A", "B"]
    y = build_target(cohort, Task("response", "classification")).y
    np.testing.assert_array_equal(y, [1, 0, 1, 0, np.nan, 1])


def test_the_endpoint_is_never_among_the_features(load):
    assert list(load().baseline().columns) == [
        "IL-6", "CRP", "IL-6__below", "age", "sex", "HAM-D17 before", "arm",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("suffix", "write"),
    [
        (".tsv", lambda frame, path: frame.to_csv(path, sep="\t", index=False)),
        (".txt", lambda frame, path: frame.to_csv(path, sep=";", index=False)),
        (".xlsx", lambda frame, path: frame.to_excel(path, index=False)),
        (".parquet", lambda frame, path: frame.to_parquet(path)),
    ],
)
def test_every_format_gives_the_same_cohort(load, tmp_path, suffix, write):
    frame = pd.DataFrame([row.split(",") for row in ROWS[1:]], columns=ROWS[0].split(","))
    write(frame, tmp_path / f"trial{suffix}")

    cohort = load(source={"file": f"trial{suffix}"})

    assert cohort.fingerprint == load().fingerprint


def test_typed_spreadsheet_cells_keep_every_digit(load, tmp_path):
    values = [0.1, 1 / 3, 5.239999999999999]
    frame = pd.DataFrame({"IL-6": values, "y": [True, False, True]})
    frame.to_excel(tmp_path / "typed.xlsx", index=False)
    text = """
    name: typed
    source: {file: typed.xlsx}
    analytes: {columns: [IL-6]}
    outcome: {label: y, positive: [true], negative: [false]}
    """

    cohort = load(text=text)

    assert cohort.column("IL-6").tolist() == values
    assert cohort.patients == ["row-1", "row-2", "row-3"]


def test_decimal_commas_and_own_words_for_missing(load):
    rows = [row.replace(",", ";").replace(".", ",") for row in ROWS]
    rows = [row.replace("NA", "not done") for row in rows]

    cohort = load(rows, decimal=",", missing=["not done"])

    assert cohort.column("IL-6").tolist() == load().column("IL-6").tolist()
    assert np.isnan(cohort.column("CRP")["p3"])


def test_tables_are_joined_and_who_has_no_partner_is_counted(load, tmp_path):
    (tmp_path / "age.csv").write_text("id,years\np1,30\np2,40\np3,50\np4,41\np5,60\np9,1\n")
    source = {"join": [{"file": "trial.csv", "drop": ["age"]}, {"file": "age.csv"}], "by": "id"}

    cohort = load(source=source, covariates={"age": "years"})

    assert cohort.column("age").tolist() == [30, 40, 50, 41, 60]
    assert "1 of 6 rows of trial.csv have no partner in the join" in cohort.notes
    assert "1 of 6 rows of age.csv have no partner in the join" in cohort.notes


def test_files_of_two_sites_are_stacked_under_common_names(load, tmp_path):
    (tmp_path / "ulm.csv").write_text("id,age,Il6,y\na,30,3,1\nb,40,4,0\n")
    (tmp_path / "bonn.csv").write_text("id,age,IL-6,y\na,50,1,0\nb,60,2,1\n")
    text = """
    name: two
    source:
      stack:
        - {file: ulm.csv, rename: {Il6: IL-6}, constant: {site: Ulm}}
        - {file: bonn.csv, constant: {site: Bonn}}
    patient: [site, id]
    analytes: {columns: [IL-6]}
    site: site
    outcome: {label: y, positive: [1]}
    """

    cohort = load(text=text)

    assert cohort.patients == ["Ulm-a", "Ulm-b", "Bonn-a", "Bonn-b"]
    assert cohort.column("IL-6").tolist() == [3, 4, 1, 2]


def test_rows_are_chosen_and_what_was_left_out_is_said(load):
    source = {"file": "trial.csv", "rows": [{"column": "CRP", "max": 10}]}

    cohort = load(source=source, checks={"minimum_arm": 1})

    assert cohort.patients == ["p1", "p2", "p5", "p6"]
    assert "2 of 6 rows left out: 'CRP' is missing or above 10" in cohort.notes


def test_a_zero_can_mean_not_detected(load):
    rows = replaced("p6,Ulm,B,35,m,1.1", "p6,Ulm,B,35,m,0")
    analytes = {"columns": ["IL-6"], "nondetect": "zero"}

    without = load(rows, analytes=analytes)
    with_limit = load(rows, analytes={**analytes, "llod": 0.4})

    assert (without.column("IL-6")["p6"], without.column("IL-6__below")["p6"]) == (0, True)
    assert (with_limit.column("IL-6")["p6"], with_limit.column("IL-6__below")["p6"]) == (0.4, True)


def test_a_repeated_smallest_value_of_a_batch_is_its_floor(load, tmp_path):
    rows = ["batch,IL-6,y", *(f"1,0.2,{i % 2}" for i in range(3)), "1,5,1", "2,0.3,0", "2,7,1"]
    text = """
    name: floors
    source: {file: trial.csv}
    analytes: {columns: [IL-6], nondetect: floor, floor_by: [batch]}
    outcome: {label: y, positive: [1]}
    """

    flags = load(rows, text).column("IL-6__below").tolist()

    # 0.3 is the smallest of batch 2, but it does not repeat: a measured value.
    assert flags == [True, True, True, False, False, False]


def test_limits_may_come_from_a_table_and_differ_by_plate(load, tmp_path):
    (tmp_path / "lod.csv").write_text("assay,plate,lod\nIL-6,Bonn,1\nIL-6,Ulm,2\n")
    llod = {"file": "lod.csv", "analyte": "assay", "value": "lod", "match": {"plate": "site"}}
    analytes = {"columns": ["IL-6"], "llod": llod}
    rows = replaced("<0.5", "0.6")

    limited = load(rows, analytes=analytes)
    kept = load(rows, analytes={**analytes, "below_limit": "keep"})

    assert limited.column("IL-6").tolist() == [1.5, 1.0, 2.5, 9.1, 2.0, 2.0]
    assert kept.column("IL-6").tolist() == [1.5, 0.6, 2.5, 9.1, 0.9, 1.1]
    assert kept.column("IL-6__below").tolist() == limited.column("IL-6__below").tolist()


def test_saturated_values_are_flagged(load):
    cohort = load(analytes={"columns": ["IL-6"], "uloq": 5.0})

    assert cohort.column("IL-6")["p4"] == 5.0
    assert cohort.column("IL-6__above").tolist() == [False, False, False, True, False, False]


def test_codes_get_names_and_a_minimum_severity_leaves_patients_out(load):
    rows = [row.replace(",f,", ",1,").replace(",m,", ",2,") for row in ROWS]
    outcome = {
        "scale": "HAM-D17",
        "baseline": "before",
        "endpoint": "after",
        "minimum_baseline": 20,
    }

    cohort = load(
        rows, covariates={"sex": {"column": "sex", "map": {1: "f", 2: "m"}}}, outcome=outcome
    )

    assert cohort.column("sex").tolist() == ["f", "m", "f", "f", "m"]
    assert "1 of 6 patients left out: 'before' is missing or below 20" in cohort.notes


BAD = {
    "missing column": ({"covariates": ["agee"]}, ROWS, "E312", ["trial.csv", "mean 'age'"]),
    "text in a number": ({}, replaced("2.5", "high"), "E313", ["line 4", "'IL-6'", "'high'"]),
    "negative": ({}, replaced("2.5", "-2.5"), "E314", ["line 4", "'IL-6'", "-2.5", "log2"]),
    "duplicate": ({}, replaced("p4", "p2"), "E315", ["line 5", "at trial.csv, line 3"]),
    "no identifier": ({}, replaced("p4", ""), "E315", ["line 5", "'id'"]),
    "mixed units": (
        {},
        replaced("1.5,0.7", "1.5 pg/mL,0.7")[:3] + replaced("2.5", "0.2 ng/mL")[3:],
        "E316",
        ["line 4", "'ng/mL'", "'pg/mL'"],
    ),
    "another unit than declared": (
        {}, replaced("1.5,0.7", "1.5 ng/mL,0.7"), "E316", ["line 2", "'ng/mL'", "'pg/mL'"],
    ),
    "unit column": (
        {"analytes": {"columns": ["IL-6"], "unit_column": "sex"}, "covariates": []},
        ROWS,
        "E316",
        ["line 3", "'m'", "'f'"],
    ),
    "no limit": ({}, replaced("<0.5", "OOR <"), "E317", ["line 3", "'IL-6'", "llod"]),
    "small arm": ({"checks": {"minimum_arm": 4}}, ROWS, "E320", ["'drug'", "A: 3, B: 3"]),
    "missing arm": ({}, replaced("p4,Ulm,B", "p4,Ulm,"), "E324", ["line 5", "'drug'"]),
    "end before start": (
        {
            "outcome": {
                "scale": "HAM-D17", "baseline": "before", "endpoint": "after",
                "baseline_date": "age", "endpoint_date": "CRP",
            },
            "covariates": [], "analytes": {"columns": ["IL-6"]},
        },
        ROWS,
        "E321",
        ["line 2", "0.7", "30"],
    ),
    "typo in the yaml": ({"covariate": ["age"]}, ROWS, "E322", ["did you mean 'covariates'"]),
    "leak": ({"covariates": ["after"]}, ROWS, "E326", ["'after'", "covariate", "endpoint"]),
    "nothing left": (
        {"source": {"file": "trial.csv", "rows": [{"column": "age", "min": 99}]}},
        ROWS,
        "E325",
        ["'age' is missing or below 99"],
    ),
    "no such file": ({"source": {"file": "x.csv"}}, ROWS, "E310", ["looked", "CYTOBENCH_DATA"]),
    "ragged": ({}, [*ROWS, "p7,Ulm"], "E311", ["line 8", "has 2 cells, the header has 9"]),
    "negative score": ({}, replaced("24,5", "24,-5"), "E314", ["line 4", "'after'"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_gets_a_code_a_place_and_advice(load, name):
    changes, rows, code, said = BAD[name]

    with pytest.raises(DataError) as caught:
        load(rows, **changes)

    text = str(caught.value)
    assert text.startswith(f"[{code}]")
    for part in said:
        assert part in text


LABELLED = """
name: labelled
source: {file: trial.csv}
patient: id
analytes: {columns: [IL-6]}
outcome: {label: drug, positive: [A], negative: [B]}
"""


def test_a_label_that_is_neither_positive_nor_negative_is_refused(load):
    with pytest.raises(DataError, match=r"E318.*line 5, column 'drug'.*'b' is neither"):
        load(replaced("p4,Ulm,B", "p4,Ulm,b"), LABELLED)


def test_a_constant_label_is_refused(load):
    with pytest.raises(DataError, match=r"E319.*trial\.csv.*positive for all 6 patients"):
        load([row.replace(",B,", ",A,") for row in ROWS], LABELLED)


def test_scores_that_make_a_constant_outcome_are_refused_by_the_task(load):
    rows = [row.rpartition(",")[0] + ",1" if row[0] == "p" else row for row in ROWS]

    with pytest.raises(SplitError, match=r"E402.*response is 1 for all 6 patients"):
        build_target(load(rows), Task("response", "classification"))


def test_a_join_that_is_not_one_to_one_names_both_rows(load, tmp_path):
    (tmp_path / "age.csv").write_text("id,years\np1,30\np1,31\n")
    source = {"join": [{"file": "trial.csv"}, {"file": "age.csv"}], "by": "id"}

    with pytest.raises(DataError, match=r"E323.*age\.csv, line 2.*patient is there twice.*line 3"):
        load(source=source)


def test_a_sheet_that_does_not_exist_lists_the_sheets(load, tmp_path):
    pd.DataFrame({"a": [1]}).to_excel(tmp_path / "t.xlsx", sheet_name="Data", index=False)

    with pytest.raises(DataError, match=r"E311(.|\n)*did you mean 'Data'"):
        load(source={"file": "t.xlsx", "sheet": "Dta"})


def test_the_example_of_the_documentation_loads(tmp_path):
    page = Path(__file__).parents[2] / "docs" / "bring-your-own-table.md"
    text = page.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    draw = np.random.default_rng(0)
    numbers = ["IL-6", "IL-10", "TNF-a", "CRP", "age", "bmi", "hamd_week0", "hamd_week8"]
    frame = pd.DataFrame({name: draw.uniform(1, 30, 24).round(2) for name in numbers})
    frame["id"] = range(24)
    frame["sex"], frame["treatment"], frame["centre"] = "f", ["A", "B"] * 12, "Bonn"
    frame.to_csv(tmp_path / "my_trial.csv", index=False)

    cohort = load_table(yaml.safe_load(text), folders=[tmp_path])

    assert cohort.analytes == ("IL-6", "IL-10", "TNF-a", "CRP")
    assert cohort.panel[-1].unit == "mg/L"


def suspicions(cohort):
    return [note for note in cohort.notes if note.startswith("[W")]


def test_levels_that_their_unit_allows_raise_no_suspicion(load):
    assert suspicions(load()) == []


def test_a_wrong_unit_is_a_warning_that_names_column_and_unit(load):
    cohort = load(analytes={"columns": ["IL-6", "CRP"], "unit": "ng/mL"})

    assert len(suspicions(cohort)) == 2
    assert "[W341] IL-6: a median of 1.3 ng/mL, too high for blood; pg/mL would be" in str(
        suspicions(cohort)
    )
    assert "[W341] CRP: a median of 1.1 ng/mL, too low for blood; mg/L would be" in str(
        suspicions(cohort)
    )


def test_swapped_columns_are_a_warning_that_names_both(load):
    rows = [row.replace("IL-6", "IP-10").replace("CRP", "IL-6") for row in ROWS]
    rows = [rows[0]] + [
        ",".join([*cells[:6], str(200 + row), *cells[7:]])
        for row, cells in enumerate(row.split(",") for row in rows[1:])
    ]

    cohort = load(rows, analytes={"columns": ["IP-10", "IL-6"], "unit": "pg/mL"})

    (note,) = suspicions(cohort)
    assert note.startswith("[W342] columns 'IP-10' and 'IL-6' look swapped")


def test_a_table_in_several_units_says_how_to_make_them_one(load):
    rows = replaced("2.5", "0.0025 ng/mL")

    with pytest.raises(DataError, match="E316") as caught:
        load(rows)

    assert "`convert:`" in str(caught.value)
    converted = load(rows, analytes={"columns": ["IL-6"], "unit": "pg/mL", "convert": "pg/mL"})
    assert converted.column("IL-6").tolist() == load().column("IL-6").tolist()
    assert "IL-6: converted to pg/mL (rows: 5 in pg/mL, 1 in ng/mL)" in converted.notes
