"""Baseline: the published cut-offs of C-reactive protein.

Uher 2014 (doi:10.1176/appi.ajp.2014.14010094): escitalopram below 1 mg/L, nortriptyline from there.
Jha 2017 (doi:10.1016/j.psyneuen.2017.01.023): an SSRI below 1 mg/L, bupropion with it from there.
Nettis 2021 (doi:10.1038/s41386-020-00948-6): minocycline as an add-on from 3 mg/L.
Raison 2013 (doi:10.1001/2013.jamapsychiatry.4): infliximab above 5 mg/L, placebo up to it.
"""

import numpy as np
from sklearn.base import BaseEstimator

from cytobench import NotApplicable, model

SEROTONERGIC = ("ssri", "serotonergic", "citalopram", "sertraline", "fluoxetine", "paroxetine")
PLACEBO = ("placebo",)
RULES = (
    (1.0, SEROTONERGIC, ("nortriptyline", "tca", "tricyclic")),
    (1.0, SEROTONERGIC, ("bupropion", "dopaminergic")),
    (3.0, PLACEBO, ("minocycline",)),
    (5.0, PLACEBO, ("infliximab",)),
)
"""Cut-off in mg/L, words in the name of the arm below it, and of the arm above it."""


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


def _only(arms, words, besides=()):
    """The only arm that one of the words names, and none of the others does."""
    found = [
        arm
        for arm in arms
        if any(word in arm.lower() for word in words)
        and not any(word in arm.lower() for word in besides)
    ]
    return found[0] if len(found) == 1 else ""


def _published(arms):
    """Cut-off and the two arms of the first rule whose arms there are."""
    for cutoff, low, high in RULES:
        below, above = _only(arms, low, high), _only(arms, high)
        if below and above:
            return cutoff, below, above
    return 1.0, "", ""


@model(
    tasks=("benefit",),
    inputs=("analytes",),
    raw=True,
    needs=("CRP",),
    role="floor",
    licence="BSD-3-Clause",
    citation="10.1176/appi.ajp.2014.14010094",
)
def crp_rule(cutoff=None, below="", above="", units=None, arms=()):
    """The published cut-off of CRP for these arms: 1, 3 or 5 mg/L (Uher, Jha, Nettis, Raison)."""
    unit = (units or {}).get("CRP", "mg/L")
    if unit != "mg/L":
        raise NotApplicable("E221", f"crp_rule needs CRP in mg/L; this cohort has {unit!r}")
    published, low, high = _published(arms)
    below, above = below or low, above or high
    for name, arm in (("below", below), ("above", above)):
        if arms and arm not in arms:
            raise NotApplicable(
                "E221",
                f"which arm is {name} the cut-off is not plain from the arms: {', '.join(arms)}",
                hint=f"name one: model.{name}=...; or two: task.arms=[A,B]",
            )
    return CrpRule(published if cutoff is None else cutoff, below, above)
