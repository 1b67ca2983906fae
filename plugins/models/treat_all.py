"""Baseline: one treatment for everybody."""

import numpy as np
from sklearn.base import BaseEstimator

from cytobench import NotApplicable, model


class OneForAll(BaseEstimator):
    """The named arm, or the one with the best mean outcome in training."""

    def __init__(self, treatment=""):
        self.treatment = treatment

    def fit(self, X, y, treatment):
        """Compare the arms' means."""
        del X
        y, arms = np.asarray(y, dtype=float), np.asarray(treatment, dtype=str)
        names = np.unique(arms)
        means = [y[arms == name].mean() for name in names]
        self.arm_ = self.treatment or names[int(np.argmax(means))]
        return self

    def recommend(self, X):
        """The same for each."""
        return np.full(len(X), self.arm_)


@model(tasks=("benefit",), role="floor", licence="BSD-3-Clause")
def treat_all(treatment="", arms=()):
    """One treatment for everybody: model.treatment, or what was best in training."""
    if treatment and arms and treatment not in arms:
        raise NotApplicable(
            "E221", f"there is no arm {treatment!r}", hint=f"there are: {', '.join(arms)}"
        )
    return OneForAll(treatment)
