"""What a batched solver is given: problems that differ in rows, settings and seeds."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
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
    kept : mutable mapping
        Shared by the problems that differ in `params` alone, as long as their fold is tuned: what a
        solver finds out from `X`, `y` and `X_new` and wants again at the next trial. Nothing that
        depends on the trials seen so far.
    """

    X: Floats
    y: Floats
    X_new: Floats
    params: Mapping[str, Any]
    random_state: int
    kept: MutableMapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


class Solver(Protocol):
    """Fits problems together; answers as the plain estimator would have, one problem at a time."""

    def __call__(self, problems: Sequence[Problem], *, kind: str, device: str) -> list[Floats]:
        """Probabilities of the positive class, or numbers, shape (m,) for each problem.

        An answer depends on its own problem only, to the last bit: not on what it shares a batch
        with, so that one worker or many, and a resumed run, give the same numbers.
        """
