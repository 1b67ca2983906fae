"""Learning curves: an inverse power law through the scores at several training sizes.

``score(n) = a - b n^-c`` (for a loss ``a + b n^-c``), weighted by precision, as Figueroa et al.
2012 (doi:10.1186/1472-6947-12-8) fit it. Uncertainty comes from folds drawn anew, the same folds at
every size, so that what the sizes share cancels in their differences.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytobench.evaluate.intervals import INFLATION, LEVEL, Estimate

Floats = NDArray[np.float64]

FEWEST_SIZES = 4
"""One more than the law has parameters."""
FEWEST_FOLDS = 4
EXPONENTS = np.geomspace(0.1, 2.0, 150)
"""Range of c. Losses of regular models fall as n^-1, their square roots as n^-0.5."""
RESAMPLES = 1000
FARTHEST = 10.0
"""Times the largest size studied; farther, a size needed is not given as a number."""
WITHIN = 0.01
SHARED_BY_GAINS = 1 / 3
"""Part of the folds' correlation that is left in differences between sizes.

Over 24 simulated designs (120 to 900 patients, ridge regression, five folds) the standard deviation
of the gain over cohorts was 0.9 to 1.35 times the naive one with 10 folds, 0.9 to 2.26 times with
50; ``sqrt(1 + J * test_share / 3)`` is 1.35 and 2.27. That of the level was 1.7 to 2.4 and 4.0 to
5.0 times, as Nadeau and Bengio's correction with `INFLATION` has it.
"""


@dataclass(frozen=True)
class LearningCurve:
    """Scores at the sizes studied, and the law through them.

    Attributes
    ----------
    sizes, estimates, standard_errors : array, shape (sizes,)
        As studied, in ascending order of training patients.
    grid, median, low, high : array, shape (grid,)
        Expected score by training patients with the 95 % interval; empty where refused.
    plateau : Estimate
        The score that no number of patients exceeds.
    needed : Estimate
        Training patients from which the score is within `within` of its plateau; ``high`` is None
        where the points set no upper end.
    within : float
    method : str
    refusal : str
        Why no law was fitted, in words; empty where one was.
    """

    sizes: Floats
    estimates: Floats
    standard_errors: Floats
    grid: Floats
    median: Floats
    low: Floats
    high: Floats
    plateau: Estimate
    needed: Estimate
    within: float
    method: str
    refusal: str = ""


def fit_learning_curve(
    sizes: ArrayLike,
    folds: ArrayLike,
    *,
    larger_is_better: bool = True,
    best: float | None = None,
    test_share: float = 0.0,
    grid: Sequence[float] = (),
    within: float = WITHIN,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> LearningCurve:
    """Fit an inverse power law and extrapolate it, or say why the points do not determine one.

    Parameters
    ----------
    sizes : array, shape (s,)
        Training patients.
    folds : array, shape (s, J)
        Score of each fold at each size; column j is the same test part at every size. Folds with a
        NaN at any size are left out.
    larger_is_better : bool
        False for a loss.
    best : float, optional
        The best score that there can be, 1 for an AUC, 0 for an error: bounds the plateau.
    test_share : float
        Test patients over training patients, 0 for independent values. Folds share patients: the
        variance of what a fold has in common at all sizes is widened by ``1 + J * test_share``
        (Nadeau & Bengio 2003, doi:10.1023/A:1024068626366) times `INFLATION`, that of differences
        between sizes by ``1 + J * test_share * SHARED_BY_GAINS``.
    grid : sequence of float
        Sizes to predict at; by default from the smallest studied to four times the largest.
    within : float
        Distance from the plateau that counts as having reached it, in the unit of the score.
    """
    order = np.argsort(np.asarray(sizes, dtype=float), kind="stable")
    n = np.asarray(sizes, dtype=float)[order]
    values = np.asarray(folds, dtype=float)[order]
    values = values[:, ~np.isnan(values).any(axis=0)]
    count = values.shape[1]
    estimates = values.mean(axis=1) if count else np.full(len(n), np.nan)
    if len(np.unique(n)) < FEWEST_SIZES or count < FEWEST_FOLDS:
        unknown = np.full(len(n), np.nan)
        refusal = (
            f"{len(np.unique(n))} training sizes with {count} folds each: a curve needs "
            f"{FEWEST_SIZES} sizes and {FEWEST_FOLDS} folds"
        )
        return _refused(n, estimates, unknown, within, refusal)
    level = math.sqrt((1 + count * test_share) * (INFLATION if test_share else 1))
    errors = level * values.std(axis=1, ddof=1) / math.sqrt(count)
    gains = math.sqrt(1 + count * test_share * SHARED_BY_GAINS)
    noise = _small_sample(count) * (_resampled(values, resamples, seed) - estimates)
    common = noise.mean(axis=1, keepdims=True)
    means = estimates + level * common + gains * (noise - common)
    refusal = _flat(n, means, estimates, larger_is_better)
    if refusal:
        return _refused(n, estimates, errors, within, refusal)
    sign = 1 if larger_is_better else -1
    limit = math.inf if best is None else sign * best
    laws = _fit(n, sign * means, _weights(errors), limit)
    at = np.asarray(grid if len(grid) else np.geomspace(n[0], 4 * n[-1], 40), dtype=float)
    scores = sign * _law(laws, at)
    low, median, high = np.quantile(scores, [_TAIL, 0.5, 1 - _TAIL], axis=0)
    method = (
        f"inverse power law (Figueroa 2012) through {len(n)} sizes, exponent {EXPONENTS[0]:g} to "
        f"{EXPONENTS[-1]:g}; {resamples} resamples of {count} folds paired over sizes"
        + (", variance widened for shared patients" if test_share else "")
    )
    return LearningCurve(
        n,
        estimates,
        errors,
        at,
        median,
        low,
        high,
        _percentiles(sign * laws[:, 0], "asymptote of the inverse power law"),
        _needed(laws, within, n[-1]),
        within,
        method,
    )


_TAIL = (1 - LEVEL) / 2


def _resampled(values: Floats, resamples: int, seed: int) -> Floats:
    """Means at every size over folds drawn with replacement, shape (resamples, sizes)."""
    draw = np.random.default_rng(seed)
    count = values.shape[1]
    weights = draw.multinomial(count, np.full(count, 1 / count), size=resamples) / count
    means: Floats = weights @ values.T
    return means


def _small_sample(count: int) -> float:
    """What a bootstrap of a few folds lacks: the divisor count - 1, and Student's t for z."""
    from scipy.special import ndtri, stdtrit

    ratio = float(stdtrit(count - 1, 1 - _TAIL) / ndtri(1 - _TAIL))
    return ratio * math.sqrt(count / (count - 1))


def _weights(errors: Floats) -> Floats:
    """Inverse variances, kept apart from infinity; equal where nothing varies."""
    least = 1e-3 * float(errors.max())
    return np.ones(len(errors)) if least == 0 else np.maximum(errors, least) ** -2.0


def _flat(n: Floats, means: Floats, estimates: Floats, larger_is_better: bool) -> str:
    """Words where the trend over log n is within the noise, or against more patients."""
    x = np.log(n) - np.log(n).mean()
    span = math.log(n[-1] / n[0])
    gain = float(estimates @ x / (x @ x)) * span
    low, high = np.quantile(means @ x / (x @ x) * span, [_TAIL, 1 - _TAIL])
    better = low > 0 if larger_is_better else high < 0
    if better:
        return ""
    return (
        f"from {n[0]:.0f} to {n[-1]:.0f} training patients the score changes by {gain:+.3g} "
        f"({low:+.3g} to {high:+.3g}): no gain beyond the noise, so that these points say neither "
        "where a plateau lies nor how many patients would reach it"
    )


def _fit(n: Floats, means: Floats, weights: Floats, best: float) -> Floats:
    """Rows (a, b, c) that fit each row of means: b >= 0, a <= best, c in `EXPONENTS`.

    Given c the law is linear in a and b; every c is tried, so that no fit hangs on its start.
    """
    w = weights / weights.sum()
    smallest = np.full(len(means), np.inf)
    laws = np.zeros((len(means), 3))
    centre = means @ w
    for c in EXPONENTS:
        x = n**-c
        spread = x - w @ x
        b = -(means @ (w * spread)) / (w @ spread**2)
        b = np.maximum(b, 0.0)
        a = centre + b * (w @ x)
        beyond = a > best
        if beyond.any():
            a[beyond] = best
            b[beyond] = np.maximum((best - means[beyond]) @ (w * x) / (w @ x**2), 0.0)
        error = (means - a[:, None] + b[:, None] * x) ** 2 @ w
        better = error < smallest
        smallest[better] = error[better]
        laws[better] = np.column_stack([a, b, np.full(len(a), c)])[better]
    return laws


def _law(laws: Floats, n: Floats) -> Floats:
    a, b, c = (laws[:, [column]] for column in range(3))
    scores: Floats = a - b * n ** (-c)
    return scores


def _needed(laws: Floats, within: float, largest: float) -> Estimate:
    """Patients at which ``b n^-c = within``, over the resampled laws."""
    b, c = laws[:, 1], laws[:, 2]
    sizes = np.exp(np.log(np.maximum(b, 1e-300) / within) / c)
    low, value, high = (float(size) for size in np.quantile(sizes, [_TAIL, 0.5, 1 - _TAIL]))
    farthest = FARTHEST * largest
    if value > farthest:
        method = (
            f"the points do not determine it: more than {farthest:.0f} training patients, "
            f"{FARTHEST:g} times the largest size studied, are at least as likely as fewer"
        )
        return Estimate(float("nan"), min(low, farthest), None, method)
    method = f"inverse power law within {within:g} of its plateau"
    if high > farthest:
        open_end = f"; no upper end within {FARTHEST:g} times the largest size studied"
        return Estimate(value, low, None, method + open_end)
    return Estimate(value, low, high, method)


def _percentiles(values: Floats, method: str) -> Estimate:
    low, value, high = (float(item) for item in np.quantile(values, [_TAIL, 0.5, 1 - _TAIL]))
    return Estimate(value, low, high, method)


def _refused(
    n: Floats, estimates: Floats, errors: Floats, within: float, refusal: str
) -> LearningCurve:
    nothing = np.empty(0)
    unknown = Estimate(float("nan"), None, None, "not determined: " + refusal)
    return LearningCurve(
        n,
        estimates,
        errors,
        nothing,
        nothing,
        nothing,
        nothing,
        unknown,
        unknown,
        within,
        "no curve fitted",
        refusal,
    )
