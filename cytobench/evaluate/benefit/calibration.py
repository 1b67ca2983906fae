"""Is a predicted benefit of the right size: slope, and effect by group of predicted benefit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cytobench.evaluate.benefit.scores import Floats, Positions
from cytobench.evaluate.intervals import Estimate, standard_error, t_quantile

GROUPS = 4


@dataclass(frozen=True)
class Group:
    """Patients of similar predicted benefit.

    Attributes
    ----------
    n : int
    predicted : float
        Their mean predicted benefit.
    effect : Estimate
        Their mean doubly robust score.
    """

    n: int
    predicted: float
    effect: Estimate


def slope_of_benefit(contrast: Floats, predicted: Floats) -> Estimate:
    """Slope of the doubly robust contrast on the predicted benefit: 1 where its size is right.

    The best linear predictor of the effect (Chernozhukov 2018, doi:10.3386/w24678), by least
    squares with the HC3 covariance. Below 1 the predictions exaggerate how patients differ; 0 is
    what noise has. NaN where all patients have the same prediction.

    Parameters
    ----------
    contrast : array, shape (n,)
        Doubly robust score of one arm minus that of another.
    predicted : array, shape (n,)
        From models that did not see the patient.
    """
    if len(predicted) < 3 or np.ptp(predicted) < 1e-12:
        return Estimate(float("nan"), None, None, "predictions hardly differ")
    import statsmodels.api as sm

    fit = sm.OLS(contrast, sm.add_constant(predicted)).fit(cov_type="HC3", use_t=True)
    low, high = fit.conf_int()[1]
    return Estimate(float(fit.params[1]), float(low), float(high), "least squares, HC3")


def within_folds(values: Floats, fold: Positions) -> Floats:
    """Values less their fold's mean: what models of different folds differ by says nothing."""
    number = np.unique(fold, return_inverse=True)[1]
    means = np.bincount(number, weights=values) / np.bincount(number)
    found: Floats = values - means[number]
    return found


def grouped(
    contrast: Floats, predicted: Floats, order: Floats | None = None, groups: int = GROUPS
) -> list[Group]:
    """Effect in groups of equal size by predicted benefit, lowest first.

    Patients of one prediction stay together, so that there may be fewer groups.

    Parameters
    ----------
    order : array, shape (n,), optional
        What they are grouped by, where predictions of several models cannot be compared.
    """
    order = predicted if order is None else order
    cuts = np.quantile(order, np.arange(1, groups) / groups)
    number = np.searchsorted(cuts, order, side="right")
    found = []
    for value in np.unique(number):
        scores = contrast[number == value]
        n, mean = len(scores), float(scores.mean())
        if n < 2:
            effect = Estimate(mean, None, None, "no interval: one patient")
        else:
            half = t_quantile(n - 1) * standard_error(scores)
            effect = Estimate(mean, mean - half, mean + half, "t, doubly robust scores")
        found.append(Group(n, float(predicted[number == value].mean()), effect))
    return found
