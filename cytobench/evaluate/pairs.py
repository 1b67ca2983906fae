"""Pairs of patients in the right order under whole weights: the numerator of a resampled AUC.

Every way of counting here adds whole and half numbers, so that they agree in every bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Positions = NDArray[np.intp]

FEW_PAIRS = 2**16
"""Up to here a matrix of all pairs is faster than sorting, whose cost grows with n alone."""
AT_ONCE = 2**22
"""Cumulated weights in memory at once: 32 megabytes."""


def won_pairs(score: Floats, positive: Flags, weights: Floats) -> tuple[Floats, Floats]:
    """Weight of the (1, 0) pairs in the right order, ties as one half, and of all such pairs.

    Parameters
    ----------
    score : array, shape (n,)
    positive : array of bool, shape (n,)
    weights : array of whole numbers, shape (n, resamples)

    Returns
    -------
    won, pairs : array, shape (resamples,)
    """
    first, second = score[positive], score[~positive]
    left, right = weights[positive], weights[~positive]
    pairs: Floats = left.sum(axis=0) * right.sum(axis=0)
    if len(first) * len(second) <= FEW_PAIRS:
        order = (first[:, None] > second) + 0.5 * (first[:, None] == second)
        return np.einsum("ij,ij->j", order.T @ left, right), pairs
    ascending = np.argsort(second)
    below, until = (
        np.searchsorted(second, first, side, sorter=ascending) for side in ("left", "right")
    )
    won = np.empty(len(pairs))
    size = max(AT_ONCE // len(score), 1)
    for start in range(0, len(pairs), size):
        some = slice(start, start + size)
        total = np.zeros((len(second) + 1, len(pairs[some])))
        np.cumsum(right[ascending, some], axis=0, out=total[1:])
        won[some] = np.einsum("ij,ij->j", left[:, some], total[below] + total[until]) / 2
    return won, pairs


def won_by_row(
    scores: Floats, which: Positions, positive: Flags, weights: Floats
) -> tuple[Floats, Floats]:
    """The same where each resample has one of several scores.

    Parameters
    ----------
    scores : array, shape (settings, n)
    which : array, shape (resamples,)
        The setting of each resample.
    positive : array of bool, shape (n,)
    weights : array of whole numbers, shape (resamples, n)

    Returns
    -------
    won, pairs : array, shape (resamples,)
    """
    ascending = np.argsort(scores, axis=1)
    ordered = np.take_along_axis(scores, ascending, axis=1)
    is_new = np.ones(ordered.shape, dtype=bool)
    is_new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    position = np.arange(ordered.shape[1])
    below = np.maximum.accumulate(np.where(is_new, position, 0), axis=1)
    is_last = np.roll(is_new, -1, axis=1)
    until = np.where(is_last, position + 1, len(position))[:, ::-1]
    until = np.minimum.accumulate(until, axis=1)[:, ::-1]
    sorted_weights = np.take_along_axis(weights, ascending[which], axis=1)
    is_positive = positive[ascending][which]
    left = np.where(is_positive, sorted_weights, 0.0)
    right = sorted_weights - left
    total = np.zeros((len(weights), len(position) + 1))
    np.cumsum(right, axis=1, out=total[:, 1:])
    twice = np.take_along_axis(total, below[which], axis=1)
    twice += np.take_along_axis(total, until[which], axis=1)
    won: Floats = np.einsum("ij,ij->i", left, twice) / 2
    return won, left.sum(axis=1) * right.sum(axis=1)
