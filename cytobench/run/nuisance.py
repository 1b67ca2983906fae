"""What a rule is scored with, whatever the rule: outcomes under each arm, and propensities.

Fitted on a training part, asked about other patients; the same for every model of a board.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
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


@dataclass(frozen=True)
class Inner:
    """An inner split: who is fitted on, and the doubly robust scores of who is not.

    Attributes
    ----------
    train, valid : array of int
        Positions in the cohort.
    scores : array, shape (n_valid, k)
        From models fitted on `train`.
    """

    train: Positions
    valid: Positions
    scores: Floats


@dataclass(frozen=True)
class Judged:
    """What the rules of a fold are judged by, the same for all of them.

    Attributes
    ----------
    inner : sequence of Inner
    single : int
        The arm that was best for everybody in the training part.
    test : Trial
        The test part, ready to be scored by models of the training part.
    """

    inner: Sequence[Inner]
    single: int
    test: Trial


_KEPT: OrderedDict[str, Judged] = OrderedDict()
KEPT_FOLDS = 64
"""Of a cohort of 100,000 they take 150 MB; the usual protocol has fifty."""


def kept_judgement(key: str, judge: Callable[[], Judged]) -> Judged:
    """A fold's judgement from earlier in this process, or a new one; the oldest goes first."""
    if key not in _KEPT:
        _KEPT[key] = judge()
    _KEPT.move_to_end(key)
    if len(_KEPT) > KEPT_FOLDS:
        _KEPT.popitem(last=False)
    return _KEPT[key]
