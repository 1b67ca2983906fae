"""What invariances cannot see: skill on permuted labels, and blindness to a planted effect."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cytobench.audit.findings import Evidence, check
from cytobench.audit.isolation import Failure
from cytobench.audit.procedure import Floats, Interview, Problem, Procedure, as_it_is
from cytobench.evaluate.metrics import midranks

STANDARD_ERRORS = 4.0
"""Distance from chance; with 20 permutations an honest procedure passes it once in 1300 audits."""
FEWEST = 5
PLANTED = 1.5
"""Standard deviations between the classes, in every numeric column; one alone has an AUC of .86."""
FOUND = 0.7
"""Discrimination below which a procedure has missed the planted effect."""


@check(
    "A110",
    "skill on permuted labels",
    "block",
    "With permuted labels there is nothing to learn, yet test patients are predicted better (or "
    "worse) than by chance.",
)
def permuted_labels(asked: Interview) -> Iterator[Evidence]:
    """Mean discrimination over permutations against chance."""
    if isinstance(asked.permuted, Failure):
        yield Evidence(f"fails on permuted labels ({asked.permuted.error})")
        return
    if len(asked.permuted) < FEWEST:
        return
    mean = float(np.mean(asked.permuted))
    se = float(np.std(asked.permuted, ddof=1)) / math.sqrt(len(asked.permuted))
    if abs(mean - 0.5) > STANDARD_ERRORS * se + 1e-9:
        yield Evidence(
            f"on {len(asked.permuted)} permutations of the labels the mean {_measure(asked)} is "
            f"{mean:.3f} (standard error {se:.3f}), where chance is 0.5",
            values={"mean": mean, "standard_error": se, "permutations": len(asked.permuted)},
        )


@check(
    "A111",
    "blind to a planted effect",
    "warning",
    f"An effect of {PLANTED} standard deviations in every numeric column is not found: the other "
    "tests may be passed by learning nothing.",
)
def positive_control(asked: Interview) -> Iterator[Evidence]:
    """Discrimination after an effect was planted in all numeric columns."""
    if isinstance(asked.planted, Failure):
        yield Evidence(f"fails on a planted effect ({asked.planted.error})")
    elif asked.planted is not None and asked.planted < FOUND:
        yield Evidence(
            f"an effect of {PLANTED} standard deviations in every numeric column gives "
            f"{_measure(asked)} of only {asked.planted:.2f} (expected {FOUND} or more)",
            values={"discrimination": asked.planted},
        )


def under_permutation(
    procedure: Procedure, problem: Problem, numbers: Sequence[int]
) -> list[float]:
    """Discrimination after each permutation of the labels.

    Over all patients, not within sites and arms: what these differ in would stay to be learnt, and
    an honest procedure would look like one that leaks. In a fold the order of permuted test labels
    is uniform given everything that is seen of the training part, so that the expected AUC of an
    honest procedure is exactly one half.
    """
    found = []
    for number in numbers:
        draw = problem.draw("permutation", number)
        y = problem.y[draw.permutation(len(problem.y))]
        answer = as_it_is(procedure, replace(problem, y=y))
        found.append(problem.discrimination(answer, y))
    return found


def with_planted_effect(procedure: Procedure, problem: Problem) -> float:
    """Discrimination after every numeric column was made to follow the outcome.

    Columns that are nowhere negative are multiplied, so that concentrations stay positive.
    """
    X = problem.X.copy()
    dose = problem.y
    if not problem.binary:
        dose = (midranks(problem.y) - 0.5) / len(problem.y) * math.sqrt(12) / 2
    for name in X.columns:
        if pd.api.types.is_float_dtype(X[name]):
            X[name] = _shifted(X[name].to_numpy(dtype=np.float64), dose)
    return problem.discrimination(as_it_is(procedure, replace(problem, X=X)))


def _shifted(values: Floats, dose: Floats) -> Floats:
    """The column, higher the higher the dose; missing values stay missing."""
    positive = values[values > 0]
    if np.nanmin(values, initial=np.inf) >= 0 and len(positive) > 1:
        return values * np.exp(PLANTED * float(np.log(positive).std()) * dose)
    known = values[np.isfinite(values)]
    return values + PLANTED * (float(known.std()) if len(known) else 0.0) * dose


def _measure(asked: Interview) -> str:
    return "an AUC" if asked.problem.binary else "a discrimination"
