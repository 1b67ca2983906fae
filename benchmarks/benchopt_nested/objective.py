"""benchopt's view of a workload: a cohort, outer folds, and the AUC of each."""

from __future__ import annotations

from typing import Any

from benchopt import BaseObjective
from workload import outer_folds, rank_auc, score


class Objective(BaseObjective):  # type: ignore[misc]
    """AUC in each outer fold."""

    name = "Nested CV"
    min_benchopt_version = "1.10"
    parameters = {"workload": ["W0"]}  # noqa: RUF012 - benchopt wants a plain attribute

    def set_data(self, X: Any, y: Any) -> None:
        """The cohort."""
        self.X, self.y = X, y
        self.cv = outer_folds(self.workload)

    def get_objective(self) -> dict[str, Any]:
        """The training part of the fold that it is at."""
        self.train, self.test = self.get_split(self.X, self.y)
        return {"X": self.train[0], "y": self.train[1]}

    def split(self, cv_fold: Any, X: Any, y: Any) -> Any:
        """Rows of a fold."""
        train, test = cv_fold
        return (X[train], y[train]), (X[test], y[test])

    def evaluate_result(self, model: Any) -> dict[str, float]:
        """AUC in the test part."""
        X, y = self.test
        return {"value": 1.0, "auc": rank_auc(y, score(model, X))}

    def get_one_result(self) -> dict[str, Any]:
        """Any model, for benchopt's own tests."""
        from sklearn.dummy import DummyClassifier

        return {"model": DummyClassifier().fit(*self.train)}
