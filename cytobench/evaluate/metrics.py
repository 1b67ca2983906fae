"""Scores of one set of predictions: discrimination, accuracy, error."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytobench.core.errors import UsageError, did_you_mean

Floats = NDArray[np.float64]
EPSILON = 1e-15
"""Probabilities are kept this far from 0 and 1 in the logarithmic loss."""


def auc(y: ArrayLike, score: ArrayLike) -> float:
    """Area under the ROC curve: the share of (1, 0) pairs in the right order, ties as one half.

    Computed from midranks (Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747).

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
    score : array, shape (n,)

    Returns
    -------
    float
        NaN where only one class is present.
    """
    outcome = np.asarray(y, dtype=np.float64) == 1
    positives = int(outcome.sum())
    negatives = len(outcome) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    rank_sum = midranks(np.asarray(score, dtype=np.float64))[outcome].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))


def midranks(values: Floats) -> Floats:
    """Ranks from 1 to n; tied values share their mean rank."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    edges = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1], True])
    ranks = np.empty(len(values))
    ranks[order] = np.repeat((edges[:-1] + edges[1:] + 1) / 2, np.diff(edges))
    return ranks


def brier(y: ArrayLike, probability: ArrayLike) -> float:
    """Mean squared difference of probability and outcome (Brier 1950); 0 is perfect."""
    return float(np.mean((np.asarray(probability, dtype=float) - np.asarray(y, dtype=float)) ** 2))


def log_loss(y: ArrayLike, probability: ArrayLike) -> float:
    """Mean negative log-likelihood in nats, probabilities clipped at 1e-15."""
    p = np.clip(np.asarray(probability, dtype=float), EPSILON, 1 - EPSILON)
    outcome = np.asarray(y, dtype=float)
    return float(-np.mean(outcome * np.log(p) + (1 - outcome) * np.log1p(-p)))


def average_precision(y: ArrayLike, score: ArrayLike, *, prevalence: float | None = None) -> float:
    """Area under the precision-recall curve as a step function; noise reaches the prevalence.

    NaN where only one class is present.

    Parameters
    ----------
    prevalence : float, optional
        Patients are weighted as if so many had the outcome.
    """
    outcome = np.asarray(y) == 1
    if outcome.all() or not outcome.any():
        return float("nan")
    values = np.asarray(score, dtype=np.float64)
    descending = np.argsort(-values)
    ordered = values[descending]
    found = np.cumsum(outcome[descending])
    steps = np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], True])
    share = found[steps] / found[-1]
    false = (steps + 1 - found[steps]) / (len(outcome) - found[-1])
    positives = outcome.mean() if prevalence is None else prevalence
    precision = positives * share / (positives * share + (1 - positives) * false)
    return float(np.diff(share, prepend=0.0) @ precision)


def sensitivity(y: ArrayLike, decision: ArrayLike) -> float:
    """Share of the patients with the outcome that are found; NaN where there are none."""
    outcome, decided = np.asarray(y) == 1, np.asarray(decision).astype(bool)
    return float(decided[outcome].mean()) if outcome.any() else float("nan")


def specificity(y: ArrayLike, decision: ArrayLike) -> float:
    """Share of the patients without the outcome that are left alone; NaN where there are none."""
    return sensitivity(1 - np.asarray(y), ~np.asarray(decision).astype(bool))


def spearman(y: ArrayLike, prediction: ArrayLike) -> float:
    """Rank correlation; NaN where either is constant."""
    ranks = [midranks(np.asarray(values, dtype=np.float64)) for values in (y, prediction)]
    if any(np.ptp(values) == 0 for values in ranks):
        return float("nan")
    first, second = (values - values.mean() for values in ranks)
    return float(first @ second / np.sqrt((first @ first) * (second @ second)))


def skill(loss: float, null_loss: float) -> float:
    """Share of the null model's loss that is removed; 0 is no better, negative is worse."""
    return float("nan") if null_loss == 0 else 1 - loss / null_loss


def balanced_accuracy(y: ArrayLike, decision: ArrayLike) -> float:
    """Mean of sensitivity and specificity; NaN where only one class is present."""
    outcome, decided = np.asarray(y) == 1, np.asarray(decision).astype(bool)
    if outcome.all() or not outcome.any():
        return float("nan")
    return float((decided[outcome].mean() + (~decided[~outcome]).mean()) / 2)


def mse(y: ArrayLike, prediction: ArrayLike) -> float:
    """Mean squared error."""
    return float(np.mean((np.asarray(prediction, dtype=float) - np.asarray(y, dtype=float)) ** 2))


def mae(y: ArrayLike, prediction: ArrayLike) -> float:
    """Mean absolute error, in the unit of the outcome."""
    return float(np.mean(np.abs(np.asarray(prediction, dtype=float) - np.asarray(y, dtype=float))))


def r2_against(y: ArrayLike, prediction: ArrayLike, null: float) -> float:
    """Share of the squared error of a constant prediction that is removed; negative if worse.

    The constant is the mean of the training part, which a test-set mean would flatter.
    """
    return skill(mse(y, prediction), mse(y, np.full(len(np.asarray(y)), null)))


def best_threshold(y: ArrayLike, probability: ArrayLike) -> float:
    """The probability at or above which to say 1, for the best balanced accuracy.

    Between two neighbouring predictions the midpoint is taken, the middle one among equals (Youden
    1950, doi:10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3).
    """
    outcome = np.asarray(y, dtype=float) == 1
    p = np.asarray(probability, dtype=float)
    values = np.unique(p)
    if len(values) == 1:
        return float(values[0])
    cuts = (values[:-1] + values[1:]) / 2
    positives, negatives = np.sort(p[outcome]), np.sort(p[~outcome])
    sensitivity = 1 - np.searchsorted(positives, cuts, side="left") / max(len(positives), 1)
    specificity = np.searchsorted(negatives, cuts, side="left") / max(len(negatives), 1)
    youden = sensitivity + specificity
    best = np.flatnonzero(youden >= youden.max() - 1e-12)
    return float(cuts[best[len(best) // 2]])


def _half(
    metric: Callable[[ArrayLike, ArrayLike], float],
) -> Callable[[ArrayLike, ArrayLike], float]:
    return lambda y, p: metric(y, np.asarray(p) >= 0.5)


TUNING_METRICS: Mapping[str, tuple[str, int, Callable[[ArrayLike, ArrayLike], float]]] = {
    "log_loss": ("classification", 1, log_loss),
    "brier": ("classification", 1, brier),
    "auc": ("classification", -1, auc),
    "balanced_accuracy": ("classification", -1, _half(balanced_accuracy)),
    "mse": ("regression", 1, mse),
    "mae": ("regression", 1, mae),
}
"""Metric -> task kind, sign that makes lower better, function."""

REGRESSION_DEFAULT = "mse"


def tuning_metric(metric: str, kind: str) -> str:
    """The metric that tunes: the default ``log_loss`` stands for ``mse`` in regression."""
    return REGRESSION_DEFAULT if kind == "regression" and metric == "log_loss" else metric


def tuning_loss(metric: str, kind: str) -> Callable[[ArrayLike, ArrayLike], float]:
    """The loss (lower is better) that tuning minimises.

    Raises
    ------
    UsageError
        ``E113`` for a metric that is unknown or of the other kind of task.
    """
    metric = tuning_metric(metric, kind)
    if metric not in TUNING_METRICS or TUNING_METRICS[metric][0] != kind:
        fitting = [name for name, entry in TUNING_METRICS.items() if entry[0] == kind]
        raise UsageError(
            "E113",
            f"{metric!r} cannot tune a {kind} task",
            where="tuning.metric",
            hint=did_you_mean(metric, fitting),
        )
    _, sign, function = TUNING_METRICS[metric]
    return lambda y, prediction: sign * function(y, prediction)
