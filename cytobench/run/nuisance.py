"""What a rule is scored with, whatever the rule: outcomes under each arm, and propensities.

Fitted on a training part, asked about other patients; the same for every model of a board.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.evaluate.benefit.scores import Trial

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
PENALTIES = np.logspace(0, 5, 11)
"""Ridge penalties for the outcomes: generalised cross-validation chooses; the columns have unit
variance."""
STRENGTHS = np.logspace(-4, 1, 6)
"""Inverse penalties of the propensity model."""


@dataclass(frozen=True)
class Nuisance:
    """Fitted models of outcome and treatment.

    Attributes
    ----------
    encoder : object
        Fitted transformer of baseline columns without the arm.
    outcomes : sequence of object
        One regressor for each arm.
    propensity : object or None
        A classifier of the arm; None where the design decides.
    shares : array, shape (k,)
        Share of each arm in the training part.
    """

    encoder: Any
    outcomes: tuple[Any, ...]
    propensity: Any
    shares: Floats

    def trial(
        self, frame: pd.DataFrame, y: Floats, received: Positions, arms: tuple[str, ...]
    ) -> Trial:
        """Patients whom the models did not see, ready to be scored."""
        X = self.encoder.transform(frame)
        outcomes = np.column_stack([model.predict(X) for model in self.outcomes])
        if self.propensity is None:
            propensity = np.tile(self.shares, (len(frame), 1))
        else:
            propensity = np.asarray(self.propensity.predict_proba(X), dtype=float)
        return Trial(y, received, arms, outcomes, propensity)


def fit_nuisance(
    frame: pd.DataFrame,
    y: Floats,
    received: Positions,
    encoder: Any,
    *,
    arms: int,
    fitted: bool,
    seed: int,
) -> Nuisance:
    """Ridge regression of the outcome in each arm; a logistic one of the arm where it was no lot.

    The scores that come of it are unbiased where the design's propensity is right, whatever the
    outcome models are worth; these only narrow the interval (Robins 1994). In an observational
    cohort one of the two has to be right.

    Parameters
    ----------
    frame : DataFrame
        Baseline columns of the training part, without the arm.
    received : array of int, shape (n,)
        Position of each patient's arm.
    encoder : object
        Unfitted.
    fitted : bool
        Whether propensities are fitted, or the arms' shares.
    """
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    X = encoder.fit_transform(frame)
    outcomes = tuple(
        RidgeCV(alphas=PENALTIES).fit(X.loc[received == arm], y[received == arm])
        for arm in range(arms)
    )
    propensity = None
    if fitted:
        search = GridSearchCV(
            LogisticRegression(max_iter=2000),
            {"C": STRENGTHS},
            scoring="neg_log_loss",
            cv=StratifiedKFold(5, shuffle=True, random_state=seed),
        )
        propensity = search.fit(X, received)
    shares = np.bincount(received, minlength=arms) / len(received)
    return Nuisance(encoder, outcomes, propensity, shares)
