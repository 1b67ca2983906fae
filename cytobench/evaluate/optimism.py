"""Optimism of a model scored on its own training data: Harrell's bootstrap, .632 and .632+.

A second opinion on cross-validation for models that refit in under a second. The whole pipeline
(preprocessing, selection, tuning) belongs into `fit_predict`, or the correction is too small.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytobench.core.errors import UsageError
from cytobench.evaluate.metrics import auc, brier

Floats = NDArray[np.float64]
Index = NDArray[np.intp]
FitPredict = Callable[[Floats, Floats, Floats], ArrayLike]
"""``(train_X, train_y, X) -> probabilities``, one for each row of ``X``."""

RESAMPLES = 200
DRAWN = 0.632
"""Share of the patients that a bootstrap resample holds on average, ``1 - 1/e``."""
_METRICS: Mapping[str, Callable[[ArrayLike, ArrayLike], float]] = {"auc": auc, "brier": brier}


@dataclass(frozen=True)
class Corrected:
    """One metric, on the training data and corrected in three ways.

    Attributes
    ----------
    apparent : float
        The model scored on the patients that it was fitted to.
    optimism : float
        Mean over resamples of (score on the resample) - (score on all patients).
    harrell : float
        ``apparent - optimism`` (Harrell et al. 1996,
        doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4).
    out_of_bag : float
        Mean over resamples of the score on the patients never drawn.
    e632 : float
        ``0.368 * apparent + 0.632 * out_of_bag`` (Efron 1983, doi:10.2307/2288636).
    e632plus : float
        The same with the weight of `out_of_bag` raised by `overfitting`.
    no_information : float
        What the model's predictions would score if they had nothing to do with the outcome.
    overfitting : float
        Relative overfitting rate: 0 none, 1 as bad as no information.
    """

    apparent: float
    optimism: float
    out_of_bag: float
    e632: float
    e632plus: float
    no_information: float
    overfitting: float

    @property
    def harrell(self) -> float:
        """Apparent score less its optimism."""
        return self.apparent - self.optimism


def optimism_bootstrap(
    X: ArrayLike,
    y: ArrayLike,
    fit_predict: FitPredict,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    samples: Sequence[ArrayLike] | None = None,
) -> dict[str, Corrected]:
    """Correct the apparent AUC and Brier score of a model for its optimism.

    Parameters
    ----------
    X : array, shape (n, features)
    y : array of 0 and 1, shape (n,)
    fit_predict : callable
        Refits the whole pipeline each time that it is called.
    resamples : int
        200 or more for a result to publish.
    samples : sequence of int arrays, shape (n,), optional
        Positions of the patients drawn, in place of resamples from `seed`.

    Returns
    -------
    dict
        ``"auc"`` and ``"brier"``.

    Raises
    ------
    UsageError
        ``E121`` for one class only, or no resamples.
    """
    features, outcome = np.asarray(X), np.asarray(y, dtype=np.float64)
    fewest = int(min(outcome.sum(), len(outcome) - outcome.sum()))
    if fewest < 2:
        raise UsageError("E121", f"the bootstrap needs two patients of each class, not {fewest}")
    if samples is None:
        samples = _draw(outcome, resamples, seed)
    if not len(samples):
        raise UsageError("E121", "the bootstrap needs one resample or more")
    whole = np.asarray(fit_predict(features, outcome, features), dtype=np.float64)
    gaps: dict[str, list[float]] = {name: [] for name in _METRICS}
    outside: dict[str, list[float]] = {name: [] for name in _METRICS}
    for sample in samples:
        drawn = np.asarray(sample, dtype=np.intp)
        predicted = np.asarray(fit_predict(features[drawn], outcome[drawn], features), dtype=float)
        left = np.setdiff1d(np.arange(len(outcome)), drawn)
        for name, metric in _METRICS.items():
            on_resample = metric(outcome[drawn], predicted[drawn])
            gaps[name].append(on_resample - metric(outcome, predicted))
            outside[name].append(metric(outcome[left], predicted[left]))
    return {
        name: _corrected(
            name,
            metric(outcome, whole),
            float(np.mean(gaps[name])),
            float(np.nanmean(outside[name])),
            0.5 if name == "auc" else no_information_brier(outcome, whole),
        )
        for name, metric in _METRICS.items()
    }


def no_information_brier(y: ArrayLike, probability: ArrayLike) -> float:
    """Mean squared difference over every pair of one patient's outcome and another's prediction."""
    outcome, p = np.asarray(y, dtype=float), np.asarray(probability, dtype=float)
    # The mean over all n^2 pairs, written without them.
    return float((outcome**2).mean() - 2 * outcome.mean() * p.mean() + (p**2).mean())


def loss_632plus(apparent: float, out_of_bag: float, no_information: float) -> tuple[float, float]:
    """The .632+ estimate of a loss (Efron & Tibshirani 1997, doi:10.1080/01621459.1997.10474007).

    Parameters
    ----------
    apparent, out_of_bag, no_information : float
        Losses: lower is better.

    Returns
    -------
    estimate, overfitting : float
        ``overfitting`` is the relative rate R, kept in 0 to 1.
    """
    bounded = min(out_of_bag, no_information)
    overfits = out_of_bag > apparent and no_information > apparent
    overfitting = (bounded - apparent) / (no_information - apparent) if overfits else 0.0
    weight = DRAWN / (1 - (1 - DRAWN) * overfitting)
    return (1 - weight) * apparent + weight * bounded, overfitting


def _corrected(
    name: str, apparent: float, optimism: float, out_of_bag: float, no_information: float
) -> Corrected:
    plain = (1 - DRAWN) * apparent + DRAWN * out_of_bag
    if name == "auc":
        loss, overfitting = loss_632plus(1 - apparent, 1 - out_of_bag, 1 - no_information)
        plus = 1 - loss
    else:
        plus, overfitting = loss_632plus(apparent, out_of_bag, no_information)
    return Corrected(apparent, optimism, out_of_bag, plain, plus, no_information, overfitting)


def _draw(outcome: Floats, resamples: int, seed: int) -> list[Index]:
    """Patients with replacement; a draw is repeated where either side would hold one class only."""
    draw = np.random.default_rng(seed)
    found: list[Index] = []
    everyone = np.arange(len(outcome))
    while len(found) < resamples:
        drawn = draw.integers(0, len(outcome), len(outcome))
        left = np.setdiff1d(everyone, drawn)
        if all(len(np.unique(outcome[rows])) == 2 for rows in (drawn, left)):
            found.append(drawn)
    return found
