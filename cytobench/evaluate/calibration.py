"""Calibration: whether predicted probabilities mean what they say.

Intercept and slope after Cox (1958, doi:10.1093/biomet/45.3-4.562), the smoothed curve and its
distances from the diagonal after Austin & Steyerberg (2019, doi:10.1002/sim.8281). Everything is
computed from one repeat's pooled predictions and then averaged over repeats; the variance is that
of one repeat, since repeats add no patients.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytobench.evaluate.intervals import Estimate

Floats = NDArray[np.float64]

CLIP = 1e-6
"""Probabilities are kept this far from 0 and 1 before their logarithm is taken."""
SPAN = 0.75
"""Share of the patients in each local fit, loess' usual one."""
FEWEST_LEVELS = 10
"""Below so many different predictions the observed shares need no smoothing."""
POINTS = 200
"""Positions on the curve at which its sampling distribution is computed."""
HARDLY = 0.01
"""Standard deviation of the logits under which a slope has no meaning."""


@dataclass(frozen=True)
class Smoothed:
    """A calibration curve.

    Attributes
    ----------
    predicted, observed : array, shape (n,)
        In the order of the patients.
    method : str
    """

    predicted: Floats
    observed: Floats
    method: str

    @property
    def distances(self) -> dict[str, float]:
        """ICI (mean), E50, E90 and Emax of the distance between curve and diagonal."""
        gap = np.abs(self.observed - self.predicted)
        return {
            "ici": float(gap.mean()),
            "e50": float(np.median(gap)),
            "e90": float(np.quantile(gap, 0.9)),
            "emax": float(gap.max()),
        }


def logit(probability: ArrayLike) -> Floats:
    """Log odds, clipped at `CLIP`."""
    p = np.clip(np.asarray(probability, dtype=float), CLIP, 1 - CLIP)
    found: Floats = np.log(p / (1 - p))
    return found


def intercept(y: ArrayLike, probability: ArrayLike) -> tuple[float, float]:
    """Calibration in the large: the intercept of a logistic model with the logit as offset.

    0 is perfect; above 0 the outcome is commoner than predicted.

    Returns
    -------
    value, standard error : float
        NaN where one class only is present.
    """
    from scipy.optimize import brentq
    from scipy.special import expit

    outcome, eta = np.asarray(y, dtype=float), logit(probability)
    if outcome.all() or not outcome.any():
        return float("nan"), float("nan")
    # The likelihood equation of the offset model: as many expected as observed. It has one root,
    # which Newton's steps miss where predictions are 0 or 1.
    reach = 2 * float(np.abs(eta).max()) + 30

    def excess(shift: float) -> float:
        return float((expit(eta + shift) - outcome).sum())

    shift = float(brentq(excess, -reach, reach, xtol=1e-12))
    risk = expit(eta + shift)
    return shift, 1 / math.sqrt(float((risk * (1 - risk)).sum()))


def slope(y: ArrayLike, probability: ArrayLike) -> tuple[float, float]:
    """Slope of the outcome's log odds on the predicted ones: 1 is perfect, below 1 overfitted.

    Returns
    -------
    value, standard error : float
        NaN where predictions hardly differ, or separate the outcomes.
    """
    if float(np.std(logit(probability))) < HARDLY:
        return float("nan"), float("nan")
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    outcome, eta = np.asarray(y, dtype=float), logit(probability)
    if outcome.all() or not outcome.any():
        return float("nan"), float("nan")
    design = np.column_stack([np.ones(len(eta)), eta])
    with warnings.catch_warnings():
        warnings.simplefilter("error", PerfectSeparationWarning)
        warnings.simplefilter("ignore", RuntimeWarning)  # predictions of 0 and 1 on the way
        try:
            fit = GLM(outcome, design, family=Binomial()).fit()
        except PerfectSeparationWarning:
            return float("nan"), float("nan")
    value, se = float(fit.params[1]), float(fit.bse[1])
    return (value, se) if fit.converged and math.isfinite(se) else (float("nan"), float("nan"))


def smooth(y: ArrayLike, probability: ArrayLike) -> Smoothed:
    """The observed share as a smooth function of the prediction, at each patient.

    Loess of degree 2 and span 0.75 (Cleveland, Grosse & Shyu 1992), clipped to [0, 1]. Where there
    are only a few different predictions, the observed share of each.
    """
    outcome, p = np.asarray(y, dtype=float), np.asarray(probability, dtype=float)
    levels, which, counts = np.unique(p, return_inverse=True, return_counts=True)
    if len(levels) < FEWEST_LEVELS:
        shares = np.bincount(which, weights=outcome) / counts
        return Smoothed(p, shares[which], "observed share at each prediction")
    from skmisc.loess import loess

    with warnings.catch_warnings():
        # Neighbourhoods of tied predictions: loess falls back to a local constant and says so.
        warnings.simplefilter("ignore")
        model = loess(p, outcome, span=SPAN, degree=2)
        try:
            model.fit()
        except ValueError:  # singular: most predictions of a neighbourhood are the same
            at = np.unique(np.quantile(p, np.linspace(0, 1, POINTS)))
            fitted = np.interp(p, at, local_quadratic(p, at) @ outcome)
            return Smoothed(p, np.clip(fitted, 0, 1), "local quadratic, span 0.75, many ties")
        fitted = np.asarray(model.outputs.fitted_values, dtype=float)
    return Smoothed(p, np.clip(fitted, 0, 1), "loess, span 0.75, degree 2")


def local_quadratic(x: Floats, at: Floats, span: float = SPAN) -> Floats:
    """The matrix that turns outcomes into a loess curve: ``curve(at) = matrix @ y``.

    Tricube weights over the nearest ``span * n`` patients, a quadratic in each neighbourhood
    (Cleveland 1979, doi:10.1080/01621459.1979.10481038). The curve is linear in the outcomes, which
    makes thousands of them cost one product.

    Parameters
    ----------
    x : array, shape (n,)
    at : array, shape (m,)

    Returns
    -------
    array, shape (m, n)
    """
    distance = np.abs(x[None, :] - at[:, None])
    nearest = max(3, math.floor(span * len(x) + 1e-9))
    reach = np.partition(distance, nearest - 1, axis=1)[:, nearest - 1 : nearest]
    reach = np.maximum(reach, 1e-12)
    weight = np.clip(1 - (distance / reach) ** 3, 0, 1) ** 3
    # All neighbours equally far, on ties at one side: they count alike, or nobody would.
    nobody = weight.sum(axis=1, keepdims=True) == 0
    weight = np.where(nobody & (distance <= reach * (1 + 1e-9)), 1.0, weight)
    u = (x[None, :] - at[:, None]) / reach
    powers = np.stack([np.ones_like(u), u, u**2], axis=-1)
    gram = np.einsum("mn,mni,mnj->mij", weight, powers, powers)
    # Ties can leave fewer than three different predictions in a neighbourhood.
    gram += 1e-9 * np.eye(3) * np.trace(gram, axis1=1, axis2=2)[:, None, None]
    first = np.zeros((len(at), 3, 1))
    first[:, 0] = 1
    solved = np.linalg.solve(gram, first)[:, :, 0]
    found: Floats = weight * np.einsum("mni,mi->mn", powers, solved)
    return found


def distance_estimates(
    repeats: Sequence[tuple[Floats, Floats]], *, resamples: int, seed: int
) -> dict[str, Estimate]:
    """ICI, E50 and E90 with intervals, and the ICI that perfect calibration would show.

    Interval: basic parametric bootstrap. Outcomes are drawn from the smoothed curve, the curve is
    smoothed again, and the spread of the distances is turned around the estimate. A distance is
    never 0 in a sample: ``ici_if_perfect`` is the 95 % quantile where outcomes are drawn from the
    predictions themselves; an ICI below it is no evidence of miscalibration.

    Parameters
    ----------
    repeats : sequence of (y, probability)
    """
    names = ("ici", "e50", "e90")
    curves = [smooth(y, p) for y, p in repeats]
    values = {name: float(np.mean([curve.distances[name] for curve in curves])) for name in names}
    y, p = repeats[0]
    if len(np.unique(p)) < FEWEST_LEVELS:
        reason = "no interval: fewer than ten different predictions"
        values["ici_if_perfect"] = float("nan")
        return {name: Estimate(value, None, None, reason) for name, value in values.items()}
    draw = np.random.default_rng(seed)
    at = np.quantile(p, (np.arange(min(len(p), POINTS)) + 0.5) / min(len(p), POINTS))
    matrix = local_quadratic(p, at)
    fitted = np.clip(matrix @ y, 0, 1)

    def drawn(chance: Floats) -> dict[str, Floats]:
        outcomes = (draw.random((resamples, len(chance))) < chance).astype(float)
        gap = np.abs(np.clip(outcomes @ matrix.T, 0, 1) - at)
        average = gap.mean(axis=1)
        gap.sort(axis=1)  # once for both quantiles
        return {"ici": average, "e50": _of_sorted(gap, 0.5), "e90": _of_sorted(gap, 0.9)}

    gap = np.abs(fitted - at)
    centre = {"ici": gap.mean(), "e50": np.median(gap), "e90": np.quantile(gap, 0.9)}
    spread = drawn(curves[0].observed)
    perfect = {name: float(np.quantile(gaps, 0.95)) for name, gaps in drawn(p).items()}
    method = f"{curves[0].method}; approximate, basic parametric bootstrap, {resamples} resamples"
    found = {}
    for name in names:
        low, high = np.quantile(spread[name] - centre[name], [0.025, 0.975])
        value = values[name]
        # The smoothed distance is biased upwards; turned around, its interval may end below it.
        # And what perfect calibration shows as well cannot exclude it.
        low_end = 0.0 if value <= perfect[name] else max(0.0, value - float(high))
        found[name] = Estimate(value, low_end, max(value, value - float(low)), method)
    why = "95 % quantile under calibration"
    found["ici_if_perfect"] = Estimate(perfect["ici"], None, None, why)
    return found


def _of_sorted(values: Floats, share: float) -> Floats:
    """The quantile of each sorted row, between two values as far as the share says."""
    place = share * (values.shape[1] - 1)
    below = math.floor(place)
    above = min(below + 1, values.shape[1] - 1)
    found: Floats = values[:, below] + (place - below) * (values[:, above] - values[:, below])
    return found


def over_repeats(found: Sequence[tuple[float, float]], method: str, why_not: str) -> Estimate:
    """Mean over repeats, with the normal interval of one repeat: patients are the unit."""
    pairs = np.array([pair for pair in found if not math.isnan(pair[0])])
    if len(pairs) < len(found) or not len(pairs):
        return Estimate(float("nan"), None, None, f"undefined: {why_not}")
    value, se = float(pairs[:, 0].mean()), math.sqrt(float((pairs[:, 1] ** 2).mean()))
    mc_se = float(pairs[:, 0].std(ddof=1)) / math.sqrt(len(pairs)) if len(pairs) > 1 else None
    return Estimate(value, value - 1.959964 * se, value + 1.959964 * se, method, mc_se)


def linear_calibration(y: ArrayLike, prediction: ArrayLike) -> tuple[float, float]:
    """Slope of an observed number on the predicted one, with its standard error (least squares)."""
    outcome, p = np.asarray(y, dtype=float), np.asarray(prediction, dtype=float)
    centred = p - p.mean()
    spread = float(centred @ centred)
    if spread <= 1e-12 * max(1.0, float(p @ p)) or len(p) < 3:
        return float("nan"), float("nan")
    value = float(centred @ outcome) / spread
    residual = outcome - outcome.mean() - value * centred
    return value, math.sqrt(float(residual @ residual) / (len(p) - 2) / spread)
