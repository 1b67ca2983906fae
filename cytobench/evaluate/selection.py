"""BBC-CV: the winner of a search, corrected for having been picked, without another fit.

Bootstrap bias corrected cross-validation (Tsamardinos, Greasidou & Borboudakis 2018,
doi:10.1007/s10994-018-5714-4): patients are resampled, the setting that is best on the resample is
scored on those left out. Here on the inner predictions of each outer fold, as a second opinion on
the nested estimate; or on any matrix of out-of-fold predictions, as a protocol of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytobench.core.result import InnerPredictions
from cytobench.evaluate.intervals import Estimate
from cytobench.evaluate.metrics import EPSILON, auc
from cytobench.evaluate.pairs import won_by_row

Floats = NDArray[np.float64]

KEPT = 2**17
"""Numbers of a draw of resamples that is kept for the next model: a megabyte."""


@dataclass(frozen=True)
class Selected:
    """What a search promises, and what is left of it.

    Attributes
    ----------
    naive : float
        AUC of the best setting on the predictions that chose it, mean over outer folds.
    corrected : Estimate
        Its BBC-CV estimate, with the percentile interval over resamples.
    """

    naive: float
    corrected: Estimate


def bbc(y: ArrayLike, predictions: ArrayLike, *, resamples: int, seed: int) -> tuple[float, Floats]:
    """Resampled performance of the winner among several settings.

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
    predictions : array, shape (settings, n)
        Out-of-fold probabilities.

    Returns
    -------
    naive : float
        AUC of the setting with the least log-loss, on the same patients.
    drawn : array, shape (resamples,)
        AUC on the left-out patients of the setting with the least log-loss on the resample; NaN
        where only one class was left out.
    """
    outcome = np.asarray(y, dtype=float)
    p = np.atleast_2d(np.asarray(predictions, dtype=float))
    clipped = np.clip(p, EPSILON, 1 - EPSILON)
    loss = -(outcome * np.log(clipped) + (1 - outcome) * np.log1p(-clipped))
    weights = _resamples(len(outcome), resamples, seed)
    chosen = (weights @ loss.T).argmin(axis=1)
    settings, which = np.unique(chosen, return_inverse=True)
    out = (weights == 0).astype(float)
    won, pairs = won_by_row(p[settings], which, outcome == 1, out)
    drawn = np.divide(won, pairs, out=np.full(resamples, np.nan), where=pairs > 0)
    return auc(outcome, p[loss.mean(axis=1).argmin()]), drawn


def _resamples(n: int, resamples: int, seed: int) -> Floats:
    """How often each patient is in each resample: the same for every model of a board."""
    draw = _drawn if n * resamples <= KEPT else _drawn.__wrapped__
    return draw(n, resamples, seed)


@lru_cache(maxsize=64)
def _drawn(n: int, resamples: int, seed: int) -> Floats:
    draw = np.random.default_rng(seed)
    weights = draw.multinomial(n, np.full(n, 1 / n), size=resamples).astype(float)
    weights.flags.writeable = False
    return weights


def selected(inner: Sequence[InnerPredictions], *, resamples: int, seed: int) -> Selected:
    """BBC-CV of every outer fold's search, together.

    Each outer fold's inner predictions are resampled on their own; the estimate is the mean over
    folds, the interval the percentiles of all resamples.

    Raises
    ------
    ValueError
        Where there is no fold.
    """
    if not inner:
        raise ValueError("no inner predictions")
    per_fold = max(50, resamples // len(inner))
    parts = [
        bbc(fold.y, _matrix(fold.predictions), resamples=per_fold, seed=seed + position)
        for position, fold in enumerate(inner)
    ]
    drawn = np.concatenate([part for _, part in parts])
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    method = f"BBC-CV on the inner predictions, by log-loss, percentiles of {len(drawn)} resamples"
    estimate = Estimate(float(np.nanmean(drawn)), float(low), float(high), method)
    return Selected(float(np.mean([naive for naive, _ in parts])), estimate)


def _matrix(predictions: Mapping[int, Sequence[float]]) -> Floats:
    return np.array([predictions[number] for number in sorted(predictions)], dtype=float)
