"""Partial least squares: regression, and discriminant analysis with calibrated probabilities."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cross_decomposition import PLSRegression
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from cytobench import Int, model


class PlsScore(ClassifierMixin, BaseEstimator):
    """PLS regression on the 0/1 outcome; its answer is a decision value, no probability."""

    def __init__(self, n_components=2):
        self.n_components = n_components

    def fit(self, X, y):
        """Regress the indicator of the second class on X."""
        X, y = validate_data(self, X, y)
        self.classes_, encoded = np.unique(y, return_inverse=True)
        moving = int((np.ptp(X, axis=0) > 0).sum())
        components = max(1, min(self.n_components, moving, len(X) - 1))
        self.pls_ = PLSRegression(components, scale=False).fit(X, encoded.astype(float))
        return self

    def decision_function(self, X):
        """Predicted indicator minus a half, shape (n,)."""
        check_is_fitted(self)
        return self.pls_.predict(validate_data(self, X, reset=False)).ravel() - 0.5

    def predict(self, X):
        """The class whose indicator is nearer."""
        return self.classes_[(self.decision_function(X) >= 0).astype(int)]


class PlsDiscriminant(ClassifierMixin, BaseEstimator):
    """Two classes by PLS; the sigmoid is fitted to scores of patients left out in turn."""

    def __init__(self, n_components=2):
        self.n_components = n_components

    def fit(self, X, y):
        """Fit the components and the sigmoid."""
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) != 2:
            raise ValueError(
                "Only binary classification is supported. The type of the target is "
                f"{type_of_target(y)}, with {len(self.classes_)} class(es)."
            )
        score = PlsScore(self.n_components)
        self.calibrated_ = CalibratedClassifierCV(score, method="sigmoid", cv=3, ensemble=False)
        self.calibrated_.fit(X, y)
        return self

    def predict_proba(self, X):
        """Probability of both classes, shape (n, 2)."""
        check_is_fitted(self)
        return self.calibrated_.predict_proba(validate_data(self, X, reset=False))

    def predict(self, X):
        """The likelier class."""
        second = self.predict_proba(X)[:, 1] >= 0.5
        return self.classes_[second.astype(int)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


@model(
    tasks=("response", "remission", "percent_change"),
    space={"n_components": Int(1, 6)},
    licence="BSD-3-Clause",
    citation="10.1002/cem.785",
)
def pls_da(n_components=2, kind="classification"):
    """Partial least squares (discriminant analysis), Platt-scaled in the training part."""
    if kind == "regression":
        return PLSRegression(n_components, scale=False)
    return PlsDiscriminant(n_components)
