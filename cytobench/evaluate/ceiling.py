"""How much of what can be known a model knows: its share of the way from floor to ceiling."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cytobench.evaluate.intervals import Estimate
from cytobench.evaluate.scores import HEADLINE, LOWER_IS_BETTER, Scores

Floats = NDArray[np.float64]
TOO_CLOSE = "floor and ceiling cannot be told apart"


def share_of_distance(model: Scores, floor: Scores, ceiling: Scores) -> Estimate:
    """Share of the distance from a floor to the ceiling, on the headline metric.

    0 is no better than the floor, 1 as good as the truth; below 0 is worse than the floor. The
    interval is Fieller's (1954, doi:10.1111/j.2517-6161.1954.tb00159.x) for a ratio of two
    correlated means, with the variance of overlapping folds (Nadeau & Bengio 2003,
    doi:10.1023/A:1024068626366).

    Parameters
    ----------
    model, floor, ceiling : Scores
        On the same folds.

    Returns
    -------
    Estimate
        NaN where the distance does not differ from 0 by its own interval: a ratio to it would say
        nothing.
    """
    metric = HEADLINE[model.kind]
    sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
    low = floor.by_fold[metric]
    gained = sign * (model.by_fold[metric] - low)
    distance = sign * (ceiling.by_fold[metric] - low)
    known = ~np.isnan(gained + distance)
    train, test = model.sizes
    return ratio_of_means(gained[known], distance[known], test / train)


def ratio_of_means(numerator: Floats, denominator: Floats, overlap: float) -> Estimate:
    """Fieller's interval for the ratio of the means of paired values.

    Parameters
    ----------
    numerator, denominator : arrays, shape (J,)
    overlap : float
        ``n_test / n_train`` where the values share training patients; 0 for independent ones.
    """
    from scipy.stats import t

    folds = len(numerator)
    if folds == 0:
        return Estimate(float("nan"), None, None, "no fold has both classes")
    top, bottom = float(numerator.mean()), float(denominator.mean())
    if folds < 2:
        value = top / bottom if bottom > 0 else float("nan")
        return Estimate(value, None, None, "no interval: one fold")
    covariance = np.cov(numerator, denominator) * (1 / folds + overlap)
    quantile = float(t.ppf(0.975, folds - 1))
    # (top - r bottom)^2 <= q^2 (v11 - 2 r v12 + r^2 v22), solved for r.
    a = bottom**2 - quantile**2 * covariance[1, 1]
    b = top * bottom - quantile**2 * covariance[0, 1]
    c = top**2 - quantile**2 * covariance[0, 0]
    if bottom <= 0 or a <= 0:
        return Estimate(float("nan"), None, None, TOO_CLOSE)
    half = math.sqrt(max(0.0, b * b - a * c)) / a
    method = "Fieller, variance of overlapping folds" if overlap else "Fieller"
    return Estimate(top / bottom, b / a - half, b / a + half, method)
