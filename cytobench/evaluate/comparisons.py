"""Two models on the same patients: how sure it is that one of them is better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytobench.evaluate.intervals import NO_SPREAD, Estimate, structural_components
from cytobench.evaluate.pairs import won_pairs

Floats = NDArray[np.float64]
TestedPart = tuple[ArrayLike, ArrayLike, ArrayLike]
"""Patients, outcomes and predictions of the test part of one fold of one repeat."""

ROPE = {"auc": 0.01, "mae": 0.5}
"""Region of practical equivalence: a smaller difference changes nobody's decision. AUC; points."""


@dataclass(frozen=True)
class Posterior:
    """What is believed of a difference after the folds were seen.

    Attributes
    ----------
    p_better, p_equivalent, p_worse : float
        Probability that the first model is better by more than the ROPE, within it, or worse.
    low, high : float
        Central 95 % of the posterior.
    rope : float
    """

    p_better: float
    p_equivalent: float
    p_worse: float
    low: float
    high: float
    rope: float


def bayesian_correlated_t(
    differences: ArrayLike, n_train: float, n_test: float, rope: float
) -> Posterior | None:
    """Posterior of the mean difference over resampled folds (Corani & Benavoli 2015).

    A Student t with J - 1 degrees of freedom around the mean, its scale the corrected resampled
    one (doi:10.1007/s10994-015-5486-z). Its tails are those of the corrected t-test, so that it is
    as liberal: read 0.99 where you would read 0.95. Our own lines: the maintained package,
    baycomp, had its last release in 2023 and imports pyplot.

    Parameters
    ----------
    differences : array, shape (J,)
        Positive where the first model is better; NaN folds are left out.
    rope : float
        0 leaves nothing in the region.

    Returns
    -------
    Posterior or None
        None with fewer than two folds, and where all differ by the same.
    """
    from scipy.special import stdtr, stdtrit

    values = np.asarray(differences, dtype=float)
    values = values[~np.isnan(values)]
    if len(values) < 2:
        return None
    mean, df = float(values.mean()), len(values) - 1
    scale = float(values.std(ddof=1)) * math.sqrt(1 / len(values) + n_test / n_train)
    if scale < NO_SPREAD:
        return Posterior(0.0, 1.0, 0.0, 0.0, 0.0, rope) if abs(mean) < NO_SPREAD else None
    better = float(stdtr(df, (mean - rope) / scale))
    worse = float(stdtr(df, (-rope - mean) / scale))
    half = float(stdtrit(df, 0.975)) * scale
    return Posterior(better, 1 - better - worse, worse, mean - half, mean + half, rope)


@dataclass(frozen=True)
class PairedAuc:
    """Difference of two AUCs on one locked test set.

    Attributes
    ----------
    difference : Estimate
        First less second.
    z, p : float
        DeLong's test, two-sided. Where the two order every pair alike there is no z, and p is 1;
        where they differ by the same for every patient there is neither.
    """

    difference: Estimate
    z: float
    p: float


def paired_delong(y: ArrayLike, first: ArrayLike, second: ArrayLike) -> PairedAuc:
    """Compare two scores of the same patients (DeLong et al. 1988, doi:10.2307/2531595).

    It compares two fitted models on these patients, not two procedures: on cross-validated
    predictions it calls equally good procedures different in 19 % of cohorts.

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
    first, second : array, shape (n,)
    """
    from scipy.special import ndtr, ndtri

    outcome = np.asarray(y, dtype=float) == 1
    m, n = int(outcome.sum()), int((~outcome).sum())
    if min(m, n) < 2:
        reason = "no interval: a class has fewer than two patients"
        return PairedAuc(Estimate(float("nan"), None, None, reason), float("nan"), float("nan"))
    parts = [
        structural_components(outcome, np.asarray(score, dtype=float)) for score in (first, second)
    ]
    of_positives = parts[0][0] - parts[1][0]
    of_negatives = parts[0][1] - parts[1][1]
    value = float(of_positives.mean())
    se = math.sqrt(float(of_positives.var(ddof=1)) / m + float(of_negatives.var(ddof=1)) / n)
    if se < NO_SPREAD and abs(value) < NO_SPREAD:
        estimate = Estimate(0.0, 0.0, 0.0, "paired DeLong: no difference in any pair")
        return PairedAuc(estimate, float("nan"), 1.0)
    if se < NO_SPREAD:
        reason = "no interval: the same difference for every patient"
        return PairedAuc(Estimate(value, None, None, reason), float("nan"), float("nan"))
    z, half = value / se, float(ndtri(0.975)) * se
    estimate = Estimate(value, value - half, value + half, "paired DeLong")
    return PairedAuc(estimate, z, float(2 * ndtr(-abs(z))))


def resampled_auc(
    folds: Sequence[tuple[NDArray[np.intp], Floats]], y: Floats, weights: Floats
) -> Floats:
    """Mean AUC over folds in every resample of patients, without a loop over resamples.

    With weights w the AUC of a fold is ``w+' C w- / (sum w+ sum w-)``, C the matrix of pairs in the
    right order. The same weights for two models make their difference a paired bootstrap; nothing
    is refitted, so that the variation of training is missing (coverage 0.84 to 0.88).

    Parameters
    ----------
    folds : sequence of (rows, score)
        Positions of the fold's patients in `y`, and their predictions.
    y : array of 0 and 1, shape (n,)
    weights : array, shape (resamples, n)

    Returns
    -------
    array, shape (resamples,)
        NaN where no fold kept both classes.
    """
    total = np.zeros(len(weights))
    counted = np.zeros(len(weights))
    by_patient = np.ascontiguousarray(weights.T)  # rows of patients: a fold is copied in one piece
    for rows, score in folds:
        won, pairs = won_pairs(score, y[rows] == 1, by_patient[rows])
        total += np.divide(won, pairs, out=np.zeros(len(won)), where=pairs > 0)
        counted += pairs > 0
    found: Floats = np.full(len(weights), np.nan)
    np.divide(total, counted, out=found, where=counted > 0)
    return found


def cv_auc_influence(folds: Sequence[tuple[ArrayLike, ArrayLike]]) -> Estimate:
    """Cross-validated AUC with LeDell's influence-curve interval (doi:10.1214/15-EJS1035).

    For one repeat; the fitted models are taken as given.

    Parameters
    ----------
    folds : sequence of (y, score)
        Each with both outcomes: without, the fold's AUC and so the estimate is undefined.
    """
    from scipy.special import ndtri

    parts = [
        (np.asarray(y, dtype=float) == 1, np.asarray(score, dtype=float)) for y, score in folds
    ]
    if not parts or any(outcome.all() or not outcome.any() for outcome, _ in parts):
        return Estimate(float("nan"), None, None, "no interval: a fold holds one class only")
    share = float(np.concatenate([outcome for outcome, _ in parts]).mean())
    values, squares = [], 0.0
    for outcome, score in parts:
        of_positives, of_negatives = structural_components(outcome, score)
        auc = float(of_positives.mean())
        values.append(auc)
        squares += float((((of_positives - auc) / share) ** 2).sum()) / len(outcome)
        squares += float((((of_negatives - auc) / (1 - share)) ** 2).sum()) / len(outcome)
    value = float(np.mean(values))
    se = math.sqrt(squares / len(parts) / sum(len(outcome) for outcome, _ in parts))
    if se < NO_SPREAD:
        return Estimate(value, None, None, f"no interval: every fold's AUC is {values[0]:g}")
    half = float(ndtri(0.975)) * se
    method = "influence curve, folds' models as given"
    return Estimate(value, value - half, value + half, method)
