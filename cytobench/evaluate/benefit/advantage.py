"""The personalised advantage index as it is usually evaluated, beside what it overstates."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cytobench.evaluate.benefit.scores import Positions, Trial


@dataclass(frozen=True)
class Factual:
    """Patients who happened to get the arm that a rule names against those who did not.

    It compares different patients, and where one arm is better for all it credits the rule with
    that: a rule's gain over the best single arm says what the rule is worth.

    Attributes
    ----------
    n_indicated, n_other : int
    indicated, other : float
        Mean outcome of each.
    difference, z, p : float
        Two-sample z with a pooled proportion, two-sided; NaN for an outcome that is no 0 or 1.
    """

    n_indicated: int
    n_other: int
    indicated: float
    other: float
    difference: float
    z: float
    p: float


def factual_contrast(trial: Trial, choice: Positions) -> Factual:
    """Mean outcome by whether the received arm is the indicated one.

    As DeRubeis et al. do (2014, doi:10.1371/journal.pone.0083875).
    """
    from scipy.special import ndtr

    same = trial.arm == choice
    n, m = int(same.sum()), int((~same).sum())
    mean = [float(trial.y[rows].mean()) if rows.any() else math.nan for rows in (same, ~same)]
    z = p = math.nan
    if n and m and set(trial.y.tolist()) <= {0.0, 1.0}:
        pooled = float(trial.y.mean())
        spread = pooled * (1 - pooled) * (1 / n + 1 / m)
        if spread > 0:
            z = (mean[0] - mean[1]) / math.sqrt(spread)
            p = float(2 * ndtr(-abs(z)))
    return Factual(n, m, mean[0], mean[1], mean[0] - mean[1], z, p)
