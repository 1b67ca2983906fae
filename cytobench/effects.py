"""What plugins that estimate treatment effects have in common: EconML's estimators as a contract.

Heavy: import it inside a model's factory, as :mod:`cytobench.torch` is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from cytobench.core.errors import NotApplicable

Floats = NDArray[np.float64]


class EffectLearner(BaseEstimator):  # type: ignore[misc]
    """A model of the effect of each arm, around an estimator of EconML.

    A subclass says in :meth:`learner` which; EconML is imported there, when a model is fitted.

    Attributes
    ----------
    arms_ : array of str, shape (k,)
        ``np.unique`` of the treatments that it was fitted to.
    """

    def learner(self) -> Any:
        """An unfitted EconML estimator."""
        raise NotImplementedError

    def fit(self, X: Any, y: Any, treatment: Any) -> EffectLearner:
        """Learn from patients, the outcome of each and the arm that each received."""
        self.arms_, received = np.unique(np.asarray(treatment, dtype=str), return_inverse=True)
        self.learner_ = self.learner()
        self.learner_.fit(np.asarray(y, dtype=float), received, X=np.asarray(X, dtype=float))
        return self

    def predict_effect(self, X: Any) -> Floats:
        """Effect of every arm but the first over the first, shape (n, k - 1)."""
        check_is_fitted(self, "learner_")
        effect = self.learner_.const_marginal_effect(np.asarray(X, dtype=float))
        found: Floats = np.asarray(effect, dtype=float).reshape(len(X), len(self.arms_) - 1)
        return found


def weighted(regressor: Any, name: str) -> Any:
    """The regressor, once it is known to take weights of patients.

    Raises
    ------
    NotApplicable
        ``E225`` where it does not.
    """
    if not has_fit_parameter(regressor, "sample_weight"):
        raise NotApplicable(
            "E225",
            f"{name} takes no weights of patients, which this learner needs of its base",
            hint="name another one: model.base=random_forest",
        )
    return regressor
