"""Chance: where the observed score stands among those of permuted labels.

The whole nested procedure is repeated on each permutation (Ojala & Garriga 2010, test 1,
JMLR 11:1833), tuning included; nothing of the observed run is reused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

ENOUGH = 200
"""Permutations that a published p-value should rest on; fewer are a screening."""


@dataclass(frozen=True)
class AgainstChance:
    """A permutation test.

    Attributes
    ----------
    p : float
        ``(b + 1) / (m + 1)`` with b permutations at least as good (Phipson & Smyth 2010,
        doi:10.2202/1544-6115.1585): never 0.
    family_p : float or None
        The same against the best model of each permutation (Westfall & Young 1993): the error of
        calling any model of the board better than chance. None where models were not permuted
        together.
    permutations : int
    null_mean, null_sd : float
        Of the score on permuted labels.
    """

    p: float
    permutations: int
    null_mean: float
    null_sd: float
    family_p: float | None = None


def permutation_p(observed: float, null: Sequence[float], *, larger_is_better: bool) -> float:
    """``(b + 1) / (m + 1)``."""
    values = np.asarray(null, dtype=float)
    sign = 1 if larger_is_better else -1
    # An undefined score, on either side, counts against the model.
    worse = int((sign * values < sign * observed - 1e-12).sum())
    return (len(values) - worse + 1) / (len(values) + 1)


def against_chance(
    observed: Mapping[str, float],
    null: Mapping[str, Mapping[int, float]],
    *,
    larger_is_better: bool,
) -> dict[str, AgainstChance]:
    """Permutation tests of several models of one board.

    Parameters
    ----------
    observed : mapping
        Model -> score on the labels as observed.
    null : mapping
        Model -> permutation's number -> score. Equal numbers are the same permutation.
    larger_is_better : bool

    Returns
    -------
    dict
        Models without permutations are left out.
    """
    sign = 1 if larger_is_better else -1
    tested = {name: scores for name, scores in null.items() if scores and name in observed}
    shared = [set(scores) for scores in tested.values()]
    common = sorted(set.intersection(*shared)) if shared else []
    best = [max(sign * scores[number] for scores in tested.values()) for number in common]
    found = {}
    for name, scores in tested.items():
        values = [scores[number] for number in sorted(scores)]
        family = None
        if len(tested) > 1 and common:
            family = permutation_p(sign * observed[name], best, larger_is_better=True)
        found[name] = AgainstChance(
            p=permutation_p(observed[name], values, larger_is_better=larger_is_better),
            permutations=len(values),
            null_mean=float(np.mean(values)),
            null_sd=float(np.std(values, ddof=1)) if len(values) > 1 else float("nan"),
            family_p=family,
        )
    return found
