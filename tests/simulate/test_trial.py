"""The simulated trial agrees with the published figures, and its truth is true."""

import numpy as np
import pytest
from scipy.stats import norm, spearmanr

from cytobench import DataError, DatasetCard
from cytobench.data.target import Task, build_target
from cytobench.simulate import Trial, simulate_trial
from cytobench.simulate.biology import draw_biology
from cytobench.simulate.panel import MARKERS

RESPONSE = Task("response", "classification")
REMISSION = Task("remission", "classification")


NOTES = {"CRP": (1.6, 1.15)}
"""Median and log SD of the literature notes where the panel had to deviate, see there."""


def simulate(n=20_000, **parameters):
    usual = {"effect": 1.0, "inflamed": 0.27, "missing": 0.0, "dropout": 0.0, "sites": 3, "seed": 1}
    return simulate_trial(Trial(n, **{**usual, **parameters}), DatasetCard("sim", kind="simulated"))


@pytest.fixture(scope="module")
def large():
    return simulate()


@pytest.mark.parametrize("marker", MARKERS, ids=lambda marker: marker.name)
def test_median_and_spread_are_the_published_ones(large, marker):
    """250 plates shift a median by 1 % (SE), the subtype's skew by 2 %. Values set to the limit
    narrow the spread, so it is read off the upper half: the 84.1st percentile is one SD up, a
    little more under the same skew.
    """
    logs = np.log(large.column(marker.name).to_numpy())
    median, one_up = np.quantile(logs, [0.5, 0.8413])

    assert np.exp(median) == pytest.approx(marker.median, rel=0.06)
    assert one_up - median == pytest.approx(marker.log_sd, rel=0.12)


@pytest.mark.parametrize("name", NOTES)
def test_the_panel_stays_within_a_tenth_of_the_notes(name):
    marker = next(marker for marker in MARKERS if marker.name == name)

    assert (marker.median, marker.log_sd) == pytest.approx(NOTES[name], rel=0.1)


@pytest.mark.parametrize("marker", MARKERS, ids=lambda marker: marker.name)
def test_the_share_below_the_limit_is_that_of_a_log_normal(large, marker):
    """Not always the notes' share: theirs disagree with their own medians (IL-1β, IL-4)."""
    expected = norm.cdf(np.log(marker.llod / marker.median) / marker.log_sd)
    flag = marker.name + "__below"

    found = large.column(flag).mean() if flag in large.flags else 0.0

    assert found == pytest.approx(expected, abs=0.015)


@pytest.mark.parametrize(
    ("first", "second", "published"),
    [
        ("CRP", "IL-6", 0.5),
        ("IL-6", "TNF-α", 0.35),
        ("TNF-α", "sTNFR2", 0.5),
        ("IL-6", "IL-10", 0.3),
        ("IFN-γ", "IL-2", 0.4),
        ("IFN-γ", "IL-12p70", 0.4),
        ("IL-4", "IL-5", 0.5),
        ("IL-5", "IL-13", 0.5),
        ("CCL2", "CCL4", 0.3),
        ("CXCL10", "CCL11", 0.3),
        ("bmi", "CRP", 0.45),
        ("bmi", "IL-6", 0.35),
        ("age", "TNF-α", 0.2),
    ],
)
def test_rank_correlations_are_the_published_ones(large, first, second, published):
    """0.007 is one SE of a rank correlation here; ties at the limit cost up to 0.01 more."""
    found = spearmanr(large.column(first), large.column(second)).statistic

    assert found == pytest.approx(published, abs=0.03)


def test_crp_strata_are_near_osimo_2019(large):
    """doi:10.1017/S0033291719001454: 27 % (95 % CI 21 to 34) above 3, 58 % (47 to 69) above 1 mg/L.
    0.5 points are one SE of a share among 20,000 patients on 250 plates.
    """
    crp = large.column("CRP")

    assert (crp > 3).mean() == pytest.approx(0.27, abs=0.02)
    assert (crp > 1).mean() == pytest.approx(0.58, abs=0.05)


def test_smoking_raises_log_crp_by_two_to_three_tenths(large):
    crp = np.log(large.column("CRP"))
    smoker = large.column("smoking") == "yes"

    assert 0.15 < crp[smoker].mean() - crp[~smoker].mean() < 0.35


def test_response_and_remission_are_near_star_d(large):
    """Response 47 %; remission 28 to 33 %, here 24 %: Gaussian noise leaves too few recovered."""
    assert np.mean(build_target(large, RESPONSE).y) == pytest.approx(0.47, abs=0.02)
    assert np.mean(build_target(large, REMISSION).y) == pytest.approx(0.28, abs=0.05)


def test_il_8_is_lower_in_responders(large):
    """Liu 2020: SMD about -0.28."""
    y = build_target(large, RESPONSE).y == 1
    il8 = np.log(large.column("IL-8"))

    smd = (il8[y].mean() - il8[~y].mean()) / il8.std()

    assert smd == pytest.approx(-0.28, abs=0.06)


def test_the_add_on_helps_the_inflamed(large):
    y = build_target(large, RESPONSE).y
    inflamed = (large.column("CRP") > 5).to_numpy()
    add_on = np.array(large.labels("arm")) != "SSRI"

    gain = {
        group: y[rows & add_on].mean() - y[rows & ~add_on].mean()
        for group, rows in (("inflamed", inflamed), ("other", ~inflamed))
    }

    assert gain["inflamed"] > 0.1
    assert gain["other"] < 0.03


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


def test_sites_differ_in_outcome_as_asked():
    """100 sites of 1,000 patients: the SD of their mean change, in SDs of what nothing explains."""
    cohort = simulate(n=100_000, sites=100, site_effect=0.5)
    change = build_target(cohort, Task("percent_change", "regression")).y / 100

    between = change.reshape(100, 1000).mean(axis=1).std()

    assert between / 0.205 == pytest.approx(0.5, abs=0.15)


def test_sites_do_not_differ_unless_asked():
    cohort = simulate(n=100_000, sites=100)
    change = build_target(cohort, Task("percent_change", "regression")).y / 100

    assert change.reshape(100, 1000).mean(axis=1).std() < 0.012


def test_a_higher_prevalence_raises_inflammation_and_nothing_else(large):
    more = simulate(inflamed=0.6)

    assert more.column("CRP").median() > 1.25 * large.column("CRP").median()
    assert more.column("IL-4").median() == pytest.approx(large.column("IL-4").median(), rel=0.06)


@pytest.mark.parametrize("prevalence", [0.0, 0.27, 1.0])
def test_the_subtype_is_as_common_as_asked(prevalence):
    """Nobody and everybody included; 0.015 is 4.8 SE of a share among 20,000 patients."""
    biology = draw_biology(20_000, prevalence, np.random.default_rng(1))

    assert biology.inflamed.mean() == pytest.approx(prevalence, abs=0.015)


@pytest.mark.parametrize("prevalence", [0, 1])
def test_a_trial_may_have_nobody_or_everybody_inflamed(prevalence):
    cohort = simulate(n=100, inflamed=prevalence)

    assert len(cohort) == 100
    assert cohort.truth["response"].between(0, 1).all()


def test_the_inflamed_subtype_has_raised_markers():
    """CRP, IL-6 and TNF-α are each higher by more than an SD in the subtype."""
    biology = draw_biology(20_000, 0.27, np.random.default_rng(1))

    for name in ("CRP", "IL-6", "TNF-α"):
        level = biology.level(name)
        assert level[biology.inflamed].mean() - level[~biology.inflamed].mean() > 1


@pytest.mark.parametrize("effect", [0.0, 1.0, 10.0])
def test_nobody_failed_more_treatments_than_there_are(effect):
    """The count grows exponentially with the effect, and would reach thousands."""
    failed = simulate(n=2000, effect=effect).column("failed_trials")

    assert failed.between(0, 10).all()
    assert failed.median() <= 2


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"n": 39}, "E351"),
        ({"n": 400.5}, "E352"),
        ({"n": True}, "E352"),
        ({"effect": -1.0}, "E351"),
        ({"effect": float("nan")}, "E351"),
        ({"effect": "large"}, "E352"),
        ({"inflamed": 1.2}, "E351"),
        ({"inflamed": -0.1}, "E351"),
        ({"missing": 1.0}, "E351"),
        ({"dropout": -0.1}, "E351"),
        ({"sites": 0}, "E351"),
        ({"noise": -0.1}, "E351"),
        ({"plate_shift": 2.1}, "E351"),
        ({"site_effect": "small"}, "E352"),
        ({"missingness": "mnar"}, "E351"),
        ({"dropout_mechanism": "MAR"}, "E351"),
        ({"modulation": None}, "E351"),
        ({"seed": -1}, "E351"),
        ({"seed": None}, "E352"),
    ],
)
def test_an_impossible_parameter_is_named_with_a_possible_one(wrong, code):
    name = next(iter(wrong))

    with pytest.raises(DataError, match=rf"{code}.*{name} must be") as caught:
        simulate(**wrong)

    assert f"dataset.{name}=" in str(caught.value)
