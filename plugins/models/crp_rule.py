"""Baseline: the published cut-off of C-reactive protein."""

import numpy as np
from sklearn.base import BaseEstimator

from cytobench import NotApplicable, model

SEROTONERGIC = ("ssri", "serotonergic", "citalopram", "sertraline", "fluoxetine", "paroxetine")
OTHER = ("nortriptyline", "bupropion", "tca", "tricyclic", "dopaminergic", "noradrenergic")


class CrpRule(BaseEstimator):
    """One arm below the cut-off, another at or above it."""

    def __init__(self, cutoff=1.0, below="", above=""):
        self.cutoff = cutoff
        self.below = below
        self.above = above

    def fit(self, X, y, treatment):
        """Nothing: the rule was published before these patients were treated."""
        del y, treatment
        self.n_features_in_ = X.shape[1]
        return self

    def recommend(self, X):
        """By the patient's CRP in mg/L; the arm for the low where it is missing."""
        crp = X["CRP"].to_numpy(dtype=float)
        return np.where(crp >= self.cutoff, self.above, self.below)


def _arm(arms, words, besides=()):
    """The only arm that one of the words names, and none of the others does."""
    found = [
        arm
        for arm in arms
        if any(word in arm.lower() for word in words)
        and not any(word in arm.lower() for word in besides)
    ]
    return found[0] if len(found) == 1 else ""


@model(
    tasks=("benefit",),
    inputs=("analytes",),
    raw=True,
    needs=("CRP",),
    role="floor",
    licence="BSD-3-Clause",
    citation="10.1176/appi.ajp.2014.14010094",
)
def crp_rule(cutoff=1.0, below="", above="", units=None, arms=()):
    """An SSRI below 1 mg/L of CRP, nortriptyline or bupropion at or above (Uher 2014, Jha 2017)."""
    unit = (units or {}).get("CRP", "mg/L")
    if unit != "mg/L":
        raise NotApplicable("E221", f"crp_rule needs CRP in mg/L; this cohort has {unit!r}")
    below = below or _arm(arms, SEROTONERGIC, OTHER)
    above = above or _arm(arms, OTHER)
    for name, arm in (("below", below), ("above", above)):
        if arms and arm not in arms:
            raise NotApplicable(
                "E221",
                f"which arm is {name} the cut-off is not plain from the arms: {', '.join(arms)}",
                hint=f"name one: model.{name}=...; or two: task.arms=[A,B]",
            )
    return CrpRule(cutoff, below, above)
