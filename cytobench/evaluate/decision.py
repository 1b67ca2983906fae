"""Decision curves: whether acting on the model beats treating everybody, or nobody."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytobench.evaluate.intervals import Estimate
from cytobench.evaluate.out_of_fold import OutOfFold

Floats = NDArray[np.float64]
POINTS = 61
"""Thresholds of a curve."""


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit over a range of thresholds.

    Attributes
    ----------
    thresholds, model, low, high : array, shape (m,)
        Net benefit of acting where the prediction reaches the threshold, and its 95 % interval.
    treat_all : array, shape (m,)
        Treating nobody is 0 throughout.
    over_all : array, shape (m, 3)
        Difference to the better of treating everybody or nobody: value and interval.
    """

    thresholds: Floats
    model: Floats
    low: Floats
    high: Floats
    treat_all: Floats
    over_all: Floats


def net_benefit(y: ArrayLike, probability: ArrayLike, thresholds: ArrayLike) -> Floats:
    """True positives less weighted false positives, in a share of all patients.

    ``TP/n - FP/n * t/(1-t)`` at each threshold t (Vickers & Elkin 2006,
    doi:10.1177/0272989X06295361).

    Parameters
    ----------
    y, probability : array, shape (n,)
    thresholds : array, shape (m,), within (0, 1)

    Returns
    -------
    array, shape (m,)
    """
    found: Floats = _contributions(
        np.asarray(y, dtype=float),
        np.asarray(probability, dtype=float)[None, :],
        np.atleast_1d(np.asarray(thresholds, dtype=float)),
    ).mean(axis=0)
    return found


def treat_all(y: ArrayLike, thresholds: ArrayLike) -> Floats:
    """Net benefit of treating everybody."""
    return net_benefit(y, np.ones(len(np.asarray(y))), thresholds)


def contributions(cell: OutOfFold, thresholds: Floats) -> Floats:
    """What each patient adds to the net benefit, mean over repeats; shape (n, m)."""
    return _contributions(cell.y, cell.prediction, thresholds)


def _contributions(y: Floats, prediction: Floats, thresholds: Floats) -> Floats:
    odds = thresholds / (1 - thresholds)
    worth = y[:, None] - (1 - y[:, None]) * odds
    acted = np.zeros((len(y), len(thresholds)))
    tested = ~np.isnan(prediction)
    for row in np.where(tested, prediction, -np.inf):
        acted += row[:, None] >= thresholds
    found: Floats = worth * acted / tested.sum(axis=0)[:, None]
    return found


def decision_curve(cell: OutOfFold, limits: tuple[float, float], weights: Floats) -> DecisionCurve:
    """The curve over a declared range, with percentile intervals over resampled patients.

    Parameters
    ----------
    weights : array, shape (resamples, n)
        How often each patient is in each resample.
    """
    thresholds = np.linspace(*limits, POINTS)
    model = contributions(cell, thresholds)
    everyone = _contributions(cell.y, np.ones((1, len(cell.y))), thresholds)
    drawn, drawn_all = (weights @ part / len(cell.y) for part in (model, everyone))
    best_default = np.maximum(everyone.mean(axis=0), 0)
    gain = model.mean(axis=0) - best_default
    drawn_gain = drawn - np.maximum(drawn_all, 0)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return DecisionCurve(
        thresholds=thresholds,
        model=model.mean(axis=0),
        low=low,
        high=high,
        treat_all=everyone.mean(axis=0),
        over_all=np.column_stack([gain, *np.quantile(drawn_gain, [0.025, 0.975], axis=0)]),
    )


def net_benefit_at(cell: OutOfFold, threshold: float, weights: Floats) -> Estimate:
    """Net benefit at one threshold."""
    each = contributions(cell, np.array([threshold]))[:, 0]
    return percentile(each, weights)


def percentile(each: Floats, weights: Floats) -> Estimate:
    """Mean of what each patient contributes, with a percentile interval over resampled patients."""
    low, high = np.quantile(weights @ each / len(each), [0.025, 0.975])
    return Estimate(
        float(each.mean()),
        float(low),
        float(high),
        f"patient bootstrap, {len(weights)} resamples, models as given",
    )


@lru_cache(maxsize=1)
def resampled_patients(n: int, resamples: int, seed: int) -> Floats:
    """How often each patient is drawn; the same for every model of a board.

    Not within classes: net benefit moves with the prevalence, which such a bootstrap would hold
    still. A resample of one class has no AUC and is left out there.

    The training is not repeated: what it adds to the variance is missing (such intervals cover 84
    to 88 % where 95 % is said; for paired differences less is missing).

    Returns
    -------
    array, shape (resamples, n)
        Not to be written to: boards of as many patients share it.
    """
    draw = np.random.default_rng(seed)
    times = draw.multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float64)
    times.flags.writeable = False
    return times
