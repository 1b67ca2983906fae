"""Could every patient have received every arm: diagnostics, and a refusal in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cytobench.data.arms import SMALLEST_ARM
from cytobench.evaluate.benefit.scores import Floats, Positions, Trial

LOWEST_PROPENSITY = 0.02
"""Below it a single patient would stand for fifty."""
SMALLEST_SHARE = 0.5
"""Of an arm's patients that its weights leave, as effective sample size."""


@dataclass(frozen=True)
class ArmOverlap:
    """One arm's weights.

    Attributes
    ----------
    n : int
        Patients who received it.
    lowest, highest : float
        Propensity of the arm over all patients.
    effective : float
        Sample size that the inverse-probability weights leave, ``(sum w)^2 / sum w^2`` (Kish
        1965).
    """

    arm: str
    n: int
    lowest: float
    highest: float
    effective: float


def overlap(trial: Trial) -> list[ArmOverlap]:
    """Diagnostics of every arm, in the order of ``trial.arms``."""
    rows = []
    for position, arm in enumerate(trial.arms):
        propensity = trial.propensity[:, position]
        weights = 1 / propensity[trial.arm == position]
        effective = float(weights.sum() ** 2 / (weights**2).sum()) if len(weights) else 0.0
        rows.append(
            ArmOverlap(
                arm, len(weights), float(propensity.min()), float(propensity.max()), effective
            )
        )
    return rows


def refusal(rows: Sequence[ArmOverlap], *, smallest_arm: int = SMALLEST_ARM) -> str | None:
    """Why nothing can be said of a choice between these arms; None where something can.

    A small arm comes first: it is what a user can mend.
    """
    for row in rows:
        if row.n < smallest_arm:
            return f"arm {row.arm!r} has {row.n} patients, fewer than {smallest_arm}"
    for row in rows:
        if row.lowest < LOWEST_PROPENSITY:
            return (
                f"some patients had hardly a chance of arm {row.arm!r} (lowest propensity "
                f"{row.lowest:.3f}, below {LOWEST_PROPENSITY:g}): nobody knows how they would have "
                "done under it"
            )
        if row.effective < SMALLEST_SHARE * row.n:
            return (
                f"the {row.n} patients of arm {row.arm!r} count as {row.effective:.0f} once "
                "weighted to resemble all: the arms treat different patients"
            )
    return None


def imbalance(X: pd.DataFrame, arm: Positions, weights: Floats | None = None) -> pd.Series:
    """Largest standardised mean difference between two arms, for each column.

    Over the pooled standard deviation of the unweighted arms (Austin & Stuart 2015,
    doi:10.1002/sim.6607); 0.1 is the usual alarm.

    Parameters
    ----------
    X : DataFrame, shape (n, columns)
        Numbers without gaps.
    weights : array, shape (n,), optional
        Such as inverse propensities.

    Returns
    -------
    Series
        By column; 0 where a column does not vary.
    """
    values = X.to_numpy(dtype=float)
    weight = np.ones(len(values)) if weights is None else weights
    groups = [arm == position for position in np.unique(arm)]
    means = np.array([np.average(values[rows], axis=0, weights=weight[rows]) for rows in groups])
    variance = np.mean([values[rows].var(axis=0) for rows in groups], axis=0)
    apart = means.max(axis=0) - means.min(axis=0)
    spread = np.sqrt(variance)
    found = np.divide(apart, spread, out=np.zeros_like(apart), where=spread > 0)
    return pd.Series(found, index=X.columns)
