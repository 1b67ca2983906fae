"""Does a priority put first who gains most: TOC curve, AUTOC and Qini with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytobench.evaluate.benefit.scores import Floats
from cytobench.evaluate.intervals import Estimate, z_quantile

RESAMPLES = 2000
RESAMPLES_OVER_FOLDS = 500
"""Each sorts every test part: half a second for 25 folds."""


@dataclass(frozen=True)
class Rate:
    """Rank-weighted average treatment effects.

    Attributes
    ----------
    autoc, qini : Estimate
    toc : array, shape (n,)
        Effect among the first 1, 2, ... n patients, less that among all.
    """

    autoc: Estimate
    qini: Estimate
    toc: Floats


def rate(contrast: Floats, priority: Floats, *, resamples: int = RESAMPLES, seed: int = 0) -> Rate:
    """Targeting operator characteristic of a priority, and the two areas under it.

    ``TOC(q)`` is the mean effect among the share q with the highest priority, less the mean effect
    of all; AUTOC is its mean over q, Qini the mean of ``q TOC(q)``; both are 0 for a priority that
    says nothing. Patients of one priority share the mean of their scores (Yadlowsky 2021,
    arXiv:2111.07966; as grf has it). The interval is by the half-sample bootstrap.

    Parameters
    ----------
    contrast : array, shape (n,)
        Doubly robust score of one arm minus that of another.
    priority : array, shape (n,)
        Predicted effect; only its order counts.
    """
    toc = targeting(contrast, priority)
    value = _areas(toc)
    draw = np.random.default_rng(seed)
    n, half = len(contrast), len(contrast) // 2
    drawn = np.empty((resamples, 2))
    for k in range(resamples):
        rows = draw.permutation(n)[:half]
        drawn[k] = _areas(targeting(contrast[rows], priority[rows]))
    return Rate(_normal(value[0], drawn[:, 0]), _normal(value[1], drawn[:, 1]), toc)


def targeting(contrast: Floats, priority: Floats) -> Floats:
    """Effect among the first 1, 2, ... n patients by priority, less that among all, shape (n,)."""
    _, level = np.unique(-priority, return_inverse=True)
    shared = np.bincount(level, weights=contrast) / np.bincount(level)
    ordered = shared[np.sort(level)]
    found: Floats = np.cumsum(ordered) / np.arange(1, len(ordered) + 1) - ordered.mean()
    return found


def _areas(toc: Floats) -> Floats:
    share = np.arange(1, len(toc) + 1) / len(toc)
    return np.array([toc.mean(), (share * toc).mean()])


def _normal(value: float, drawn: Floats) -> Estimate:
    half = z_quantile() * float(drawn.std(ddof=1))
    method = f"half-sample bootstrap, {len(drawn)} resamples"
    return Estimate(float(value), float(value) - half, float(value) + half, method)


def rate_over_folds(
    folds: Sequence[tuple[Floats, Floats, NDArray[np.intp]]],
    *,
    resamples: int = RESAMPLES_OVER_FOLDS,
    seed: int = 0,
) -> tuple[Estimate, Estimate]:
    """AUTOC and Qini of a cross-validated priority: means over test parts, as with the AUC.

    Priorities of different folds come from different models, and pooling them would count
    differences between models as differences between patients. The interval is by the half-sample
    bootstrap of patients, whom all repeats share.

    Parameters
    ----------
    folds : sequence of (contrast, priority, patients)
        Of each test part; `patients` are numbers from 0, the same in every repeat.

    Returns
    -------
    autoc, qini : Estimate
    """
    usable = [fold for fold in folds if len(fold[0]) > 1]
    if not usable:
        nothing = Estimate(float("nan"), None, None, "no test part with two patients")
        return nothing, nothing
    value = np.mean(
        [_areas(targeting(contrast, priority)) for contrast, priority, _ in usable], axis=0
    )
    draw = np.random.default_rng(seed)
    n = int(max(patients.max() for _, _, patients in usable)) + 1
    drawn = np.full((resamples, 2), np.nan)
    for k in range(resamples):
        inside = np.zeros(n, dtype=bool)
        inside[draw.permutation(n)[: n // 2]] = True
        found = []
        for contrast, priority, patients in usable:
            rows = inside[patients]
            if rows.sum() > 1:
                found.append(_areas(targeting(contrast[rows], priority[rows])))
        if found:
            drawn[k] = np.mean(found, axis=0)
    kept = drawn[~np.isnan(drawn).any(axis=1)]
    if len(kept) < 2:
        bare = "too few patients for a half-sample"
        return Estimate(value[0], None, None, bare), Estimate(value[1], None, None, bare)
    return _normal(value[0], kept[:, 0]), _normal(value[1], kept[:, 1])
