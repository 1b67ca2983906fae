"""Floor: the training part's outcome within strata of C-reactive protein."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from cytobench import NotApplicable, model

STRATA = (1.0, 3.0)
"""mg/L; below 1, 1 to 3, above 3 (Osimo 2019, doi:10.1017/S0033291719001454)."""


class _ByStratum(BaseEstimator):
    """Mean outcome of each CRP stratum, drawn to the overall mean by one pseudo-patient."""

    def fit(self, X, y):
        """Take the means; patients without a CRP count for the overall mean only."""
        validate_data(self, X, y, skip_check_array=True)
        y = np.asarray(y, dtype=float)
        stratum = self._stratum(X)
        self.overall_ = float(y.mean())
        self.means_ = np.array(
            [(y[stratum == k].sum() + self.overall_) / ((stratum == k).sum() + 1) for k in range(3)]
        )
        return self

    def _mean(self, X):
        check_is_fitted(self)
        validate_data(self, X, reset=False, skip_check_array=True)
        stratum = self._stratum(X)
        return np.where(stratum < 0, self.overall_, self.means_[stratum])

    @staticmethod
    def _stratum(X):
        crp = np.asarray(X["CRP"], dtype=float)
        low, high = STRATA
        return np.where(np.isnan(crp), -1, (crp >= low).astype(int) + (crp > high))


class CrpClassifier(ClassifierMixin, _ByStratum):
    """Share of responders in the patient's CRP stratum."""

    def fit(self, X, y):
        """Take the shares of responders."""
        self.classes_ = np.unique(y)
        return super().fit(X, y)

    def predict_proba(self, X):
        """Probability of both classes, shape (n, 2)."""
        p = self._mean(X)
        return np.column_stack([1 - p, p])

    def predict(self, X):
        """The likelier class."""
        second = self._mean(X) >= 0.5
        return self.classes_[second.astype(int)]


class CrpRegressor(RegressorMixin, _ByStratum):
    """Mean change in the patient's CRP stratum."""

    def predict(self, X):
        """Mean of the stratum, shape (n,)."""
        return self._mean(X)


@model(
    tasks=("response", "remission", "percent_change"),
    inputs=("analytes",),
    raw=True,
    needs=("CRP",),
    role="floor",
    licence="BSD-3-Clause",
    citation="10.1017/S0033291719001454",
)
def crp_cutoff(kind="classification", units=None):
    """Outcome of the training part within CRP below 1, 1 to 3 and above 3 mg/L."""
    unit = (units or {}).get("CRP", "mg/L")
    if unit != "mg/L":
        raise NotApplicable("E221", f"crp_cutoff needs CRP in mg/L; this cohort has {unit!r}")
    return CrpRegressor() if kind == "regression" else CrpClassifier()
