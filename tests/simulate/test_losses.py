"""Missing values and drop-out depend on what they say, and on nothing else."""

import numpy as np
import pytest

from cytobench import DatasetCard
from cytobench.simulate import Trial, simulate_trial
from cytobench.simulate.losses import chance, standardised

N = 20_000


def simulate(**parameters):
    given = {"n": N, "effect": 1.0, "inflamed": 0.27, "missing": 0.0, "dropout": 0.0, "sites": 3}
    return simulate_trial(
        Trial(**{**given, "seed": 5, **parameters}), DatasetCard("sim", kind="simulated")
    )


def difference(column, group):
    """Of the means inside and outside the group, in SEs."""
    inside, outside = column[group], column[~group]
    se = np.sqrt(inside.var() / len(inside) + outside.var() / len(outside))
    return (inside.mean() - outside.mean()) / se


@pytest.mark.parametrize("share", [0.0, 0.03, 0.2, 0.6])
def test_the_mean_chance_is_the_share_asked_for(share):
    score = standardised(np.random.default_rng(1).normal(size=200_000))

    assert chance(share, score).mean() == pytest.approx(share, abs=0.003)


def test_a_constant_has_no_score():
    assert (standardised(np.full(5, 3.0)) == 0).all()


@pytest.mark.parametrize("missingness", ["mcar", "mar"])
def test_as_many_values_are_lost_as_asked(missingness):
    cohort = simulate(missing=0.15, missingness=missingness)

    lost = cohort.table[list(cohort.analytes)].isna().mean()

    assert lost.to_numpy() == pytest.approx(0.15, abs=0.015)


def test_missing_at_random_means_older_and_severer_patients():
    cohort = simulate(missing=0.15, missingness="mar")
    lost = cohort.column("IL-6").isna().to_numpy()

    assert difference(cohort.column("age").to_numpy(), lost) > 10
    assert difference(cohort.column("hamd_baseline").to_numpy(), lost) > 10
    assert abs(difference(cohort.column("bmi").to_numpy(), lost)) < 4


def test_completely_at_random_means_anybody():
    cohort = simulate(missing=0.15)
    lost = cohort.column("IL-6").isna().to_numpy()

    for name in ("age", "hamd_baseline", "bmi"):
        assert abs(difference(cohort.column(name).to_numpy(), lost)) < 4


@pytest.mark.parametrize("mechanism", ["random", "severity"])
def test_as_many_patients_drop_out_as_asked(mechanism):
    cohort = simulate(dropout=0.2, dropout_mechanism=mechanism)

    assert cohort.column("hamd_week8").isna().mean() == pytest.approx(0.2, abs=0.015)


def test_drop_out_by_severity_takes_the_severer():
    cohort = simulate(dropout=0.2, dropout_mechanism="severity")
    gone = cohort.column("hamd_week8").isna().to_numpy()

    assert difference(cohort.column("hamd_baseline").to_numpy(), gone) > 10
    assert abs(difference(cohort.column("age").to_numpy(), gone)) < 4


def test_drop_out_at_random_takes_anybody():
    cohort = simulate(dropout=0.2)
    gone = cohort.column("hamd_week8").isna().to_numpy()

    assert abs(difference(cohort.column("hamd_baseline").to_numpy(), gone)) < 4


def test_who_drops_out_has_no_level_at_the_end_point():
    cohort = simulate(dropout=0.2)
    gone = cohort.column("hamd_week8").isna().to_numpy()

    assert cohort.followup[gone].isna().all(axis=None)
    assert cohort.followup[~gone].notna().all(axis=None)


def test_who_is_lost_does_not_change_what_happens():
    """Given what is observed, drop-out says nothing of the outcome: the truth is the same."""
    whole, partial = simulate(), simulate(dropout=0.3, dropout_mechanism="severity", missing=0.2)
    kept = partial.column("hamd_week8").notna()

    assert whole.truth.equals(partial.truth)
    assert (whole.column("hamd_week8")[kept] == partial.column("hamd_week8")[kept]).all()
