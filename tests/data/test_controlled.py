"""Loaders of access-controlled studies, on small synthetic files of the layout that is known."""

import numpy as np
import pandas as pd
import pytest

from cytobench.config import compose_jobs
from cytobench.core.errors import DataError
from cytobench.run.cells import load_cohort

IDENTIFIERS = ["SUBJLABEL", "Group", "EVENTNAME", "Visitnum"]
PATIENTS = ["CBN01_UBC_0001", "CBN01_UBC_0002", "CBN01_TGH_0003", "CBN01_TGH_0004"]


def load(name, folder, *overrides):
    (config,) = compose_jobs([f"dataset={name}", f"data={folder}", *overrides])
    return load_cohort(config["dataset"], config["data"])


@pytest.fixture
def canbind(tmp_path):
    """Synthetic: four patients, 29 analytes, two visits; the third patient has no week 8.

    As in the release, weeks 2 to 8 of the MADRS are in a file of their own (`Z3_02`).
    """
    folder = tmp_path / "canbind1"
    folder.mkdir()
    analytes = [f"cytokine {k}" for k in range(1, 30)]
    visits = [(patient, visit) for patient in PATIENTS for visit in ("Baseline", "Week 8")]
    cytokines = pd.DataFrame(
        [
            [patient, "Treatment", visit, 1 if visit == "Baseline" else 5]
            + [f"{k + row / 10:.1f}" for k in range(1, 30)]
            + ["not used"]
            for row, (patient, visit) in enumerate(visits)
        ],
        columns=[*IDENTIFIERS, *analytes, "remark"],
    )
    cytokines.loc[0, "cytokine 1"] = ""
    cytokines.to_csv(folder / "CBN01_CYTORAWL_DATA_Z3_01_V01_TRTMT.csv", index=False)
    pd.DataFrame({"SUBJLABEL": PATIENTS, "AGE": [30, 41, 52, 63], "SEX": [1, 2, 1, 2]}).to_csv(
        folder / "CBN01_DEMO_DATA_Z3_01_V01_TRTMT.csv", index=False
    )
    pd.DataFrame({"SUBJLABEL": PATIENTS, "BL_BMI": ["21.5", "9999", "30.1", "25.0"]}).to_csv(
        folder / "CBN01_BMI_DATA_Z3_01_V01_TRTMT.csv", index=False
    )
    scores = {
        "01": [(patient, "Baseline", 30) for patient in PATIENTS],
        "02": [
            (patient, week, score)
            for patient in PATIENTS
            for week, score in (("Week 2", 22), ("Week 8", 9))
            if (patient, week) != (PATIENTS[2], "Week 8")
        ],
    }
    for part, rows in scores.items():
        pd.DataFrame(rows, columns=["SUBJLABEL", "EVENTNAME", "MADRS_TOT_PRO_RATED"]).to_csv(
            folder / f"CBN01_MADRS_DATA_Z3_{part}_V01_TRTMT.csv", index=False
        )
    return tmp_path


def test_canbind_takes_29_analytes_by_position_and_only_baseline(canbind):
    cohort = load("canbind1", canbind)

    assert len(cohort) == 4
    assert len(cohort.analytes) == 29
    assert cohort.column("cytokine 2").tolist() == [2.0, 2.2, 2.4, 2.6], "baseline rows only"
    assert np.isnan(cohort.column("cytokine 1").iloc[0])
    assert cohort.column("sex").tolist() == ["female", "male", "female", "male"]


def test_a_code_for_a_missing_answer_is_no_body_mass_index(canbind):
    bmi = load("canbind1", canbind).column("bmi")

    assert bmi.isna().tolist() == [False, True, False, False]
    assert bmi.max() == 30.1


def test_canbind_s_site_is_parsed_from_the_subject_label(canbind):
    assert load("canbind1", canbind).labels("site") == ["UBC", "UBC", "TGH", "TGH"]


def test_who_has_no_week_8_stays_with_an_unknown_outcome(canbind):
    cohort = load("canbind1", canbind)

    after = cohort.column(cohort.outcome.endpoint)

    assert after.isna().sum() == 1
    assert after.dropna().tolist() == [9.0, 9.0, 9.0]


def test_other_names_of_visits_and_columns_are_overrides(canbind):
    for path in (canbind / "canbind1").glob("CBN01_MADRS_*.csv"):
        table = pd.read_csv(path).rename(columns={"MADRS_TOT_PRO_RATED": "MADRS total"})
        table["EVENTNAME"] = table["EVENTNAME"].replace({"Week 8": "WK8"})
        table.to_csv(path, index=False)

    cohort = load(
        "canbind1", canbind, "dataset.columns.madrs='MADRS total'", "dataset.columns.week8=WK8"
    )

    assert cohort.column(cohort.outcome.endpoint).notna().sum() == 3


def write_simple(folder, *, baseline, endpoint, assay):
    """Synthetic: a clinical and an assay table of twelve patients."""
    folder.mkdir()
    n = 12
    pd.DataFrame(
        {
            "id": range(1, n + 1), "arm": ["one", "two"] * 6, "site": ["A"] * 6 + ["B"] * 6,
            "age": np.arange(n) + 30, "sex": ["female", "male"] * 6, "bmi": np.arange(n) + 20.5,
            baseline: np.full(n, 24), endpoint: [6, 20] * 6,
        }
    ).to_csv(folder / "clinical.csv", index=False)  # fmt: skip
    pd.DataFrame({"id": range(1, n + 1), **{name: np.arange(n) + 1.5 for name in assay}}).to_csv(
        folder / "assay.csv", index=False
    )


@pytest.mark.parametrize(
    ("name", "scale", "columns", "assay", "analytes"),
    [
        ("comed", "QIDS-SR16", ("qidssr16_baseline", "qidssr16_week12"),
         ["first", "last"], ("first", "last")),
        ("embarc", "HAM-D17", ("hamd_baseline", "hamd_week8"), ["crp"], ("CRP",)),
        ("gendep", "MADRS", ("madrs_baseline", "madrs_week12"), ["crp"], ("CRP",)),
    ],
)  # fmt: skip
def test_studies_of_unknown_layout_are_read_from_two_tables(
    name, scale, columns, assay, analytes, tmp_path
):
    write_simple(tmp_path / name, baseline=columns[0], endpoint=columns[1], assay=assay)

    cohort = load(name, tmp_path)

    assert cohort.outcome.scale == scale
    assert cohort.analytes == analytes
    assert cohort.covariates == ("age", "sex", "bmi")
    assert set(cohort.labels("arm")) == {"one", "two"}


@pytest.mark.parametrize("name", ["canbind1", "comed", "embarc", "gendep"])
def test_a_missing_file_says_how_to_get_access_and_the_card_what_is_unconfirmed(name, tmp_path):
    (config,) = compose_jobs([f"dataset={name}"])

    with pytest.raises(DataError) as caught:
        load(name, tmp_path)

    assert caught.value.code == "E310"
    assert "access: " in caught.value.hint
    words = config["dataset"]["caveat"]
    assert "unconfirmed" in words or "not verified" in words
    assert config["dataset"]["licence"].startswith("access-controlled")


def test_in_a_pool_each_study_keeps_its_own_overrides(tmp_path):
    names = ("embarc", "gendep")
    for name, columns in zip(
        names, [("hamd_baseline", "hamd_week8"), ("madrs_baseline", "madrs_week12")], strict=True
    ):
        write_simple(
            tmp_path / f"my-{name}", baseline=columns[0], endpoint=columns[1], assay=["crp"]
        )

    pool = load(
        "+".join(names), tmp_path, *(f"dataset.studies.{n}.folder=my-{n}" for n in names)
    )  # fmt: skip

    assert pool.analytes == ("CRP",)
    assert set(pool.labels("study")) == set(names)
