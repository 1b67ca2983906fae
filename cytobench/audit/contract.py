"""What a cohort should declare, and whether its scores add up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from cytobench.audit.findings import Evidence, check
from cytobench.audit.view import View
from cytobench.data.cohort import BELOW, ScaleOutcome
from cytobench.data.target import REMISSION_AT, USUAL_REDUCTION

TIED_AT_MINIMUM = 0.05
FEWEST_TIED = 5
HIGHEST = {"HAM-D17": 52.0, "MADRS": 60.0, "QIDS-SR16": 27.0, "PHQ-9": 27.0, "HADS-D": 21.0}
"""The scales' highest possible scores."""


@check(
    "A214",
    "analytes without a unit",
    "note",
    "Rules in absolute units, and readers, cannot tell what the numbers mean.",
)
def units(view: View) -> Iterator[Evidence]:
    """Analytes whose unit is empty."""
    names = [analyte.name for analyte in view.cohort.panel if not analyte.unit]
    if names:
        yield _listed(names, "without a unit")


@check(
    "A215",
    "analytes with undeclared limits of detection",
    "note",
    "Many values tie at the minimum, as values below a limit do, but no limit is declared.",
)
def limits(view: View) -> Iterator[Evidence]:
    """Analytes on a linear scale with ties at the minimum, no limit and no flag."""
    names = []
    for analyte in view.cohort.panel:
        values = view.numbers[analyte.name]
        known = values[np.isfinite(values)]
        declared = analyte.llod is not None or analyte.name + BELOW in view.cohort.flags
        if analyte.scale != "linear" or declared or not len(known):
            continue
        tied = int((known == known.min()).sum())
        # A value that is common all over the range is rounding, no limit.
        _, sizes = np.unique(known, return_counts=True)
        if tied >= max(FEWEST_TIED, TIED_AT_MINIMUM * len(known), 2 * np.median(sizes)):
            names.append(analyte.name)
    if names:
        yield _listed(names, "with many values at their minimum and no limit of detection")


@check(
    "A216",
    "scores outside their scale",
    "block",
    "A score before or after treatment is negative or above the scale's maximum.",
)
def range_of_scores(view: View) -> Iterator[Evidence]:
    """Scores that the scale does not have."""
    outcome = view.cohort.outcome
    if not isinstance(outcome, ScaleOutcome):
        return
    highest = HIGHEST.get(outcome.scale, np.inf)
    for name, scores in zip((outcome.baseline, outcome.endpoint), view.scores, strict=True):
        wrong = np.flatnonzero((scores < 0) | (scores > highest))
        if len(wrong):
            limit = "" if np.isinf(highest) else f" to {highest:g}"
            many = "1 score" if len(wrong) == 1 else f"{len(wrong)} scores"
            yield Evidence(
                f"{many} of {name} outside {outcome.scale}'s range from 0{limit}, "
                f"the first is {scores[wrong[0]]:g} in row {wrong[0] + 1}",
                where=name,
                values={"column": name, "patients": len(wrong)},
            )


@check(
    "A217",
    "the outcome does not follow from the scores",
    "block",
    "Response is not the declared fall of the score, or remission not a score at the cut-off.",
)
def arithmetic(view: View) -> Iterator[Evidence]:
    """Patients whose outcome contradicts their percent change or endpoint."""
    outcome, task = view.cohort.outcome, view.target.task
    if not isinstance(outcome, ScaleOutcome):
        return
    change, after = view.outcomes["percent change"], view.outcomes[outcome.endpoint]
    cutoff = next(
        (c for c in (task.remission_at, outcome.remission_at, REMISSION_AT.get(outcome.scale))
         if c is not None),
        np.nan,
    )  # fmt: skip
    expected = {
        "response": change <= -100 * task.minimum_reduction + 1e-9,
        "remission": after <= cutoff,
        "percent_change": task.sign * change,
    }[task.outcome_name]
    known = np.isfinite(view.target.y)
    given = view.target.y[known]
    wrong = ~(np.abs(given - expected[known].astype(np.float64)) <= 1e-9)
    if wrong.any():
        yield Evidence(
            f"{task.outcome_name} contradicts the scores of {int(wrong.sum())} of {len(wrong)} "
            "patients",
            where=outcome.endpoint,
            values={"patients": int(wrong.sum())},
        )


@check(
    "A218",
    "patients in remission before treatment",
    "warning",
    "A score at or below the cut-off at baseline makes remission no effect of treatment.",
)
def remitted_before(view: View) -> Iterator[Evidence]:
    """Patients with a known outcome whose baseline score is a remission already."""
    outcome = view.cohort.outcome
    if not isinstance(outcome, ScaleOutcome):
        return
    cutoff = outcome.remission_at
    cutoff = REMISSION_AT.get(outcome.scale) if cutoff is None else cutoff
    known = view.target.known
    count = 0 if cutoff is None else int((view.scores[0][known] <= cutoff).sum())
    if count:
        yield Evidence(
            f"{count} of {len(known)} patients are at or below the cut-off of remission "
            f"({cutoff:g}) before treatment",
            where=outcome.baseline,
            values={"patients": count, "cutoff": cutoff},
        )


@check(
    "A219",
    "an unusual definition of the outcome",
    "note",
    "Response or remission is not defined by the usual cut-off, so results compare to few others.",
)
def unusual(view: View) -> Iterator[Evidence]:
    """Cut-offs that differ from the scale's standard."""
    outcome, task = view.cohort.outcome, view.target.task
    if not isinstance(outcome, ScaleOutcome):
        return
    if task.outcome_name == "response" and task.minimum_reduction != USUAL_REDUCTION:
        yield Evidence(
            f"response is a fall by {task.minimum_reduction:.0%}, usual is {USUAL_REDUCTION:.0%}",
            where="task.minimum_reduction",
        )
    usual = REMISSION_AT.get(outcome.scale)
    used = outcome.remission_at if task.remission_at is None else task.remission_at
    if task.outcome_name == "remission" and usual is not None and used not in (None, usual):
        yield Evidence(
            f"remission is {outcome.scale} at most {used:g}, usual is {usual:g}",
            where="task.remission_at",
        )


def _listed(names: Sequence[str], what: str) -> Evidence:
    shown = ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
    noun = "analyte" if len(names) == 1 else "analytes"
    return Evidence(f"{len(names)} {noun} {what}: {shown}", where=shown, values={"names": names})
