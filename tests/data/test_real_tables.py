"""The real tables: read as published, with the counts that their documentation gives."""

import numpy as np
import pytest

from cytobench.config import compose_jobs
from cytobench.data.table import load_table
from cytobench.data.target import Task, build_target

pytestmark = pytest.mark.data

EXPECTED = {
    # name: (patients, with the outcome, analytes)
    "psoriasis_hads": (128, 85, 2),
    "mrsa_serum": (129, 56, 38),
    "mrsa_plasma": (115, 40, 38),
    "mg_steroid": (68, 41, 22),
    "mg_prognosis": (126, 86, 22),
    "postcovid_olink": (348, 95, 92),
    "cytomod_flu": (215, 96, 37),
    "nhanes_phq9": (5042, 649, 1),
    "scz_twosite": (143, 77, 17),
    "liver_cirrhosis": (106, 28, 48),
}


def real(name, folder):
    config = compose_jobs([f"dataset={name}", "model=prior"])[0]["dataset"]
    return load_table(config, folders=[folder])


@pytest.mark.parametrize("name", EXPECTED)
def test_counts(data_folder, name):
    cohort = real(name, data_folder)
    y = build_target(cohort, Task("response", "classification")).y

    assert (len(cohort), np.nansum(y), len(cohort.panel)) == EXPECTED[name]
    assert cohort.card.caveat


def test_zeros_of_the_myasthenia_panel_are_non_detects(data_folder):
    cohort = real("mg_steroid", data_folder)

    share = cohort.column("IFN_beta__below").mean()

    assert 0.6 < share < 0.9
    assert (cohort.column("IFN_beta")[cohort.column("IFN_beta__below")] == 0).all()


def test_floor_constants_of_the_mrsa_cohorts_are_found(data_folder):
    cohort = real("mrsa_serum", data_folder)

    # IL-3 was not detected in anybody (DATASETS: "up to 100 % of IL-3").
    assert cohort.column("IL-3__below").mean() > 0.9


@pytest.mark.parametrize(
    ("name", "saturated"),
    [("mrsa_serum", {"GRO": 12, "MIP-1a": 13}), ("mrsa_plasma", {"GRO": 31})],
)
def test_saturation_of_the_mrsa_assays_is_found(data_folder, name, saturated):
    cohort = real(name, data_folder)
    flags = [flag for flag in cohort.flags if flag.endswith("__above")]

    counts = {flag.removesuffix("__above"): int(cohort.column(flag).sum()) for flag in flags}

    assert counts == saturated


def test_codes_are_categories_and_not_numbers(data_folder):
    assert set(real("mrsa_serum", data_folder).column("race").dropna()) <= {"1", "2", "3", "5"}


def test_crp_below_the_limit_of_the_survey_is_flagged(data_folder):
    cohort = real("nhanes_phq9", data_folder)

    flagged = cohort.column("CRP")[cohort.column("CRP__below")]

    assert len(flagged) == 23
    assert (flagged == 0.15).all()


def test_each_hospital_has_its_own_limits(data_folder):
    cohort = real("postcovid_olink", data_folder)

    assert all(analyte.llod is None for analyte in cohort.panel)
    assert sorted(set(cohort.labels("site"))) == ["Breda", "Radboud"]
    assert len(set(cohort.labels("plate"))) == 10  # seven plates and three runs


def test_the_authors_test_set_of_mrsa_is_held_out(data_folder):
    assert int(real("mrsa_serum", data_folder).column("holdout").sum()) == 27


def test_olink_values_below_the_limit_are_kept_and_flagged(data_folder):
    cohort = real("postcovid_olink", data_folder)
    breda = np.array(cohort.labels("site")) == "Breda"
    flags = cohort.table[[flag for flag in cohort.flags if flag.endswith("__below")]]

    share = flags[breda].to_numpy().sum() / (breda.sum() * len(cohort.panel))

    assert 0.15 < share < 0.25  # about 20 % in Breda
    assert (cohort.column("IL33").to_numpy() < 1.5).any()


def test_no_outcome_of_the_psoriasis_table_is_a_feature(data_folder):
    columns = real("psoriasis_hads", data_folder).baseline().columns

    assert not [column for column in columns if "6th" in column or "after" in column]
