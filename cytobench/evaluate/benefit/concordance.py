"""Are pairs who gain more also predicted to gain more: C-for-benefit."""

from __future__ import annotations

import numpy as np

from cytobench.evaluate.benefit.scores import Floats, Positions
from cytobench.evaluate.intervals import Estimate, z_quantile


def c_for_benefit(y: Floats, arm: Positions, predicted: Floats) -> Estimate:
    """Concordance of predicted and observed benefit over pairs of patients, one of each arm.

    The patients of both arms are paired by rank of predicted benefit; what a pair is predicted to
    gain is the mean of both, what it gained the difference of the outcomes (van Klaveren 2018,
    doi:10.1016/j.jclinepi.2017.10.021). It depends on the matching, and a model that is right need
    not score best: a supplement, never a headline. The standard error is that of Hmisc's
    rcorr.cens.

    Parameters
    ----------
    y : array, shape (n,)
    arm : array of 0 and 1, shape (n,)
    predicted : array, shape (n,)
        Benefit of arm 1 over arm 0. Of the larger arm, those at equally spaced ranks are paired.
    """
    treated, control = _ranked(arm == 1, predicted), _ranked(arm == 0, predicted)
    pairs = min(len(treated), len(control))
    if pairs < 2:
        return Estimate(float("nan"), None, None, "no interval: fewer than two pairs")
    treated, control = _thinned(treated, pairs), _thinned(control, pairs)
    expected = (predicted[treated] + predicted[control]) / 2
    return concordance(expected, y[treated] - y[control])


def _ranked(members: np.ndarray, predicted: Floats) -> Positions:
    rows = np.flatnonzero(members)
    return rows[np.argsort(predicted[rows], kind="stable")]


def _thinned(rows: Positions, size: int) -> Positions:
    return rows[np.round(np.linspace(0, len(rows) - 1, size)).astype(np.intp)]


def concordance(predicted: Floats, observed: Floats) -> Estimate:
    """Share of pairs, among those that differ in `observed`, that are ordered alike; ties half."""
    apart = np.sign(observed[:, None] - observed[None, :])
    relevant = apart != 0
    agree = np.sign(predicted[:, None] - predicted[None, :]) * apart
    r, w = relevant.sum(axis=1).astype(float), np.where(relevant, agree, 0.0).sum(axis=1)
    total = r.sum()
    if total == 0:
        return Estimate(float("nan"), None, None, "no interval: all gained the same")
    somers = w.sum() / total
    spread = (r**2).sum() * somers**2 - 2 * somers * (r * w).sum() + (w**2).sum()
    se = float(np.sqrt(max(spread, 0.0)) / total)
    c, half = float((somers + 1) / 2), z_quantile() * se
    # Not cut off at 0 and 1: the error of the mean over repeats is read off it.
    return Estimate(c, c - half, c + half, "U-statistic, as rcorr.cens")
