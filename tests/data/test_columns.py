"""Roles: covariates, units, limits and labels; what is refused, and what is said then."""

import numpy as np
import pytest
import yaml

from cytobench import DataError
from cytobench.data.table import load_table

TABLE = """\
id,centre,IL-6,GRO,CRP,age,grade,start,end,part,y
1,A,1.5,9,3,30,1,2024-01-05,2024-03-01,no,yes
2,A,2.5,9,4,31,2,2024-01-06,2024-03-02,no,no
3,A,3.5,9,5,32,2,2024-01-07,2024-03-03,yes,yes
4,B,4.5,5,6,33,3,2024-01-08,2024-03-04,yes,no
"""
YAML = """
name: trial
source: {file: trial.csv}
patient: id
analytes: {columns: [IL-6], unit: pg/mL}
outcome: {label: y, positive: [yes], negative: [no]}
"""


@pytest.fixture
def load(tmp_path):
    """``load(key=value, table=...)`` reads the table with keys of the YAML replaced."""

    def run(table=TABLE, **changes):
        (tmp_path / "trial.csv").write_text(table, encoding="utf-8")
        return load_table({**yaml.safe_load(YAML), **changes}, folders=[tmp_path])

    return run


def test_yes_and_no_label_a_table_although_yaml_takes_them_for_booleans(load):
    assert load().column("label").tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("columns", "chosen"),
    [
        ("IL-6", ("IL-6",)),
        ({"from": "IL-6", "to": "CRP"}, ("IL-6", "GRO", "CRP")),
        (["age", {"from": "IL-6", "to": "GRO"}], ("age", "IL-6", "GRO")),
        (
            {"all_except": ["id", "centre", "grade", "start", "end", "part", "y"]},
            ("IL-6", "GRO", "CRP", "age"),
        ),
    ],
)
def test_analytes_are_named_one_by_one_or_as_ranges(load, columns, chosen):
    assert load(analytes={"columns": columns}).analytes == chosen


def test_a_number_that_is_a_code_can_be_declared_a_category(load):
    cohort = load(covariates={"age": "age", "grade": {"column": "grade", "type": "text"}})

    assert cohort.column("age").tolist() == [30, 31, 32, 33]
    assert cohort.column("grade").tolist() == ["1", "2", "2", "3"]


def test_a_slip_in_a_numeric_covariate_does_not_make_it_a_category(load):
    with pytest.raises(DataError, match=r"E313.*line 3, column 'age'.*'3l'(.|\n)*type: text"):
        load(TABLE.replace("31,2", "3l,2"), covariates=["age"])


def test_a_missing_covariate_is_missing(load):
    table = TABLE.replace(",30,1,", ",,NA,")

    cohort = load(table, covariates={"age": "age", "grade": {"column": "grade", "type": "text"}})

    assert cohort.column("age").isna().tolist() == [True, False, False, False]
    assert cohort.column("grade").isna().tolist() == [True, False, False, False]


def test_a_largest_value_that_repeats_is_saturated_within_its_group(load):
    cohort = load(
        analytes={"columns": ["IL-6", "GRO"], "saturated": "ceiling", "floor_by": ["centre"]}
    )

    # All of centre A's are 9: a constant, and nothing says at which end.
    assert cohort.flags == ()
    varied = TABLE + "5,A,1,8,1,40,1,2024-01-05,2024-03-01,no,no\n"
    cohort = load(varied, analytes={"columns": ["GRO"], "saturated": "ceiling"})
    assert cohort.column("GRO__above").tolist() == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("cell", "analytes", "unit"),
    [
        ("1.5 pg/ml", {"columns": ["IL-6"], "unit": "pg/mL"}, "pg/mL"),
        ("1.5 ng/L", {"columns": ["IL-6"]}, "ng/L"),
        ("1.5", {"columns": ["IL-6"], "unit_column": "grade"}, "mg/L"),
    ],
)
def test_a_unit_is_declared_or_written_in_the_cells_or_in_a_column(load, cell, analytes, unit):
    table = TABLE.replace("1.5", cell)
    for line in ("30,1", "31,2", "32,2", "33,3"):
        table = table.replace(line, line[:3] + "mg/L")

    cohort = load(table, analytes=analytes)

    assert [analyte.unit for analyte in cohort.panel] == [unit]
    assert cohort.column("IL-6").iloc[0] == 1.5


def test_a_word_behind_a_number_is_not_taken_for_a_unit(load):
    with pytest.raises(DataError, match=r"E316.*line 2, column 'IL-6'.*'clotted' is no unit"):
        load(TABLE.replace("1.5", "1.5 clotted"), analytes={"columns": ["IL-6"]})


@pytest.mark.parametrize("holdout", ["part", {"column": "part", "test": ["yes"]}])
def test_the_authors_test_part(load, holdout):
    assert load(holdout=holdout).column("holdout").tolist() == [False, False, True, True]


def test_an_empty_test_part_is_refused(load):
    with pytest.raises(DataError, match=r"E322.*'part'.*no patient is in the test part"):
        load(holdout={"column": "part", "test": ["validation"]})


SCORES = {
    "scale": "PHQ-9",
    "baseline": "age",
    "endpoint": "CRP",
    "baseline_date": "start",
    "endpoint_date": "end",
}


def test_dates_in_order_are_accepted(load):
    assert load(outcome=SCORES).column("PHQ-9 after").tolist() == [3, 4, 5, 6]


def test_an_end_before_the_start_names_both_dates(load):
    with pytest.raises(DataError, match=r"E321.*line 3, column 'end'.*2023-03-02.*2024-01-06"):
        load(TABLE.replace("2024-03-02", "2023-03-02"), outcome=SCORES)


def test_a_date_in_another_style_is_refused_and_not_guessed(load):
    with pytest.raises(DataError, match=r"E327.*line 2, column 'start'.*'05\.01\.2024'"):
        load(TABLE.replace("2024-01-05", "05.01.2024"), outcome=SCORES)


def test_dates_are_not_compared_with_days(load):
    with pytest.raises(DataError, match=r"E327.*one holds dates, one numbers"):
        load(outcome={**SCORES, "endpoint_date": "grade"})


def test_a_score_is_a_plain_number(load):
    with pytest.raises(DataError, match=r"E313.*line 3, column 'age'.*'<31'"):
        load(TABLE.replace("31,2", "<31,2"), outcome=SCORES)


def test_text_in_a_baseline_score_is_not_taken_for_a_mild_case(load):
    with pytest.raises(DataError, match=r"E313.*line 3, column 'age'.*'severe'"):
        load(TABLE.replace("31,2", "severe,2"), outcome={**SCORES, "minimum_baseline": 10})


def test_scores_that_nobody_has_twice_are_refused(load):
    table = TABLE.replace(",30,", ",,").replace(",31,", ",,").replace(",32,", ",,")

    with pytest.raises(DataError, match=r"E319.*trial\.csv.*'age' and 'CRP'.*nobody"):
        load(table.replace(",33,", ",,"), outcome=SCORES)


def test_an_endpoint_that_is_missing_keeps_the_patient(load):
    cohort = load(TABLE.replace(",3,30", ",,30"), outcome=SCORES)

    assert len(cohort) == 4
    assert np.isnan(cohort.column("PHQ-9 after").iloc[0])


def test_a_role_that_one_stacked_file_lacks_is_noted(load, tmp_path):
    (tmp_path / "second.csv").write_text("id,IL-6,y\n5,1,yes\n6,2,no\n")
    source = {"stack": [{"file": "trial.csv"}, {"file": "second.csv"}]}

    cohort = load(source=source, covariates=["age"])

    assert cohort.column("age").isna().sum() == 2
    assert [note for note in cohort.notes if "second.csv" in note] == [
        "covariate 'age' is missing for all rows of second.csv, which has no such column"
    ]


def test_limits_of_one_analyte_go_before_those_of_all(load):
    analytes = {"columns": ["IL-6", "CRP"], "llod": 2, "each": {"CRP": {"llod": 5}}}

    cohort = load(analytes=analytes)

    assert [analyte.llod for analyte in cohort.panel] == [2, 5]
    assert cohort.column("IL-6").tolist() == [2, 2.5, 3.5, 4.5]
    assert cohort.column("CRP__below").tolist() == [True, True, False, False]


def test_out_of_range_takes_the_declared_limits(load):
    table = TABLE.replace("1.5", "OOR <").replace("4.5", "OOR >")

    cohort = load(table, analytes={"columns": ["IL-6"], "llod": 0.1, "uloq": 900})

    assert cohort.column("IL-6").tolist() == [0.1, 2.5, 3.5, 900]
    assert cohort.column("IL-6__below").tolist() == [True, False, False, False]
    assert cohort.column("IL-6__above").tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"analytes": {"unit": "pg/mL"}}, "expected `columns:`"),
        ({"analytes": ["IL-6"]}, "expected `key: value` pairs"),
        ({"analytes": {"columns": ["IL-6"], "scale": "log10"}}, "unknown value 'log10'"),
        ({"analytes": {"columns": ["IL-6"], "nondetect": "zeros"}}, "did you mean 'zero'"),
        ({"analytes": {"columns": ["IL-6"], "llod": {"IL6": 1}}}, "did you mean 'IL-6'"),
        ({"analytes": {"columns": ["IL-6"], "llod": {"IL-6": "low"}}}, "expected a number"),
        ({"analytes": {"columns": ["IL-6"], "each": {"IL-6": {"lod": 1}}}}, "mean 'llod'"),
        ({"analytes": {"columns": {"from": "CRP", "to": "IL-6"}}}, "'IL-6' is before 'CRP'"),
        ({"analytes": {"columns": ["IL-6"], "llod": {"file": "trial.csv"}}}, "expected `value:`"),
        ({"outcome": {"label": "y"}}, "expected `positive:`"),
        ({"outcome": {"scale": "MADRS", "baseline": "age"}}, "expected `endpoint:`"),
        ({"outcome": {**SCORES, "week": "eight"}}, "expected a number, found 'eight'"),
        ({"checks": {"minimum_arms": 3}}, "did you mean 'minimum_arm'"),
        ({"covariates": {"age": {"map": {1: "f"}}}}, "expected `column:`"),
        ({"decimal": ";"}, "unknown value ';'"),
        ({"source": None}, "expected `source:`"),
    ],
)
def test_a_yaml_that_cannot_be_meant_is_refused(load, changes, said):
    with pytest.raises(DataError, match=rf"E322(.|\n)*{said}"):
        load(**changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"analytes": {"columns": ["IL-6", "IL-6"]}}, "would both be 'IL-6'"),
        ({"analytes": {"columns": ["GRO", "CRP"], "rename": {"GRO": "CRP"}}}, "both be 'CRP'"),
        ({"covariates": {"IL-6": "age"}}, "would be called 'IL-6'"),
        ({"covariates": ["y"]}, "as covariate and as outcome"),
    ],
)
def test_a_column_has_one_role_and_a_name_one_column(load, changes, said):
    with pytest.raises(DataError, match=rf"E326.*{said}"):
        load(**changes)


def test_a_label_that_is_both_positive_and_negative_is_refused(load):
    with pytest.raises(DataError, match=r"E318.*line 2, column 'y'.*'yes' is both"):
        load(outcome={"label": "y", "positive": [True], "negative": [True, False]})


def test_a_limit_table_that_speaks_of_other_analytes_is_refused(load, tmp_path):
    (tmp_path / "lod.csv").write_text("assay,lod\nil6,1\n")
    llod = {"file": "lod.csv", "analyte": "assay", "value": "lod"}

    with pytest.raises(DataError, match=r"E322.*no row of lod\.csv(.|\n)*'il6'.*'IL-6'"):
        load(analytes={"columns": ["IL-6"], "llod": llod})


def test_a_limit_that_is_no_number_names_its_own_file(load, tmp_path):
    (tmp_path / "lod.csv").write_text("assay,lod\nIL-6,low\n")
    llod = {"file": "lod.csv", "analyte": "assay", "value": "lod"}

    with pytest.raises(DataError, match=r"E313.*lod\.csv, line 2, column 'lod'"):
        load(analytes={"columns": ["IL-6"], "llod": llod})
