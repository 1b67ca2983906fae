"""What each patient contributes to a metric: the sampling of patients that stratified folds hide.

Folds stratified by outcome share one prevalence, so that their spread says nothing of how a loss
moves with the prevalence of another cohort. In simulations with one outcome in four the interval of
the Brier score from folds alone covered 82 to 86 % (``benchmarks/interval_coverage.py``).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cytobench.evaluate.metrics import EPSILON, average_precision
from cytobench.evaluate.out_of_fold import OutOfFold

Floats = NDArray[np.float64]
Loss = Callable[[Floats, Floats], Floats]

STEP = 0.02
"""Change of the prevalence by which the slope of the average precision is taken."""


def squared(y: Floats, prediction: Floats) -> Floats:
    """Squared error: the Brier score of a probability."""
    found: Floats = (prediction - y) ** 2
    return found


def absolute(y: Floats, prediction: Floats) -> Floats:
    """Absolute error."""
    found: Floats = np.abs(prediction - y)
    return found


def logarithmic(y: Floats, prediction: Floats) -> Floats:
    """Negative log-likelihood in nats."""
    p = np.clip(prediction, EPSILON, 1 - EPSILON)
    found: Floats = -(y * np.log(p) + (1 - y) * np.log1p(-p))
    return found


LOSSES: dict[str, Loss] = {
    "brier": squared,
    "log_loss": logarithmic,
    "mae": absolute,
}
SKILLS: dict[str, Loss] = {"brier_skill": squared, "log_loss_skill": logarithmic, "r2": squared}


def influence(metric: str, cell: OutOfFold) -> Floats | None:
    """Each patient's contribution to a metric, mean over repeats, shape (n,).

    For a mean loss the loss itself; for a skill ``1 - L/L0`` and a root the first-order term
    (Hampel 1974, doi:10.1080/01621459.1974.10482962). The variance of the metric over cohorts,
    with the fitted models as given, is that of these values over n.

    Returns
    -------
    array or None
        None for metrics that are no function of mean losses.
    """
    if metric in LOSSES:
        return _mean_loss(LOSSES[metric], cell, cell.prediction)
    if metric == "rmse":
        losses = _mean_loss(squared, cell, cell.prediction)
        root: Floats = losses / (2 * np.sqrt(max(float(losses.mean()), EPSILON)))
        return root
    if metric in SKILLS:
        losses = _mean_loss(SKILLS[metric], cell, cell.prediction)
        null = _mean_loss(SKILLS[metric], cell, cell.null)
        level = float(null.mean())
        if level == 0:
            return None
        found: Floats = -(losses - float(losses.mean()) / level * null) / level
        return found
    return None


def of_prevalence(cell: OutOfFold) -> float:
    """Variance of the average precision that comes from the cohort's prevalence.

    ``(d AP / d prevalence)² · prevalence (1 - prevalence) / n``; the slope by giving the patients
    with the outcome other weights.
    """
    y = cell.y
    prevalence = float(y.mean())
    if not STEP < prevalence < 1 - STEP:
        return 0.0
    slopes = []
    for outcome, score in cell.repeats():
        ends = [
            average_precision(outcome, score, prevalence=prevalence + sign * STEP)
            for sign in (1, -1)
        ]
        slopes.append((ends[0] - ends[1]) / (2 * STEP))
    return float(np.mean(slopes)) ** 2 * prevalence * (1 - prevalence) / len(y)


def _mean_loss(loss: Loss, cell: OutOfFold, prediction: Floats) -> Floats:
    losses = loss(np.broadcast_to(cell.y, prediction.shape), prediction)
    found: Floats = np.nanmean(losses, axis=0)
    return found
