"""The simulated trial agrees with the published figures, and its truth is true."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from cytobench import DataError, DatasetCard
from cytobench.data.target import Task, build_target
from cytobench.evaluate.metrics import auc
from cytobench.simulate.panel import MARKERS
from cytobench.simulate.trial import Trial, simulate_trial

RESPONSE = Task("response", "classification")
REMISSION = Task("remission", "classification")


def simulate(n=20_000, effect=1.0, inflamed=0.27, missing=0.0, dropout=0.0, sites=3, seed=1):
    trial = Trial(n, effect, inflamed, missing, dropout, sites, seed)
    return simulate_trial(trial, DatasetCard("sim", kind="simulated"))


@pytest.fixture(scope="module")
def large():
    return simulate()


@pytest.mark.parametrize("marker", MARKERS, ids=lambda marker: marker.name)
def test_median_and_spread_are_the_published_ones(large, marker):
    """Plates shift a median by up to 5 %; censoring takes up to 0.2 off the SD of logarithms."""
    values = large.column(marker.name).to_numpy()

    assert np.median(values) == pytest.approx(marker.median, rel=0.06)
    assert np.log(values).std() == pytest.approx(marker.log_sd, abs=0.2)


@pytest.mark.parametrize(
    ("first", "second", "published"),
    [
        ("CRP", "IL-6", 0.5),
        ("IL-6", "TNF-α", 0.35),
        ("TNF-α", "sTNFR2", 0.5),
        ("IL-6", "IL-10", 0.3),
        ("IFN-γ", "IL-2", 0.4),
        ("IL-4", "IL-5", 0.5),
        ("CCL2", "CCL4", 0.3),
        ("bmi", "CRP", 0.45),
        ("bmi", "IL-6", 0.35),
        ("age", "TNF-α", 0.2),
    ],
)
def test_rank_correlations_are_the_published_ones(large, first, second, published):
    """Assay noise and plates take up to 0.08 off the correlation of the true levels."""
    found = spearmanr(large.column(first), large.column(second)).statistic

    assert found == pytest.approx(published, abs=0.08)


def test_crp_strata_are_near_osimo_2019(large):
    """27 % above 3 and 58 % above 1 mg/L; a log-normal of median 1.6 gives 29 % and 66 %."""
    crp = large.column("CRP")

    assert (crp > 3).mean() == pytest.approx(0.27, abs=0.04)
    assert (crp > 1).mean() == pytest.approx(0.58, abs=0.09)


def test_smoking_raises_log_crp_by_two_to_three_tenths(large):
    crp = np.log(large.column("CRP"))
    smoker = large.column("smoking") == "yes"

    assert 0.15 < crp[smoker].mean() - crp[~smoker].mean() < 0.35


def test_response_and_remission_are_near_star_d(large):
    """Response 47 %; remission 28 to 33 %, here a little less."""
    assert np.mean(build_target(large, RESPONSE).y) == pytest.approx(0.47, abs=0.02)
    assert np.mean(build_target(large, REMISSION).y) == pytest.approx(0.28, abs=0.04)


def test_il_8_is_lower_in_responders(large):
    """Liu 2020: SMD about -0.28."""
    y = build_target(large, RESPONSE).y == 1
    il8 = np.log(large.column("IL-8"))

    smd = (il8[y].mean() - il8[~y].mean()) / il8.std()

    assert smd == pytest.approx(-0.28, abs=0.06)


@pytest.mark.parametrize("task", [RESPONSE, REMISSION])
def test_the_truth_is_calibrated(large, task):
    """In ten groups of equal size the share of outcomes is what the truth says, within 4 SE."""
    target = build_target(large, task)
    order = np.argsort(target.truth)

    for group in np.array_split(order, 10):
        p = target.truth[group].mean()
        se = np.sqrt(p * (1 - p) / len(group))
        assert abs(target.y[group].mean() - p) < 4 * se


def test_the_true_expected_change_is_the_mean_change(large):
    target = build_target(large, Task("percent_change", "regression"))

    assert np.mean(target.y - target.truth) == pytest.approx(0, abs=0.6)


def test_nothing_measured_beats_the_truth(large):
    target = build_target(large, RESPONSE)
    ceiling = auc(target.y, target.truth)

    assert 0.70 < ceiling < 0.78
    for name in (*large.analytes, "bmi", "age", "failed_trials"):
        assert max(auc(target.y, s * large.column(name).to_numpy()) for s in (1, -1)) < ceiling


def test_the_add_on_helps_the_inflamed(large):
    y = build_target(large, RESPONSE).y
    inflamed = (large.column("CRP") > 5).to_numpy()
    add_on = np.array(large.labels("arm")) != "SSRI"

    gain = {
        group: y[rows & add_on].mean() - y[rows & ~add_on].mean()
        for group, rows in (("inflamed", inflamed), ("other", ~inflamed))
    }

    assert gain["inflamed"] > 0.15 > gain["other"]


def test_without_effect_no_marker_has_anything_to_do_with_the_outcome():
    """Among patients alike in BMI, age and failed trials; 24 tests at 4.5 SE of a null AUC."""
    null = simulate(effect=0.0)
    y = build_target(null, RESPONSE).y
    alike = (
        null.column("bmi").between(24, 31)
        & null.column("age").between(30, 54)
        & (null.column("failed_trials") == 1)
    ).to_numpy()
    se = np.sqrt(1 / (12 * alike.sum() * y[alike].mean() * (1 - y[alike].mean())))

    for name in null.analytes:
        assert abs(auc(y[alike], null.column(name).to_numpy()[alike]) - 0.5) < 4.5 * se


def test_the_seed_decides():
    assert simulate(n=60).fingerprint == simulate(n=60).fingerprint
    assert simulate(n=60).fingerprint != simulate(n=60, seed=2).fingerprint


def test_censoring_missingness_and_dropout_are_as_asked():
    cohort = simulate(n=4000, missing=0.1, dropout=0.2)
    below = cohort.column("GM-CSF__below")

    assert (cohort.column("GM-CSF")[below] == 0.15).all()
    assert (cohort.column("GM-CSF")[~below].dropna() >= 0.15).all()
    assert cohort.column("GM-CSF").isna().mean() == pytest.approx(0.1, abs=0.02)
    assert cohort.column("hamd_week8").isna().mean() == pytest.approx(0.2, abs=0.03)


def test_arms_are_balanced_and_every_patient_has_site_and_plate():
    cohort = simulate(n=401, sites=4)
    arms = np.unique(cohort.labels("arm"), return_counts=True)[1]

    assert abs(arms[0] - arms[1]) <= 1
    assert len(set(cohort.labels("site"))) == 4
    assert len(set(cohort.labels("plate"))) == 6


@pytest.mark.parametrize(
    "wrong",
    [
        {"n": 10},
        {"effect": -1.0},
        {"inflamed": 1.2},
        {"missing": 1.0},
        {"dropout": -0.1},
        {"sites": 0},
    ],
)
def test_an_impossible_parameter_is_named(wrong):
    with pytest.raises(DataError, match=rf"E351.*{next(iter(wrong))} is"):
        simulate(**wrong)
