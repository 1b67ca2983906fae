"""Performance in subgroups: metric, interval and n; small cells are suppressed."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytobench.evaluate.calibration import intercept, over_repeats
from cytobench.evaluate.cohort_facts import FEWEST as FEWEST_NAMED
from cytobench.evaluate.cohort_facts import OTHERS
from cytobench.evaluate.intervals import Estimate, delong, mean_of_patients, on_logit
from cytobench.evaluate.out_of_fold import OutOfFold

Floats = NDArray[np.float64]
FEWEST = 10
"""Patients with and without the outcome that a subgroup needs before a number is shown."""


@dataclass(frozen=True)
class Subgroup:
    """One level of one subgroup variable.

    Attributes
    ----------
    n, events : int or None
        None where the cell is too small to be shown; `events` also for a number as outcome.
    discrimination : Estimate or None
        AUC with DeLong's interval; mean absolute error for a number as outcome.
    calibration : Estimate or None
        Calibration in the large; mean residual for a number as outcome.
    """

    variable: str
    level: str
    n: int | None
    events: int | None
    discrimination: Estimate | None
    calibration: Estimate | None

    @property
    def suppressed(self) -> bool:
        """Too few patients to say anything without pointing at them."""
        return self.n is None


@dataclass(frozen=True)
class Interaction:
    """Whether a subgroup variable changes discrimination or calibration.

    Attributes
    ----------
    discrimination_p, calibration_p : float or None
        Cochran's Q over the levels that are shown; None with fewer than two. Unadjusted.
    """

    variable: str
    levels: int
    discrimination_p: float | None
    calibration_p: float | None


def subgroup_table(cell: OutOfFold, kind: str) -> tuple[list[Subgroup], list[Interaction]]:
    """Every level of every subgroup variable, and a test of interaction for each variable.

    Estimates are those of each repeat's pooled predictions, averaged; intervals those of one
    repeat. The tests compare levels on the logit scale (Cochran 1954, doi:10.2307/3001666).
    """
    rows: list[Subgroup] = []
    tests: list[Interaction] = []
    for variable, levels in cell.groups.items():
        named = [level for level in sorted(np.unique(levels).tolist(), key=_natural) if level]
        small = [level for level in named if (levels == level).sum() < FEWEST_NAMED]
        found = [
            _level(cell.of(levels == level), variable, str(level), kind)
            for level in named
            if level not in small
        ]
        found += [Subgroup(variable, OTHERS, None, None, None, None)] * bool(small)
        found = _hide_a_second(found, everybody_known=bool((levels != "").all()))
        rows += found
        shown = [row for row in found if not row.suppressed]
        tests.append(
            Interaction(
                variable,
                len(shown),
                _heterogeneity([row.discrimination for row in shown], share=kind != "regression"),
                _heterogeneity([row.calibration for row in shown], share=False),
            )
        )
    return rows, tests


def _hide_a_second(found: list[Subgroup], *, everybody_known: bool) -> list[Subgroup]:
    """Where one level alone is hidden the others' n give its away: hide a second, the smallest."""
    shown = [row for row in found if not row.suppressed]
    if not everybody_known or len(found) - len(shown) != 1 or not shown:
        return found
    smallest = min(shown, key=lambda row: row.n or 0)
    return [
        Subgroup(row.variable, row.level, None, None, None, None) if row is smallest else row
        for row in found
    ]


def _natural(level: str) -> tuple[bool, float, str]:
    """``under 25`` before ``25 to 30`` before ``30 and over``; words after that by the alphabet."""
    number = re.search(r"\d+(\.\d+)?", level)
    if number is None:
        return True, 0.0, level
    return False, float(number[0]) - 0.5 * level.startswith("under"), level


def _level(part: OutOfFold, variable: str, level: str, kind: str) -> Subgroup:
    n = len(part.y)
    if kind == "regression":
        if n < 2 * FEWEST:
            return Subgroup(variable, level, None, None, None, None)
        error = np.nanmean(np.abs(part.prediction - part.y), axis=0)
        residual = part.y - part.mean
        return Subgroup(
            variable, level, n, None, mean_of_patients(error), mean_of_patients(residual)
        )
    events = int(part.y.sum())
    if min(events, n - events) < FEWEST:
        return Subgroup(variable, level, None, None, None, None)
    return Subgroup(
        variable,
        level,
        n,
        events,
        mean_delong(list(part.repeats())),
        over_repeats(
            [intercept(y, p) for y, p in part.repeats()], "GLM, one repeat", "one class only"
        ),
    )


def mean_delong(repeats: Sequence[tuple[Floats, Floats]]) -> Estimate:
    """Mean pooled AUC over repeats with the mean of DeLong's variances, on the logit scale."""
    pairs = np.array([delong(y, p) for y, p in repeats])
    value, variance = pairs.mean(axis=0)
    if math.isnan(value):
        reason = "no interval: a class has fewer than two patients"
        return Estimate(float("nan"), None, None, reason)
    method = "mean DeLong variance over repeats, models as given, logit scale"
    if variance == 0 and 0 < value < 1:
        return Estimate(float(value), float(value), float(value), method)
    return on_logit(float(value), 1.959964 * math.sqrt(variance), method)


def _heterogeneity(estimates: Sequence[Estimate | None], *, share: bool) -> float | None:
    """P-value of Cochran's Q; None where fewer than two estimates have an interval."""
    from scipy.special import chdtrc

    pairs = []
    for estimate in estimates:
        if estimate is None or estimate.low is None or estimate.high is None:
            continue
        value, low, high = (
            (math.log(x / (1 - x)) if share else x)
            for x in (estimate.value, estimate.low, estimate.high)
        )
        if high > low:
            pairs.append((value, (high - low) / (2 * 1.959964)))
    if len(pairs) < 2:
        return None
    value, se = np.array(pairs).T
    weight = 1 / se**2
    q = float((weight * (value - np.average(value, weights=weight)) ** 2).sum())
    return float(chdtrc(len(pairs) - 1, q))


def worst(rows: Sequence[Subgroup], variable: str | None = None) -> Subgroup | None:
    """The shown level with the lowest discrimination, in one variable or in all."""
    shown = [
        (row.discrimination.value, row.variable, row.level, row)
        for row in rows
        if row.discrimination is not None
        and not math.isnan(row.discrimination.value)
        and variable in (None, row.variable)
    ]
    return min(shown)[3] if shown else None
