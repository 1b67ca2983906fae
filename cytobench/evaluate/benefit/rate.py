"""Does a priority put first who gains most: TOC curve, AUTOC and Qini with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cytobench.evaluate.benefit.scores import Floats
from cytobench.evaluate.intervals import Estimate, z_quantile

RESAMPLES = 2000


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
    toc = _toc(contrast, priority)
    value = _areas(toc)
    draw = np.random.default_rng(seed)
    n, half = len(contrast), len(contrast) // 2
    drawn = np.empty((resamples, 2))
    for k in range(resamples):
        rows = draw.permutation(n)[:half]
        drawn[k] = _areas(_toc(contrast[rows], priority[rows]))
    return Rate(_normal(value[0], drawn[:, 0]), _normal(value[1], drawn[:, 1]), toc)


def _toc(contrast: Floats, priority: Floats) -> Floats:
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
