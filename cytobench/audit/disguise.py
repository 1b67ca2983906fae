"""Baseline columns that are the outcome in disguise, by their values or by their name."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cytobench.audit.association import indicators
from cytobench.audit.findings import Evidence, check
from cytobench.audit.view import FAMILY_LEVEL, View
from cytobench.evaluate.metrics import auc, spearman

Floats = NDArray[np.float64]
TOO_GOOD = 0.95
"""No baseline marker of treatment outcome comes near it."""
FEWEST_PATIENTS = 20
FEWEST_OF_A_CLASS = 5
MOST_CATEGORIES = 20

_EARLIER = {"previous", "prior", "past", "history", "last", "before", "pre", "baseline", "lifetime"}
_LATER = {
    "endpoint", "outcome", "response", "responder", "responders", "remission", "remitter",
    "remitted", "followup", "fu", "post", "posttreatment", "discharge", "eot",
}  # fmt: skip
_PERIOD = re.compile(
    r"(?<![a-z0-9])(?:week|wk|w|month|day|visit)[\s_.-]*0*([1-9]\d*)(?![a-z0-9.])"
    r"|(?<![a-z0-9])0*([1-9]\d*)(?:st|nd|rd|th)?[\s_.-]*(?:week|wk|month)s?(?![a-z0-9])"
)


@check(
    "A205",
    "a baseline column gives the outcome away",
    "block",
    f"A column alone reaches an AUC or a rank correlation of {TOO_GOOD} with a form of the "
    "outcome: it was probably recorded after treatment.",
)
def outcome_in_disguise(view: View) -> Iterator[Evidence]:
    """Columns that separate or order the outcome nearly perfectly."""
    columns = _columns(view)
    for name, column in columns.items():
        strongest: tuple[float, str, str] = (0.0, "", "")
        for form, y in view.outcomes.items():
            known = np.isfinite(column) & np.isfinite(y)
            if known.sum() < FEWEST_PATIENTS:
                continue
            strongest = max(strongest, _strength(column[known], y[known], form, len(columns)))
        strength, measure, form = strongest
        if strength > TOO_GOOD:
            yield Evidence(
                f"{name} alone reaches {measure} {strength:.3f} with {form} (more than "
                f"{TOO_GOOD}): was it recorded after treatment?",
                where=name,
                values={"column": name, "form": form, "strength": strength},
            )


@check(
    "A206",
    "a baseline column is named as if recorded after treatment",
    "warning",
    "A name speaks of a later week, an endpoint, follow-up, response or remission.",
)
def later_by_name(view: View) -> Iterator[Evidence]:
    """Analytes and covariates with a suspicious name; the outcome's own columns are exempt."""
    own = {view.cohort.severity, view.cohort.arm}
    names = [name for name in view.baseline.columns if name not in own and sounds_later(str(name))]
    if names:
        shown = ", ".join(map(str, names))
        yield Evidence(
            f"named as if recorded after treatment, yet given to models as baseline: {shown}",
            where=shown,
            values={"columns": [str(name) for name in names]},
        )


def sounds_later(name: str) -> bool:
    """Whether a column's name speaks of a time after treatment began.

    Examples
    --------
    >>> [sounds_later(name) for name in ("CRP_week8", "postcode", "CRP (Baseline)", "PHQ endpoint")]
    [True, False, False, True]
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold()
    words = re.findall(r"[a-z]+", spaced)
    if _EARLIER & set(words):
        return False
    together = {first + second for first, second in pairwise(words)}
    if _LATER & ({*words} | (together & {"endpoint", "followup", "posttreatment"})):
        return True
    return _PERIOD.search(spaced) is not None


def _columns(view: View) -> dict[str, Floats]:
    """Numbers, and an indicator for each category of a text column."""
    columns = dict(view.numbers)
    for name, labels in view.categories.items():
        levels = [level for level in np.unique(labels) if level]
        if 1 < len(levels) <= MOST_CATEGORIES:
            dummies = indicators(labels[labels != ""])
            for number, level in enumerate(levels[1:] if len(levels) == 2 else levels):
                column = np.full(len(labels), np.nan)
                column[labels != ""] = dummies[:, number + (len(levels) == 2)]
                columns[f"{name} = {level}"] = column
    return columns


def _strength(column: Floats, y: Floats, form: str, columns: int) -> tuple[float, str, str]:
    """How closely a column follows a form of the outcome, either way round; 0 if by chance."""
    n = len(y)
    if np.isin(y, (0, 1)).all():
        positives = int(y.sum())
        if min(positives, n - positives) < FEWEST_OF_A_CLASS:
            return 0.0, "", ""
        value = auc(y, column)
        # Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747: without any association.
        se = math.sqrt((n + 1) / (12 * positives * (n - positives)))
        strength, measure, z = max(value, 1 - value), "an AUC of", abs(value - 0.5) / se
    else:
        rho = spearman(y, column)
        if math.isnan(rho):
            return 0.0, "", ""
        strength, measure, z = abs(rho), "a rank correlation of", abs(rho) * math.sqrt(n - 1)
    by_chance = math.erfc(z / math.sqrt(2)) * columns > FAMILY_LEVEL
    return (0.0, "", "") if by_chance else (strength, measure, form)
