"""A design is declared, checked, and recruited for."""

import numpy as np
import pytest

from cytobench import DataError, DatasetCard
from cytobench.simulate import Arm, Design, Moderator, Trial, simulate_trial
from cytobench.simulate.recruit import randomise, recruit

CARD = DatasetCard("sim", kind="simulated")


def design(**fields):
    arms = (Arm("A", "SSRI", ratio=2), Arm("B", "placebo"))
    return Design(**{"scale": "MADRS", "week": 6, "arms": arms, "mean_change": -0.5, **fields})


def recruited(n=3000, inflamed=0.27, **fields):
    return recruit(n, inflamed, 1.0, design(**fields), np.random.default_rng(1))


@pytest.mark.parametrize(
    ("declare", "named"),
    [
        (lambda: design(scale="HAMD-17"), "HAM-D17"),
        (lambda: design(medians={"IL6": 1.0}), "IL-6"),
        (lambda: design(prognosis={"inflamation": 0.1}), "inflammation"),
        (lambda: Arm("A", "SSRIs"), "SSRI"),
        (lambda: Moderator("crp", 0.1, at=1), "CRP"),
        (lambda: Moderator("CRP", 0.1, at=0), "above 0"),
        (lambda: design(arms=()), "at least one arm"),
        (lambda: design(arms=(Arm("A", "SSRI"), Arm("A", "TCA"))), "name of its own"),
    ],
)
def test_a_design_that_cannot_be_is_refused(declare, named):
    with pytest.raises(DataError) as caught:
        declare()

    assert caught.value.code == "E356"
    assert named in str(caught.value)


def test_the_card_says_who_was_treated_how():
    trial = Trial(60, 1.0, 0.5, 0.0, 0.0, 1, 1)

    card = simulate_trial(trial, CARD, design(least_crp=3, least_failed=1)).card

    assert card.population == (
        "major depression, MADRS of 20 or more, CRP of 3 mg/L or more, failed treatments: 1 or more"
    )
    assert card.outcome == "MADRS at week 6"
    assert card.treatment == "A or B, randomised"


def test_arms_come_in_blocks_of_the_ratio():
    arm = randomise(300, design(), np.random.default_rng(1)).reshape(-1, 3)

    assert (arm.sum(axis=1) == 1).all(), "two of A for one of B"
    assert len(np.unique(arm, axis=0)) == 3, "in any order"


def test_patients_meet_the_criteria():
    patients = recruited(least_crp=3, least_failed=2)
    crp = design().markers[0]

    levels = crp.median * np.exp(crp.true_sd * patients.biology.level("CRP"))

    assert levels.min() >= 3 - 1e-9
    assert patients.failed.min() == 2
    assert patients.before.min() == 20
    assert len(patients.failed) == len(levels) == 3000


def test_patients_whose_treatments_failed_are_more_inflamed():
    assert recruited(least_failed=2).biology.inflammation.mean() > 0.2


def test_recruitment_is_given_up_in_the_end():
    with pytest.raises(DataError, match=r"only \d+ meet the criteria") as caught:
        recruited(n=40, least_crp=1e6)

    assert caught.value.code == "E353"


@pytest.mark.parametrize(
    ("scale", "mean", "sd"), [("HAM-D17", 22, 4), ("MADRS", 30, 6), ("QIDS-SR16", 16, 4)]
)
def test_severity_is_the_scale_s_above_the_minimum(scale, mean, sd):
    """The project's notes; leaving out the mildest raises the mean by up to 0.8 points."""
    before = recruited(n=20_000, scale=scale).before

    assert mean < before.mean() < mean + 0.8
    assert 0.8 * sd < before.std() < sd
    assert (before == np.round(before)).all()


def test_a_moderator_crosses_where_it_says():
    """Below `at` one arm is better, above it the other; noise aside, for everybody."""
    arms = (Arm("A", "SSRI"), Arm("B", "TCA", moderators=(Moderator("IL-6", -0.1, at=2.0),)))
    trial = Trial(500, 1.0, 0.27, 0.0, 0.0, 1, 1, noise=0.0, plate_shift=0.0)

    cohort = simulate_trial(trial, CARD, design(arms=arms))

    truth, level = cohort.truth, cohort.column("IL-6")
    better = truth["percent_change@B"] < truth["percent_change@A"]
    assert (better == (level > 2.0)).all()
