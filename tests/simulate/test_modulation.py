"""Levels at the end point moved as published for the class of drug, under both accounts."""

import numpy as np
import pytest
from cytobench.plugins.datasets.sim_classes import sim_classes

from cytobench import DatasetCard
from cytobench.simulate import Trial, simulate_trial
from cytobench.simulate.modulation import CLASSES, shifts
from cytobench.simulate.panel import NAMES

REVIEW = [
    ("SSRI", "IL-6", -0.45), ("SSRI", "TNF-α", -0.25), ("SSRI", "IFN-γ", -0.2),
    ("SNRI", "IL-6", -0.2), ("SNRI", "TNF-α", -0.1), ("TCA", "IL-6", -0.3), ("TCA", "TNF-α", -0.2),
    ("ketamine", "IL-6", -0.3), ("ketamine", "TNF-α", -0.3), ("SSRI", "TGF-β1", 0.2),
    ("SSRI", "CCL2", 0.0), ("SSRI", "IL-8", 0.0),
]  # fmt: skip
"""SMDs of the project's literature notes; IL-10 and the like are too often below the limit."""
META_ANALYSIS = [("IL-6", -0.454), ("TNF-α", -0.202), ("CCL2", -1.502), ("IFN-γ", 0.0)]
"""Köhler 2018, doi:10.1007/s12035-017-0632-1, abstract."""


@pytest.fixture(scope="module", params=["review", "meta_analysis"])
def account(request):
    cohort = sim_classes(n=50_000, dropout=0.0, missing=0.0, modulation=request.param)
    return request.param, cohort


def smd(cohort, arm, marker):
    """Of the logarithms, in SDs at baseline."""
    rows = np.array(cohort.labels("arm")) == arm
    before = np.log(cohort.column(marker).to_numpy()[rows])
    after = np.log(cohort.followup[marker].to_numpy()[rows])
    return (after.mean() - before.mean()) / before.std()


def test_levels_move_as_published(account):
    """Within 0.03: four SE of a paired difference of 10,000 patients, and censoring."""
    name, cohort = account
    expected = (
        REVIEW
        if name == "review"
        else [(arm, *x) for arm in ("SSRI", "TCA") for x in META_ANALYSIS]
    )

    for arm, marker, published in expected:
        assert smd(cohort, arm, marker) == pytest.approx(published, abs=0.035), (arm, marker)


def test_the_accounts_disagree_about_interleukin_10(account):
    name, cohort = account

    assert (smd(cohort, "SSRI", "IL-10") > 0.1) == (name == "review")


def test_the_spread_stays_and_patients_resemble_themselves(account):
    _, cohort = account
    before, after = np.log(cohort.column("MIF")), np.log(cohort.followup["MIF"])

    assert after.std() == pytest.approx(before.std(), rel=0.03)
    assert 0.6 < np.corrcoef(before, after)[0, 1] < 0.8


def test_levels_do_not_move_with_the_prevalence_of_inflammation():
    """No regression to a mean that is not this cohort's. Four SE of a paired difference."""
    trial = Trial(20_000, 1.0, 1.0, 0.0, 0.0, 1, 3)
    cohort = simulate_trial(trial, DatasetCard("sim", kind="simulated"))
    change = np.log(cohort.followup["sTNFR2"]) - np.log(cohort.column("sTNFR2"))

    assert abs(change.mean()) < 4 * change.std() / np.sqrt(len(change))


@pytest.mark.parametrize("account_name", ["review", "meta_analysis"])
def test_placebo_moves_nothing_and_every_class_is_known(account_name):
    table = shifts(CLASSES, account_name)

    assert table.shape == (len(CLASSES), len(NAMES))
    assert (table[CLASSES.index("placebo")] == 0).all()
    assert (np.delete(table, CLASSES.index("placebo"), axis=0) != 0).any(axis=1).all()
