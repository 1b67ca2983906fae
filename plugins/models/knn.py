"""Nearest neighbours."""

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.utils.validation import check_is_fitted, validate_data

from cytobench import Choice, Int, model


class _Neighbours(BaseEstimator):
    """scikit-learn's, with all patients as neighbours where there are fewer than asked for."""

    def __init__(self, n_neighbors=15, weights="uniform"):
        self.n_neighbors = n_neighbors
        self.weights = weights

    def fit(self, X, y):
        """Remember the patients."""
        X, y = validate_data(self, X, y)
        neighbours = min(self.n_neighbors, len(X))
        self.search_ = self.searcher(neighbours, weights=self.weights).fit(X, y)
        return self

    def predict(self, X):
        """The neighbours' majority, or mean."""
        check_is_fitted(self)
        return self.search_.predict(validate_data(self, X, reset=False))


class NeighboursClassifier(ClassifierMixin, _Neighbours):
    """Share of the neighbours in each class."""

    searcher = KNeighborsClassifier

    def fit(self, X, y):
        """Remember the patients and their classes."""
        super().fit(X, y)
        self.classes_ = self.search_.classes_
        return self

    def predict_proba(self, X):
        """Share of the neighbours in each class, shape (n, classes)."""
        check_is_fitted(self)
        return self.search_.predict_proba(validate_data(self, X, reset=False))


class NeighboursRegressor(RegressorMixin, _Neighbours):
    """Mean of the neighbours."""

    searcher = KNeighborsRegressor


@model(
    tasks=("response", "remission", "percent_change"),
    space={"n_neighbors": Int(5, 60, log=True), "weights": Choice("uniform", "distance")},
    licence="BSD-3-Clause",
    citation="10.1109/TIT.1967.1053964",
)
def knn(n_neighbors=20, weights="uniform", kind="classification"):
    """What happened to the most similar patients."""
    neighbours = NeighboursRegressor if kind == "regression" else NeighboursClassifier
    return neighbours(n_neighbors, weights)
