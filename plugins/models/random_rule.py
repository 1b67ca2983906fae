"""Baseline: a treatment by lot."""

import numpy as np
from sklearn.base import BaseEstimator

from cytobench import model


class Lot(BaseEstimator):
    """Each arm with the same probability, whatever the patient."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y, treatment):
        """Remember the arms."""
        del X, y
        self.arms_ = np.unique(np.asarray(treatment, dtype=str))
        return self

    def recommend(self, X):
        """From the patient's own values: nobody's lot depends on who else is asked."""
        values = np.nan_to_num(np.asarray(X.select_dtypes("number"), dtype=float))
        lots = [
            np.random.default_rng(
                [self.random_state or 0, *np.frombuffer(row.tobytes(), np.uint32)]
            )
            for row in np.ascontiguousarray(values)
        ]
        return np.array([self.arms_[lot.integers(len(self.arms_))] for lot in lots])


@model(tasks=("benefit",), role="floor", licence="BSD-3-Clause")
def random_rule(random_state=None):
    """A treatment by lot: what knowing nothing and preferring nothing is worth."""
    return Lot(random_state)
