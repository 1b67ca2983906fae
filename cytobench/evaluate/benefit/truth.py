"""What a rule is worth where the outcome under every arm is known: simulated cohorts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cytobench.evaluate.benefit.scores import Floats, Positions


@dataclass(frozen=True)
class Known:
    """A rule against the best that there is, for the same patients.

    Attributes
    ----------
    n : int
    value : float
        Mean true outcome if everybody were treated by the rule.
    optimal : float
        The same by the best arm of each patient.
    best_single : float
        The same with one arm for all, the best one.
    agreement : float
        Share of patients to whom the rule gives an arm that none is better than.
    """

    n: int
    value: float
    optimal: float
    best_single: float
    agreement: float

    @property
    def regret(self) -> float:
        """What the rule loses against the optimal one."""
        return self.optimal - self.value


def against_truth(outcomes: Floats, choice: Positions) -> Known:
    """Compare a rule with what is true.

    Parameters
    ----------
    outcomes : array, shape (n, k)
        Expected outcome of each patient under each arm; higher is better.
    choice : array of int, shape (n,)
    """
    chosen = outcomes[np.arange(len(outcomes)), choice]
    best = outcomes.max(axis=1)
    return Known(
        len(outcomes),
        float(chosen.mean()),
        float(best.mean()),
        float(outcomes.mean(axis=0).max()),
        float((chosen >= best).mean()),
    )
