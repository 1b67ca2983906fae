"""What is knowable: the best prediction, its AUC, and the best treatment of every patient.

The observer behind it sees true levels, clinical state, site and arm without error; no model that
sees noisy assays can beat it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cytobench.core.errors import DataError
from cytobench.simulate.outcome import NOISE

Floats = NDArray[np.float64]
TASKS = ("response", "remission", "percent_change")
LOWER_IS_BETTER = ("percent_change",)


def bayes_optimal(
    before: Floats, change: Floats, highest: int, remission_at: float
) -> dict[str, Floats]:
    """Probability of response and of remission, and the expected change in per cent.

    With ``after = clip(round(X), 0, highest)`` and X normal, ``P(after <= k) = Phi((k + 1/2 - mean)
    / sd)`` for 0 <= k < highest. The expected score is the sum of ``f(k + 1/2) = P(X > k + 1/2)``
    over these k: a midpoint rule, which the Euler-Maclaurin formula turns into an integral with a
    closed form, the first correction ``-(f'(highest) - f'(0)) / 24`` and the second ``7 / 5760
    (f'''(highest) - f'''(0))``. What is left is below 1e-5 of a point for an SD of 2 points or
    more, which every scale here has (DLMF 2.10(i), https://dlmf.nist.gov/2.10).

    Parameters
    ----------
    before, change : arrays, shape (n,)
        Score before, and expected relative change.
    """
    from scipy.special import ndtr

    mean, sd = before * (1 + change), before * NOISE
    after = np.zeros_like(mean)
    for end, sign in ((0, 1.0), (highest, -1.0)):
        u = (mean - end) / sd
        density = np.exp(-0.5 * u * u) / np.sqrt(2 * np.pi)
        third = 7 / 5760 * (u * u - 1) / sd**3
        after += sign * (sd * u * ndtr(u) + density * (sd - 1 / (24 * sd) + third))
    return {
        "response": ndtr((np.floor(before / 2) + 0.5 - mean) / sd),
        "remission": ndtr((remission_at + 0.5 - mean) / sd),
        "percent_change": 100 * (after - before) / before,
    }


def truth_table(
    before: Floats,
    changes: Floats,
    arm: NDArray[np.intp],
    names: Sequence[str],
    highest: int,
    remission_at: float,
) -> pd.DataFrame:
    """The truth under the arm received (``response`` ...) and under each (``response@<arm>`` ...).

    Parameters
    ----------
    changes : array, shape (n_arms, n)
    arm : array of int, shape (n,)
    names : sequence of str, length n_arms
    """
    n = len(before)
    values = np.empty((n, len(TASKS) * (1 + len(names))), order="F")
    labels = [*TASKS, *(f"{task}@{name}" for name in names for task in TASKS)]
    for row, change in enumerate(changes):
        best = bayes_optimal(before, change, highest, remission_at)
        for column, task in enumerate(TASKS):
            values[:, len(TASKS) * (row + 1) + column] = best[task]
            received = arm == row
            values[received, column] = best[task][received]
    return pd.DataFrame(values, columns=labels)


def bayes_auc(probability: ArrayLike) -> float:
    """The area under the curve to expect of the true probabilities: the ceiling without luck.

    With outcomes integrated out, sum over pairs i != j of ``p_i (1 - p_j) [p_i > p_j]``, ties by
    half, over the same sum without the bracket; by sorting, in O(n log n). It is the ratio of the
    expected numbers of concordant and of all pairs, which the expected AUC approaches with n.

    Parameters
    ----------
    probability : array, shape (n,)
        True probability of the event for each patient.

    Returns
    -------
    float
        NaN where no pair can differ in the outcome.

    Raises
    ------
    DataError
        ``E354`` for what is no probability.
    """
    p = np.asarray(probability, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise DataError("E354", "a true probability must be between 0 and 1, and be known")
    level, position = np.unique(p, return_inverse=True)
    events = np.bincount(position, weights=p, minlength=len(level))
    others = np.bincount(position, weights=1 - p, minlength=len(level))
    below = np.cumsum(others) - others
    self_pairs = float((p * (1 - p)).sum())
    concordant = float((events * (below + 0.5 * others)).sum()) - 0.5 * self_pairs
    pairs = float(events.sum() * others.sum()) - self_pairs
    return concordant / pairs if pairs > 0 else float("nan")


@dataclass(frozen=True)
class OptimalTreatment:
    """The best that treatment by the true levels can do, against one treatment for all.

    Attributes
    ----------
    value : float
        Mean truth if everybody gets the best arm: a probability, or the change in per cent.
    arms : mapping
        Arm -> mean truth if everybody gets it.
    share : mapping
        Arm -> share of the patients for whom it is the best.
    best : array of str, shape (n,)
        The best arm of every patient.
    """

    value: float
    arms: Mapping[str, float]
    share: Mapping[str, float]
    best: NDArray[np.str_]

    @property
    def gain(self) -> float:
        """What choosing for each patient adds to the best single arm, in the direction of good."""
        return min(abs(self.value - value) for value in self.arms.values())


def optimal_value(truth: pd.DataFrame, task: str) -> OptimalTreatment:
    """The value of the best treatment of every patient, of each arm, and how many each is best for.

    A patient to whom two arms are the same is counted for the first. The value of a rule is the
    mean outcome if the rule were followed (Qian & Murphy 2011, doi:10.1214/10-AOS864).

    Parameters
    ----------
    truth : DataFrame
        :attr:`cytobench.Cohort.truth`, with columns ``<task>@<arm>``.
    task : {"response", "remission", "percent_change"}

    Raises
    ------
    DataError
        ``E355`` where the truth under each arm is not known.
    """
    columns = [str(name) for name in truth.columns if str(name).startswith(f"{task}@")]
    if not columns:
        raise DataError(
            "E355",
            f"there is no column {task}@<arm>",
            where="truth",
            hint="a simulated trial has it for response, remission and percent_change",
        )
    names = [name.removeprefix(f"{task}@") for name in columns]
    outcomes = truth[columns].to_numpy(dtype=np.float64)
    choice = (-outcomes if task in LOWER_IS_BETTER else outcomes).argmax(axis=1)
    count = np.bincount(choice, minlength=len(names))
    return OptimalTreatment(
        value=float(outcomes[np.arange(len(outcomes)), choice].mean()),
        arms=dict(zip(names, map(float, outcomes.mean(axis=0)), strict=True)),
        share=dict(zip(names, map(float, count / len(outcomes)), strict=True)),
        best=np.array(names)[choice],
    )
