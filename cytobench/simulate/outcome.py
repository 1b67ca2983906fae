"""From a patient's true state to the scores.

The relative change of the score is linear in clinical state, true (not measured) marker levels and
arm, plus Gaussian noise. Given all of these, the score at the end is a rounded normal variable, so
that the chance of response and of remission is known in closed form
(:mod:`cytobench.simulate.truth`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytobench.simulate.biology import Biology
from cytobench.simulate.design import INFLAMMATION, Arm, Design
from cytobench.simulate.panel import NAMES
from cytobench.simulate.recruit import Patients

Floats = NDArray[np.float64]
NOISE = 0.205
"""SD of the relative change that nothing known before treatment explains."""


def expected_changes(
    patients: Patients, design: Design, effect: float, site_shift: Floats
) -> Floats:
    """Expected relative change of every patient's score under every arm; negative is better.

    Clinical part: failed treatments, BMI, age and severity, so that clinical data alone reach an
    AUC of about 0.65 (STAR*D: Chekroud 2016, doi:10.1016/S2215-0366(15)00471-X, from the project's
    literature notes). Markers, times `effect`: the design's prognosis, its resistance, and each
    arm's moderators.

    Parameters
    ----------
    effect : float
        1 for the design's marker effects, 0 for none.
    site_shift : array, shape (n,)
        What the patient's site adds.

    Returns
    -------
    array, shape (n_arms, n)
    """
    biology = patients.biology
    usual = design.usual
    common = (
        design.mean_change
        + 0.05 * (patients.failed - 1.1)
        + 0.035 * (biology.bmi - 27.5) / 5.5
        + 0.04 * (biology.age - 42) / 12
        + 0.02 * (patients.before - usual.mean) / usual.sd
        + site_shift
    )
    for marker, weight in design.prognosis.items():
        common += effect * weight * _standardised(biology, marker)
    if design.resistance:
        common += effect * design.resistance * biology.inflammation * (patients.failed - 2)
    changes = np.empty((len(design.arms), len(common)))
    for row, arm in enumerate(design.arms):
        changes[row] = common + arm.change + effect * _moderation(biology, arm, design)
    return changes


def score_after(before: Floats, change: Floats, highest: int, draw: np.random.Generator) -> Floats:
    """Scores at the end, whole numbers within the scale, shape (n,)."""
    exact = before * (1 + change + NOISE * draw.standard_normal(len(before)))
    return np.clip(np.round(exact), 0, highest)


def _standardised(biology: Biology, marker: str) -> Floats:
    return biology.inflammation if marker == INFLAMMATION else biology.level(marker)


def _moderation(biology: Biology, arm: Arm, design: Design) -> Floats | float:
    total: Floats | float = 0.0
    for moderator in arm.moderators:
        level = _standardised(biology, moderator.marker)
        if moderator.marker == INFLAMMATION:
            total = total + moderator.slope * (level - moderator.at)
            continue
        marker = design.markers[NAMES.index(moderator.marker)]
        above = np.log(marker.median / moderator.at) + marker.true_sd * level
        total = total + moderator.slope * above
    return total
