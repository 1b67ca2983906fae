"""From a patient's true state to the scores, and to the best prediction that anybody could make.

The relative change of the score is linear in clinical state, true (not measured) marker levels and
arm, plus Gaussian noise. Given all of these, the score at the end is a rounded normal variable, so
that the chance of response and of remission is known in closed form.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.simulate.biology import Biology

Floats = NDArray[np.float64]
NOISE = 0.205
"""SD of the relative change that nothing known before treatment explains."""
MEAN_CHANGE = -0.472
"""Gives a response of about 47 % (STAR*D step 1, from the project's literature notes)."""
MINIMUM_SEVERITY, HIGHEST_SCORE, REMISSION_AT = 14, 52, 7
"""Of the HAM-D17: for inclusion, possible, and the cut-off of remission."""


def expected_change(
    biology: Biology,
    failed: NDArray[np.int64],
    before: Floats,
    arm: NDArray[np.intp],
    effect: float,
) -> Floats:
    """Expected relative change of the score, shape (n,); negative is better.

    Clinical part: failed trials, BMI, age and severity, so that clinical data alone reach an AUC of
    about 0.65 (STAR*D: Chekroud 2016, doi:10.1016/S2215-0366(15)00471-X). Markers, times `effect`:
    worse with inflammation (Strawbridge 2015), IL-8 (Liu JJ 2020: lower in responders, SMD about
    -0.28), IFN-γ and CCL2 (CAN-BIND-1: Husain 2023, doi:10.1017/S109285292300233X) and MIF (its
    mRNA in GENDEP: Cattaneo 2013, doi:10.1038/npp.2012.191). Only the directions for IFN-γ, CCL2
    and MIF were read in the papers; the rest is from the project's literature notes, to be checked
    before citing, and the weights are set to make 400 patients instructive: at the optimistic end.

    Moderation: the added anti-inflammatory helps the inflamed and harms the others as much, with no
    effect overall, as infliximab did (Raison 2013); for other agents a hypothesis.
    """
    clinical = (
        0.05 * (failed - 1.1)
        + 0.035 * (biology.bmi - 27.5) / 5.5
        + 0.04 * (biology.age - 42) / 12
        + 0.02 * (before - 22) / 4
    )
    inflammation = biology.inflammation
    markers = (
        0.06 * inflammation
        + 0.03 * biology.level("IL-8")
        + 0.06 * biology.level("IFN-γ")
        + 0.03 * biology.level("CCL2")
        + 0.055 * biology.level("MIF")
        - 0.10 * inflammation * arm
    )
    return np.asarray(MEAN_CHANGE + clinical + effect * markers)


def score_after(before: Floats, change: Floats, draw: np.random.Generator) -> Floats:
    """Scores at the end, whole numbers within the scale, shape (n,)."""
    exact = before * (1 + change + NOISE * draw.normal(size=len(before)))
    return np.clip(np.round(exact), 0, HIGHEST_SCORE)


def bayes_optimal(before: Floats, change: Floats) -> pd.DataFrame:
    """Probability of response and of remission, and the expected change in per cent.

    ``P(after <= k) = Phi((k + 1/2 - mean) / sd)`` for 0 <= k < 52, rounding and both ends of the
    scale included; the expected score is the sum of ``P(after > k)`` over these k.
    """
    from scipy.special import ndtr

    mean, sd = before * (1 + change), before * NOISE

    def at_most(score: Floats | int) -> Floats:
        return np.asarray(ndtr((score + 0.5 - mean) / sd))

    after = np.zeros_like(before)
    for score in range(HIGHEST_SCORE):
        after += 1 - at_most(score)
    return pd.DataFrame(
        {
            "response": at_most(np.floor(before / 2)),
            "remission": at_most(REMISSION_AT),
            "percent_change": 100 * (after - before) / before,
        }
    )
