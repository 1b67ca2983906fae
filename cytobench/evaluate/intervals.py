"""Intervals and paired comparisons that respect how resampled folds overlap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytobench.evaluate.metrics import midranks

Floats = NDArray[np.float64]
LEVEL = 0.95
INFLATION = 1.35
"""Factor on the variance of intervals from cross-validation.

Nadeau and Bengio's correction still misses part of what training varies by: at 1 the interval of an
AUC covers 85 to 94 % at n = 60 to 300. With the larger of two variances, 1.25 is about the least
that reaches 92 %; 1.35 does so with a margin (``benchmarks/results/interval_coverage.md``).
Differences of two models on the same folds need no factor: there the correction covers."""
NO_SPREAD = 1e-12
"""A standard error below this is rounding: shares of pairs are fractions of whole numbers."""


@dataclass(frozen=True)
class Estimate:
    """A number with its interval.

    Attributes
    ----------
    value : float
    low, high : float or None
        Ends of the 95 % interval; None where no honest interval exists, `method` then says why.
    method : str
    mc_se : float or None
        Monte-Carlo standard error: how far the value would move with other repeats of the same
        protocol on the same patients. Apart from the interval, which speaks of other patients.
    """

    value: float
    low: float | None
    high: float | None
    method: str
    mc_se: float | None = None


def nadeau_bengio(
    values: ArrayLike, n_train: float, n_test: float, *, inflation: float = 1.0
) -> Estimate:
    """Mean over resampled folds with the corrected resampled t interval.

    ``se = sd * sqrt(1/J + n_test/n_train)`` with J - 1 degrees of freedom (Nadeau & Bengio 2003,
    doi:10.1023/A:1024068626366). Folds share training patients, so that the naive interval is far
    too short.

    Parameters
    ----------
    values : array, shape (J,)
        One value for each fold; NaN folds (one class only) are left out.
    n_train, n_test : float
        Mean sizes of the two parts.
    inflation : float
        Factor on the variance; see `INFLATION`.
    """
    folds = np.asarray(values, dtype=float)
    folds = folds[~np.isnan(folds)]
    if len(folds) < 2:
        value = float(folds[0]) if len(folds) else float("nan")
        return Estimate(value, None, None, "no interval: fewer than two folds")
    mean = float(folds.mean())
    se = _corrected_se(folds, n_train, n_test) * math.sqrt(inflation)
    half = t_quantile(len(folds) - 1) * se
    return Estimate(mean, mean - half, mean + half, "Nadeau-Bengio corrected t" + _times(inflation))


def _times(inflation: float) -> str:
    return "" if inflation == 1 else f", variance x {inflation:g}"


def nadeau_bengio_logit(
    values: ArrayLike, n_train: float, n_test: float, *, inflation: float = 1.0
) -> Estimate:
    """As :func:`nadeau_bengio` for a share such as the AUC, symmetric on the logit scale.

    The standard error of the mean is carried to the logit by the delta method, since single folds
    may reach 0 or 1.
    """
    plain = nadeau_bengio(values, n_train, n_test, inflation=inflation)
    if plain.low is None or plain.high is None:
        return plain
    method = f"{plain.method}, logit scale"
    if plain.low == plain.high and 0 < plain.value < 1:
        return Estimate(plain.value, plain.low, plain.high, method)
    return on_logit(plain.value, (plain.high - plain.low) / 2, method)


def repeated(
    values: ArrayLike,
    of_patients: float,
    n_train: float,
    n_test: float,
    *,
    extra: float = 0.0,
    share: bool = False,
    name: str = "patients'",
) -> Estimate:
    """Mean over the folds of repeated cross-validation, with the interval that covers.

    Of two variances the larger: Nadeau and Bengio's from the folds, and that of sampling patients
    with the fitted models as given. Times `INFLATION`, with a t quantile. Neither alone covers at
    small n; nor does a bootstrap of stored predictions.

    Parameters
    ----------
    values : array, shape (J,)
        One value for each fold; NaN folds (one class only) are left out.
    of_patients : float
        Variance of the mean over cohorts; NaN where it is not known.
    extra : float
        Variance that neither of the two holds.
    share : bool
        Symmetric on the logit scale.
    name : str
        What the second variance is called.
    """
    folds = np.asarray(values, dtype=float)
    folds = folds[~np.isnan(folds)]
    if len(folds) < 2:
        return nadeau_bengio(folds, n_train, n_test)
    of_folds = _corrected_se(folds, n_train, n_test) ** 2
    known = 0.0 if math.isnan(of_patients) else of_patients
    se = math.sqrt(INFLATION * (max(of_folds, known) + extra))
    mean, half = float(folds.mean()), t_quantile(len(folds) - 1) * se
    said = "Nadeau-Bengio" if known == 0 else f"larger of the Nadeau-Bengio and {name}"
    method = f"{said} variance{'s' if known else ''} x {INFLATION:g}, t"
    if not share:
        return Estimate(mean, mean - half, mean + half, method)
    method += ", logit scale"
    if se == 0 and 0 < mean < 1:
        return Estimate(mean, mean, mean, method)
    return on_logit(mean, half, method)


def repeated_auc(
    values: ArrayLike, delong_variances: ArrayLike, n_train: float, n_test: float
) -> Estimate:
    """As :func:`repeated` for the AUC, with the mean of DeLong's variances of the repeats.

    Parameters
    ----------
    values : array, shape (J,)
    delong_variances : array, shape (repeats,)
    """
    pooled = np.asarray(delong_variances, dtype=float)
    known = pooled[~np.isnan(pooled)]
    folds = np.asarray(values, dtype=float)
    folds = folds[~np.isnan(folds)]
    if len(folds) and np.ptp(folds) == 0:  # constant predictions: pooled folds only seem to differ
        known = known[:0]
    variance = float(known.mean()) if len(known) else float("nan")
    return repeated(values, variance, n_train, n_test, share=True, name="DeLong")


def out_of_bag(values: ArrayLike) -> Estimate:
    """Mean over refitted bootstrap resamples with the percentile interval of the left-out score.

    Each resample repeats the whole procedure on patients drawn with replacement and scores those
    never drawn (Efron & Tibshirani 1997, doi:10.1080/01621459.1997.10474007). Training parts hold
    63 % of the patients only, so that the estimate is a little pessimistic.
    """
    drawn = np.asarray(values, dtype=float)
    drawn = drawn[~np.isnan(drawn)]
    mean = float(drawn.mean()) if len(drawn) else float("nan")
    if len(drawn) < 40:
        return Estimate(mean, None, None, f"no interval: {len(drawn)} resamples, fewer than 40")
    low, high = np.quantile(drawn, [0.025, 0.975])
    method = f"refit bootstrap, out-of-bag percentiles of {len(drawn)} resamples"
    return Estimate(mean, float(low), float(high), method)


def on_logit(value: float, half: float, method: str) -> Estimate:
    """A share with ``value ± half``, made symmetric on the logit scale by the delta method.

    No interval at 0 or 1: Wald's would have no width there.
    """
    if not 0 < value < 1:
        return Estimate(value, None, None, f"no interval: the estimate is {value:g}")
    centre, reach = math.log(value / (1 - value)), half / (value * (1 - value))
    from scipy.special import expit

    return Estimate(value, float(expit(centre - reach)), float(expit(centre + reach)), method)


def _corrected_se(values: Floats, n_train: float, n_test: float) -> float:
    sd = float(values.std(ddof=1))
    return sd * math.sqrt(1 / len(values) + n_test / n_train)


def t_quantile(df: float) -> float:
    """Half-width of a t interval in standard errors."""
    from scipy.special import stdtrit

    return float(stdtrit(df, 0.5 + LEVEL / 2))


def corrected_t(
    first: ArrayLike, second: ArrayLike, n_train: float, n_test: float
) -> tuple[float, float]:
    """Two-sided corrected resampled t-test of paired fold values.

    Returns
    -------
    t, p : float
        Nadeau & Bengio 2003. Equal values in every fold give ``(0, 1)``. The same difference in all
        of them, as of a perfect model from a constant one, has no spread to be tested against: p is
        NaN.
    """
    from scipy.special import stdtr

    difference = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    difference = difference[~np.isnan(difference)]
    if len(difference) < 2:
        return float("nan"), float("nan")
    se = _corrected_se(difference, n_train, n_test)
    if se < NO_SPREAD:
        return (0.0, 1.0) if abs(difference.mean()) < NO_SPREAD else (math.inf, float("nan"))
    t = float(difference.mean() / se)
    return t, float(2 * stdtr(len(difference) - 1, -abs(t)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values (Holm 1979)."""
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    factors = np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    return [float(value) for value in adjusted]


def delong(y: ArrayLike, score: ArrayLike) -> tuple[float, float]:
    """AUC and its variance on one locked test set.

    DeLong et al. 1988 (doi:10.2307/2531595), computed from midranks (Sun & Xu 2014,
    doi:10.1109/LSP.2014.2337313).

    Returns
    -------
    auc, variance : float
        NaN where a class has fewer than two patients.
    """
    outcome = np.asarray(y, dtype=float) == 1
    values = np.asarray(score, dtype=float)
    m, n = int(outcome.sum()), int((~outcome).sum())
    if min(m, n) < 2:
        return float("nan"), float("nan")
    of_positives, of_negatives = structural_components(outcome, values)
    variance = of_positives.var(ddof=1) / m + of_negatives.var(ddof=1) / n
    return float(of_positives.mean()), float(variance)


def structural_components(outcome: NDArray[np.bool_], score: Floats) -> tuple[Floats, Floats]:
    """Each patient's share of the other class in the right order (Sun & Xu 2014).

    Returns
    -------
    of_positives, of_negatives : array
        Their mean is the AUC.
    """
    overall = midranks(score)
    m, n = int(outcome.sum()), int((~outcome).sum())
    of_positives = (overall[outcome] - midranks(score[outcome])) / n
    of_negatives = 1 - (overall[~outcome] - midranks(score[~outcome])) / m
    return of_positives, of_negatives


def delong_logit(y: ArrayLike, score: ArrayLike) -> Estimate:
    """AUC on a locked test set with DeLong's interval on the logit scale."""
    value, variance = delong(y, score)
    if math.isnan(value):
        return Estimate(value, None, None, "no interval: a class has fewer than two patients")
    if variance == 0 and 0 < value < 1:
        return Estimate(value, value, value, "DeLong, logit scale")
    return on_logit(value, z_quantile() * math.sqrt(variance), "DeLong, logit scale")


def wilson_share(share: float, n: int) -> Estimate:
    """A share of n patients with Wilson's interval (1927, doi:10.1080/01621459.1927.10502953)."""
    from statsmodels.stats.proportion import proportion_confint

    if math.isnan(share) or n == 0:
        return Estimate(float("nan"), None, None, "no interval: nobody to be counted")
    low, high = proportion_confint(round(share * n), n, method="wilson")
    return Estimate(share, float(low), float(high), f"Wilson, {n} patients")


def mean_of_patients(losses: ArrayLike) -> Estimate:
    """Mean loss on a locked test set; patients are independent, so the plain z interval holds."""
    values = np.asarray(losses, dtype=float)
    mean = float(values.mean())
    if len(values) < 2:
        return Estimate(mean, None, None, "no interval: one patient")
    half = z_quantile() * float(values.std(ddof=1)) / math.sqrt(len(values))
    return Estimate(mean, mean - half, mean + half, "normal interval over patients")


def standard_error(values: Floats) -> float:
    """Of the mean of independent values; NaN with fewer than two."""
    return float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else float("nan")


def z_quantile() -> float:
    """Half-width of a normal interval in standard errors."""
    from scipy.special import ndtri

    return float(ndtri(0.5 + LEVEL / 2))
