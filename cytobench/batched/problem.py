"""What a batched solver is given: problems that differ in rows, settings and seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """One fit and what is asked of it.

    Attributes
    ----------
    X : array, shape (n, p)
        Encoded features of the training part.
    y : array, shape (n,)
        0 or 1, or numbers.
    X_new : array, shape (m, p)
        Whom to predict.
    params : mapping
        Every parameter of the model, defaults included.
    random_state : int
    """

    X: Floats
    y: Floats
    X_new: Floats
    params: Mapping[str, Any]
    random_state: int


class Solver(Protocol):
    """Fits problems together; answers as the plain estimator would have, one problem at a time."""

    def __call__(self, problems: Sequence[Problem], *, kind: str, device: str) -> list[Floats]:
        """Probabilities of the positive class, or numbers, shape (m,) for each problem.

        An answer depends on its own problem only, to the last bit: not on what it shares a batch
        with, so that one worker or many, and a resumed run, give the same numbers.
        """
