"""Curves of training, put together over folds that stopped at different epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Training = Mapping[str, Sequence[float]]
"""One fold's curves: name -> one value an epoch, as :attr:`FoldResult.curves`."""


@dataclass(frozen=True)
class EpochCurve:
    """One curve over folds; a fold that has stopped keeps its last value.

    A mean over the folds that still train would jump where one stops, and its end would be that of
    the few folds that train longest.

    Attributes
    ----------
    mean : array of shape (epochs,)
    low, high : arrays of shape (epochs,)
        The lowest and highest fold: how much folds vary, no confidence interval.
    training : array of int, shape (epochs,)
        How many folds trained at that epoch.
    """

    name: str
    mean: Floats
    low: Floats
    high: Floats
    training: NDArray[np.intp]


def epoch_curves(folds: Sequence[Training]) -> list[EpochCurve]:
    """Each curve that a fold has, over the folds that have it; empty where there is none."""
    found = []
    for name in dict.fromkeys(name for fold in folds for name in fold):
        known = [np.asarray(fold[name], dtype=np.float64) for fold in folds if fold.get(name)]
        if not known:
            continue
        lengths = np.array([len(values) for values in known])
        longest = int(lengths.max())
        kept = np.stack([np.pad(values, (0, longest - len(values)), "edge") for values in known])
        training = (lengths[:, None] > np.arange(longest)).sum(axis=0)
        found.append(
            EpochCurve(name, kept.mean(axis=0), kept.min(axis=0), kept.max(axis=0), training)
        )
    return found
