"""How stable a selection of columns is over folds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytobench.evaluate.intervals import Estimate

Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""
METHOD = "Nogueira, normal; folds share patients, so that it is too short"


@dataclass(frozen=True)
class Stability:
    """A selection over folds.

    Attributes
    ----------
    index : Estimate
        1 for the same columns in every fold, about 0 for columns drawn by lot; NaN where every
        fold takes all columns, or none.
    share : mapping
        Column -> share of folds that took it, the most frequent first.
    size : float
        Mean number of columns taken.
    folds : int
    """

    index: Estimate
    share: Mapping[str, float]
    size: float
    folds: int


def nogueira(selected: ArrayLike) -> Estimate:
    """The stability index of Nogueira, Sechidis & Brown (2018, JMLR 18(174), definition 4).

    One minus the mean variance of a column's selection over what a random selection of the same
    mean size has; interval by their asymptotic variance (theorem 7).

    Parameters
    ----------
    selected : array of bool, shape (folds, columns)

    Raises
    ------
    ValueError
        With fewer than two folds.
    """
    chosen: NDArray[np.float64] = np.asarray(selected, dtype=np.float64)
    folds, columns = chosen.shape
    if folds < 2:
        raise ValueError("stability needs two folds or more")
    share = chosen.mean(axis=0)
    size = chosen.sum(axis=1)
    mean_size = float(size.mean())
    by_lot = mean_size / columns * (1 - mean_size / columns)
    if by_lot == 0:
        return Estimate(math.nan, None, None, "undefined: every fold takes all columns, or none")
    spread = folds / (folds - 1) * share * (1 - share)
    index = 1 - float(spread.mean()) / by_lot
    each = (chosen * share).mean(axis=1) - size * mean_size / columns**2
    each -= index / 2 * (2 * size * mean_size / columns**2 - (size + mean_size) / columns + 1)
    each /= by_lot
    se = math.sqrt(4 / folds**2 * float(((each - each.mean()) ** 2).sum()))
    return Estimate(index, max(-1.0, index - Z * se), min(1.0, index + Z * se), METHOD)


def stability(selections: Sequence[Mapping[str, bool]]) -> Stability:
    """Stability of selections, one mapping of column to "taken" for each fold.

    A column that a fold does not know was not taken.
    """
    columns = list(dict.fromkeys(name for selection in selections for name in selection))
    taken = np.array([[bool(item.get(name, False)) for name in columns] for item in selections])
    share = dict(zip(columns, taken.mean(axis=0).tolist(), strict=True))
    ranked = dict(sorted(share.items(), key=lambda item: (-item[1], item[0])))
    return Stability(nogueira(taken), ranked, float(taken.sum(axis=1).mean()), len(selections))
