"""A model with its search, or with its threshold."""

from __future__ import annotations

from typing import Any

from benchopt import BaseSolver
from peer_sklearn import searched, thresholded


class Solver(BaseSolver):  # type: ignore[misc]
    """benchopt tunes nothing by itself: the solver does, with scikit-learn."""

    name = "tuned"
    sampling_strategy = "run_once"
    parameters = {"model": ["lr"], "trials": [0], "strength": [None]}  # noqa: RUF012

    def set_objective(self, X: Any, y: Any) -> None:
        """The training part."""
        self.X, self.y = X, y
        fixed = {} if self.strength is None else {"C": self.strength}
        self.estimator = (
            searched(self.model, self.trials) if self.trials else thresholded(self.model, **fixed)
        )

    def run(self, _: Any) -> None:
        """Fit."""
        self.estimator.fit(self.X, self.y)

    def get_result(self) -> dict[str, Any]:
        """The fitted model."""
        return {"model": self.estimator}
