"""A trial's test patients, and the doubly robust score of each under each arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]


@dataclass(frozen=True)
class Trial:
    """What is known of the tested patients of one repeat, but for any rule.

    Attributes
    ----------
    y : array, shape (n,)
        The outcome; higher is better.
    arm : array of int, shape (n,)
        Position in `arms` of the treatment that each patient received.
    arms : sequence of str, length k
    outcomes : array, shape (n, k)
        Outcome to expect under each arm, from models that did not see the patient.
    propensity : array, shape (n, k)
        Probability of each arm given what is known at baseline: of the design where the trial was
        randomised, else from a model that did not see the patient. Rows sum to 1.

    Raises
    ------
    ValueError
        Where shapes do not agree, an arm is unknown, or a received arm had no chance.
    """

    y: Floats
    arm: Positions
    arms: Sequence[str]
    outcomes: Floats
    propensity: Floats

    def __post_init__(self) -> None:
        n, k = len(self.y), len(self.arms)
        if k < 2:
            raise ValueError(f"{k} arm; a choice needs two")
        for name in ("outcomes", "propensity"):
            shape = getattr(self, name).shape
            if shape != (n, k):
                raise ValueError(f"{name} has shape {shape}, expected ({n}, {k})")
        if self.arm.shape != (n,) or not ((self.arm >= 0) & (self.arm < k)).all():
            raise ValueError(f"arm must hold {n} positions from 0 to {k - 1}")
        if not (self.of_received(self.propensity) > 0).all():
            raise ValueError("a patient received an arm of propensity 0")

    def __len__(self) -> int:
        return len(self.y)

    def of_received(self, values: Floats) -> Floats:
        """The column of the received arm, shape (n,), of values of shape (n, k)."""
        found: Floats = values[np.arange(len(values)), self.arm]
        return found


def doubly_robust(trial: Trial) -> Floats:
    """Augmented inverse-probability-weighted scores, shape (n, k).

    ``m_a(x) + 1[A = a] (y - m_a(x)) / e_a(x)``: the mean of column a is the mean outcome if
    everybody got arm a, unbiased where either `outcomes` or `propensity` is right (Robins,
    Rotnitzky & Zhao 1994, doi:10.1080/01621459.1994.10476818).
    """
    scores = trial.outcomes.copy()
    rows = np.arange(len(trial))
    residual = trial.y - trial.of_received(trial.outcomes)
    scores[rows, trial.arm] += residual / trial.of_received(trial.propensity)
    return scores
