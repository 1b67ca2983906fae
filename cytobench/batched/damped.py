"""How far to go along a Newton step, for each problem of a stack."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cytobench.batched.problem import Floats

ARMIJO = 1e-4
"""Share of the promised decrease that a step has to bring (Armijo 1966,
doi:10.2140/pjm.1966.16.1)."""
SHORTEST = 1e-10


def damped(
    objective: Callable[[Floats, Floats], Floats],
    z: Floats,
    w: Floats,
    along: Floats,
    step: Floats,
    loss: Floats,
    promised: Floats,
    rounding: float,
) -> tuple[Floats, Floats, Floats]:
    """Linear predictors, weights and objective after a step that was halved until it gains.

    Parameters
    ----------
    objective : callable
        From linear predictors and weights to one number for each problem.
    z, along : array, shape (k, n)
        Linear predictors, and their change with the whole step.
    w, step : array, shape (k, d)
    loss, promised : array, shape (k,)
        The objective now, and the decrease that the whole step promises.
    rounding : float
        Share of the objective by which it may rise all the same.
    """
    length = np.ones(len(w))
    while True:
        new_z, new_w = z + length[:, None] * along, w + length[:, None] * step
        new_loss = objective(new_z, new_w)
        rises = new_loss > loss - ARMIJO * length * promised + rounding * np.abs(loss)
        rises &= length > SHORTEST
        if not rises.any():
            return new_z, new_w, new_loss
        length[rises] /= 2
